use fatura_application::ports::{Clock, Entropy};
use fatura_domain::Timestamp;

#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn bits(&self) -> u64 {
        // Without randomness there are no keys and no ids: better no answer than a guessable one.
        #[expect(clippy::expect_used, reason = "an operating system without entropy cannot serve")]
        getrandom::u64().expect("the operating system gives randomness")
    }
}
