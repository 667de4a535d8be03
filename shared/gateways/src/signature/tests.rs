use super::*;
use proptest::prelude::*;

const HEADER: &str = "sandbox-signature";
const SECRET: &str = "whsec_test";
const BODY: &str = r#"{"id":"evt_1"}"#;
const AT: i64 = 1_700_000_000;
/// From `printf '1700000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test`.
const BY_OPENSSL: &str = "c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925";

fn delivery(headers: &[&str], body: &str) -> WebhookDelivery {
    let headers = headers.iter().map(|value| (HEADER.to_owned(), (*value).to_owned())).collect();
    WebhookDelivery { body: body.as_bytes().to_vec(), headers, query: Vec::new() }
}

fn check(header: &str, body: &str, secrets: &[&str], now_ms: i64) -> Result<(), WebhookRefusal> {
    let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
    let now = Timestamp::from_millisecond(now_ms).unwrap();
    verify(HEADER, &delivery(&[header], body), &secrets, now)
}

fn genuine() -> String {
    format!("t={AT},v1={BY_OPENSSL}")
}

const BAD: Result<(), WebhookRefusal> = Err(WebhookRefusal::BadSignature);

#[test]
fn what_openssl_signed_is_genuine() {
    assert_eq!(check(&genuine(), BODY, &[SECRET], AT * 1_000), Ok(()));
}

#[test]
fn a_delivery_is_good_for_five_minutes_either_way() {
    for (offset_ms, expected) in [
        (300_000, Ok(())),
        (-300_000, Ok(())),
        (300_001, Err(WebhookRefusal::Stale)),
        (-300_001, Err(WebhookRefusal::Stale)),
        (i64::from(i32::MAX) * 1_000, Err(WebhookRefusal::Stale)),
    ] {
        assert_eq!(check(&genuine(), BODY, &[SECRET], AT * 1_000 + offset_ms), expected, "{offset_ms}");
    }
}

#[test]
fn stale_is_said_of_genuine_deliveries_only() {
    assert_eq!(check(&genuine(), "{}", &[SECRET], AT * 1_000 + 900_000), BAD);
}

#[test]
fn any_secret_and_any_signature_may_be_the_one() {
    let other = "0".repeat(64);
    let both = format!("t={AT},v1={other},v1={BY_OPENSSL},v0=ignored");
    for secrets in [&["new", SECRET][..], &[SECRET, "old"], &["", SECRET]] {
        assert_eq!(check(&both, BODY, secrets, AT * 1_000), Ok(()), "{secrets:?}");
    }
    assert_eq!(check(&both, BODY, &["new", "old"], AT * 1_000), BAD);
}

#[test]
fn without_a_secret_nothing_is_genuine() {
    for secrets in [&[][..], &[""], &["", ""]] {
        assert_eq!(check(&genuine(), BODY, secrets, AT * 1_000), Err(WebhookRefusal::NoSecret));
    }
}

#[test]
fn a_header_that_is_missing_or_given_twice_is_refused() {
    let (header, now) = (genuine(), Timestamp::from_second(AT).unwrap());
    let secrets = [SECRET.to_owned()];
    assert_eq!(verify(HEADER, &delivery(&[], BODY), &secrets, now), BAD);
    assert_eq!(verify(HEADER, &delivery(&[&header, &header], BODY), &secrets, now), BAD);
    // API gateways join a repeated header by commas.
    assert_eq!(check(&format!("{header},{header}"), BODY, &[SECRET], AT * 1_000), BAD);
}

#[test]
fn a_malformed_header_is_refused() {
    let upper = BY_OPENSSL.to_uppercase();
    let short = BY_OPENSSL.strip_suffix("25").unwrap();
    let many = format!("t={AT}{}", format!(",v1={BY_OPENSSL}").repeat(9));
    let long = format!("{},v0={}", genuine(), "0".repeat(MAX_HEADER));
    for header in [
        "",
        "t",
        "t=,v1=",
        "v1=,t=",
        &format!("v1={BY_OPENSSL}"),
        &format!("t={AT}"),
        &format!("t={AT},v0={BY_OPENSSL}"),
        &format!("t=+{AT},v1={BY_OPENSSL}"),
        &format!("t=-{AT},v1={BY_OPENSSL}"),
        &format!("t=0{AT},v1={BY_OPENSSL}"),
        &format!("t={AT}.0,v1={BY_OPENSSL}"),
        &format!("t={AT}, v1={BY_OPENSSL}"),
        &format!("t={AT},v1={BY_OPENSSL},"),
        &format!("t={AT},v1={BY_OPENSSL},rest"),
        &format!("t={AT},v1={upper}"),
        &format!("t={AT},v1={short}"),
        &format!("t={AT},v1={BY_OPENSSL},v1={short}"),
        &format!("t={AT},v1={BY_OPENSSL}00"),
        &format!("t={AT},t={AT},v1={BY_OPENSSL}"),
        &format!("T={AT},V1={BY_OPENSSL}"),
        &format!("t=999999999999999999999,v1={BY_OPENSSL}"),
        &many,
        &long,
    ] {
        assert_eq!(check(header, BODY, &[SECRET], AT * 1_000), BAD, "{header}");
    }
}

/// `text` with the byte at `place` (wrapped) replaced by another printable one.
fn with_one_byte_changed(text: &str, place: usize, byte: u8) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let place = place % bytes.len();
    (bytes[place] != byte).then(|| {
        bytes[place] = byte;
        String::from_utf8(bytes).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn one_changed_byte_is_refused(part in 0..3, place: usize, byte in 0x00_u8..0x80) {
        let (mut header, mut body, mut secret) = (genuine(), BODY.to_owned(), SECRET.to_owned());
        let target = match part { 0 => &mut header, 1 => &mut body, _ => &mut secret };
        let changed = with_one_byte_changed(target, place, byte);
        prop_assume!(changed.is_some());
        *target = changed.unwrap();
        prop_assert_eq!(check(&header, &body, &[&secret], AT * 1_000), BAD);
    }

    #[test]
    fn any_header_gets_an_answer(header in "(t=[0-9]{0,14}|v1=[0-9a-f]{60,66}|[,=tv01]|.){0,12}", body in ".{0,20}") {
        prop_assert_eq!(check(&header, &body, &[SECRET], AT * 1_000), BAD);
    }
}
