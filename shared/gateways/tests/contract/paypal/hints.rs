//! Notices: who signed them, and what they are about. The certificates are made by the `openssl` command.

use super::*;
use fatura_application::ports::{WebhookDelivery, WebhookRefusal, WebhookSubject};
use fatura_domain::Timestamp;
use fatura_domain::id::{CustomerId, RefundId};
use jiff::SignedDuration;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, SignatureScheme};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

const WEBHOOK: &str = "0EH40505U7160970P";
const PREVIOUS: &str = "1JE4291016473214C";
pub(super) const WEBHOOKS: [&str; 3] = [WEBHOOK, PREVIOUS, "8PT597110X687430L"];
const BAD: Result<(), WebhookRefusal> = Err(WebhookRefusal::BadSignature);
const BODY: &str =
    r#"{"id":"WH-58D329510W468432D-8HN650336L201105X","event_type":"PAYMENT.CAPTURE.COMPLETED"}"#;
const LIVE: &str = "https://api-m.paypal.com";
const SANDBOX: &str = "https://api-m.sandbox.paypal.com";

/// A key, and the PEM that PayPal would serve for it.
struct Pair {
    key: Vec<u8>,
    pem: String,
}

struct Authority {
    root: CertificateDer<'static>,
    intermediate: String,
    /// By the name that it is served under.
    pairs: Vec<(&'static str, Pair)>,
    /// All of them are valid from before this.
    made: Timestamp,
}

fn openssl(at: &Path, arguments: &str) {
    let status = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(at)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("these tests make certificates with the openssl command");
    assert!(status.success(), "openssl {arguments}");
}

/// Signed by `by`, for a web server of this name, from now on for a year.
fn issue(at: &Path, name: &str, host: &str, by: &str) -> Pair {
    let usage =
        format!("basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:{host}\n");
    std::fs::write(at.join("leaf.ext"), usage).unwrap();
    openssl(at, &format!("req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj /CN={host}"));
    openssl(
        at,
        &format!(
            "x509 -req -in {name}.csr -CA {by}.pem -CAkey {by}.key -CAcreateserial -days 365 -sha256 \
             -out {name}.pem -extfile leaf.ext"
        ),
    );
    pair(at, name)
}

fn pair(at: &Path, name: &str) -> Pair {
    let key = std::fs::read(at.join(format!("{name}.key"))).unwrap();
    Pair { key, pem: std::fs::read_to_string(at.join(format!("{name}.pem"))).unwrap() }
}

impl Authority {
    fn get() -> &'static Self {
        static MADE: OnceLock<Authority> = OnceLock::new();
        MADE.get_or_init(|| {
            let at = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("paypal-{}", std::process::id()));
            std::fs::create_dir_all(&at).unwrap();
            let made = Self::make(&at);
            std::fs::remove_dir_all(&at).unwrap();
            made
        })
    }

    fn make(at: &Path) -> Self {
        const HOST: &str = "messageverificationcerts.paypal.com";
        for root in ["root", "other"] {
            openssl(
                at,
                &format!(
                    "req -x509 -newkey rsa:2048 -nodes -keyout {root}.key -out {root}.pem -days 3650 -subj /CN={root}"
                ),
            );
        }
        std::fs::write(at.join("middle.ext"), "basicConstraints=critical,CA:TRUE\n").unwrap();
        openssl(at, "req -newkey rsa:2048 -nodes -keyout middle.key -out middle.csr -subj /CN=middle");
        openssl(
            at,
            "x509 -req -in middle.csr -CA root.pem -CAkey root.key -CAcreateserial -days 3650 -out middle.pem \
             -extfile middle.ext",
        );
        openssl(
            at,
            &format!(
                "req -x509 -newkey rsa:2048 -nodes -keyout self.key -out self.pem -days 365 -subj /CN={HOST} \
                 -addext subjectAltName=DNS:{HOST} -addext basicConstraints=critical,CA:FALSE"
            ),
        );
        let intermediate = pair(at, "middle").pem;
        let below = issue(at, "below", HOST, "middle");
        let whole = format!("{}{intermediate}", below.pem);
        let chained = Pair { key: below.key.clone(), pem: whole };
        Self {
            root: CertificateDer::from_pem_slice(pair(at, "root").pem.as_bytes()).unwrap(),
            pairs: vec![
                ("good", issue(at, "good", HOST, "root")),
                ("next", issue(at, "next", HOST, "root")),
                ("chained", chained),
                ("below", below),
                ("sandbox", issue(at, "sandbox", "messageverificationcerts.sandbox.paypal.com", "root")),
                ("evil", issue(at, "evil", "messageverificationcerts.paypal.com.evil.tld", "root")),
                ("web", issue(at, "web", "www.paypal.com", "root")),
                ("untrusted", issue(at, "untrusted", HOST, "other")),
                ("self", pair(at, "self")),
            ],
            intermediate,
            made: Timestamp::from_second(Timestamp::now().as_second()).unwrap(),
        }
    }

    fn pair(&self, name: &str) -> &Pair {
        &self.pairs.iter().find(|(known, _)| *known == name).unwrap().1
    }
}

