use super::claims::{Claims, encoded};
use super::*;
use crate::ports::SecretsError;
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::Mutex;

const NOW: i64 = 1_793_620_800;

/// Keys by their secrets' texts, and what was asked for.
#[derive(Default)]
struct Keys {
    texts: Mutex<Vec<&'static str>>,
    wanted: Mutex<Vec<Option<KeyId>>>,
}

impl Keys {
    fn of(texts: &[&'static str]) -> Arc<Self> {
        Arc::new(Self { texts: Mutex::new(texts.to_vec()), ..Self::default() })
    }
}

fn key(text: &str) -> TokenKey {
    TokenKey::of_secret(text).unwrap()
}

#[async_trait]
impl TokenKeys for Keys {
    async fn keys(&self, wanted: Option<&KeyId>) -> Result<Arc<KeyRing>, SecretsError> {
        self.wanted.lock().unwrap().push(wanted.cloned());
        let texts = self.texts.lock().unwrap();
        let current = texts.first().ok_or_else(|| SecretsError("down".to_owned()))?;
        Ok(Arc::new(KeyRing::new(key(current), texts.get(1).map(|text| key(text)))))
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(NOW + second).unwrap()
}

fn customer() -> CustomerId {
    CustomerId::new(42)
}

fn tokens(keys: &Arc<Keys>) -> Tokens {
    Tokens::new(keys.clone(), "https://api.example.com")
}

async fn issued(tokens: &Tokens) -> String {
    let session = SessionId::new(customer(), at(0), 7);
    tokens.issue(customer(), session, 9, at(0)).await.unwrap()
}

fn claims() -> Claims {
    Claims {
        iss: "https://api.example.com".to_owned(),
        aud: "https://api.example.com/v1".to_owned(),
        sub: customer().to_string(),
        iat: NOW,
        exp: NOW + 900,
        jti: "9".to_owned(),
        sid: SessionId::new(customer(), at(0), 7).to_string(),
    }
}

async fn bearer(token: &str) -> Option<CustomerId> {
    tokens(&Keys::of(&["current"])).bearer(token, at(0)).await.unwrap()
}

/// Any header and any claims, with a good signature of the current key.
fn signed(header: &Value, claims: &Value) -> String {
    use aws_lc_rs::signature::Ed25519KeyPair;
    use sha2::{Digest, Sha256};
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let pair = Ed25519KeyPair::from_seed_unchecked(&Sha256::digest(b"current")).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes())))
}

fn header() -> Value {
    json!({"alg": "EdDSA", "typ": "at+jwt", "kid": key("current").id().as_str()})
}

fn said() -> Value {
    serde_json::to_value(claims()).unwrap()
}

fn with(mut value: Value, name: &str, member: impl Into<Value>) -> Value {
    value[name] = member.into();
    value
}

#[tokio::test]
async fn a_token_is_good_for_a_quarter_of_an_hour() {
    let tokens = tokens(&Keys::of(&["current"]));
    let token = issued(&tokens).await;
    for (second, expected) in [(-60, true), (-61, false), (0, true), (899, true), (900, false)] {
        let bearer = tokens.bearer(&token, at(second)).await.unwrap();
        assert_eq!(bearer, expected.then(customer), "{second}");
    }
    assert_eq!(bearer(&signed(&header(), &said())).await, Some(customer()), "what the forgeries begin with");
}

#[tokio::test]
async fn a_rotated_key_is_recognised_once_more_and_then_never() {
    let keys = Keys::of(&["first"]);
    let tokens = tokens(&keys);
    let token = issued(&tokens).await;
    for (texts, expected) in
        [(["second", "first"], true), (["third", "second"], false), (["second", "third"], false)]
    {
        *keys.texts.lock().unwrap() = texts.to_vec();
        assert_eq!(tokens.bearer(&token, at(1)).await.unwrap(), expected.then(customer), "{texts:?}");
    }
    let asked_for = keys.wanted.lock().unwrap().last().cloned().flatten();
    assert_eq!(asked_for.as_ref(), Some(key("first").id()), "whoever keeps keys may look for this one");
    *keys.texts.lock().unwrap() = Vec::new();
    assert!(matches!(tokens.bearer(&token, at(1)).await, Err(Error::Unavailable(_))), "not: is nobody's");
}

