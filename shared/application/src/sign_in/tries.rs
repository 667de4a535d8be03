use super::AccessChange;
use crate::app::DECISIONS;
use crate::change_set::{Change, ChangeSet};
use crate::error::Error;
use crate::ports::{Clock, CommitError, SignIns, Store};
use fatura_domain::sign_in::{Against, Tries};
use futures::future::try_join_all;
use sha2::{Digest, Sha256};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// Whose tries: an account by the address that was typed, whether or not there is one, or a network address. Only their
/// hashes are kept.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TriesOf {
    pub against: Against,
    digest: String,
}

impl TriesOf {
    pub fn account(email: &str) -> Self {
        Self::of(Against::Account, &email.to_lowercase())
    }

    /// A household has 64 bits of addresses of version 6. Who comes without an address shares one with all of those.
    pub fn address(address: Option<IpAddr>) -> Self {
        let network = match address {
            Some(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
                Some(address) => address.to_string(),
                None => Ipv6Addr::from(u128::from(address) >> 64 << 64).to_string(),
            },
            Some(IpAddr::V4(address)) => address.to_string(),
            None => String::new(),
        };
        Self::of(Against::Address, &network)
    }

    fn of(against: Against, whose: &str) -> Self {
        Self { against, digest: hex::encode(Sha256::digest(whose)) }
    }

    pub fn digest(&self) -> &str {
        &self.digest
    }
}

impl fmt::Debug for TriesOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TriesOf({:?})", self.against)
    }
}

/// Counts a try against all of them before anything is tried: refused if one has to wait, and then counted against none.
pub(super) async fn count(
    store: &dyn Store,
    people: &dyn SignIns,
    clock: &dyn Clock,
    all: &[TriesOf],
) -> Result<(), Error> {
    for _ in 0..DECISIONS {
        let known = try_join_all(all.iter().map(|of| people.tries(of))).await?;
        let now = clock.now();
        let counted = all.iter().zip(&known).map(|(of, tries)| {
            let tries = tries.counted(of.against, now)?;
            Ok(Change::Access(AccessChange::TriesChanged { of: of.clone(), tries }))
        });
        let counted: Vec<Change> = counted.collect::<Result<_, _>>().map_err(Error::TooSoon)?;
        match store.commit(ChangeSet::of(counted)).await {
            Ok(()) => return Ok(()),
            Err(CommitError::Refused(_)) => {}
            Err(CommitError::Store(error)) => return Err(error.into()),
        }
    }
    // So many at once are no person.
    Err(Error::TooMany)
}

/// A try that was none after all. Best effort: what isn't taken back is forgotten in an hour.
pub(super) async fn take_back(store: &dyn Store, people: &dyn SignIns, of: TriesOf) {
    let known: Result<Tries, _> = people.tries(&of).await;
    let Ok(tries) = known else { return };
    if tries.failures > 0 {
        let change = Change::Access(AccessChange::TriesChanged { of, tries: tries.taken_back() });
        let _ = store.commit(ChangeSet::of([change])).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_the_same_is_counted_together() {
        let address = |text: &str| TriesOf::address(Some(text.parse().unwrap()));
        assert_eq!(TriesOf::account("Ana@Example.com"), TriesOf::account("ana@example.com"));
        assert_ne!(TriesOf::account("ana@example.com"), TriesOf::account("bia@example.com"));
        assert_eq!(address("2001:db8:1:2::1"), address("2001:db8:1:2:ffff::9"));
        assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
        assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
        assert!(!format!("{:?}", address("192.0.2.1")).contains("192"));
    }
}
