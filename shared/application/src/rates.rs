//! Exchange rates in force: remembered in the function, kept in the table for all functions, and only then asked for. While
//! the source doesn't answer the last ones serve on, until they are too old.

use crate::ports::{Clock, KeptRates, RateStore, Rates, RatesError};
use fatura_domain::exchange::{AgeLimits, ExchangeRates, Freshness, Publication};
use fatura_domain::{SignedDuration, Timestamp};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Rates that may be used now, and how old they are: whoever shows what was converted with them shows that, too.
#[derive(Debug, Clone)]
pub struct RatesInForce {
    publication: Arc<Publication>,
    /// By the source's own time.
    pub age: SignedDuration,
    /// The source should have been heard again since, and wasn't.
    pub is_stale: bool,
}

impl RatesInForce {
    pub fn rates(&self) -> &ExchangeRates {
        &self.publication.rates
    }

    pub fn confirmed_at(&self) -> Timestamp {
        self.publication.confirmed_at
    }
}

/// Where one source's rates are to be had.
pub struct RateDesk {
    source: Arc<dyn Rates>,
    store: Arc<dyn RateStore>,
    clock: Arc<dyn Clock>,
    limits: AgeLimits,
    known: Mutex<Known>,
    /// Whoever holds it asks; nobody else does meanwhile.
    turn: futures::lock::Mutex<()>,
}

#[derive(Default)]
struct Known {
    publication: Option<Arc<Publication>>,
    /// Since when, and for how long nobody is asked, because asking was in vain.
    pause: Option<(Timestamp, SignedDuration)>,
}

/// What passes by itself is tried again soon. Each try may keep somebody waiting until it times out.
const SHORT_PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// What a person has to mend, or a quota, doesn't change by asking more often.
const LONG_PAUSE: SignedDuration = SignedDuration::from_mins(5);

impl RateDesk {
    pub fn new(
        source: Arc<dyn Rates>,
        store: Arc<dyn RateStore>,
        clock: Arc<dyn Clock>,
        limits: AgeLimits,
    ) -> Self {
        let (known, turn) = (Mutex::default(), futures::lock::Mutex::new(()));
        Self { source, store, clock, limits, known, turn }
    }

    /// The rates in force. None: there are none that may be used, and the log says why. Never an error, because nothing may
    /// depend on a source that somebody else runs; it takes no longer than the source's client waits.
    pub async fn current(&self) -> Option<RatesInForce> {
        let now = self.clock.now();
        if self.is_settled(now) {
            return self.usable(now);
        }
        let turn = match self.turn.try_lock() {
            Some(turn) => turn,
            None => match self.usable(now) {
                // Somebody is asking already: no need for others to wait with them.
                Some(stale) => return Some(stale),
                None => self.turn.lock().await,
            },
        };
        // Whoever had the turn before may have asked for all that waited.
        let now = self.clock.now();
        if !self.is_settled(now) {
            self.ask(now).await;
        }
        drop(turn);
        self.usable(self.clock.now())
    }

    /// The table first: another function may have asked already.
    async fn ask(&self, now: Timestamp) {
        let source = self.source.source();
        match self.store.rates(source).await {
            Ok(kept) => self.learn(kept, now),
            Err(error) => tracing::warn!(%source, %error, "kept rates cannot be read"),
        }
        if self.is_fresh(now) {
            return;
        }
        let pause = match self.source.latest().await {
            Ok(rates) => {
                self.take(Publication { rates, confirmed_at: now }, now).await;
                LONG_PAUSE
            }
            Err(error) => {
                tracing::warn!(%source, %error, "rates cannot be had");
                match error {
                    RatesError::Unavailable(_) => SHORT_PAUSE,
                    RatesError::Refused(_) | RatesError::Unusable(_) => LONG_PAUSE,
                }
            }
        };
        let is_fresh = self.is_fresh(now);
        self.known().pause = (!is_fresh).then_some((now, pause));
    }

    async fn take(&self, publication: Publication, now: Timestamp) {
        let source = publication.rates.source();
        if self.limits.freshness(&publication, now) == Freshness::NoRate {
            // Not even kept: what is from the future would keep all later ones out.
            let published_at = publication.rates.published_at();
            tracing::warn!(%source, %published_at, "the latest rates are too old or from the future");
            return;
        }
        self.learn(Some(publication.clone()), now);
        match self.store.keep_rates(&publication).await {
            Ok(KeptRates::Kept) => {}
            Ok(KeptRates::Superseded(newer)) => self.learn(Some(*newer), now),
            Err(error) => tracing::warn!(%source, %error, "rates cannot be kept"),
        }
    }

    fn learn(&self, publication: Option<Publication>, now: Timestamp) {
        let Some(publication) = publication else { return };
        if self.limits.freshness(&publication, now) == Freshness::NoRate {
            return;
        }
        let mut known = self.known();
        let stays = known.publication.as_ref().is_some_and(|known| {
            self.limits.freshness(known, now) != Freshness::NoRate && !publication.supersedes(known)
        });
        if !stays {
            known.publication = Some(Arc::new(publication));
        }
    }

    /// Whether nobody need be asked just now: there are fresh rates, or asking was in vain a moment ago.
    fn is_settled(&self, now: Timestamp) -> bool {
        let pause = self.known().pause;
        // Either way: a clock that was put back must not keep the pause until it has caught up.
        let is_pause = pause.is_some_and(|(since, pause)| now.duration_since(since).abs() < pause);
        is_pause || self.is_fresh(now)
    }

    fn is_fresh(&self, now: Timestamp) -> bool {
        self.usable(now).is_some_and(|rates| !rates.is_stale)
    }

    fn usable(&self, now: Timestamp) -> Option<RatesInForce> {
        let publication = self.known().publication.clone()?;
        let is_stale = match self.limits.freshness(&publication, now) {
            Freshness::Fresh => false,
            Freshness::Stale => true,
            Freshness::NoRate => return None,
        };
        let age = publication.rates.age(now);
        Some(RatesInForce { publication, age, is_stale })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RateDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateDesk").field("source", &self.source.source()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
