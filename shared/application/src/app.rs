use crate::change_set::ChangeSet;
use crate::circuit::Breakers;
use crate::error::Error;
use crate::fees::FeesEdition;
use crate::fresh::Fresh;
use crate::gateways::PlanEdition;
use crate::idempotency::{Once, Reply};
use crate::outgoing::Outgoing;
use crate::ports::{
    Answers, ApiKeys, Attentions, Bills, ChargeQueue, Circuits, Clock, CommitError, Customers, Deployment,
    Directory, Disputes, Endpoints, Entropy, Gateways, Invoices, Journals, Message, Notices, Orders, Plans,
    Refunds, Refusal, RiskRecords, RuleEngine, Rulebook, Runs, ServiceVitals, SignIns, Store, StoreError,
    Transactions, Wallets, Webhooks,
};
use crate::rates::{RateDesk, RatesInForce};
use crate::risk::RiskDesk;
use crate::rulebook::Policies;
use crate::wallet_notes::{Givers, WalletNotes};
use fatura_domain::Moment;
use fatura_domain::bug::Bug;
use fatura_domain::dunning::Policy;
use std::fmt;
use std::sync::Arc;

/// Everything that is on record, by what is asked of it.
#[derive(Clone)]
pub struct Records {
    pub store: Arc<dyn Store>,
    pub customers: Arc<dyn Customers>,
    pub invoices: Arc<dyn Invoices>,
    pub refunds: Arc<dyn Refunds>,
    pub transactions: Arc<dyn Transactions>,
    pub answers: Arc<dyn Answers>,
    pub api_keys: Arc<dyn ApiKeys>,
    pub webhooks: Arc<dyn Webhooks>,
    pub disputes: Arc<dyn Disputes>,
    pub attentions: Arc<dyn Attentions>,
    pub runs: Arc<dyn Runs>,
    pub rulebook: Arc<dyn Rulebook>,
    pub plans: Arc<dyn Plans>,
    pub circuits: Arc<dyn Circuits>,
    pub risk: Arc<dyn RiskRecords>,
    pub bills: Arc<dyn Bills>,
    pub sign_ins: Arc<dyn SignIns>,
    pub journals: Arc<dyn Journals>,
    pub wallets: Arc<dyn Wallets>,
    pub orders: Arc<dyn Orders>,
    pub endpoints: Arc<dyn Endpoints>,
    pub notices: Arc<dyn Notices>,
    pub vitals: Arc<dyn ServiceVitals>,
}

impl Records {
    /// One store for all of it.
    pub fn of<S>(store: Arc<S>) -> Self
    where
        S: Store
            + Customers
            + Invoices
            + Refunds
            + Transactions
            + Answers
            + ApiKeys
            + Webhooks
            + Disputes
            + Attentions
            + Runs
            + Rulebook
            + Plans
            + Circuits
            + RiskRecords
            + Bills
            + SignIns
            + Journals
            + Wallets
            + Orders
            + Endpoints
            + Notices
            + ServiceVitals
            + 'static,
    {
        Self {
            store: store.clone(),
            customers: store.clone(),
            invoices: store.clone(),
            refunds: store.clone(),
            transactions: store.clone(),
            answers: store.clone(),
            api_keys: store.clone(),
            webhooks: store.clone(),
            disputes: store.clone(),
            attentions: store.clone(),
            runs: store.clone(),
            rulebook: store.clone(),
            plans: store.clone(),
            circuits: store.clone(),
            risk: store.clone(),
            bills: store.clone(),
            sign_ins: store.clone(),
            journals: store.clone(),
            wallets: store.clone(),
            orders: store.clone(),
            endpoints: store.clone(),
            notices: store.clone(),
            vitals: store,
        }
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Records(..)")
    }
}

/// The use cases, and what they work with.
#[derive(Clone)]
pub struct App {
    pub records: Records,
    pub charges: Arc<dyn ChargeQueue>,
    pub gateways: Gateways,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    policies: Arc<Policies>,
    pub(crate) plan: Arc<Fresh<PlanEdition>>,
    pub(crate) fees: Arc<Fresh<FeesEdition>>,
    pub(crate) breakers: Arc<Breakers>,
    pub(crate) rates: Option<Arc<RateDesk>>,
    pub(crate) outgoing: Outgoing,
    pub(crate) directory: Option<Arc<dyn Directory>>,
    pub(crate) deployment: Arc<Fresh<Deployment>>,
    pub(crate) risk: Option<Arc<RiskDesk>>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("gateways", &self.gateways).finish_non_exhaustive()
    }
}

/// What became of a commit, for a use case that can decide again.
pub(crate) enum Committed {
    Written,
    /// Somebody else was first: read again, decide again.
    Stale,
    Replayed(Reply),
}

/// How often a use case decides again before it tells the caller that others keep changing the same thing.
pub(crate) const DECISIONS: usize = 8;
/// The same where many may want the same thing at once: of those who decide again one gets through each time.
pub(crate) const CONTENDED_DECISIONS: usize = 64;
/// How often what moves wallets is written before they count as taken by others; each time the store is patient itself.
const WALLET_PATIENCE: usize = 4;

