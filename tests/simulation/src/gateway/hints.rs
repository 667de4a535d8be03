//! What a gateway tells by itself: webhooks, each any number of times, at any time, in any order.

use super::book::{Charge, Refund, Standing};
use super::{DAY, HOUR, MINUTE, SECOND, SimulatedGateway};
use fatura_application::ports::{
    ChargeLookup, MalformedWebhook, Told, WebhookDelivery, WebhookHint, WebhookRefusal, WebhookSubject,
};
use fatura_domain::gateway::{ChargeOutcome, GatewayReference};
use fatura_domain::money::Money;
use serde_json::{Value, json};

const SIGNATURE: &str = "x-signature";
const SECRET: &str = "whsec_simulated";

/// One delivery that is on its way.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) at_ms: i64,
    pub(crate) body: String,
    pub(crate) is_forged: bool,
    tries: u32,
    /// How many cases there were about its charge when it was brought, if it is of disputes and was brought for the first time:
    /// whoever asks because of it hears of so many.
    cases: usize,
}

/// What an event says, before it has an id.
#[derive(Debug)]
pub(crate) struct Hint(Value);

impl Hint {
    pub(crate) fn of_charge(charge: &Charge) -> Self {
        let status = match charge.standing {
            Standing::Captured(_) => "captured",
            Standing::Waiting(_) => "waiting",
            Standing::Declined(_) => "declined",
            Standing::Voided => "voided",
        };
        Self::about("charge", charge, status)
    }

    pub(crate) fn of_dispute(charge: &Charge) -> Self {
        Self::about("dispute", charge, "disputed")
    }

    fn about(kind: &str, charge: &Charge, status: &str) -> Self {
        Self(json!({
            "kind": kind,
            "attempt": charge.attempt.to_string(),
            "reference": charge.reference.0,
            "status": status,
            "amount_minor": charge.asked.minor(),
            "currency": charge.asked.currency().code(),
        }))
    }

    pub(crate) fn of_refund(refund: &Refund) -> Self {
        Self(json!({ "kind": "refund", "refund": refund.request.refund.to_string() }))
    }
}

impl Delivery {
    pub(crate) fn signature(&self) -> &'static str {
        if self.is_forged { "guessed" } else { SECRET }
    }

    pub(crate) const fn header() -> &'static str {
        SIGNATURE
    }
}

/// An event's id says what it is about, for those who count who dies at what.
fn named(body: &Value, bits: u64) -> String {
    format!("evt_{}_{bits:016x}", body["kind"].as_str().unwrap_or_default())
}

impl SimulatedGateway {
    /// Tells of it, or not; and of what isn't so, as a stranger would.
    pub(super) fn tell(&self, hint: Hint) {
        let chance = &self.chance;
        let Hint(mut body) = hint;
        let id = chance.bits();
        body["id"] = json!(named(&body, id));
        let copies = chance.weighed(&[(self.plan.lost_hints, 0), (60, 1), (20, 2), (5, 3)]);
        for _ in 0..copies {
            self.deliver_in(self.a_while(), &body, false);
        }
        if chance.happens(self.plan.forgeries) {
            body["status"] = json!("captured");
            body["id"] = json!(named(&body, id ^ 1));
            // Half of them are signed: somebody tests with our secret, or has it.
            self.deliver_in(self.a_while(), &body, chance.happens(500));
        }
    }

    pub(super) fn tell_surely(&self, Hint(body): &Hint) {
        let mut body = body.clone();
        body["id"] = json!(named(&body, self.chance.bits()));
        self.deliver_in(self.a_while(), &body, false);
    }

    fn a_while(&self) -> i64 {
        let chance = &self.chance;
        match chance.below(10) {
            0..4 => 0,
            4..8 => chance.between(SECOND, MINUTE),
            8 => chance.between(MINUTE, HOUR),
            _ => chance.between(HOUR, 2 * DAY),
        }
    }

    fn deliver_in(&self, wait_ms: i64, body: &Value, is_forged: bool) {
        let delivery = Delivery {
            at_ms: self.clock.ms() + wait_ms,
            body: body.to_string(),
            is_forged,
            tries: 0,
            cases: 0,
        };
        self.deliveries.lock().unwrap().push(delivery);
    }

