//! Starting and stopping, in process and as a binary.

use crate::control::Control;
use crate::{control, formats};
use axum::Router;
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use std::fmt;
use std::future::Future;
use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// What a server is started with.
#[derive(Clone, Default)]
pub struct Config {
    /// What callers of Open Exchange Rates have to give; empty means that any is good.
    pub app_id: String,
    /// Seconds to add to the machine's time, as a number in a file that may change at any moment.
    pub clock_file: Option<PathBuf>,
}

impl Config {
    pub fn from_env() -> Self {
        let text = |name| std::env::var(name).unwrap_or_default();
        Self {
            app_id: text("RATES_APP_ID"),
            clock_file: Some(text("TEST_CLOCK_FILE")).filter(|file| !file.is_empty()).map(PathBuf::from),
        }
    }
}

// By hand: keys stay out of logs even when they are only a fake's.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("clock_file", &self.clock_file).finish_non_exhaustive()
    }
}

pub(crate) struct App {
    pub(crate) config: Config,
    control: Mutex<Control>,
}

impl App {
    pub(crate) fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The machine's time, shifted as a test wants it. No file, or none that can be read: no shift.
    pub(crate) fn now(&self) -> Timestamp {
        let text = self.config.clock_file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
        let seconds = text.and_then(|text| text.trim().parse().ok()).unwrap_or_default();
        let now = Timestamp::now();
        now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(now)
    }
}

/// A server running in this process on a random loopback port, until it is dropped.
#[derive(Debug)]
pub struct RatesServer {
    url: String,
    // Never sent to: its going away is the signal.
    _open: oneshot::Sender<()>,
}

impl RatesServer {
    pub async fn start(config: Config) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (open, closing) = oneshot::channel();
        tokio::spawn(async move {
            let closed = async { drop(closing.await) };
            if let Err(error) = serve(listener, config, closed).await {
                tracing::error!(%error, "the rates server stopped");
            }
        });
        Ok(Self { url, _open: open })
    }

    /// `http://127.0.0.1:port`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// Serves on a listener of the caller's until `shutdown` completes.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let app = Arc::new(App { config, control: Mutex::default() });
    let router = Router::new()
        .merge(formats::routes(&app))
        .merge(control::routes())
        .route("/health", get(|| async { "ok" }))
        .with_state(app);
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}
