//! Deliveries, before anything in them is believed.

use crate::bench::{Bench, PREVIOUS_WEBHOOK_SECRET, Vault, WEBHOOK_SECRET, Wanted, by_ours, request};
use fatura_application::ports::{ChargeLookup, WebhookDelivery, WebhookRefusal, WebhookSubject};
use fatura_domain::Timestamp;
use fatura_domain::gateway::GatewayReference;
use fatura_gateways::Timeouts;

const NOW: i64 = 1_700_000_000;
const WINDOW: i64 = 300;
const BAD: Result<(), WebhookRefusal> = Err(WebhookRefusal::BadSignature);

pub(crate) async fn a_genuine_delivery_is_verified(bench: &dyn Bench) {
    for at in [NOW, NOW - WINDOW, NOW + WINDOW] {
        assert_eq!(verify(bench, &bench.signed(&event(bench), WEBHOOK_SECRET, at)).await, Ok(()), "{at}");
    }
    // The bytes are what is signed, whatever they are.
    for body in ["", "not json", "{\"id\": \"é\"}"] {
        assert_eq!(verify(bench, &bench.signed(body, WEBHOOK_SECRET, NOW)).await, Ok(()), "{body}");
    }
}

pub(crate) async fn a_forged_delivery_is_refused(bench: &dyn Bench) {
    let genuine = bench.signed(&event(bench), WEBHOOK_SECRET, NOW);
    for place in 0..genuine.body.len() {
        let mut forged = genuine.clone();
        forged.body[place] ^= 1;
        assert_eq!(verify(bench, &forged).await, BAD, "byte {place} of the body");
    }
    let mut longer = genuine.clone();
    longer.body.push(b' ');
    let mut unsigned = genuine.clone();
    unsigned.headers.clear();
    let mut twice = genuine.clone();
    twice.headers.extend(genuine.headers.clone());
    let later = bench.signed(&event(bench), WEBHOOK_SECRET, NOW + 1);
    let mut moved = genuine.clone();
    for ((_, value), (_, later)) in moved.headers.iter_mut().zip(&later.headers) {
        // The time of one signature with the digest of the other.
        *value = value.replace(&NOW.to_string(), &(NOW + 1).to_string());
        assert_ne!(value, later);
    }
    for forged in [longer, unsigned, twice, moved] {
        assert_eq!(verify(bench, &forged).await, BAD);
    }
}

pub(crate) async fn a_stale_or_future_delivery_is_refused(bench: &dyn Bench) {
    for at in [NOW - WINDOW - 1, NOW + WINDOW + 1, 0, NOW * 2] {
        let delivery = bench.signed(&event(bench), WEBHOOK_SECRET, at);
        assert_eq!(verify(bench, &delivery).await, Err(WebhookRefusal::Stale), "{at}");
    }
}

pub(crate) async fn a_rotated_secret_is_good_and_a_wrong_one_is_not(bench: &dyn Bench) {
    for (secret, expected) in
        [(WEBHOOK_SECRET, Ok(())), (PREVIOUS_WEBHOOK_SECRET, Ok(())), ("whsec_wrong", BAD), ("", BAD)]
    {
        assert_eq!(verify(bench, &bench.signed(&event(bench), secret, NOW)).await, expected, "{secret}");
    }
}

pub(crate) async fn without_secrets_no_delivery_is_genuine(bench: &dyn Bench) {
    let now = Timestamp::from_second(NOW).unwrap();
    for vault in [Vault::empty(), Vault::with("sk", &[]), Vault::with("sk", &[""])] {
        let gateway = bench.adapter(bench.url(), Timeouts::default(), vault);
        for secret in ["", WEBHOOK_SECRET] {
            let delivery = bench.signed(&event(bench), secret, NOW);
            assert_eq!(gateway.verify_webhook(&delivery, now).await, Err(WebhookRefusal::NoSecret));
        }
    }
    let gateway = bench.adapter(bench.url(), Timeouts::default(), Vault::broken());
    let refusal = gateway.verify_webhook(&bench.signed("{}", WEBHOOK_SECRET, NOW), now).await;
    assert!(matches!(refusal, Err(WebhookRefusal::Unavailable(_))), "{refusal:?}");
}

pub(crate) async fn an_event_names_its_charge(bench: &dyn Bench) {
    let order = request(bench.means(Wanted::Approval));
    let reference = Some(GatewayReference("ch_1".to_owned()));
    let lookup = ChargeLookup { reference, ..by_ours(&order) };
    let hint = bench.gateway().parse_webhook(bench.event("evt_1", &lookup).as_bytes()).unwrap();
    assert_eq!(hint.event_id, "evt_1");
    assert!(!hint.kind.is_empty());
    assert_eq!(hint.subject, Some(WebhookSubject::Charge(lookup)));
}

pub(crate) async fn what_is_no_event_is_malformed(bench: &dyn Bench) {
    let gateway = bench.gateway();
    for body in ["", "{}", "[]", "null", "<xml/>", "\u{0}", "{\"id\":", "{\"id\":1}"] {
        assert!(gateway.parse_webhook(body.as_bytes()).is_err(), "{body}");
    }
    assert!(gateway.parse_webhook(&[0xff, 0xfe]).is_err());
}

fn event(bench: &dyn Bench) -> String {
    bench.event("evt_1", &by_ours(&request(bench.means(Wanted::Approval))))
}

async fn verify(bench: &dyn Bench, delivery: &WebhookDelivery) -> Result<(), WebhookRefusal> {
    let now = Timestamp::from_second(NOW).unwrap();
    bench.gateway().verify_webhook(delivery, now).await
}
