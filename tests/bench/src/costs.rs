//! What each step of an invoice's life asks of DynamoDB, on the in-process engine, which charges as AWS does.

use crate::table::Report;
use anyhow::{Context, Result, anyhow};
use async_trait::async_trait;
use fatura_application::access::{Caller, Role};
use fatura_application::idempotency::AnswerScope;
use fatura_application::ports::{
    ChargeLookup, Gateway, Gateways, MalformedWebhook, WebhookDelivery, WebhookHint, WebhookRefusal,
};
use fatura_application::{
    AddPaymentMethod, Answer, App, CreateInvoice, Intake, NewInstrument, Once, PayBy, PutRiskRules, Records,
};
use fatura_domain::charge::Failure;
use fatura_domain::customer::{CustomerKind, Profile};
use fatura_domain::gateway::{
    Capabilities, ChargeOutcome, ChargeRequest, DisputeOutcome, GatewayName, GatewayReference, MeansType,
    MovementPage, RefundOutcome, RefundRequest, Token,
};
use fatura_domain::id::{CustomerId, InvoiceId};
use fatura_domain::invoice::{Content, Invoice, LineItem, Quantity, UnitPrice};
use fatura_domain::money::Currency;
use fatura_domain::risk::{Decision, Effect, Expression, Rule, RuleName, RuleSet};
use fatura_domain::text::{Description, Email, Metadata, Name};
use fatura_domain::{SignedDuration, Timestamp};
use fatura_rules::RuleEngine;
use fatura_store::Reading;
use fatura_testkit::{RecordingQueue, SeededEntropy, TestTable, VirtualClock};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What the design asks for.
const TO_PAID_GOAL: u64 = 12;

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let bench = Bench::start().await?;

    let draft = bench.draft().await?;
    report.step("create (draft)", draft.cost, Some(1));
    bench.size(report, "three-line invoice, draft", draft.invoice).await?;
    let charge = bench.charge(draft.invoice).await?;
    report.step("charge", charge, Some(1));
    bench.size(report, "three-line invoice, pending", draft.invoice).await?;
    let settle = bench.consume().await?;
    report.step("consume (claim and settle)", settle, Some(2));
    bench.size(report, "three-line invoice, paid", draft.invoice).await?;
    report.step("get", bench.get(draft.invoice).await?, Some(1));
    report.step("webhook intake", bench.take_in().await?, Some(1));
    let two_requests = draft.cost.write_units() + charge.write_units() + settle.write_units();
    report.add("write units, create + charge → paid", two_requests, "", Some(TO_PAID_GOAL));

    let at_once = bench.create(true).await?;
    report.step("create with auto_charge", at_once.cost, Some(1));
    let settle = bench.consume().await?;
    report.add(
        "write units, auto_charge → paid",
        at_once.cost.write_units() + settle.write_units(),
        "",
        Some(TO_PAID_GOAL),
    );

    Box::pin(measure_risk(&bench, report)).await
}

/// What rules cost a charge, by what they ask for.
async fn measure_risk(bench: &Bench, report: &mut Report) -> Result<()> {
    for (name, expression) in [
        ("risk rules over the invoice", "amount.minor > 99999999 || blocked.payment_method"),
        ("risk rules over the customer", "customer.payments > 99 || customer.disputes > 9 || blocked.email"),
        ("risk rules with velocity", "velocity.attempts_hour > 30 || velocity.cards_day > 9"),
    ] {
        bench.judge_by(expression).await?;
        // What is in force is known by the second.
        for is_measured in [false, true] {
            bench.create(true).await?;
            let consume = bench.consume().await?;
            if is_measured {
                report.step(&format!("consume, {name}"), consume, Some(2));
            }
        }
    }
    Ok(())
}

pub(crate) struct Bench {
    pub(crate) app: App,
    intake: Intake,
    pub(crate) charges: Arc<RecordingQueue<fatura_application::ports::Message>>,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) table: TestTable,
    pub(crate) customer: CustomerId,
    keys: AtomicU64,
}

pub(crate) struct Created {
    invoice: InvoiceId,
    cost: Reading,
}

