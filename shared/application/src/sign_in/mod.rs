//! Customers sign in, stay signed in and sign out.

mod change;
mod change_password;
mod passwords;
mod tries;

pub use change::AccessChange;
pub use tries::TriesOf;

use crate::app::DECISIONS;
use crate::change_set::{Change, ChangeSet};
use crate::error::Error;
use crate::ports::{Clock, CommitError, Entropy, SignIns, Store};
use crate::tokens::Tokens;
use fatura_domain::id::{CustomerId, SessionId};
use fatura_domain::sign_in::{Password, PasswordHash, Presented, RefreshSecret, RefreshToken, Salt, Session};
use fatura_domain::text::Email;
use futures::future::join;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use thiserror::Error as ThisError;

/// What the function that signs customers in works with: not a key of anything else.
pub struct SignIn {
    pub store: Arc<dyn Store>,
    pub people: Arc<dyn SignIns>,
    pub tokens: Arc<Tokens>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// What a customer gets who has proved to be one.
#[derive(Debug)]
pub struct SignedIn {
    pub customer: CustomerId,
    pub access_token: AccessToken,
    pub refresh_token: RefreshToken,
}

/// For its owner's eyes.
pub struct AccessToken(pub String);

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(..)")
    }
}

#[derive(Debug, ThisError)]
pub enum SignInError {
    /// No such customer, no password, another one, a token that isn't good: it isn't said which.
    #[error("refused")]
    Refused,
    #[error(transparent)]
    Failed(#[from] Error),
}

/// Nobody's: its look-up takes as long as anybody's.
const NOBODY: u64 = 0;

impl SignIn {
    /// As they were typed. Whatever is wrong with them, the answer is one and the same, and takes as long.
    pub async fn sign_in(
        &self,
        email: &str,
        password: &str,
        address: Option<IpAddr>,
    ) -> Result<SignedIn, SignInError> {
        let (account, address) = (TriesOf::account(email), TriesOf::address(address));
        let all = [account.clone(), address.clone()];
        // Side by side: whose it is takes as long to ask for as how often it was tried.
        let count = tries::count(&*self.store, &*self.people, &*self.clock, &all);
        let (counted, owner) = join(count, self.owner(email)).await;
        counted?;
        let owner = owner?;
        let access =
            self.people.access(owner.unwrap_or(CustomerId::new(NOBODY))).await.map_err(Error::from)?;
        let kept = access.credentials.filter(|_| owner.is_some());
        let is_right = passwords::is_right(kept.as_ref().map(|kept| &kept.hash), password);
        let (Some(customer), Some(kept), true) = (owner, kept, is_right) else {
            return Err(SignInError::Refused);
        };

        let now = self.clock.now();
        let id = SessionId::new(customer, now, self.entropy.bits());
        let secret = RefreshSecret::new(std::array::from_fn(|_| self.entropy.bits()));
        let session = Session::opened(id, kept.version, secret, now);
        let ended =
            Session::making_room(access.sessions).into_iter().map(|old| AccessChange::SessionEnded(old.id));
        let begun = [AccessChange::SessionOpened(session), AccessChange::TriesForgotten(account)];
        let opening = self.commit(begun.into_iter().chain(ended));
        let (opened, ()) = join(opening, tries::take_back(&*self.store, &*self.people, address)).await;
        opened?;
        self.granted(RefreshToken { session: id, secret }).await
    }

    /// A new pair for the refresh token that is current. One that was used before ends the session for whoever has it.
    pub async fn refresh(&self, token: &str) -> Result<SignedIn, SignInError> {
        let token: RefreshToken = token.parse().map_err(|_| SignInError::Refused)?;
        for _ in 0..DECISIONS {
            let access = self.people.access(token.session.owner()).await.map_err(Error::from)?;
            let session = access.sessions.into_iter().find(|session| session.id == token.session);
            let (Some(session), Some(kept)) = (session, access.credentials) else {
                return Err(SignInError::Refused);
            };
            let now = self.clock.now();
            let secret = match session.presented(token.secret, kept.version, now) {
                Presented::Current => {
                    let (next, secret) = session.rotated(token.secret, self.salt(), now);
                    let change = Change::Access(AccessChange::SessionChanged(next));
                    match self.store.commit(ChangeSet::of([change])).await {
                        Ok(()) => secret,
                        // Somebody rotated it meanwhile: perhaps this very client, twice at once.
                        Err(CommitError::Refused(_)) => continue,
                        Err(CommitError::Store(error)) => return Err(Error::from(error).into()),
                    }
                }
                Presented::Again(salt) => token.secret.next(salt),
                Presented::Ended => return Err(SignInError::Refused),
                Presented::Reused => {
                    tracing::warn!(session = %session.id, "a refresh token was used twice: the session ends");
                    self.commit([AccessChange::SessionEnded(session.id)]).await?;
                    return Err(SignInError::Refused);
                }
            };
            return self.granted(RefreshToken { secret, ..token }).await;
        }
        Err(Error::Busy.into())
    }

    /// Ends the session of a refresh token, whichever of its tokens it is. Ending twice is ending once.
    pub async fn sign_out(&self, token: &str) -> Result<(), Error> {
        match token.parse::<RefreshToken>() {
            Ok(token) => self.commit([AccessChange::SessionEnded(token.session)]).await,
            // What names no session has none to end.
            Err(_) => Ok(()),
        }
    }

    async fn owner(&self, email: &str) -> Result<Option<CustomerId>, Error> {
        match Email::parse(email) {
            Ok(email) => Ok(self.people.by_email(&email).await?),
            Err(_) => Ok(None),
        }
    }

    async fn granted(&self, refresh_token: RefreshToken) -> Result<SignedIn, SignInError> {
        let (customer, session) = (refresh_token.session.owner(), refresh_token.session);
        let issued = self.tokens.issue(customer, session, self.entropy.bits(), self.clock.now()).await?;
        Ok(SignedIn { customer, access_token: AccessToken(issued), refresh_token })
    }

    async fn commit(&self, changes: impl IntoIterator<Item = AccessChange>) -> Result<(), Error> {
        Ok(self.store.commit(ChangeSet::of(changes.into_iter().map(Change::Access))).await?)
    }

    fn salt(&self) -> Salt {
        Salt::new(std::array::from_fn(|_| self.entropy.bits()))
    }
}

/// A new password's hash, with a salt of its own.
pub(crate) fn hashed(password: &Password, entropy: &dyn Entropy) -> Result<PasswordHash, Error> {
    passwords::hash(password, Salt::new(std::array::from_fn(|_| entropy.bits())))
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignIn(..)")
    }
}