fn sign(key: &[u8], message: &str) -> String {
    use base64::Engine as _;
    let key =
        rustls::crypto::aws_lc_rs::sign::any_supported_type(&PrivateKeyDer::from_pem_slice(key).unwrap());
    let signer = key.unwrap().choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).unwrap();
    base64::prelude::BASE64_STANDARD.encode(signer.sign(message.as_bytes()).unwrap())
}

/// The sum by a table, written without looking at the adapter's.
fn crc32(bytes: &[u8]) -> u32 {
    let table: Vec<u32> = (0_u32..256)
        .map(|byte| {
            (0..8).fold(byte, |sum, _| if sum & 1 == 1 { 0xEDB8_8320 ^ (sum >> 1) } else { sum >> 1 })
        })
        .collect();
    !bytes.iter().fold(!0_u32, |sum, byte| table[((sum ^ u32::from(*byte)) & 0xFF) as usize] ^ (sum >> 8))
}

struct Notice {
    pair: &'static str,
    webhook: &'static str,
    at: String,
    host: &'static str,
}

impl Notice {
    fn good() -> Self {
        Self { pair: "good", webhook: WEBHOOK, at: rounded(Timestamp::now()), host: "api.paypal.com" }
    }

    fn sent(&self) -> WebhookDelivery {
        self.of(self.webhook)
    }

    fn of(&self, webhook: &str) -> WebhookDelivery {
        let id = "69cd13f0-d67a-11e5-baa3-778b53f4ae55";
        let signed = format!("{id}|{}|{webhook}|{}", self.at, crc32(BODY.as_bytes()));
        let certificate = format!("https://{}/v1/notifications/certs/{}", self.host, self.pair);
        let headers = [
            ("paypal-auth-algo", "SHA256withRSA".to_owned()),
            ("paypal-auth-version", "v2".to_owned()),
            ("paypal-cert-url", certificate),
            ("paypal-transmission-id", id.to_owned()),
            ("paypal-transmission-sig", sign(&Authority::get().pair(self.pair).key, &signed)),
            ("paypal-transmission-time", self.at.clone()),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
        WebhookDelivery { body: BODY.as_bytes().to_vec(), headers, query: Vec::new() }
    }
}

fn rounded(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap().to_string()
}

/// What a question for a certificate is answered. None: it is another question.
pub(super) fn certificate(asked: &Received) -> Option<Act> {
    let name = asked.target.strip_prefix("/v1/notifications/certs/")?;
    Some(match Authority::get().pairs.iter().find(|(known, _)| *known == name) {
        Some((_, pair)) => Act::Say(answer("200 OK", "content-type: application/x-pem-file\r\n", &pair.pem)),
        None => Act::Say(answer("404 Not Found", "", "{}")),
    })
}

/// When the certificates were made: before that they are not valid.
pub(super) fn now() -> Timestamp {
    Authority::get().made
}

/// A genuine one to this webhook of ours, sent at this second.
pub(super) fn notice(webhook: &str, at: i64) -> WebhookDelivery {
    Notice { at: Timestamp::from_second(at).unwrap().to_string(), ..Notice::good() }.of(webhook)
}

async fn certificates() -> Scripted {
    Authority::get();
    Scripted::routed(|asked| certificate(asked).unwrap_or(Act::Reset)).await
}

pub(super) fn roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(Authority::get().root.clone()).unwrap();
    roots
}

