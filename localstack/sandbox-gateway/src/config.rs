use std::env;
use std::fmt;

/// What a sandbox is started with.
#[derive(Clone, Default)]
pub struct Config {
    /// The merchant's key; empty means that any is good.
    pub api_key: String,
    pub webhook_secret: String,
    /// Where events go; `POST /control` can change it. Without one they are kept and not sent.
    pub webhook_target: Option<String>,
}

impl Config {
    pub fn from_env() -> Self {
        let text = |name| env::var(name).unwrap_or_default();
        Self {
            api_key: text("SANDBOX_API_KEY"),
            webhook_secret: text("SANDBOX_WEBHOOK_SECRET"),
            webhook_target: Some(text("SANDBOX_WEBHOOK_TARGET")).filter(|target| !target.is_empty()),
        }
    }
}

// By hand: keys stay out of logs even when they are only a sandbox's.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("webhook_target", &self.webhook_target).finish_non_exhaustive()
    }
}
