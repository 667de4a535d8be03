use super::NoticeChange;
use crate::access::{Caller, Operation, Role, Scope};
use crate::app::{App, Committed, DECISIONS};
use crate::change_set::{Change, ChangeSet};
use crate::customers::expect_version;
use crate::error::Error;
use fatura_domain::id::CustomerId;
use fatura_domain::notice::{Preferences, Wanted};

impl App {
    pub async fn notice_preferences(
        &self,
        caller: &Caller,
        customer: CustomerId,
    ) -> Result<Preferences, Error> {
        caller.may_in(Scope::CustomersRead, Operation::OwnedBy(customer))?;
        self.stored_preferences(customer).await
    }

    async fn stored_preferences(&self, customer: CustomerId) -> Result<Preferences, Error> {
        let (known, preferences) = futures::try_join!(
            self.records.customers.customer(customer),
            self.records.notices.preferences(customer)
        )?;
        known.map(|_| preferences).ok_or(Error::NotFound)
    }

    /// Replaces them as a whole. Which phone is called and which app is reached is the shop's to say: somebody who signs in
    /// could have others called at the shop's expense.
    pub async fn put_notice_preferences(
        &self,
        caller: &Caller,
        customer: CustomerId,
        wanted: Wanted,
        if_version: Option<u64>,
    ) -> Result<Preferences, Error> {
        caller.may_in(Scope::CustomersWrite, Operation::OwnedBy(customer))?;
        for _ in 0..DECISIONS {
            let before = self.stored_preferences(customer).await?;
            expect_version(if_version, before.version)?;
            let moves_address =
                wanted.phone != before.wanted.phone || wanted.push_target != before.wanted.push_target;
            if matches!(caller.role, Role::Customer(_)) && moves_address {
                return Err(Error::Forbidden);
            }
            let after = before.put(wanted.clone(), self.clock.now());
            let put = Change::Notice(NoticeChange::PreferencesPut(after.clone()));
            if let Committed::Written = self.commit(ChangeSet::of([put]), None).await? {
                return Ok(after);
            }
        }
        Err(Error::Busy)
    }
}