fn judge_of(base: &str, at: &Scripted, secrets: Arc<dyn Secrets>) -> PayPal {
    paypal(base, Timeouts::default(), secrets).with_certificates(at.url.parse().unwrap(), roots())
}

fn knowing(webhooks: &[&str], more: &[(&str, &str)]) -> Arc<dyn Secrets> {
    Arc::new(Told(Ok(Some(secrets("", webhooks, more)))))
}

fn judge(at: &Scripted) -> PayPal {
    judge_of(LIVE, at, knowing(&[WEBHOOK, PREVIOUS], &[]))
}

async fn verdict(gateway: &PayPal, delivery: &WebhookDelivery) -> Result<(), WebhookRefusal> {
    gateway.verify_webhook(delivery, Timestamp::now()).await
}

#[tokio::test]
async fn a_genuine_notice_is_verified_by_a_certificate_that_is_fetched_once() {
    let mut server = certificates().await;
    let gateway = judge(&server);
    for notice in [
        Notice::good(),
        Notice { webhook: PREVIOUS, ..Notice::good() },
        Notice { host: "api-m.paypal.com", ..Notice::good() },
    ] {
        for _ in 0..2 {
            // As it came, and again: it is for the event's id to tell a repeat.
            assert_eq!(verdict(&gateway, &notice.sent()).await, Ok(()));
        }
    }
    let asked = server.next().await;
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("GET", "/v1/notifications/certs/good"));
    assert_eq!(asked.header("authorization"), Vec::<&str>::new());
    // One for each address.
    assert_eq!(server.unseen(), 1);
    // A new certificate beside the old one, and an authority in between.
    for pair in ["next", "chained"] {
        assert_eq!(verdict(&gateway, &Notice { pair, ..Notice::good() }.sent()).await, Ok(()), "{pair}");
    }
    let mut shouted = Notice::good().sent();
    for (name, _) in &mut shouted.headers {
        *name = name.to_ascii_uppercase();
    }
    assert_eq!(verdict(&gateway, &shouted).await, Ok(()));
}