#[tokio::test]
async fn no_token_says_how_it_is_to_be_checked() {
    let good = signed(&header(), &said());
    let [_, middle, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let none = encoded(&with(header(), "alg", "none"));
    let forged = [
        format!("{none}.{middle}."),
        format!("{none}.{middle}"),
        format!("{none}.{middle}.{signature}"),
        signed(&with(header(), "alg", "none"), &said()),
        signed(&with(header(), "alg", "HS256"), &said()),
        signed(&with(header(), "alg", "eddsa"), &said()),
        signed(&with(header(), "typ", "JWT"), &said()),
        signed(&with(header(), "kid", key("other").id().as_str()), &said()),
        signed(&with(header(), "kid", ""), &said()),
        signed(&with(header(), "crit", json!(["b64"])), &said()),
        signed(&with(header(), "jwk", key("current").public()), &said()),
        signed(&json!({"alg": "EdDSA", "typ": "at+jwt"}), &said()),
        key("other").signed(&claims()),
        good.replace(signature, &signature.chars().rev().collect::<String>()),
        format!("{good}="),
        format!("{good}.x"),
        format!(".{good}"),
        good.replace('.', ""),
        String::new(),
        "..".to_owned(),
    ];
    for token in forged {
        assert_eq!(bearer(&token).await, None, "{token}");
    }
}

/// The public key is no secret: it must be of no use as one.
#[tokio::test]
async fn the_public_key_signs_nothing() {
    use aws_lc_rs::hmac;
    let public = key("current").public();
    let x = URL_SAFE_NO_PAD.decode(public["x"].as_str().unwrap()).unwrap();
    let message = format!("{}.{}", encoded(&with(header(), "alg", "HS256")), encoded(&said()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &x), message.as_bytes());
    assert_eq!(bearer(&format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))).await, None);
}

#[tokio::test]
async fn a_token_must_be_meant_for_us_and_speak_for_its_session_s_customer() {
    let stranger = SessionId::new(CustomerId::new(43), at(0), 7).to_string();
    for (name, value) in [
        ("aud", json!("https://other.example.com/v1")),
        ("aud", json!(["https://api.example.com/v1"])),
        ("iss", json!("https://other.example.com")),
        ("exp", json!(NOW)),
        ("exp", json!(NOW + 901)),
        ("exp", json!(i64::MAX)),
        ("iat", json!(i64::MIN)),
        ("exp", json!("soon")),
        ("iat", json!(NOW + 61)),
        ("sub", json!("cus_1")),
        ("sub", json!(CustomerId::new(43).to_string())),
        ("sid", json!(stranger)),
        ("role", json!("operator")),
    ] {
        assert_eq!(
            bearer(&signed(&header(), &with(said(), name, value.clone()))).await,
            None,
            "{name}: {value}"
        );
    }
    let mut without = said();
    without.as_object_mut().unwrap().remove("exp");
    assert_eq!(bearer(&signed(&header(), &without)).await, None, "for ever");
}

#[test]
fn keys_are_published_under_their_thumbprints() {
    let public = key("current").public();
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, public["x"].as_str().unwrap());
    let digest = <sha2::Sha256 as sha2::Digest>::digest(canonical);
    assert_eq!(public["kid"], URL_SAFE_NO_PAD.encode(digest));
    assert_eq!((&public["kty"], &public["use"]), (&json!("OKP"), &json!("sig")));
    assert_eq!(public.as_object().unwrap().len(), 6, "and nothing of its seed");
    assert!(!format!("{:?}", key("current")).contains("seed"));
}

#[tokio::test]
async fn the_key_set_has_both_keys_the_current_first() {
    let set = tokens(&Keys::of(&["second", "first"])).key_set().await.unwrap();
    let ids: Vec<_> =
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(ids, [key("second").id().as_str(), key("first").id().as_str()]);
}
