//! What the platform keeps of an order: one rule for all merchants, and rules of their own for some.

use crate::access::{Caller, Operation, Scope};
use crate::app::{App, Committed};
use crate::change_set::{Change, ChangeSet, Edition};
use crate::customers::expect_version;
use crate::error::Error;
use fatura_domain::Timestamp;
use fatura_domain::actor::Actor;
use fatura_domain::fees::Fees;
use fatura_domain::id::CustomerId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Fees as they were put in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeesEdition {
    /// None: the platform's, for whoever has none of their own.
    pub merchant: Option<CustomerId>,
    /// From 1; where nobody has put any, there are none, which is edition 0.
    pub version: u64,
    pub fees: Fees,
    pub put: Option<(Actor, Timestamp)>,
}

impl App {
    pub async fn platform_fees(&self, caller: &Caller) -> Result<FeesEdition, Error> {
        caller.may_in(Scope::SettingsRead, Operation::Operate)?;
        Ok(self.records.orders.fees().await?.unwrap_or_default())
    }

    /// A merchant's own fees, or else the platform's, which name no merchant.
    pub async fn fees_of(&self, caller: &Caller, merchant: CustomerId) -> Result<FeesEdition, Error> {
        caller.may_in(Scope::CustomersRead, Operation::OwnedBy(merchant))?;
        let (known, own) = futures::try_join!(
            self.records.customers.customer(merchant),
            self.records.orders.fees_of(std::slice::from_ref(&merchant))
        )?;
        known.ok_or(Error::NotFound)?;
        match own.into_iter().next() {
            Some(own) => Ok(own),
            None => Ok(self.records.orders.fees().await?.unwrap_or_default()),
        }
    }

    /// Puts fees in force for the next payment; what was paid stays as it was. None: the platform's.
    pub async fn put_fees(
        &self,
        caller: &Caller,
        merchant: Option<CustomerId>,
        fees: Fees,
        if_version: Option<u64>,
    ) -> Result<FeesEdition, Error> {
        caller.may_in(Scope::SettingsWrite, Operation::Operate)?;
        let before = match merchant {
            Some(merchant) => {
                let own = self.records.orders.fees_of(std::slice::from_ref(&merchant)).await?;
                own.into_iter().next()
            }
            None => self.records.orders.fees().await?,
        };
        let before = before.unwrap_or_default();
        expect_version(if_version, before.version)?;
        let put = Some((caller.actor(), self.clock.now()));
        let edition = FeesEdition { merchant, version: before.version + 1, fees, put };
        let changes = ChangeSet::of(merchant.map(Change::CustomerExists))
            .and([Change::EditionPut(Edition::Fees(edition.clone()))]);
        match self.commit(changes, None).await? {
            Committed::Written => Ok(edition),
            Committed::Stale | Committed::Replayed(_) => Err(Error::Busy),
        }
    }

    /// The fees of each of these merchants, as they are now.
    pub(crate) async fn fees_in_force(
        &self,
        merchants: &BTreeSet<CustomerId>,
    ) -> Result<BTreeMap<CustomerId, Fees>, Error> {
        let merchants: Vec<CustomerId> = merchants.iter().copied().collect();
        let platform = async {
            let read = async { Ok(self.records.orders.fees().await?.unwrap_or_default()) };
            Ok::<Arc<FeesEdition>, Error>(self.fees.get(self.clock.now(), read).await?)
        };
        let own = async { Ok(self.records.orders.fees_of(&merchants).await?) };
        let (platform, own) = futures::try_join!(platform, own)?;
        let mut each: BTreeMap<CustomerId, Fees> =
            merchants.iter().map(|merchant| (*merchant, platform.fees.clone())).collect();
        each.extend(own.into_iter().filter_map(|edition| Some((edition.merchant?, edition.fees))));
        Ok(each)
    }
}