#[tokio::test]
async fn a_forged_notice_is_refused() {
    let server = certificates().await;
    let gateway = judge(&server);
    let genuine = Notice::good().sent();
    for place in 0..genuine.body.len() {
        let mut forged = genuine.clone();
        forged.body[place] ^= 1;
        assert_eq!(verdict(&gateway, &forged).await, BAD, "byte {place} of the body");
    }
    let mut longer = genuine.clone();
    longer.body.push(b' ');
    assert_eq!(verdict(&gateway, &longer).await, BAD);
    for (name, _) in genuine.headers.iter().filter(|(name, _)| name != "paypal-auth-version") {
        let mut missing = genuine.clone();
        missing.headers.retain(|(known, _)| known != name);
        assert_eq!(verdict(&gateway, &missing).await, BAD, "no {name}");
        for other in [name.clone(), name.to_ascii_uppercase()] {
            let mut twice = genuine.clone();
            let value = genuine.headers.iter().find(|(known, _)| known == name).unwrap().1.clone();
            twice.headers.push((other, value));
            assert_eq!(verdict(&gateway, &twice).await, BAD, "two of {name}");
        }
    }
    let later = rounded(Timestamp::now() - SignedDuration::from_secs(60));
    let next = Notice { pair: "next", ..Notice::good() }.sent();
    let of_next = next.headers.iter().find(|(name, _)| name == "paypal-transmission-sig").unwrap().1.clone();
    for (name, value) in [
        ("paypal-transmission-id", "69cd13f0-d67a-11e5-baa3-778b53f4ae56".to_owned()),
        ("paypal-transmission-id", "a|b".to_owned()),
        ("paypal-transmission-id", String::new()),
        ("paypal-transmission-time", later),
        ("paypal-transmission-time", "soon".to_owned()),
        // The same moment, written otherwise.
        ("paypal-transmission-time", genuine.headers[5].1.replace('Z', "+00:00")),
        ("paypal-transmission-sig", of_next),
        ("paypal-transmission-sig", "not base 64".to_owned()),
        ("paypal-transmission-sig", String::new()),
        ("paypal-transmission-sig", "A".repeat(2_000)),
        ("paypal-auth-algo", "SHA1withRSA".to_owned()),
        ("paypal-auth-algo", "none".to_owned()),
        ("paypal-cert-url", "https://api.paypal.com/v1/notifications/certs/next".to_owned()),
        ("paypal-cert-url", "https://api.paypal.com/v1/notifications/certs/unheard-of".to_owned()),
    ] {
        let mut forged = genuine.clone();
        forged.headers.iter_mut().find(|(known, _)| known == name).unwrap().1.clone_from(&value);
        assert_eq!(verdict(&gateway, &forged).await, BAD, "{name}: {value}");
    }
    assert_eq!(
        verdict(&gateway, &Notice { webhook: "8PT597110X687430L", ..Notice::good() }.sent()).await,
        BAD
    );
    assert_eq!(verdict(&gateway, &Notice { webhook: "", ..Notice::good() }.sent()).await, BAD);
}

/// Each is signed as it should be, with a key that isn't PayPal's.
#[tokio::test]
async fn a_certificate_that_is_not_paypals_proves_nothing() {
    let mut server = certificates().await;
    let gateway = judge(&server);
    for pair in ["evil", "web", "untrusted", "self", "sandbox", "below"] {
        assert_eq!(verdict(&gateway, &Notice { pair, ..Notice::good() }.sent()).await, BAD, "{pair}");
    }
    for address in [
        "http://api.paypal.com/v1/notifications/certs/good",
        "https://api.paypal.com.evil.tld/v1/notifications/certs/good",
        "https://api.paypal.com@evil.tld/v1/notifications/certs/good",
        "https://user@api.paypal.com/v1/notifications/certs/good",
        "https://api.paypal.com:8443/v1/notifications/certs/good",
        "https://api.paypal.com/v1/elsewhere/certs/good",
        "https://api.sandbox.paypal.com/v1/notifications/certs/good",
        "https://127.0.0.1/v1/notifications/certs/good",
    ] {
        let mut forged = Notice::good().sent();
        forged.headers[2].1 = address.to_owned();
        assert_eq!(verdict(&gateway, &forged).await, BAD, "{address}");
    }
    while server.unseen() > 0 {
        assert!(!server.next().await.target.ends_with("/good"), "nothing is fetched from elsewhere");
    }
    // The real authorities know nothing of ours.
    let pinned = paypal(LIVE, Timeouts::default(), knowing(&[WEBHOOK], &[]))
        .with_certificates(server.url.parse().unwrap(), RootCertStore::empty());
    assert_eq!(verdict(&pinned, &Notice::good().sent()).await, BAD);
}

#[tokio::test]
async fn an_authority_that_paypal_leaves_out_can_be_configured() {
    let server = certificates().await;
    let below = Notice { pair: "below", ..Notice::good() };
    let authority = Authority::get();
    for (more, expected) in [
        (authority.intermediate.as_str(), Ok(())),
        // It is no root, so one that nobody vouches for changes nothing.
        (authority.pair("untrusted").pem.as_str(), BAD),
        ("", BAD),
    ] {
        let gateway = judge_of(LIVE, &server, knowing(&[WEBHOOK], &[("webhook_intermediates", more)]));
        assert_eq!(verdict(&gateway, &below.sent()).await, expected);
    }
    let trusting_itself = knowing(&[WEBHOOK], &[("webhook_intermediates", &authority.pair("self").pem)]);
    let gateway = judge_of(LIVE, &server, trusting_itself);
    assert_eq!(verdict(&gateway, &Notice { pair: "self", ..Notice::good() }.sent()).await, BAD);
}