impl Bench {
    pub(crate) async fn start() -> Result<Self> {
        let table = TestTable::start().await;
        let charges = Arc::new(RecordingQueue::default());
        let gateways =
            Gateways::of([Arc::new(Approving(GatewayName::parse("sandbox")?)) as Arc<dyn Gateway>]);
        let clock = Arc::new(VirtualClock::default());
        let app = App::new(
            Records::of(table.store.clone()),
            charges.clone(),
            gateways.clone(),
            clock.clone(),
            Arc::new(SeededEntropy::new(1)),
        );
        let app = app.with_risk(Arc::new(RuleEngine::new()));
        let queue = Arc::new(RecordingQueue::default());
        let intake = Intake { webhooks: table.store.clone(), queue, gateways, clock: clock.clone() };
        let keys = AtomicU64::new(0);
        let mut bench = Self { app, intake, charges, clock, table, customer: CustomerId::new(0), keys };
        bench.customer = bench.payer().await?;
        Ok(bench)
    }

    pub(crate) fn once(&self) -> Once {
        let key = self.keys.fetch_add(1, Ordering::Relaxed).to_string();
        let scope = AnswerScope { caller: "key_bench".to_owned(), route: "bench".to_owned(), key };
        Once { scope, fingerprint: [0; 32] }
    }

    async fn payer(&self) -> Result<CustomerId> {
        let profile = Profile {
            name: Name::parse("Ana Souza")?,
            email: Email::parse("ana@example.com")?,
            external_id: None,
            kind: CustomerKind::Buyer,
            time_zone: None,
            billing_anchor_day: None,
            country: None,
            metadata: Metadata::default(),
        };
        let shown = |customer: &fatura_domain::customer::Customer| answer(&customer.id.to_string());
        let reply = self.app.create_customer(&operator(), profile, None, &self.once(), &shown).await?;
        let customer = reply.answer.body.parse().context("a customer's id")?;
        let token = Token::parse("tok_visa")?;
        let instrument = NewInstrument::CreditCard {
            gateway: None,
            token,
            brand: None,
            last4: None,
            expiry: None,
            country: None,
        };
        let command = AddPaymentMethod { customer, instrument, make_default: true };
        self.app.add_payment_method(&operator(), command, &self.once(), &|_, _| answer("")).await?;
        Ok(customer)
    }

    /// The cost of what is done in between.
    pub(crate) async fn metered<T, E: Into<anyhow::Error>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<(T, Reading)> {
        let before = self.table.store.meter().reading();
        let done = work.await.map_err(Into::into)?;
        Ok((done, self.table.store.meter().reading().since(before)))
    }

    pub(crate) async fn draft(&self) -> Result<Created> {
        self.create(false).await
    }

    async fn create(&self, auto_charge: bool) -> Result<Created> {
        let content = Self::content()?;
        let command = CreateInvoice {
            customer: self.customer,
            content,
            payment_method: None,
            charge_at: None,
            auto_charge,
        };
        let once = self.once();
        let (reply, cost) =
            self.metered(self.app.create_invoice(&operator(), command, &once, &shown)).await?;
        let id = reply.answer.body.get(..32).context("an invoice's id")?;
        Ok(Created { invoice: id.parse().context("an invoice's id")?, cost })
    }

    pub(crate) fn content() -> Result<Content> {
        let line = |description: &str, quantity: &str, price: &str| -> Result<LineItem> {
            Ok(LineItem {
                description: Description::parse(description)?,
                quantity: Quantity::parse(quantity)?,
                unit_price: UnitPrice::parse(price)?,
            })
        };
        let items = vec![
            line("Plan, monthly", "1", "100.00")?,
            line("Seats", "3", "7.35")?,
            line("Requests", "0.5", "0.01")?,
        ];
        Ok(Content { currency: Currency::BRL, items, description: None, metadata: Metadata::default() })
    }

    pub(crate) fn answer(body: &str) -> Answer {
        answer(body)
    }

    async fn charge(&self, invoice: InvoiceId) -> Result<Reading> {
        let once = self.once();
        Ok(self
            .metered(self.app.charge_invoice(&operator(), invoice, PayBy::Method(None), &once, &shown))
            .await?
            .1)
    }

    pub(crate) async fn consume(&self) -> Result<Reading> {
        let message = self.charges.take().pop().ok_or_else(|| anyhow!("no message"))?;
        Ok(self.metered(Box::pin(self.app.handle_message(message, Duration::from_secs(30)))).await?.1)
    }

