use crate::access::{ApiKey, Caller, KeyHash, KeyRole, Operation, Scopes};
use crate::app::{App, Committed};
use crate::change_set::{Change, ChangeSet};
use crate::error::Error;
use crate::idempotency::{Answer, Once, Reply};
use fatura_domain::text::Name;

/// A key that was just made. The key itself is in here and nowhere else, ever.
pub struct NewKey {
    pub record: ApiKey,
    pub key: String,
}

/// What a key is to be.
#[derive(Debug, Clone)]
pub struct CreateApiKey {
    pub role: KeyRole,
    pub scopes: Scopes,
    pub name: Option<Name>,
}

/// The key is for its owner's eyes.
impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey").field("record", &self.record).finish_non_exhaustive()
    }
}

const PREFIX: &str = "fat_";
/// What of a key is kept: 32 of its 256 bits tell keys apart, and what is left can't be guessed.
const RECOGNISED_BY: usize = PREFIX.len() + 8;

impl App {
    /// `stored` is what a replay answers: the same without the key, which is kept nowhere.
    pub async fn create_api_key(
        &self,
        caller: &Caller,
        command: CreateApiKey,
        once: &Once,
        shown: &(dyn Fn(&NewKey) -> Answer + Sync),
        stored: &(dyn Fn(&ApiKey) -> Answer + Sync),
    ) -> Result<Reply, Error> {
        caller.may(Operation::ManageApiKeys)?;
        let now = self.clock.now();
        let [a, b, c, d] = std::array::from_fn(|_| self.entropy.bits());
        let key = format!("{PREFIX}{a:016x}{b:016x}{c:016x}{d:016x}");
        let record = ApiKey {
            id: format!("key_{:016x}", self.entropy.bits()),
            hash: KeyHash::of(&key),
            role: command.role,
            scopes: command.scopes,
            prefix: key.get(..RECOGNISED_BY).map(str::to_owned),
            name: command.name.map(String::from),
            created_at: now,
            revoked_at: None,
        };
        let new = NewKey { record, key };
        let changes = ChangeSet::of([
            Change::ApiKeyCreated(new.record.clone()),
            once.answered(stored(&new.record), now),
        ]);
        match self.commit(changes, Some(once)).await? {
            Committed::Written => Ok(Reply { answer: shown(&new), replayed: false }),
            Committed::Replayed(reply) => Ok(reply),
            Committed::Stale => Err(Error::Busy),
        }
    }

    pub async fn api_keys(&self, caller: &Caller) -> Result<Vec<ApiKey>, Error> {
        caller.may(Operation::ManageApiKeys)?;
        Ok(self.records.api_keys.api_keys().await?)
    }

    /// Revoking twice is revoking once.
    pub async fn revoke_api_key(&self, caller: &Caller, id: &str) -> Result<(), Error> {
        caller.may(Operation::ManageApiKeys)?;
        let keys = self.records.api_keys.api_keys().await?;
        let key = keys.into_iter().find(|key| key.id == id).ok_or(Error::NotFound)?;
        if key.revoked_at.is_none() {
            let revoked = ApiKey { revoked_at: Some(self.clock.now()), ..key };
            self.commit(ChangeSet::of([Change::ApiKeyRevoked(revoked)]), None).await?;
        }
        Ok(())
    }
}
