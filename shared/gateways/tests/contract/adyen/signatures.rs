//! Which deliveries are genuine. `vectors.json` was made by Adyen's own SDK: `hmacValidator.calculateHmac(item, key)` of
//! the npm package @adyen/api-library 32.1.0, each then checked by its `validateHMAC`.

use super::{MERCHANT, MORE, PSP, by_card, gateway};
use crate::bench::Vault;
use crate::brazil::{now, told as secrets};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fatura_application::ports::{Told, WebhookDelivery, WebhookRefusal};
use fatura_gateways::{Http, Timeouts};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::slice;

pub(super) const KEY: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
const PREVIOUS: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const OTHER: &str = "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
pub(super) const KEYS: [&str; 3] = [KEY, PREVIOUS, OTHER];
const BAD: Result<(), WebhookRefusal> = Err(WebhookRefusal::BadSignature);

pub(super) fn delivery(items: &[Value]) -> WebhookDelivery {
    let items: Vec<Value> = items.iter().map(|item| json!({ "NotificationRequestItem": item })).collect();
    let body = json!({ "live": "false", "notificationItems": items }).to_string().into_bytes();
    WebhookDelivery { body, headers: Vec::new(), query: Vec::new() }
}

pub(super) fn paid() -> Value {
    json!({
        "additionalData": { "cardSummary": "1111", "shopperEmail": "ana@example.com" },
        "amount": { "currency": "BRL", "value": 12_345 },
        "eventCode": "AUTHORISATION",
        "eventDate": "2026-11-21T12:00:00+01:00",
        "merchantAccountCode": MERCHANT,
        "merchantReference": by_card().attempt,
        "originalReference": "",
        "paymentMethod": "visa",
        "pspReference": PSP,
        "reason": "033899:1111:03/2030",
        "success": "true",
    })
}

/// Written without looking at the adapter.
pub(super) fn signed(mut item: Value, key: &str) -> Value {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fields = [
        text(&item["pspReference"]),
        text(&item["originalReference"]),
        text(&item["merchantAccountCode"]),
        text(&item["merchantReference"]),
        item["amount"]["value"].to_string(),
        text(&item["amount"]["currency"]),
        text(&item["eventCode"]),
        text(&item["success"]),
    ];
    let mut mac = Hmac::<Sha256>::new_from_slice(&hex::decode(key).unwrap()).unwrap();
    mac.update(fields.join(":").as_bytes());
    item["additionalData"]["hmacSignature"] = json!(STANDARD.encode(mac.finalize().into_bytes()));
    item
}

async fn verdict(delivery: &WebhookDelivery) -> Result<(), WebhookRefusal> {
    gateway("http://127.0.0.1:1", &[KEY, PREVIOUS], MORE).verify_webhook(delivery, now()).await
}

#[tokio::test]
async fn what_the_sdk_signed_is_genuine_and_nothing_else() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("vectors.json")).unwrap();
    assert_eq!(vectors.len(), 6);
    for vector in &vectors {
        let item = &vector["item"];
        assert_eq!(verdict(&delivery(slice::from_ref(item))).await, Ok(()), "{item}");
        let (key, ours) = (vector["key"].as_str().unwrap(), item["additionalData"]["hmacSignature"].clone());
        assert_eq!(signed(item.clone(), key)["additionalData"]["hmacSignature"], ours, "what our tests sign");
        let strict = gateway("http://127.0.0.1:1", &[OTHER], MORE);
        assert_eq!(strict.verify_webhook(&delivery(slice::from_ref(item)), now()).await, BAD);
    }
}

#[tokio::test]
async fn every_signed_field_counts() {
    let genuine = signed(paid(), KEY);
    assert_eq!(verdict(&delivery(slice::from_ref(&genuine))).await, Ok(()));
    for (pointer, value) in [
        ("/pspReference", json!("993617895204576K")),
        ("/originalReference", json!("X")),
        ("/merchantAccountCode", json!("FaturaBr")),
        ("/merchantReference", json!("att_other")),
        ("/amount/value", json!(12_346)),
        ("/amount/currency", json!("USD")),
        ("/eventCode", json!("REFUND")),
        ("/success", json!("false")),
        ("/success", json!("TRUE")),
        ("/success", json!(true)),
        ("/amount/value", json!("12345")),
        ("/amount/value", json!(12_345.0)),
        ("/additionalData/hmacSignature", json!("")),
        ("/additionalData/hmacSignature", Value::Null),
        ("/additionalData/hmacSignature", json!(" ")),
        ("/additionalData", Value::Null),
    ] {
        let mut forged = genuine.clone();
        *forged.pointer_mut(pointer).unwrap() = value.clone();
        assert_eq!(verdict(&delivery(&[forged])).await, BAD, "{pointer} {value}");
    }
    // What isn't signed decides nothing: the same event, of the same words.
    let judge = gateway("http://127.0.0.1:1", &[KEY], MORE);
    let mut other = genuine.clone();
    for (name, value) in
        [("reason", "stolen"), ("eventDate", "1999-01-01T00:00:00Z"), ("paymentMethod", "pix")]
    {
        other[name] = json!(value);
    }
    other["additionalData"]["shopperEmail"] = json!("eve@example.com");
    // Empty or left out, it is signed the same.
    other.as_object_mut().unwrap().remove("originalReference");
    let (kept, replay) = (judge.kept_body(&delivery(&[genuine])), judge.kept_body(&delivery(&[other])));
    assert_eq!(kept, replay);
    assert!(!String::from_utf8(kept.clone()).unwrap().contains("ana@"), "nothing of the payer is kept");
    let hint = judge.parse_webhook(&kept).unwrap();
    assert_eq!((hint.kind.as_str(), hint.subject), ("AUTHORISATION", None));
    assert_eq!(hint.event_id.len(), 64);
    assert!(matches!(judge.told(&kept)[..], [Told::Charge { .. }]));
}