impl App {
    pub fn new(
        records: Records,
        charges: Arc<dyn ChargeQueue>,
        gateways: Gateways,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let policies = Arc::new(Policies::new(records.rulebook.clone()));
        let breakers = Arc::new(Breakers::new(records.circuits.clone()));
        let (plan, fees) = (Arc::new(Fresh::nothing()), Arc::new(Fresh::nothing()));
        Self {
            records,
            charges,
            gateways,
            clock,
            entropy,
            policies,
            plan,
            fees,
            breakers,
            rates: None,
            outgoing: Outgoing::default(),
            directory: None,
            deployment: Arc::new(Fresh::nothing()),
            risk: None,
        }
    }

    /// Without it there are no exchange rates: not every function needs them, nor every deployment.
    #[must_use]
    pub fn with_rates(self, rates: Arc<RateDesk>) -> Self {
        Self { rates: Some(rates), ..self }
    }

    /// Without it no webhook is hastened, and none goes to this machine.
    #[must_use]
    pub fn with_outgoing(self, outgoing: Outgoing) -> Self {
        Self { outgoing, ..self }
    }

    /// Without it nobody can ask which functions there are: one answers that, and the others need not know.
    #[must_use]
    pub fn with_directory(self, directory: Arc<dyn Directory>) -> Self {
        Self { directory: Some(directory), ..self }
    }

    /// Without it no risk rule is asked: who neither charges nor takes rules has no use for a language.
    #[must_use]
    pub fn with_risk(self, engine: Arc<dyn RuleEngine>) -> Self {
        let desk = RiskDesk::new(engine, self.records.risk.clone());
        Self { risk: Some(Arc::new(desk)), ..self }
    }

    /// The exchange rates in force; None if the deployment has no source of them or the source none that may be used.
    pub(crate) async fn exchange_rates(&self) -> Option<RatesInForce> {
        self.rates.as_ref()?.current().await
    }

    /// The dunning policy in force.
    pub(crate) async fn policy(&self) -> Result<Arc<Policy>, Error> {
        Ok(self.policies.policy(self.clock.now()).await?)
    }

    pub(crate) fn moment(&self) -> Moment {
        Moment { now: self.clock.now(), entropy: self.entropy.bits() }
    }

    pub(crate) async fn commit(&self, changes: ChangeSet, once: Option<&Once>) -> Result<Committed, Error> {
        let written = self.write(changes).await;
        became(written, once, |_| {})
    }

    /// The same for what moves wallets that nobody has looked at: what the store says of them is noted for the next
    /// decision. Others who move the same wallets at the same time are waited out: a gateway says its word once.
    pub(crate) async fn commit_noting(
        &self,
        changes: ChangeSet,
        once: Option<&Once>,
        wallets: &mut WalletNotes,
    ) -> Result<Committed, Error> {
        let givers = Givers::of(&changes);
        let mut written = self.write(changes.clone()).await;
        for _ in 1..WALLET_PATIENCE {
            if !matches!(written, Err(CommitError::Store(StoreError::Contended(_)))) {
                break;
            }
            written = self.write(changes.clone()).await;
        }
        became(written, once, |refusal| wallets.note(refusal, &givers))
    }

    async fn write(&self, changes: ChangeSet) -> Result<(), CommitError> {
        let (changes, later) = changes.torn_if_planted();
        self.records.store.commit(changes).await?;
        if let Some(later) = later.filter(|_| !Bug::KeyForgotten.is_planted()) {
            let _ = self.records.store.commit(later).await;
        }
        Ok(())
    }

    pub(crate) async fn notify_all(&self, messages: &[Message]) {
        if messages.is_empty() {
            return;
        }
        if let Err(error) = self.charges.send(messages).await {
            tracing::warn!(count = messages.len(), %error, "left to the sweep");
        }
    }

    /// Tells the consumer that there is something to do. Best effort: what isn't told, the sweep finds.
    pub(crate) async fn notify(&self, message: Message) {
        self.notify_all(&[message]).await;
    }
}

/// What a commit means for the use case that asked for it.
fn became(
    written: Result<(), CommitError>,
    once: Option<&Once>,
    note: impl FnMut(&Refusal),
) -> Result<Committed, Error> {
    let refusals = match written {
        Ok(()) => return Ok(Committed::Written),
        Err(CommitError::Refused(refusals)) => refusals,
        Err(CommitError::Store(error)) => return Err(error.into()),
    };
    refusals.iter().for_each(note);
    // An answer on record explains every other refusal: the same request was here before.
    let answered = refusals.iter().find_map(|refusal| match refusal {
        Refusal::Answered(stored) => Some(stored),
        _ => None,
    });
    if let (Some(stored), Some(once)) = (answered, once) {
        return once.replay((**stored).clone()).map(Committed::Replayed);
    }
    match refusals.first() {
        Some(Refusal::NoCustomer) => Err(Error::NotFound),
        Some(Refusal::EmailTaken) => Err(Error::Conflict("a customer with this email exists".to_owned())),
        Some(Refusal::ExternalIdTaken) => {
            Err(Error::Conflict("a customer with this external_id exists".to_owned()))
        }
        Some(
            Refusal::Stale
            | Refusal::Answered(_)
            | Refusal::LineTaken(_)
            | Refusal::ShardRefused(_)
            | Refusal::WalletRefused { .. }
            | Refusal::Reversed,
        )
        | None => Ok(Committed::Stale),
    }
}