    pub(crate) fn due_deliveries(&self) -> usize {
        let now = self.clock.ms();
        self.deliveries.lock().unwrap().iter().filter(|delivery| delivery.at_ms <= now).count()
    }

    /// Any of those that are due.
    pub(crate) fn take_delivery(&self) -> Option<Delivery> {
        let now = self.clock.ms();
        let mut deliveries = self.deliveries.lock().unwrap();
        let due: Vec<usize> = (0..deliveries.len())
            .filter(|place| deliveries.get(*place).is_some_and(|one| one.at_ms <= now))
            .collect();
        let place = *self.chance.pick(&due)?;
        let delivery = deliveries.remove(place);
        Some(Delivery { cases: self.cases_of(&delivery), ..delivery })
    }

    fn cases_of(&self, delivery: &Delivery) -> usize {
        let body: Value = serde_json::from_str(&delivery.body).unwrap_or_default();
        let is_new = self.brought.lock().unwrap().insert(body["id"].to_string());
        if !is_new || body["kind"] != "dispute" {
            return 0;
        }
        let reference = GatewayReference(body["reference"].as_str().unwrap_or_default().to_owned());
        self.book.lock().unwrap().by_reference(&reference).map_or(0, |charge| charge.cases.len())
    }

    /// It was answered with a 2xx. Says which event it was.
    pub(crate) fn heard(&self, delivery: &Delivery) -> String {
        let body: Value = serde_json::from_str(&delivery.body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let reference = GatewayReference(text("reference"));
        let mut book = self.book.lock().unwrap();
        if let Some(charge) = book.charges.values_mut().find(|charge| charge.reference == reference) {
            charge.cases_heard = charge.cases_heard.max(delivery.cases);
        }
        text("id")
    }

    /// It was not answered with a 2xx: it comes again, for three days.
    pub(crate) fn deliver_again(&self, delivery: Delivery) {
        const MOST_TRIES: u32 = 12;
        if delivery.is_forged || delivery.tries >= MOST_TRIES {
            return;
        }
        let wait = self.chance.between(MINUTE, 6 * HOUR);
        let next = Delivery { at_ms: self.clock.ms() + wait, tries: delivery.tries + 1, ..delivery };
        self.deliveries.lock().unwrap().push(next);
    }
}

pub(super) fn verify(delivery: &WebhookDelivery) -> Result<(), WebhookRefusal> {
    let signed = delivery.headers.iter().any(|(name, value)| name == SIGNATURE && value == SECRET);
    if signed { Ok(()) } else { Err(WebhookRefusal::BadSignature) }
}

pub(super) fn parse(body: &[u8]) -> Result<WebhookHint, MalformedWebhook> {
    let malformed = |_| MalformedWebhook("not of ours".to_owned());
    let body: Value = serde_json::from_slice(body).map_err(malformed)?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let lookup = || {
        let reference = Some(GatewayReference(text("reference").to_owned()));
        text("attempt").parse().ok().map(|attempt| ChargeLookup { attempt, reference })
    };
    let subject = match text("kind") {
        "charge" => lookup().map(WebhookSubject::Charge),
        "dispute" => lookup().map(WebhookSubject::Dispute),
        _ => text("refund").parse().ok().map(WebhookSubject::Refund),
    };
    Ok(WebhookHint { event_id: text("id").to_owned(), kind: text("kind").to_owned(), subject })
}

/// A hint, taken at its word.
pub(super) fn word(body: &[u8]) -> Option<Told> {
    let hint = parse(body).ok()?;
    let Some(WebhookSubject::Charge(ChargeLookup { attempt, reference })) = hint.subject else { return None };
    let body: Value = serde_json::from_slice(body).ok()?;
    let currency = body.get("currency")?.as_str()?.parse().ok()?;
    let captured = Money::try_new(body.get("amount_minor")?.as_i64()?, currency).ok()?;
    let is_captured = body.get("status")?.as_str()? == "captured";
    let outcome = ChargeOutcome::Approved { reference: reference?, captured };
    is_captured.then_some(Told::Charge { attempt, outcome })
}
