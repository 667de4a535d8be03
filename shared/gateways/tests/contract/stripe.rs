//! Stripe's adapter with a Stripe of our own, and with answers that no well-behaved one gives.

mod books;
mod cards;
mod charges;
mod disputes;
mod fake;
mod hints;
mod lookups;
mod outside;
mod refunds;

use crate::bench::{API_KEY, Bench, PREVIOUS_WEBHOOK_SECRET, WEBHOOK_SECRET, Wanted, WireOrder};
use crate::common::{Common, Covered};
use async_trait::async_trait;
use fake::Fake;
use fatura_application::ports::{ChargeLookup, Gateway, Secrets, WebhookDelivery};
use fatura_domain::charge::FailureClass;
use fatura_domain::gateway::{ChargeRequest, DisputeVerdict, GatewayReference, Means, PixKey, Token};
use fatura_domain::id::AttemptId;
use fatura_gateways::{Http, Stripe, Timeouts};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use std::sync::Arc;

// All but `the_order_is_exact_on_the_wire`, whose largest amount of dinars has a last digit that Stripe can't charge:
// `charges` has it with amounts that it can.
crate::every_gateway! { StripeBench:
    charging {
        an_approval_says_what_was_captured
        each_decline_has_its_class
        a_repeat_is_the_same_charge
        another_order_under_the_same_key_is_unknown
        silence_is_unknown_until_looked_up
        an_unreadable_answer_is_unknown_until_looked_up
        what_was_never_ordered_is_absent
        too_many_requests_were_not_sent
        a_pix_waits_for_its_payer
        a_card_charge_comes_too_late_to_cancel
    }
    disputes {
        a_charge_is_undisputed_until_its_holder_goes_to_the_bank
        a_lost_dispute_is_lost
        what_was_never_charged_is_not_there
        a_dispute_leaves_the_charge_as_it_is
    }
    movements {
        what_was_captured_and_given_back_is_told_page_by_page
        the_window_begins_with_from_and_ends_before_to
        nothing_moved_is_an_empty_page
    }
    transport {
        what_cannot_connect_was_not_sent
        what_breaks_after_sending_is_unknown
        a_server_error_is_unknown
        a_redirect_is_not_followed
        an_unreadable_success_is_unknown
        a_definite_refusal_is_ours_to_mend
        the_wait_that_is_asked_for_is_kept
        a_question_that_fails_says_nothing
        without_secrets_nothing_is_sent
    }
    webhooks {
        a_genuine_delivery_is_verified
        a_forged_delivery_is_refused
        a_stale_or_future_delivery_is_refused
        a_rotated_secret_is_good_and_a_wrong_one_is_not
        without_secrets_no_delivery_is_genuine
        an_event_names_its_charge
        what_is_no_event_is_malformed
    }
}

struct StripeBench {
    fake: Fake,
}

#[async_trait]
impl Bench for StripeBench {
    async fn start() -> Self {
        Self { fake: Fake::start().await }
    }

    fn adapter(&self, at: &str, timeouts: Timeouts, secrets: Arc<dyn Secrets>) -> Arc<dyn Gateway> {
        Arc::new(Stripe::new(Http::try_new(timeouts).unwrap(), at.parse().unwrap(), secrets))
    }

    fn url(&self) -> &str {
        &self.fake.server.url
    }

    async fn charges(&self, attempt: AttemptId) -> usize {
        let books = self.fake.books.lock().unwrap();
        books.intents.iter().filter(|intent| intent["metadata"]["attempt"] == attempt.to_string()).count()
    }

    async fn dispute(&self, charge: &GatewayReference, verdict: DisputeVerdict) {
        self.fake.dispute(&charge.0, verdict);
    }

    fn means(&self, wanted: Wanted) -> Means {
        card(match wanted {
            Wanted::Approval => "pm_visa",
            Wanted::SilenceAfterCharging => "pm_charged_no_answer",
            Wanted::SilenceWithoutCharging => "pm_not_charged_no_answer",
            Wanted::ServerErrorAfterCharging => "pm_charged_500",
            Wanted::ServerErrorWithoutCharging => "pm_not_charged_500",
            Wanted::HtmlAfterCharging => "pm_charged_html",
            Wanted::HalfAnAnswerAfterCharging => "pm_charged_truncated",
            Wanted::TooManyRequests => "pm_429",
            Wanted::Pix => return Means::Pix(PixKey("payer@example.com".to_owned())),
        })
    }

