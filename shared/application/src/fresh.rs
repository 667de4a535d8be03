use crate::ports::StoreError;
use fatura_domain::{SignedDuration, Timestamp};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// How soon a change of configuration is in force everywhere.
const FRESH_FOR: SignedDuration = SignedDuration::from_secs(30);

/// Something that seldom changes, remembered for half a minute. While whoever knows it doesn't answer, the last one serves on.
pub struct Fresh<T>(Mutex<Option<(Arc<T>, Timestamp)>>);

impl<T> Fresh<T> {
    pub const fn nothing() -> Self {
        Self(Mutex::new(None))
    }

    pub async fn get(
        &self,
        now: Timestamp,
        read: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<Arc<T>, StoreError> {
        self.get_from(now, read).await
    }

    /// The same of something that isn't in the store.
    pub(crate) async fn get_from<E>(
        &self,
        now: Timestamp,
        read: impl Future<Output = Result<T, E>>,
    ) -> Result<Arc<T>, E> {
        let cached = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((thing, at)) = &cached
            && now.duration_since(*at).abs() < FRESH_FOR
        {
            return Ok(thing.clone());
        }
        match read.await {
            Ok(thing) => {
                let thing = Arc::new(thing);
                *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((thing.clone(), now));
                Ok(thing)
            }
            Err(error) => cached.map(|(thing, _)| thing).ok_or(error),
        }
    }
}

impl<T> fmt::Debug for Fresh<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fresh(..)")
    }
}
