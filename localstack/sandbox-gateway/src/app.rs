//! What all handlers share.

use crate::clock::Clock;
use crate::config::Config;
use crate::control::Control;
use crate::journal::Journal;
use std::fmt::Write as _;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// Deliveries on their way at once: a load test must not open thousands of sockets.
const DELIVERIES_AT_ONCE: usize = 64;
/// A function of the local stack may start cold while it is being called.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) client: reqwest::Client,
    pub(crate) deliveries: Semaphore,
    world: Mutex<World>,
    closing: watch::Receiver<()>,
}

/// All that changes, behind one lock that is never held across an await: a caller that goes away can't leave half a charge.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) journal: Journal,
    pub(crate) control: Control,
    pub(crate) clock: Clock,
}

impl World {
    /// Unix seconds. Every time that is told, kept, signed or compared comes from here; only waits take real time.
    pub(crate) fn now(&self) -> i64 {
        self.clock.unix_now(self.control.clock_offset_s)
    }
}

impl App {
    pub(crate) fn try_new(config: Config, closing: watch::Receiver<()>) -> reqwest::Result<Arc<Self>> {
        // No proxy: targets are on this machine, whatever the environment says.
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(DELIVERY_TIMEOUT)
            .build()?;
        let control = Control { webhook_target: config.webhook_target.clone(), ..Control::default() };
        let clock = Clock::new(config.clock_file.clone());
        Ok(Arc::new(Self {
            config,
            client,
            deliveries: Semaphore::new(DELIVERIES_AT_ONCE),
            world: Mutex::new(World { control, clock, ..World::default() }),
            closing,
        }))
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Completes when the sandbox is being stopped.
    pub(crate) async fn closed(&self) {
        let mut closing = self.closing.clone();
        while closing.changed().await.is_ok() {}
    }

    /// Work behind the answer, which ends with the sandbox.
    pub(crate) fn spawn(
        self: &Arc<Self>,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> tokio::task::JoinHandle<()> {
        let app = Arc::clone(self);
        tokio::spawn(async move {
            tokio::select! {
                () = app.closed() => {}
                () = work => {}
            }
        })
    }
}

/// `prefix_` and 24 random hex digits.
pub(crate) fn new_id(prefix: &str) -> String {
    let mut random = [0_u8; 12];
    assert!(getrandom::fill(&mut random).is_ok(), "the system gives random bytes");
    let mut id = format!("{prefix}_");
    for byte in random {
        let _ = write!(id, "{byte:02x}");
    }
    id
}
