use std::env;
use std::fmt;
use std::path::PathBuf;

/// What a sandbox is started with.
#[derive(Clone, Default)]
pub struct Config {
    /// The merchant's key; empty means that any is good.
    pub api_key: String,
    pub webhook_secret: String,
    /// Where events go; `POST /control` can change it. Without one they are kept and not sent.
    pub webhook_target: Option<String>,
    /// Seconds to add to the machine's time, as a number in a file that may change at any moment.
    pub clock_file: Option<PathBuf>,
}

impl Config {
    pub fn from_env() -> Self {
        let text = |name| env::var(name).unwrap_or_default();
        Self {
            api_key: text("SANDBOX_API_KEY"),
            webhook_secret: text("SANDBOX_WEBHOOK_SECRET"),
            webhook_target: Some(text("SANDBOX_WEBHOOK_TARGET")).filter(|target| !target.is_empty()),
            clock_file: Some(text("TEST_CLOCK_FILE")).filter(|file| !file.is_empty()).map(PathBuf::from),
        }
    }
}

// By hand: keys stay out of logs even when they are only a sandbox's.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("webhook_target", &self.webhook_target)
            .field("clock_file", &self.clock_file)
            .finish_non_exhaustive()
    }
}
