use crate::access::{Caller, Operation, Role, Scope};
use crate::app::{App, Committed, DECISIONS};
use crate::change_set::{Change, ChangeSet};
use crate::error::Error;
use crate::idempotency::{Answer, Once, Reply};
use crate::sign_in::{AccessChange, hashed};
use fatura_domain::customer::{Customer, Profile};
use fatura_domain::id::CustomerId;
use fatura_domain::sign_in::{Credentials, Password};
use fatura_domain::text::ExternalId;

/// A customer by our id or by the client's own.
#[derive(Debug, Clone)]
pub enum CustomerReference {
    Id(CustomerId),
    External(ExternalId),
}

impl App {
    pub async fn create_customer(
        &self,
        caller: &Caller,
        profile: Profile,
        password: Option<&Password>,
        once: &Once,
        render: &(dyn Fn(&Customer) -> Answer + Sync),
    ) -> Result<Reply, Error> {
        caller.may_in(Scope::CustomersWrite, Operation::CreateCustomers)?;
        let moment = self.moment();
        let customer = Customer::new(CustomerId::new(moment.entropy), profile, moment.now);
        let answer = render(&customer);
        let credentials = match password {
            Some(password) => {
                Some(Credentials::new(customer.id, hashed(password, &*self.entropy)?, moment.now))
            }
            None => None,
        };
        let changes = [Change::CustomerCreated(customer), once.answered(answer.clone(), moment.now)];
        let changes = ChangeSet::of(
            changes.into_iter().chain(credentials.map(AccessChange::CredentialsSet).map(Change::Access)),
        );
        match self.commit(changes, Some(once)).await? {
            Committed::Written => Ok(Reply { answer, replayed: false }),
            Committed::Replayed(reply) => Ok(reply),
            // Twelve random characters that are taken: the next request has others.
            Committed::Stale => Err(Error::Busy),
        }
    }

    pub async fn customer(&self, caller: &Caller, reference: &CustomerReference) -> Result<Customer, Error> {
        let id = match reference {
            CustomerReference::Id(id) => *id,
            CustomerReference::External(external_id) => {
                self.records.customers.by_external_id(external_id).await?.ok_or(Error::NotFound)?
            }
        };
        caller.may_in(Scope::CustomersRead, Operation::OwnedBy(id))?;
        self.records.customers.customer(id).await?.ok_or(Error::NotFound)
    }

    /// Replaces what is said about a customer, as a whole.
    pub async fn replace_customer(
        &self,
        caller: &Caller,
        id: CustomerId,
        profile: Profile,
        if_version: Option<u64>,
    ) -> Result<Customer, Error> {
        caller.may_in(Scope::CustomersWrite, Operation::OwnedBy(id))?;
        for _ in 0..DECISIONS {
            let before = self.records.customers.customer(id).await?.ok_or(Error::NotFound)?;
            expect_version(if_version, before.version)?;
            if matches!(caller.role, Role::Customer(_)) && !profile.has_terms_of(&before.profile) {
                return Err(Error::Forbidden);
            }
            let after = before.with_profile(profile.clone(), self.clock.now());
            let changes = ChangeSet::of([Change::CustomerChanged { before, after: after.clone() }]);
            if let Committed::Written = self.commit(changes, None).await? {
                return Ok(after);
            }
        }
        Err(Error::Busy)
    }
}

pub(crate) const fn expect_version(expected: Option<u64>, current: u64) -> Result<(), Error> {
    match expected {
        Some(version) if version != current => Err(Error::VersionMismatch { current }),
        _ => Ok(()),
    }
}