    async fn judge_by(&self, expression: &str) -> Result<()> {
        let name = RuleName::parse("measured")?;
        let expression = Expression::parse(expression)?;
        let rule = Rule { name, expression, effect: Effect::Decide(Decision::Decline) };
        let rules = RuleSet { rules: vec![rule], ..RuleSet::default() };
        let put = PutRiskRules { rules, examples: Vec::new(), dry_run: false, if_version: None };
        self.app.put_risk_rules(&operator(), put).await?;
        self.clock.advance(SignedDuration::from_secs(31));
        Ok(())
    }

    async fn get(&self, invoice: InvoiceId) -> Result<Reading> {
        Ok(self.metered(self.app.invoice(&operator(), invoice)).await?.1)
    }

    async fn take_in(&self) -> Result<Reading> {
        let delivery = WebhookDelivery { body: vec![b'x'; 300], headers: Vec::new(), query: Vec::new() };
        let gateway = GatewayName::parse("sandbox")?;
        Ok(self.metered(self.intake.record(&gateway, &delivery)).await?.1)
    }

    async fn size(&self, report: &mut Report, name: &str, invoice: InvoiceId) -> Result<()> {
        report.add(name, u64::try_from(self.table.invoice_size(invoice).await)?, "bytes", Some(1_024));
        Ok(())
    }
}

impl Report {
    fn step(&mut self, name: &str, cost: Reading, round_trips: Option<u64>) {
        self.add(format!("{name}: round trips"), cost.round_trips, "", round_trips);
        self.add(format!("{name}: write units"), cost.write_units(), "", None);
        self.add(format!("{name}: read units, in tenths"), cost.read_tenths, "", None);
    }
}

pub(crate) fn operator() -> Caller {
    Caller::new("key_bench", Role::Operator)
}

fn answer(body: &str) -> Answer {
    Answer { status: 200, body: body.to_owned() }
}

/// As long an answer as the API's, which the idempotency record keeps.
fn shown(invoice: &Invoice) -> Answer {
    answer(&format!("{} {invoice:?}", invoice.id))
}

/// A gateway that says yes at once, so that only the store is measured.
struct Approving(GatewayName);

#[async_trait]
impl Gateway for Approving {
    fn name(&self) -> &GatewayName {
        &self.0
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            means: &MeansType::ALL,
            currencies: &[],
            partial_refund: &MeansType::ALL,
            idempotency_key_lifetime: SignedDuration::from_hours(24),
            looks_up_by_reference: true,
            retries_by_itself: false,
            keeps_books: true,
        }
    }

    async fn charge(&self, request: &ChargeRequest) -> ChargeOutcome {
        ChargeOutcome::Approved {
            reference: GatewayReference("ch_0123456789abcdef0123".to_owned()),
            captured: request.amount,
        }
    }

    async fn cancel(&self, _: &ChargeLookup) -> ChargeOutcome {
        ChargeOutcome::Absent
    }

    async fn fetch_charge(&self, _: &ChargeLookup) -> ChargeOutcome {
        ChargeOutcome::Absent
    }

    async fn refund(&self, request: &RefundRequest) -> RefundOutcome {
        RefundOutcome::Succeeded {
            reference: GatewayReference("re_0123456789abcdef0123".to_owned()),
            amount: request.amount,
        }
    }

    async fn fetch_refund(&self, _: &RefundRequest) -> Option<RefundOutcome> {
        None
    }

    async fn fetch_dispute(&self, _: &ChargeLookup) -> DisputeOutcome {
        DisputeOutcome::Told(Vec::new())
    }

    async fn movements(&self, _: Timestamp, _: Timestamp, _: Option<&str>) -> Result<MovementPage, Failure> {
        Ok(MovementPage { data: Vec::new(), next: None })
    }

    async fn verify_webhook(&self, _: &WebhookDelivery, _: Timestamp) -> Result<(), WebhookRefusal> {
        Ok(())
    }

    fn parse_webhook(&self, _: &[u8]) -> Result<WebhookHint, MalformedWebhook> {
        Ok(WebhookHint { event_id: "evt_1".to_owned(), kind: "charge.captured".to_owned(), subject: None })
    }
}
