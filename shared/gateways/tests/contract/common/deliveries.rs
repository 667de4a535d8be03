//! Deliveries of webhooks, before anything in them is believed.

use super::{Common, Window, forgotten};
use crate::brazil::Told;
use crate::scripted::{Act, Scripted};
use fatura_application::ports::{Gateway, Secrets, SecretsError, WebhookDelivery, WebhookRefusal};
use fatura_domain::Timestamp;
use fatura_gateways::Timeouts;
use std::sync::Arc;

const BAD: Result<(), WebhookRefusal> = Err(WebhookRefusal::BadSignature);

type Change = fn(&mut Vec<(String, String)>, usize);

pub(super) async fn a_genuine_delivery_is_verified(common: &Common) {
    let (judge, [current, previous, other]) = (Judge::of(common).await, common.webhook_secrets);
    for (secret, expected) in [(current, Ok(())), (previous, Ok(())), (other, BAD)] {
        assert_eq!(judge.verdict(&genuine(common, secret)).await, expected, "{secret}");
    }
}

pub(super) async fn a_forged_delivery_is_refused(common: &Common) {
    let judge = Judge::of(common).await;
    let genuine = genuine(common, common.webhook_secrets[0]);
    // Signed within the body, part by part: each such adapter has its own list of forgeries.
    if genuine.headers.is_empty() && genuine.query.is_empty() {
        return;
    }
    if common.covered.body {
        for place in 0..genuine.body.len() {
            let mut forged = genuine.clone();
            forged.body[place] ^= 1;
            assert_eq!(judge.verdict(&forged).await, BAD, "byte {place} of the body");
        }
        let mut longer = genuine.clone();
        longer.body.push(b' ');
        assert_eq!(judge.verdict(&longer).await, BAD);
    }
    let changes: [(&str, Change); 5] = [
        ("missing", |pairs, place| drop(pairs.remove(place))),
        ("twice", |pairs, place| pairs.push(pairs[place].clone())),
        ("empty", |pairs, place| pairs[place].1.clear()),
        ("cut", |pairs, place| drop(pairs[place].1.drain(..1))),
        ("longer", |pairs, place| pairs[place].1.push('0')),
    ];
    let mut tried = 0;
    for (how, change) in changes {
        for of in [headers, query] {
            for place in 0..of(&mut genuine.clone()).len() {
                let mut forged = genuine.clone();
                let name = of(&mut forged)[place].0.clone();
                if !common.covered.not.contains(&name.as_str()) {
                    change(of(&mut forged), place);
                    assert_eq!(judge.verdict(&forged).await, BAD, "{name} is {how}");
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 0, "something vouches for it");
    let bare = WebhookDelivery { headers: Vec::new(), query: Vec::new(), ..genuine };
    assert_eq!(judge.verdict(&bare).await, BAD);
}

pub(super) async fn a_stale_or_future_delivery_is_refused(common: &Common) {
    let Some(Window { behind, ahead }) = common.covered.time else { return };
    let (judge, now) = (Judge::of(common).await, (common.now)().as_second());
    for (at, expected) in [
        (now - behind, Ok(())),
        (now + ahead, Ok(())),
        (now - behind - 1, Err(WebhookRefusal::Stale)),
        (now + ahead + 1, Err(WebhookRefusal::Stale)),
        (now * 2, Err(WebhookRefusal::Stale)),
    ] {
        let delivery = (common.delivery)(common.webhook_secrets[0], at);
        assert_eq!(judge.verdict(&delivery).await, expected, "{at}");
    }
}

pub(super) async fn without_secrets_no_delivery_is_genuine(common: &Common) {
    let delivery = genuine(common, common.webhook_secrets[0]);
    for secrets in forgotten() {
        assert_eq!(
            Judge::knowing(common, secrets).await.verdict(&delivery).await,
            Err(WebhookRefusal::NoSecret)
        );
    }
    let throttled = Arc::new(Told(Err(SecretsError("throttled".to_owned()))));
    let refusal = Judge::knowing(common, throttled).await.verdict(&delivery).await;
    assert!(matches!(refusal, Err(WebhookRefusal::Unavailable(_))), "{refusal:?}");
}

pub(super) async fn what_is_kept_is_read_the_same_way_twice(common: &Common) {
    let gateway = common.at("http://127.0.0.1:1");
    let delivery = genuine(common, common.webhook_secrets[0]);
    let kept = gateway.kept_body(&delivery);
    let hint = gateway.parse_webhook(&kept).unwrap();
    assert!(!hint.event_id.is_empty() && !hint.kind.is_empty());
    assert_eq!(gateway.parse_webhook(&gateway.kept_body(&delivery)).unwrap(), hint);
    if !common.covered.body {
        return;
    }
    // Played again later, it is the same event.
    let later = (common.delivery)(common.webhook_secrets[1], (common.now)().as_second() + 1);
    assert_eq!(gateway.parse_webhook(&gateway.kept_body(&later)).unwrap().event_id, hint.event_id);
}

pub(super) async fn what_is_no_event_is_malformed(common: &Common) {
    let gateway = common.at("http://127.0.0.1:1");
    for body in [&b""[..], b"{}", b"[]", b"null", b"<xml/>", b"\0", b"{\"id\":", b"\xff\xfe"] {
        assert!(gateway.parse_webhook(body).is_err(), "{body:?}");
    }
}

fn genuine(common: &Common, secret: &str) -> WebhookDelivery {
    (common.delivery)(secret, (common.now)().as_second())
}

fn headers(delivery: &mut WebhookDelivery) -> &mut Vec<(String, String)> {
    &mut delivery.headers
}

fn query(delivery: &mut WebhookDelivery) -> &mut Vec<(String, String)> {
    &mut delivery.query
}

/// A gateway that judges deliveries, beside a server for those that have to ask somebody first.
struct Judge {
    gateway: Arc<dyn Gateway>,
    now: Timestamp,
    _server: Scripted,
}

impl Judge {
    async fn of(common: &Common) -> Self {
        Self::knowing(common, common.secrets()).await
    }

    async fn knowing(common: &Common, secrets: Arc<dyn Secrets>) -> Self {
        let server = common.server(&common.order(), Act::Reset).await;
        let gateway = common.gateway(&server.url, Timeouts::default(), secrets);
        Self { gateway, now: (common.now)(), _server: server }
    }

    async fn verdict(&self, delivery: &WebhookDelivery) -> Result<(), WebhookRefusal> {
        self.gateway.verify_webhook(delivery, self.now).await
    }
}
