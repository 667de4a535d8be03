use crate::app::App;
use crate::error::Error;
use crate::fresh::Fresh;
use crate::ports::{Judge, RiskRecords, RuleEngine, StoreError};
use fatura_domain::Timestamp;
use fatura_domain::id::{AttemptId, CustomerId};
use fatura_domain::invoice::{Begins, Invoice, State};
use fatura_domain::money::Money;
use fatura_domain::risk::{
    Assessment, Buyer, Facts, Judgement, Method, Needs, Person, Record, Try, Velocity,
};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The rules in force, understood once for each edition.
pub(crate) struct RiskDesk {
    pub(crate) engine: Arc<dyn RuleEngine>,
    records: Arc<dyn RiskRecords>,
    in_force: Fresh<InForce>,
    last: Mutex<Option<(u64, Arc<dyn Judge>)>>,
}

#[derive(Clone)]
pub(crate) enum InForce {
    /// Nothing is asked, and nothing costs.
    NoRules,
    Rules(Arc<dyn Judge>),
    /// What is in force can't be read, by this release at least.
    Unreadable,
}

/// What the rules ask about that isn't on the invoice.
#[derive(Debug, Default)]
pub(crate) struct LookedUp {
    pub(crate) person: Option<Person>,
    pub(crate) record: Record,
    pub(crate) velocity: Velocity,
}

/// The rules in force with what they need to know: all but the invoice, which may still be on its way.
pub(crate) enum Asked {
    NoRules,
    Ready(Arc<dyn Judge>, Box<LookedUp>),
    Unreadable,
}

impl RiskDesk {
    pub(crate) fn new(engine: Arc<dyn RuleEngine>, records: Arc<dyn RiskRecords>) -> Self {
        Self { engine, records, in_force: Fresh::nothing(), last: Mutex::new(None) }
    }

    pub(crate) async fn in_force(&self, now: Timestamp) -> Result<Arc<InForce>, StoreError> {
        let read = async {
            let edition = match self.records.risk_rules().await {
                Ok(Some(edition)) if !edition.rules.rules.is_empty() => edition,
                Ok(_) => return Ok(InForce::NoRules),
                Err(StoreError::Corrupt(why)) => {
                    tracing::error!(%why, "the risk rules in force cannot be read: every charge is held");
                    return Ok(InForce::Unreadable);
                }
                Err(error) => return Err(error),
            };
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            let known = last.as_ref().filter(|(version, _)| *version == edition.version);
            let judge = known.map_or_else(
                || self.engine.load(edition.version, &edition.rules),
                |(_, judge)| judge.clone(),
            );
            *last = Some((edition.version, judge.clone()));
            Ok(InForce::Rules(judge))
        };
        self.in_force.get(now, read).await
    }

    /// What of the customer the rules need, all at once. `velocity` is what velocity is had by.
    pub(crate) async fn look_up(
        &self,
        app: &App,
        customer: CustomerId,
        needs: Needs,
        velocity: impl Future<Output = Result<Velocity, StoreError>>,
        now: Timestamp,
    ) -> Result<LookedUp, StoreError> {
        let person = async {
            if !needs.person {
                return Ok(None);
            }
            let customer = app.records.customers.customer(customer).await?;
            Ok(customer.map(|customer| Person::of(&customer, now)))
        };
        let payments = async { if needs.payments { self.records.payments(customer).await } else { Ok(0) } };
        let disputes = async { if needs.disputes { self.records.disputes(customer).await } else { Ok(0) } };
        let velocity = async { if needs.velocity { velocity.await } else { Ok(Velocity::default()) } };
        let (person, payments, disputes, velocity) =
            futures::try_join!(person, payments, disputes, velocity)?;
        Ok(LookedUp { person, record: Record { payments, disputes }, velocity })
    }

    pub(crate) async fn velocity(
        &self,
        customer: CustomerId,
        now: Timestamp,
    ) -> Result<Velocity, StoreError> {
        self.records.velocity(customer, now).await
    }
}

impl LookedUp {
    pub(crate) fn facts(
        self,
        customer: CustomerId,
        amount: Money,
        method: Option<Method>,
        now: Timestamp,
    ) -> Facts {
        let customer = Buyer { id: customer, person: self.person, record: self.record };
        Facts { amount, customer, method, velocity: self.velocity.counts(now) }
    }
}

impl App {
    /// Looks up what the rules in force ask about the attempt that is about to begin, and counts it. Nothing of it waits for the
    /// invoice, so that all of it happens while the attempt is being claimed.
    pub(crate) async fn ask_ahead(
        &self,
        attempt: AttemptId,
        begins: Begins,
        now: Timestamp,
    ) -> Result<Asked, StoreError> {
        let Some(desk) = &self.risk else { return Ok(Asked::NoRules) };
        let judge = match &*desk.in_force(now).await? {
            InForce::NoRules => return Ok(Asked::NoRules),
            InForce::Unreadable => return Ok(Asked::Unreadable),
            InForce::Rules(judge) => judge.clone(),
        };
        let customer = attempt.invoice.owner();
        let one = Try::new(attempt, begins.card, now);
        let counted = desk.records.count_try(customer, one, now);
        match desk.look_up(self, customer, judge.needs(), counted, now).await {
            Ok(looked_up) => Ok(Asked::Ready(judge, Box::new(looked_up))),
            Err(StoreError::Corrupt(why)) => {
                tracing::error!(%why, %attempt, "what the risk rules ask for cannot be read: the charge is held");
                Ok(Asked::Unreadable)
            }
            Err(error) => Err(error),
        }
    }

    /// What the rules say of the order that the invoice stands for. None: there are none.
    pub(crate) fn judge(invoice: &Invoice, asked: Asked, now: Timestamp) -> Option<Judgement> {
        let assessment = match asked {
            Asked::NoRules => return None,
            Asked::Unreadable => Assessment::unreadable(0),
            Asked::Ready(judge, looked_up) => {
                let State::Pending(collection) = &invoice.state else { return None };
                let method = Method::of(&collection.source);
                judge.assess(&looked_up.facts(invoice.customer(), invoice.total, Some(method), now))
            }
        };
        Some(assessment.into())
    }

    pub(crate) fn risk_desk(&self) -> Result<&RiskDesk, Error> {
        self.risk
            .as_deref()
            .ok_or_else(|| Error::Unavailable("there is no engine for risk rules here".into()))
    }
}

impl fmt::Debug for RiskDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RiskDesk(..)")
    }
}
