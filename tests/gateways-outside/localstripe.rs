//! A localstripe of a test's own, as a process. `run.py` says where it is installed.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Localstripe {
    pub(crate) url: String,
    /// It ends with its standard input, so also when nobody is left to stop it.
    process: Child,
}

impl Localstripe {
    pub(crate) fn start() -> Self {
        let mut process = Command::new(installed("ORACLE_PYTHON"))
            .arg(installed("LOCALSTRIPE_SERVER"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told = BufReader::new(process.stdout.take().unwrap());
        let (sender, url) = mpsc::channel();
        std::thread::spawn(move || sender.send(told.lines().next()));
        let url = url.recv_timeout(PATIENCE);
        let Ok(Some(Ok(url))) = url else {
            let _ = process.kill();
            panic!("localstripe did not start: {url:?}");
        };
        Self { url, process }
    }
}

impl Drop for Localstripe {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn installed(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("no {name}: runs under tests/gateways-outside/run.py"))
}
