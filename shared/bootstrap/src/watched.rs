use fatura_application::Reporter;
use fatura_application::ports::StoreError;
use fatura_domain::service::Symptom;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// An instance of a function that says how it fares. Whether it is heard changes nothing but the list of services.
pub struct Watched {
    reporter: Reporter,
    has_started: AtomicBool,
}

/// A row is written in milliseconds, or the invocation doesn't wait for it.
const PATIENCE: Duration = Duration::from_millis(500);

impl Watched {
    pub(crate) const fn new(reporter: Reporter) -> Self {
        Self { reporter, has_started: AtomicBool::new(false) }
    }

    /// Works, and says so: the first time that it has started, beside the work, which needs the same connection; and
    /// afterwards what was wrong. A panic, a timeout or too little memory ends the work before a word: those are for alarms.
    pub async fn run<T>(
        &self,
        work: impl Future<Output = T>,
        symptom: impl FnOnce(&T) -> Option<Symptom>,
    ) -> T {
        let (outcome, ()) = tokio::join!(work, self.start());
        if let Some(symptom) = symptom(&outcome) {
            say(self.reporter.troubled(symptom)).await;
        }
        outcome
    }

    async fn start(&self) {
        if !self.has_started.swap(true, Ordering::Relaxed) {
            say(self.reporter.started()).await;
        }
    }
}

async fn say(words: impl Future<Output = Result<(), StoreError>>) {
    match tokio::time::timeout(PATIENCE, words).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "how this function fares could not be written down"),
        Err(_) => tracing::warn!("how this function fares could not be written down in time"),
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watched({:?})", self.reporter)
    }
}
