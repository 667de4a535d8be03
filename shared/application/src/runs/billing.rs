use super::{Render, STEP, Step, count, position};
use crate::access::{self, Caller, Operation};
use crate::app::App;
use crate::error::{Error, listed};
use crate::idempotency::{Once, Reply};
use crate::invoices::invalid;
use crate::ports::{InvoiceFilter, PageRequest, Payer};
use fatura_domain::Timestamp;
use fatura_domain::actor::Actor;
use fatura_domain::calendar::BillingPeriod;
use fatura_domain::dunning::Policy;
use fatura_domain::id::CustomerId;
use fatura_domain::invoice::{Invoice, Status};
use fatura_domain::run::{Billing, Due, Part, Run, RunKind, Scope};
use futures::stream::{self, StreamExt, TryStreamExt};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

#[derive(Debug, Clone)]
pub struct BeginBilling {
    /// None: this month.
    pub period: Option<BillingPeriod>,
    /// None: everybody.
    pub customer: Option<CustomerId>,
}

/// How many months a schedule that stood still catches up on.
const MOST_MONTHS: usize = 12;
const READS_AT_ONCE: usize = 8;

impl App {
    /// Charges what is due for a month: now, or on the customer's billing day if that is yet to come.
    pub async fn begin_billing(
        &self,
        caller: &Caller,
        command: BeginBilling,
        once: &Once,
        render: Render<'_>,
    ) -> Result<Reply, Error> {
        caller.may_in(access::Scope::RunsWrite, Operation::Operate)?;
        let now = self.clock.now();
        let period = command.period.unwrap_or(BillingPeriod::of(now));
        if period > BillingPeriod::of(now) {
            let refusal = invalid("period", "has not begun");
            return once.replay_or(&*self.records.answers, refusal, now).await;
        }
        let scope = match command.customer {
            Some(customer) => Scope::Customer(self.payer(customer).await?.customer.id),
            None => Scope::Everybody,
        };
        let run = self.billing_run(Billing { period, scope }, caller.actor(), now)?;
        self.begin_run(run, once, render).await
    }

    /// What the monthly schedule asks for: those who have a billing day, for this month and for each before it that was
    /// missed. Answers with how many runs it began.
    pub async fn begin_monthly_billing(&self) -> Result<usize, Error> {
        let now = self.clock.now();
        let mut missed = Vec::new();
        let mut period = BillingPeriod::of(now);
        for _ in 0..MOST_MONTHS {
            let billing = Billing { period, scope: Scope::Anchored };
            let run = self.billing_run(billing, Actor::new("schedule"), now)?;
            if self.records.runs.run(&run.id).await?.is_some() {
                break;
            }
            missed.push(run);
            period = period.previous();
        }
        // Without any run before it, this is the first month there is.
        if missed.len() == MOST_MONTHS {
            missed.truncate(1);
        }
        let mut begun = 0;
        for run in missed.into_iter().rev() {
            begun += usize::from(self.begin_scheduled_run(run).await?);
        }
        Ok(begun)
    }

    fn billing_run(&self, billing: Billing, by: Actor, now: Timestamp) -> Result<Run, Error> {
        let id = billing.id().ok_or_else(|| Error::Internal("a run without a name".into()))?;
        let parts = match billing.scope {
            Scope::Customer(_) => 1,
            Scope::Everybody | Scope::Anchored => self.records.invoices.shards(),
        };
        Ok(Run { id, kind: RunKind::Billing(billing), by, created_at: now, parts })
    }

    pub(super) async fn billing_step(
        &self,
        run: &Run,
        billing: &Billing,
        part: &Part,
    ) -> Result<Step, Error> {
        let now = self.clock.now();
        self.breakers.refresh(now).await;
        if let Some(until) = self.breakers.open_until(now) {
            // Nothing is piled up before a gateway that doesn't answer.
            let wait = Duration::try_from(until.duration_since(now)).unwrap_or_default();
            return Ok(Step {
                place: Some(part.place.clone().unwrap_or_default()),
                counted: BTreeMap::new(),
                wait,
            });
        }
        let page = PageRequest { limit: STEP, after: position(part) };
        let page = match billing.scope {
            Scope::Customer(customer) => {
                let drafts = InvoiceFilter { status: Some(Status::Draft), ..InvoiceFilter::default() };
                self.records.invoices.of_customer(customer, &drafts, page).await
            }
            Scope::Everybody | Scope::Anchored => {
                self.records.invoices.in_shard(Status::Draft, part.number, page).await
            }
        }
        .map_err(listed)?;

        let policy = self.policy().await?;
        let payers = self.payers(&page.data).await?;
        let mut counted = BTreeMap::new();
        let mut charged = Vec::new();
        for invoice in page.data {
            let Some(payer) = payers.get(&invoice.customer()) else { continue };
            let charge_at = match billing.due(&invoice, &payer.customer, run.created_at, now) {
                Due::Now => None,
                Due::At(at) => Some(at),
                Due::NotYet | Due::NotMeant => continue,
            };
            count(&mut counted, "due");
            match self.billed(run, &invoice, payer, charge_at, &policy).await {
                Ok(after) => {
                    count(&mut counted, if charge_at.is_some() { "scheduled" } else { "enqueued" });
                    charged.push((invoice, after));
                }
                Err(Error::NoPaymentMethod | Error::Invalid(_)) => {
                    count(&mut counted, "skipped_no_payment_method");
                }
                Err(Error::NoGateway) => count(&mut counted, "skipped_no_gateway"),
                Err(error) => return Err(error),
            }
        }
        let sent = self.charge_all(charged).await?;
        let wait = Self::rest(&sent, run.parts, policy.rules.run_charges_per_minute);
        Ok(Step { place: page.next.map(|place| place.0), counted, wait })
    }

    async fn billed(
        &self,
        run: &Run,
        invoice: &Invoice,
        payer: &Payer,
        charge_at: Option<Timestamp>,
        policy: &Policy,
    ) -> Result<Invoice, Error> {
        let source = self.source_if_owed(payer, None, invoice.payment_method(), invoice.total).await?;
        let charged = invoice.charged(source, charge_at, policy, self.clock.now())?;
        let charged = charged.by(&Actor::new(run.id.as_str()), invoice.history.len());
        Ok(Invoice { run: Some(run.id.clone()), ..charged })
    }

    /// The customers of these invoices, each read once, and in the same order every time.
    pub(super) async fn payers(&self, invoices: &[Invoice]) -> Result<HashMap<CustomerId, Payer>, Error> {
        let customers: BTreeSet<CustomerId> = invoices.iter().map(Invoice::customer).collect();
        let payers: Vec<Option<Payer>> = stream::iter(customers)
            .map(|customer| self.records.customers.payer(customer))
            .buffer_unordered(READS_AT_ONCE)
            .try_collect()
            .await?;
        Ok(payers.into_iter().flatten().map(|payer| (payer.customer.id, payer)).collect())
    }
}