#[tokio::test]
async fn the_sandbox_has_its_own() {
    let server = certificates().await;
    let sandbox = judge_of(SANDBOX, &server, knowing(&[WEBHOOK], &[]));
    for pair in ["sandbox", "good"] {
        let notice = Notice { host: "api.sandbox.paypal.com", pair, ..Notice::good() };
        assert_eq!(verdict(&sandbox, &notice.sent()).await, Ok(()), "{pair}");
        assert_eq!(verdict(&judge(&server), &notice.sent()).await, BAD, "{pair}");
    }
    assert_eq!(verdict(&sandbox, &Notice::good().sent()).await, BAD);
}

#[tokio::test]
async fn a_notice_of_another_time_is_stale() {
    const REPEATS: i64 = 73 * 3_600;
    let server = certificates().await;
    let gateway = judge(&server);
    // Before the certificates began there is nothing, so it is the notice's time that moves, and theirs that stays.
    let now = Timestamp::from_second(Timestamp::now().as_second() + 100 * 3_600).unwrap();
    for (ago, expected) in [
        (0, Ok(())),
        (REPEATS, Ok(())),
        (-300, Ok(())),
        (REPEATS + 1, Err(WebhookRefusal::Stale)),
        (-301, Err(WebhookRefusal::Stale)),
        (now.as_second(), Err(WebhookRefusal::Stale)),
    ] {
        let at = rounded(now - SignedDuration::from_secs(ago));
        let delivery = Notice { at, ..Notice::good() }.sent();
        assert_eq!(gateway.verify_webhook(&delivery, now).await, expected, "{ago} seconds ago");
    }
}

/// Also one that was good when it was kept.
#[tokio::test]
async fn a_certificate_that_has_ended_proves_nothing() {
    let server = certificates().await;
    let gateway = judge(&server);
    assert_eq!(verdict(&gateway, &Notice::good().sent()).await, Ok(()));
    for days in [364, 366, -1] {
        let now = Timestamp::now() + SignedDuration::from_hours(24 * days);
        let delivery = Notice { at: rounded(now), ..Notice::good() }.sent();
        let expected = if days == 364 { Ok(()) } else { BAD };
        assert_eq!(gateway.verify_webhook(&delivery, now).await, expected, "after {days} days");
    }
}

#[tokio::test]
async fn without_a_webhook_no_notice_is_genuine() {
    let server = certificates().await;
    for webhooks in [&[][..], &[""], &["a|b"]] {
        let gateway = judge_of(LIVE, &server, knowing(webhooks, &[]));
        for webhook in ["", "a|b", WEBHOOK] {
            let refusal = verdict(&gateway, &Notice { webhook, ..Notice::good() }.sent()).await;
            assert_eq!(refusal, Err(WebhookRefusal::NoSecret));
        }
    }
    let none = judge_of(LIVE, &server, Arc::new(Told(Ok(None))));
    assert_eq!(verdict(&none, &Notice::good().sent()).await, Err(WebhookRefusal::NoSecret));
    let throttled = judge_of(LIVE, &server, Arc::new(Told(Err(SecretsError("throttled".to_owned())))));
    let refusal = verdict(&throttled, &Notice::good().sent()).await;
    assert!(matches!(refusal, Err(WebhookRefusal::Unavailable(_))), "{refusal:?}");
    assert_eq!(server.unseen(), 0);
}

