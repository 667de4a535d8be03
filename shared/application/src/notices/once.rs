use super::NoticeChange;
use crate::change_set::{Change, ChangeSet};
use crate::error::Error;
use crate::ports::{Clock, CommitError, Notices, Store, TellError};
use fatura_domain::notice::{Channel, Claim, Telling, TellingState};

/// What came of telling somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    Done,
    /// Not yet: it is to come again.
    NotYet(String),
}

/// Claim, send, write down. However often it is asked for, one event goes out by one channel once; twice if whoever sent it
/// died before writing that down, as nobody can be asked whether it went out.
pub async fn told_once(
    (store, notices, clock): (&dyn Store, &dyn Notices, &dyn Clock),
    event: &str,
    channel: Channel,
    send: impl AsyncFnOnce() -> Result<(), TellError>,
) -> Result<Told, Error> {
    let now = clock.now();
    let before = notices.telling(event, channel).await?;
    let claimed = match Telling::claimed(before.as_ref(), event, channel, now) {
        Claim::Send(claimed) => claimed,
        Claim::Busy => return Ok(busy()),
        Claim::Done => return Ok(Told::Done),
    };
    if !is_written(store, claimed.clone()).await? {
        return Ok(busy());
    }
    let (next, told) = match send().await {
        Ok(()) => (claimed.ended(TellingState::Sent, clock.now()), Told::Done),
        Err(TellError::Refused(why)) => {
            tracing::warn!(event, channel = channel.as_str(), why, "the address takes nothing");
            (claimed.ended(TellingState::Refused, clock.now()), Told::Done)
        }
        Err(error @ TellError::NotSent(_)) => {
            (claimed.released(clock.now()), Told::NotYet(error.to_string()))
        }
        // The lease has to end first: it may be on its way still.
        Err(error @ TellError::Unknown(_)) => return Ok(Told::NotYet(error.to_string())),
    };
    // Somebody else has it by now only if the lease ended: then it is theirs to write down.
    is_written(store, next).await?;
    Ok(told)
}

fn busy() -> Told {
    Told::NotYet("somebody is at it just now".to_owned())
}

async fn is_written(store: &dyn Store, telling: Telling) -> Result<bool, Error> {
    match store.commit(ChangeSet::of([Change::Notice(NoticeChange::Telling(telling))])).await {
        Ok(()) => Ok(true),
        Err(CommitError::Refused(_)) => Ok(false),
        Err(CommitError::Store(error)) => Err(error.into()),
    }
}
