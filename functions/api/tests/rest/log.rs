//! What was logged by one test. Each has a thread of its own, and the log is kept by thread: a subscriber that only one
//! test sets would miss whatever another test's thread was the first to say.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Once;

thread_local! {
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| tracing_subscriber::fmt().json().with_writer(|| OfThisThread).init());
}

pub(crate) fn logged() -> String {
    LOG.with_borrow(|log| String::from_utf8(log.clone()).unwrap())
}

struct OfThisThread;

impl Write for OfThisThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
