use crate::access::{Caller, Operation, Scope};
use crate::app::{App, Committed};
use crate::change_set::{Change, ChangeSet, Edition};
use crate::customers::expect_version;
use crate::error::{Error, Fault};
use crate::ports::{Judge, Page, PageRequest};
use crate::reads::ListFailure;
use fatura_domain::Timestamp;
use fatura_domain::actor::Actor;
use fatura_domain::risk::{Assessment, Decision, Facts, RuleSet};
use std::sync::Arc;

/// Risk rules as they were put in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskEdition {
    /// From 1; no rules at all are edition 0.
    pub version: u64,
    pub rules: RuleSet,
    /// None: nobody has put any.
    pub put: Option<(Actor, Timestamp)>,
}

impl RiskEdition {
    fn none() -> Self {
        Self { version: 0, rules: RuleSet::default(), put: None }
    }
}

/// A charge that somebody wants to see judged by the rules that are put.
#[derive(Debug, Clone)]
pub struct Example {
    pub facts: Facts,
    /// None: they only want to see.
    pub expected: Option<Decision>,
}

/// What became of an example.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub assessment: Assessment,
    pub expected: Option<Decision>,
}

impl Outcome {
    pub fn is_as_expected(&self) -> bool {
        self.expected.is_none_or(|expected| expected == self.assessment.decision)
    }
}

#[derive(Debug, Clone)]
pub struct PutRiskRules {
    pub rules: RuleSet,
    pub examples: Vec<Example>,
    /// Only see what they would do: nothing is put in force.
    pub dry_run: bool,
    pub if_version: Option<u64>,
}

/// What came of putting rules.
#[derive(Debug, Clone)]
pub struct RulesPut {
    /// In a dry run, the edition that it would be.
    pub edition: RiskEdition,
    pub outcomes: Vec<Outcome>,
}

impl App {
    pub async fn risk_rules(&self, caller: &Caller) -> Result<RiskEdition, Error> {
        caller.may_in(Scope::SettingsRead, Operation::Operate)?;
        self.latest_risk_rules().await
    }

    async fn latest_risk_rules(&self) -> Result<RiskEdition, Error> {
        Ok(self.records.risk.risk_rules().await?.unwrap_or_else(RiskEdition::none))
    }

    /// Every edition that was ever put in force, newest first.
    pub async fn risk_editions(
        &self,
        caller: &Caller,
        page: PageRequest,
    ) -> Result<Page<RiskEdition>, ListFailure> {
        caller.may_in(Scope::SettingsRead, Operation::Operate)?;
        Ok(self.records.risk.risk_editions(page).await?)
    }

    /// Puts new rules in force, within half a minute and for the next charge; what was judged stays judged. Examples that don't
    /// come out as expected refuse them; in a dry run they only say so.
    pub async fn put_risk_rules(&self, caller: &Caller, put: PutRiskRules) -> Result<RulesPut, Error> {
        caller.may_in(Scope::SettingsWrite, Operation::Operate)?;
        let PutRiskRules { rules, examples, dry_run, if_version } = put;
        let engine = &self.risk_desk()?.engine;
        let before = self.latest_risk_rules().await?;
        expect_version(if_version, before.version)?;
        let version = before.version + 1;
        let judge = engine.compile(version, &rules).map_err(|faults| {
            Error::Invalid(faults.into_iter().map(|fault| Fault::new(fault.field, fault.reason)).collect())
        })?;
        let outcomes = judged(&judge, &examples);
        let put = Some((caller.actor(), self.clock.now()));
        let edition = RiskEdition { version, rules, put };
        if dry_run {
            return Ok(RulesPut { edition: RiskEdition { put: None, ..edition }, outcomes });
        }
        let faults = contradictions(&outcomes);
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        match self.commit(ChangeSet::of([Change::EditionPut(Edition::Risk(edition.clone()))]), None).await? {
            Committed::Written => Ok(RulesPut { edition, outcomes }),
            Committed::Stale | Committed::Replayed(_) => Err(Error::Busy),
        }
    }
}

fn judged(judge: &Arc<dyn Judge>, examples: &[Example]) -> Vec<Outcome> {
    let outcome =
        |example: &Example| Outcome { assessment: judge.assess(&example.facts), expected: example.expected };
    examples.iter().map(outcome).collect()
}

fn contradictions(outcomes: &[Outcome]) -> Vec<Fault> {
    let wrong = outcomes.iter().enumerate().filter(|(_, outcome)| !outcome.is_as_expected());
    wrong
        .map(|(place, outcome)| {
            let reason = format!("comes out as {}", outcome.assessment.decision.as_str());
            Fault::new(format!("examples[{place}].expect"), reason)
        })
        .collect()
}
