use super::{AccessChange, TriesOf, hashed, passwords, tries};
use crate::access::{Caller, Operation, Role};
use crate::app::{App, Committed};
use crate::change_set::{Change, ChangeSet};
use crate::error::{Error, Fault};
use fatura_domain::id::CustomerId;
use fatura_domain::sign_in::{Credentials, Password};

impl App {
    /// Sets a customer's password and ends all of the customer's sessions. Customers say the one that they have; operators
    /// need none, for whoever has forgotten theirs.
    pub async fn change_password(
        &self,
        caller: &Caller,
        id: CustomerId,
        current: Option<&str>,
        new: &Password,
    ) -> Result<(), Error> {
        caller.may(Operation::SetPassword(id))?;
        let (people, store) = (&*self.records.sign_ins, &*self.records.store);
        let customer = self.records.customers.customer(id).await?.ok_or(Error::NotFound)?;
        let account = TriesOf::account(customer.profile.email.as_str());
        let kept = if matches!(caller.role, Role::Customer(_)) {
            let current = current.ok_or_else(|| wrong("is required"))?;
            // A stolen access token must not be good for guessing either.
            tries::count(store, people, &*self.clock, std::slice::from_ref(&account)).await?;
            let kept = people.access(id).await?.credentials;
            if !passwords::is_right(kept.as_ref().map(|kept| &kept.hash), current) {
                return Err(wrong("is not the password"));
            }
            kept
        } else {
            people.access(id).await?.credentials
        };
        let (hash, now) = (hashed(new, &*self.entropy)?, self.clock.now());
        let credentials = match kept {
            Some(kept) => kept.changed(hash, now),
            None => Credentials::new(id, hash, now),
        };
        // Whoever was locked out is no longer: it is another password that was guessed at.
        let changes = [AccessChange::CredentialsSet(credentials), AccessChange::TriesForgotten(account)];
        match self.commit(ChangeSet::of(changes.map(Change::Access)), None).await? {
            Committed::Written => Ok(()),
            Committed::Stale | Committed::Replayed(_) => Err(Error::Busy),
        }
    }
}

fn wrong(reason: &str) -> Error {
    Error::Invalid(vec![Fault::new("current_password", reason)])
}
