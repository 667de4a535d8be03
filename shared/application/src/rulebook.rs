//! The dunning rules: editions that follow each other, read again each half a minute.

use crate::access::{Caller, Operation, Scope};
use crate::app::{App, Committed};
use crate::change_set::{Change, ChangeSet, Edition};
use crate::customers::expect_version;
use crate::error::{Error, Fault};
use crate::fresh::Fresh;
use crate::ports::{Page, PageRequest, Rulebook, StoreError};
use crate::reads::ListFailure;
use fatura_domain::Timestamp;
use fatura_domain::actor::Actor;
use fatura_domain::dunning::{Policy, Rules};
use std::fmt;
use std::sync::Arc;

/// Rules as they were put in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesEdition {
    /// From 1; the defaults are edition 0.
    pub version: u64,
    pub rules: Rules,
    /// None: nobody has changed the defaults.
    pub put: Option<(Actor, Timestamp)>,
}

impl RulesEdition {
    fn defaults() -> Self {
        Self { version: 0, rules: Rules::default(), put: None }
    }
}

/// The policy in force.
pub struct Policies {
    rulebook: Arc<dyn Rulebook>,
    policy: Fresh<Policy>,
}

impl Policies {
    pub fn new(rulebook: Arc<dyn Rulebook>) -> Self {
        Self { rulebook, policy: Fresh::nothing() }
    }

    pub(crate) async fn policy(&self, now: Timestamp) -> Result<Arc<Policy>, StoreError> {
        let read = async {
            let edition = self.rulebook.rules().await?.unwrap_or_else(RulesEdition::defaults);
            Ok(Policy::of(edition.rules))
        };
        self.policy.get(now, read).await
    }
}

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Policies(..)")
    }
}

impl App {
    pub async fn rules(&self, caller: &Caller) -> Result<RulesEdition, Error> {
        caller.may_in(Scope::SettingsRead, Operation::Operate)?;
        self.rules_in_force().await
    }

    async fn rules_in_force(&self) -> Result<RulesEdition, Error> {
        Ok(self.records.rulebook.rules().await?.unwrap_or_else(RulesEdition::defaults))
    }

    /// Every edition that was ever put in force, newest first.
    pub async fn rule_editions(
        &self,
        caller: &Caller,
        page: PageRequest,
    ) -> Result<Page<RulesEdition>, ListFailure> {
        caller.may_in(Scope::SettingsRead, Operation::Operate)?;
        Ok(self.records.rulebook.rule_editions(page).await?)
    }

    /// Puts new rules in force, within half a minute and for the next decision; what was decided stays.
    pub async fn replace_rules(
        &self,
        caller: &Caller,
        rules: Rules,
        if_version: Option<u64>,
    ) -> Result<RulesEdition, Error> {
        caller.may_in(Scope::SettingsWrite, Operation::Operate)?;
        let faults = rules.faults();
        if !faults.is_empty() {
            let faults = faults.into_iter().map(|fault| Fault::new(fault.field, fault.reason));
            return Err(Error::Invalid(faults.collect()));
        }
        let before = self.rules_in_force().await?;
        expect_version(if_version, before.version)?;
        let put = Some((caller.actor(), self.clock.now()));
        let edition = RulesEdition { version: before.version + 1, rules, put };
        match self
            .commit(ChangeSet::of([Change::EditionPut(Edition::Dunning(edition.clone()))]), None)
            .await?
        {
            Committed::Written => Ok(edition),
            Committed::Stale | Committed::Replayed(_) => Err(Error::Busy),
        }
    }
}
