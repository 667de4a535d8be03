//! Panics, those included that somebody catches on the way: a queue's record that panicked fails alone, a request becomes a
//! 500, and both are found here all the same.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static IS_TRYING: Cell<bool> = const { Cell::new(false) };
    static SAID: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// The first panic of the work on this thread, in its own words and with its place.
pub(crate) fn caught(work: impl FnOnce()) -> Result<(), String> {
    listen();
    IS_TRYING.with(|is_trying| is_trying.set(true));
    let ended = catch_unwind(AssertUnwindSafe(work));
    IS_TRYING.with(|is_trying| is_trying.set(false));
    let said = SAID.with(RefCell::take);
    match (said.into_iter().next(), ended) {
        (Some(first), _) => Err(first),
        (None, Err(_)) => Err("unwound without a word".to_owned()),
        (None, Ok(())) => Ok(()),
    }
}

fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if IS_TRYING.with(Cell::get) {
                SAID.with(|said| said.borrow_mut().push(panic.to_string()));
            } else {
                usual(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_that_somebody_caught_is_found() {
        let found = caught(|| drop(catch_unwind(|| panic!("within"))));
        assert!(found.unwrap_err().contains("within"));
        assert_eq!(caught(|| ()), Ok(()));
    }
}
