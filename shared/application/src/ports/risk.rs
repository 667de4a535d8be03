use super::{ListError, Page, PageRequest, StoreError};
use crate::risk::RiskEdition;
use async_trait::async_trait;
use fatura_domain::Timestamp;
use fatura_domain::id::CustomerId;
use fatura_domain::risk::{Assessment, Facts, Needs, RuleFault, RuleSet, Try, Velocity};
use std::sync::Arc;

/// What understands the expressions of risk rules.
pub trait RuleEngine: Send + Sync {
    /// Understands rules that somebody puts, or says everything that is wrong with them.
    fn compile(&self, edition: u64, rules: &RuleSet) -> Result<Arc<dyn Judge>, Vec<RuleFault>>;

    /// Understands rules that were accepted before, perhaps by another release: one that it doesn't understand fails at
    /// each charge.
    fn load(&self, edition: u64, rules: &RuleSet) -> Arc<dyn Judge>;
}

/// Rules of one edition, understood.
pub trait Judge: Send + Sync {
    /// What they ask for that has to be looked up.
    fn needs(&self) -> Needs;

    fn assess(&self, facts: &Facts) -> Assessment;
}

/// What the store knows for the rules, and the rules.
#[async_trait]
pub trait RiskRecords: Send + Sync {
    /// The edition in force. None: there are no rules.
    async fn risk_rules(&self) -> Result<Option<RiskEdition>, StoreError>;

    /// Every edition, newest first.
    async fn risk_editions(&self, page: PageRequest) -> Result<Page<RiskEdition>, ListError>;

    /// Charges that succeeded, among as many of the customer's latest movements as are worth reading.
    async fn payments(&self, customer: CustomerId) -> Result<u32, StoreError>;

    /// Disputes of whatever outcome, up to a bound.
    async fn disputes(&self, customer: CustomerId) -> Result<u32, StoreError>;

    /// What was tried in the last day.
    async fn velocity(&self, customer: CustomerId, now: Timestamp) -> Result<Velocity, StoreError>;

    /// Remembers an attempt and says what has been tried in the last day, this one included: one write and one read, side by
    /// side, so that attempts at the same moment see each other.
    async fn count_try(&self, customer: CustomerId, one: Try, now: Timestamp)
    -> Result<Velocity, StoreError>;
}
