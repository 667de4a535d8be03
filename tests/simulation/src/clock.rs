use fatura_domain::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The world's time, as somebody's clock shows it.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    world_ms: Arc<AtomicI64>,
    ahead_ms: i64,
}

impl Clock {
    /// 2026-11-02T12:00:00Z, a Monday.
    const START_MS: i64 = 1_793_620_800_000;

    pub(crate) fn start() -> Self {
        Self { world_ms: Arc::new(AtomicI64::new(Self::START_MS)), ahead_ms: 0 }
    }

    /// The same time on a clock that is so much ahead, or behind.
    pub(crate) fn ahead_by(&self, ahead_ms: i64) -> Self {
        Self { world_ms: self.world_ms.clone(), ahead_ms }
    }

    pub(crate) fn ms(&self) -> i64 {
        self.world_ms.load(Ordering::Relaxed)
    }

    pub(crate) fn since_start(&self) -> SignedDuration {
        SignedDuration::from_millis(self.ms() - Self::START_MS)
    }

    pub(crate) fn pass(&self, ms: i64) {
        self.world_ms.fetch_add(ms, Ordering::Relaxed);
    }
}

impl fatura_application::ports::Clock for Clock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.ms() + self.ahead_ms).unwrap()
    }
}