    fn declines(&self) -> Vec<(Means, FailureClass, &'static str)> {
        use FailureClass as Class;
        [
            ("pm_decline_insufficient_funds", Class::InsufficientFunds, "insufficient_funds"),
            ("pm_decline_do_not_honor", Class::DoNotHonor, "do_not_honor"),
            ("pm_decline_generic_decline", Class::Generic, "generic_decline"),
            ("pm_decline_issuer_not_available", Class::IssuerUnavailable, "issuer_not_available"),
            ("pm_decline_stolen_card", Class::Hard, "stolen_card"),
            ("pm_decline_expired_card", Class::Hard, "expired_card"),
            ("pm_decline_authentication_required", Class::AuthenticationRequired, "authentication_required"),
            ("pm_decline_fraudulent", Class::SuspectedFraud, "fraudulent"),
            ("pm_decline_currency_not_supported", Class::CurrencyMismatch, "currency_not_supported"),
            ("pm_decline_duplicate_transaction", Class::Duplicate, "duplicate_transaction"),
            ("pm_decline_moon_phase", Class::Generic, "moon_phase"),
        ]
        .map(|(method, class, raw_code)| (card(method), class, raw_code))
        .to_vec()
    }

    fn wire(&self, request: &ChargeRequest) -> WireOrder {
        let (attempt, invoice) = (request.attempt, request.invoice());
        let currency = request.amount.currency().code().to_lowercase();
        let units = charges::units(request.amount);
        WireOrder {
            method: "POST",
            target: "/v1/payment_intents".to_owned(),
            headers: vec![
                ("authorization", format!("Bearer {API_KEY}")),
                ("idempotency-key", attempt.to_string()),
                ("content-type", "application/x-www-form-urlencoded".to_owned()),
                ("stripe-version", "2025-03-31.basil".to_owned()),
            ],
            body: format!(
                "amount={units}&currency={currency}&confirm=true&capture_method=automatic&off_session=true\
                 &customer=cus_1&payment_method=pm_visa&payment_method_types%5B%5D=card\
                 &metadata%5Battempt%5D={attempt}&metadata%5Binvoice%5D={invoice}&expand%5B%5D=latest_charge"
            ),
        }
    }

    fn captured(&self, request: &ChargeRequest) -> String {
        intent(request, "succeeded").to_string()
    }

    fn event(&self, id: &str, lookup: &ChargeLookup) -> String {
        let object = json!({
            "id": lookup.reference, "object": "payment_intent", "status": "succeeded",
            "metadata": { "attempt": lookup.attempt, "invoice": lookup.attempt.invoice },
        });
        let reference = lookup.reference.is_some();
        event(id, "payment_intent.succeeded", &if reference { object } else { json!({}) })
    }

    fn signed(&self, body: &str, secret: &str, at_unix: i64) -> WebhookDelivery {
        signed(body, secret, at_unix)
    }
}

fn signed(body: &str, secret: &str, at_unix: i64) -> WebhookDelivery {
    let value = format!("t={at_unix},v1={}", signature(body, secret, at_unix));
    let headers = vec![("stripe-signature".to_owned(), value)];
    WebhookDelivery { body: body.as_bytes().to_vec(), headers, query: Vec::new() }
}

pub(crate) fn common() -> Common {
    Common {
        make: |http, at, secrets| Arc::new(Stripe::new(http, at, secrets)),
        more: &[],
        means: || card("pm_visa"),
        key: Some("idempotency-key"),
        aside: |_, _| None,
        captured: |order| intent(order, "succeeded").to_string(),
        sent_at_401: 1,
        amount: |amount| {
            let currency = amount.currency().code().to_lowercase();
            let is_chargeable = currency != "kwd" || amount.minor() % 10 == 0;
            is_chargeable.then(|| format!("amount={}&currency={currency}&", amount.minor()))
        },
        reference: "pi_1",
        webhook_secrets: [WEBHOOK_SECRET, PREVIOUS_WEBHOOK_SECRET, "whsec_wrong"],
        now: crate::brazil::now,
        delivery: |secret, at| signed(&event("evt_1", "payment_intent.succeeded", &json!({})), secret, at),
        covered: Covered::BODY_AND_TIME,
    }
}

fn signature(body: &str, secret: &str, at_unix: i64) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{at_unix}.{body}").as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

fn card(method: &str) -> Means {
    Means::CreditCard(Token(format!("cus_1/{method}")))
}

fn event(id: &str, kind: &str, object: &Value) -> String {
    json!({ "id": id, "object": "event", "type": kind, "created": 1_700_000_000, "data": { "object": object } })
        .to_string()
}

fn intent(request: &ChargeRequest, status: &str) -> Value {
    let units = charges::units(request.amount);
    let received = if status == "succeeded" { units } else { 0 };
    json!({
        "id": "pi_1", "object": "payment_intent", "amount": units, "amount_received": received,
        "currency": request.amount.currency().code().to_lowercase(), "status": status, "created": 1_700_000_000,
        "metadata": { "attempt": request.attempt, "invoice": request.invoice() },
        "last_payment_error": null, "next_action": null, "latest_charge": "ch_1",
    })
}
