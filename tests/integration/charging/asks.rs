//! What people and the world outside do, in a word.

use crate::world::{World, answer};
use fatura_application::ports::{Clock, Progress};
use fatura_application::{
    BeginBilling, Contest, Error, Once, RefundAmount, Reply, RequestRefund, ResolveAttempt,
};
use fatura_domain::dispute::ContestReason;
use fatura_domain::id::{AttemptNumber, CustomerId, InvoiceId, PaymentMethodId, RunId};
use fatura_domain::invoice::{Invoice, Resolution};
use fatura_domain::refund::Refund;
use fatura_domain::run::Requeue;
use fatura_domain::text::Text;
use fatura_domain::{SignedDuration, Timestamp};
use serde_json::json;

/// What one of them is answered: the status that it led to.
fn status(invoice: &Invoice) -> fatura_application::Answer {
    answer(invoice.status().as_str())
}

impl World {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn requeue(&self, invoice: InvoiceId) -> Result<Reply, Error> {
        self.app.requeue_invoice(&Self::operator(), invoice, &self.once(), &status).await
    }

    pub(crate) async fn cancel(&self, invoice: InvoiceId) -> Result<Reply, Error> {
        self.cancel_once(invoice, &self.once()).await
    }

    pub(crate) async fn cancel_once(&self, invoice: InvoiceId, once: &Once) -> Result<Reply, Error> {
        self.app.cancel_invoice(&Self::operator(), invoice, Some(once), &status).await
    }

    pub(crate) async fn contest(&self, invoice: InvoiceId) -> Result<Reply, Error> {
        let command = Contest { invoice, reason: ContestReason::Fraud, note: None };
        self.app.contest_invoice(&Self::operator(), command, &self.once(), &status).await
    }

    /// Asks for this much back; the consumer has yet to send the order.
    pub(crate) async fn refund(&self, invoice: InvoiceId, amount: &str) -> Result<Reply, Error> {
        let amount = RefundAmount::InItsCurrency(amount.to_owned());
        let command = RequestRefund { invoice, amount, reason: None };
        let shown = |refund: &Refund| answer(refund.id.to_string());
        self.app.request_refund(&Self::operator(), command, &self.once(), &shown).await
    }

    pub(crate) async fn resolve(
        &self,
        invoice: InvoiceId,
        number: u8,
        resolution: Resolution,
    ) -> Result<Reply, Error> {
        let attempt = self.invoice(invoice).await.attempt_id(AttemptNumber(number));
        let note = Some(Text::parse("seen at the gateway").unwrap());
        let command = ResolveAttempt { attempt, resolution, note };
        self.app.resolve_attempt(&Self::operator(), command, &self.once(), &status).await
    }

    pub(crate) async fn make_default(&self, customer: CustomerId, method: PaymentMethodId) {
        self.app.set_default_payment_method(&Self::operator(), customer, method).await.unwrap();
    }

    pub(crate) async fn detach(&self, customer: CustomerId, method: PaymentMethodId) {
        self.app.detach_payment_method(&Self::operator(), customer, method).await.unwrap();
        self.drain().await;
    }

    /// A run for what is due this month, of everybody or of one customer.
    pub(crate) async fn bill(&self, customer: Option<CustomerId>, once: &Once) -> Result<RunId, Error> {
        let command = BeginBilling { period: None, customer };
        let id_only = |progress: &Progress| answer(progress.run.id.as_str());
        let reply = self.app.begin_billing(&Self::operator(), command, once, &id_only).await?;
        Ok(reply.answer.body.parse().unwrap())
    }

    /// A run for what failed and is meant.
    pub(crate) async fn requeue_all(&self, which: Requeue) -> RunId {
        let id_only = |progress: &Progress| answer(progress.run.id.as_str());
        let reply = self.app.begin_requeue(&Self::operator(), which, &self.once(), &id_only).await.unwrap();
        reply.answer.body.parse().unwrap()
    }

    /// An invoice that was paid by card just now.
    pub(crate) async fn paid(&self) -> InvoiceId {
        let invoice = self.charged("tok_visa").await;
        self.drain().await;
        self.assert_paid_once(invoice).await;
        invoice
    }

    /// Lets time come for whatever an invoice waits for, and not a moment before it; false once it waits for nothing.
    pub(crate) async fn meet_next_due(&self, invoice: InvoiceId) -> bool {
        let Some(due) = self.invoice(invoice).await.state.due() else { return false };
        self.clock.set(due - SignedDuration::from_millis(1));
        assert_eq!(self.sweep().await, 0, "not due before {due}");
        self.clock.set(due);
        self.sweep().await;
        self.drain().await;
        true
    }

    /// The same until nothing happens by itself any more.
    pub(crate) async fn wait_out(&self, invoice: InvoiceId) {
        for _ in 0..100 {
            if !self.meet_next_due(invoice).await {
                return;
            }
        }
        panic!("it never ends");
    }

    /// What the gateway calls the only charge of an invoice.
    pub(crate) async fn charge_at_gateway(&self, invoice: InvoiceId) -> String {
        let journal = self.journal(invoice).await;
        assert_eq!(journal.len(), 1, "{journal:?}");
        journal[0]["id"].as_str().unwrap().to_owned()
    }

    /// The gateway tells everything about a charge so often, and it is heeded in the order of its coming.
    pub(crate) async fn tell(&self, charge: &str, times: u8, reverse: bool) {
        self.webhooks.take();
        let again = json!({ "charge_id": charge, "times": times, "reverse": reverse });
        self.at_the_gateway("/webhooks/redeliver", again).await;
        self.heed_webhooks().await;
    }

    /// The gateway is silent from now on but for what [`Self::tell`] has it say.
    pub(crate) async fn without_webhooks(&self) {
        self.at_the_gateway("/control", json!({ "webhooks_off": true })).await;
    }

    /// The payer's bank pays a QR code.
    pub(crate) async fn pay(&self, charge: &str, minor: i64) {
        self.at_the_gateway(&format!("/charges/{charge}/pay"), json!({ "amount_minor": minor })).await;
    }

    /// The cardholder disputes a charge.
    pub(crate) async fn dispute(&self, charge: &str, outcome: &str) {
        self.at_the_gateway(&format!("/charges/{charge}/dispute"), json!({ "outcome": outcome })).await;
    }
}