#[tokio::test]
async fn whose_key_and_whose_account() {
    for (key, expected) in [(KEY, Ok(())), (PREVIOUS, Ok(())), (OTHER, BAD)] {
        assert_eq!(verdict(&delivery(&[signed(paid(), key)])).await, expected, "{key}");
    }
    let small = gateway("http://127.0.0.1:1", &[&KEY.to_lowercase()], MORE);
    let genuine = delivery(&[signed(paid(), KEY)]);
    assert_eq!(small.verify_webhook(&genuine, now()).await, Ok(()));
    let mut theirs = paid();
    theirs["merchantAccountCode"] = json!("FaturaUS");
    assert_eq!(verdict(&delivery(&[signed(theirs, KEY)])).await, BAD, "another account of the same company");

    for (keys, more) in [
        (&[][..], MORE),
        (&[""], MORE),
        (&["not hexadecimal"], MORE),
        (&[KEY], &[]),
        (&[KEY], &[("merchant_account", "")]),
    ] {
        let judge = gateway("http://127.0.0.1:1", keys, more);
        assert_eq!(judge.verify_webhook(&genuine, now()).await, Err(WebhookRefusal::NoSecret), "{keys:?}");
    }
    let http = || Http::try_new(Timeouts::default()).unwrap();
    let judge = |secrets| super::MAKE(http(), "http://127.0.0.1:1".parse().unwrap(), secrets);
    assert_eq!(judge(Vault::empty()).verify_webhook(&genuine, now()).await, Err(WebhookRefusal::NoSecret));
    let refusal = judge(Vault::broken()).verify_webhook(&genuine, now()).await;
    assert!(matches!(refusal, Err(WebhookRefusal::Unavailable(_))), "{refusal:?}");
    assert_eq!(judge(secrets(&["", KEY], MORE)).verify_webhook(&genuine, now()).await, Ok(()));
}

#[tokio::test]
async fn every_item_of_a_batch_has_to_be_genuine() {
    let (one, two) = (signed(paid(), KEY), signed(paid(), PREVIOUS));
    let batch = delivery(&[one.clone(), two.clone()]);
    assert_eq!(verdict(&batch).await, Ok(()));
    let judge = gateway("http://127.0.0.1:1", &[KEY], MORE);
    let kept = judge.kept_body(&batch);
    assert_eq!((judge.told(&kept).len(), judge.parse_webhook(&kept).unwrap().kind.as_str()), (2, "several"));
    let mut forged = two.clone();
    forged["amount"]["value"] = json!(1);
    for items in [
        vec![],
        vec![one.clone(), forged.clone()],
        vec![forged, one.clone()],
        vec![one.clone(), paid()],
        vec![one.clone(), json!({})],
        vec![one.clone(); 21],
    ] {
        assert_eq!(verdict(&delivery(&items)).await, BAD, "{}", items.len());
    }
    for body in ["", "{}", "[]", "null", "<xml/>", r#"{"notificationItems":[{}]}"#] {
        let delivery = WebhookDelivery { body: body.into(), headers: Vec::new(), query: Vec::new() };
        assert_eq!(verdict(&delivery).await, BAD, "{body}");
    }
    // Said twice, nobody knows which of them the next reader takes.
    let text = String::from_utf8(delivery(&[one]).body).unwrap();
    for (once, twice) in [
        (r#""success":"true""#, r#""success":"true","success":"true""#),
        (r#""hmacSignature":""#, r#""hmacSignature":"","hmacSignature":""#),
        (r#""notificationItems":"#, r#""notificationItems":[],"notificationItems":"#),
    ] {
        assert!(text.contains(once));
        let body = text.replacen(once, twice, 1).into_bytes();
        assert_eq!(
            verdict(&WebhookDelivery { body, headers: Vec::new(), query: Vec::new() }).await,
            BAD,
            "{once}"
        );
    }
}

/// The fields are joined and not escaped, so one text can be cut in two ways.
#[tokio::test]
async fn a_field_with_a_colon_vouches_for_nothing() {
    let attempt = by_card().attempt.to_string();
    let judge = gateway("http://127.0.0.1:1", &[KEY], MORE);
    let words = |item: &Value| judge.told(&judge.kept_body(&delivery(slice::from_ref(item))));
    // Somebody's free text, as another system of the same account may pay under.
    let mut genuine = paid();
    genuine["merchantReference"] = json!(format!("x:{MERCHANT}:{attempt}"));
    let genuine = signed(genuine, KEY);
    let mut cut = genuine.clone();
    cut["originalReference"] = json!(format!(":{MERCHANT}:x"));
    cut["merchantReference"] = json!(attempt);
    for item in [genuine, cut.clone()] {
        assert_eq!(
            judge.verify_webhook(&delivery(slice::from_ref(&item)), now()).await,
            Ok(()),
            "the same text"
        );
        assert_eq!(words(&item), []);
    }
    cut["originalReference"] = json!("");
    assert_eq!(words(&cut).len(), 1, "so it would be paid");
}
