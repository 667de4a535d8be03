use fatura_application::ports::{Clock, Entropy};
use fatura_domain::Timestamp;

#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = shifted(Timestamp::now());
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}

#[cfg(not(feature = "test-clock"))]
const fn shifted(now: Timestamp) -> Timestamp {
    now
}

// A release has no assertions, and so cannot have this either.
#[cfg(all(feature = "test-clock", not(debug_assertions)))]
compile_error!("a clock that can be set is for the local stack and its tests only");

/// By the seconds that the file named by `TEST_CLOCK_FILE` holds: days pass on the local stack when a test says so.
#[cfg(feature = "test-clock")]
fn shifted(now: Timestamp) -> Timestamp {
    let file = crate::environment::optional("TEST_CLOCK_FILE");
    let seconds =
        file.and_then(|file| std::fs::read_to_string(file).ok()).and_then(|text| text.trim().parse().ok());
    now.checked_add(fatura_domain::SignedDuration::from_secs(seconds.unwrap_or(0))).unwrap_or(now)
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
