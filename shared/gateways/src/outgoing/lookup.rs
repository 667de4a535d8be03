//! From a name to the addresses that may be called: the one look-up that there is, judged before anything connects.

use async_trait::async_trait;
use fatura_domain::webhook_endpoint::{Loopback, is_public};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use thiserror::Error;

/// Who answers for names.
#[async_trait]
pub trait Lookup: Send + Sync {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's resolver.
#[derive(Debug, Clone, Copy)]
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum NameTrouble {
    #[error("the name leads to an address that is not public")]
    Refused,
    #[error("the name leads nowhere")]
    Unknown,
}

/// Whether an address may be called.
pub(super) fn may_call(address: IpAddr, loopback: Loopback) -> bool {
    is_public(address) || (loopback == Loopback::Allowed && address.to_canonical().is_loopback())
}

/// What reqwest connects to is what this returns, and it doesn't ask again: an answer that changes between the judgement
/// and the connection (DNS rebinding) has no second chance to be given.
pub(super) struct Guard {
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) loopback: Loopback,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, loopback) = (self.lookup.clone(), self.loopback);
        Box::pin(async move {
            let found = judged(&*lookup, name.as_str(), loopback).await?;
            // The port is the URL's.
            let addresses: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

/// All or none: a name that leads to us as well as elsewhere has no honest reason to.
async fn judged(lookup: &dyn Lookup, name: &str, loopback: Loopback) -> Result<Vec<IpAddr>, NameTrouble> {
    let found = lookup.addresses(name).await.map_err(|_| NameTrouble::Unknown)?;
    if found.is_empty() {
        return Err(NameTrouble::Unknown);
    }
    if !found.iter().all(|address| may_call(*address, loopback)) {
        return Err(NameTrouble::Refused);
    }
    Ok(found)
}