/// It comes again.
#[tokio::test]
async fn a_certificate_that_cannot_be_had_refuses_nothing_for_good() {
    let notice = Notice::good().sent();
    for act in [
        Act::Reset,
        Act::Say(answer("500 Oops", "", "")),
        Act::Say(answer("429 Slow", "", "")),
        Act::Say(answer("302 Found", "location: https://evil.tld/\r\n", "")),
        Act::Say(answer("200 OK", "", "<html>Sorry</html>")),
    ] {
        let server = Scripted::always(act.clone()).await;
        let refusal = verdict(&judge(&server), &notice).await;
        let Err(WebhookRefusal::Unavailable(why)) = refusal else { panic!("{act:?}: {refusal:?}") };
        crate::contract::charging::keeps_secrets(&why);
    }
}

fn event(kind: &str, resource_type: &str, resource: &Value) -> String {
    json!({
        "id": "WH-58D329510W468432D-8HN650336L201105X", "event_version": "1.0", "resource_version": "2.0",
        "create_time": "2026-11-21T12:00:00.000Z", "event_type": kind, "resource_type": resource_type,
        "summary": "S", "resource": resource, "links": [],
    })
    .to_string()
}

#[tokio::test]
async fn an_event_says_what_it_is_about() {
    let order = order();
    let refund = RefundId::new(CustomerId::new(42), "2026-11-21T12:00:00Z".parse().unwrap(), 1);
    let taken = capture(&order, "COMPLETED");
    let up =
        json!([{ "rel": "up", "href": format!("https://api.paypal.com/v2/payments/captures/{CAPTURE}") }]);
    let charge = |id: &str| Some(WebhookSubject::Charge(theirs(&order, id)));
    let server = certificates().await;
    for (kind, resource_type, resource, subject) in [
        ("PAYMENT.CAPTURE.COMPLETED", "capture", taken.clone(), charge(CAPTURE)),
        ("PAYMENT.CAPTURE.DENIED", "capture", taken.clone(), charge(CAPTURE)),
        (
            "PAYMENT.CAPTURE.REFUNDED",
            "refund",
            json!({ "id": "R1", "custom_id": refund, "links": up }),
            Some(WebhookSubject::Refund(refund)),
        ),
        (
            "PAYMENT.CAPTURE.REVERSED",
            "refund",
            json!({ "id": "R1", "custom_id": order.attempt, "links": up }),
            charge(CAPTURE),
        ),
        ("PAYMENT.CAPTURE.REFUNDED", "refund", json!({ "id": "R1", "custom_id": order.attempt }), None),
        ("CHECKOUT.ORDER.COMPLETED", "checkout-order", paid(&order), charge("order/5O190127TN364715T")),
        (
            "CUSTOMER.DISPUTE.CREATED",
            "dispute",
            json!({ "dispute_id": "PP-D-27803" }),
            Some(WebhookSubject::Unresolved(named("dispute/PP-D-27803"))),
        ),
        ("CUSTOMER.DISPUTE.CREATED", "dispute", json!({ "dispute_id": "../x" }), None),
        (
            "PAYMENT.CAPTURE.COMPLETED",
            "capture",
            with(taken.clone(), "/custom_id", json!("order-of-a-shop")),
            None,
        ),
        ("PAYMENT.CAPTURE.COMPLETED", "capture", with(taken.clone(), "/id", json!("../x")), None),
        ("PAYMENT.CAPTURE.COMPLETED", "capture", json!({}), None),
        ("BILLING.PLAN.CREATED", "plan", json!({ "id": "P-1" }), None),
        ("VAULT.PAYMENT-TOKEN.CREATED", "payment_token", json!(null), None),
    ] {
        let hint = judge(&server).parse_webhook(event(kind, resource_type, &resource).as_bytes()).unwrap();
        assert_eq!(hint.event_id, "WH-58D329510W468432D-8HN650336L201105X");
        assert_eq!((hint.kind.as_str(), hint.subject), (kind, subject));
    }
    for body in [
        "",
        "{}",
        "[]",
        "null",
        "<xml/>",
        "{\"id\":1}",
        r#"{"id":"../x","event_type":"X"}"#,
        r#"{"id":"WH-1","event_type":""}"#,
    ] {
        assert!(judge(&server).parse_webhook(body.as_bytes()).is_err(), "{body}");
    }
}
