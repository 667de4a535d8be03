//! Signed webhooks as several gateways have them: a header `t=<unix seconds>,v1=<hex of HMAC-SHA256 over "t.body">`.

use fatura_application::ports::{WebhookDelivery, WebhookRefusal};
use fatura_domain::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// How far the sender's clock may be from ours, either way. From the future counts too: a signature that never ages
/// could be replayed for ever.
const TOLERANCE_MS: u64 = 300_000;
/// What is looked at before anything is known to be genuine. While secrets are rotated there are two signatures.
const MAX_HEADER: usize = 1_024;
const MAX_SIGNATURES: usize = 8;

/// Whether any of the secrets signed these very bytes, lately.
pub(crate) fn verify(
    header: &str,
    delivery: &WebhookDelivery,
    secrets: &[String],
    now: Timestamp,
) -> Result<(), WebhookRefusal> {
    // An empty secret is a setting that was forgotten, and anybody could sign with it.
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).filter(|secret| !secret.is_empty()).collect();
    if secrets.is_empty() {
        return Err(WebhookRefusal::NoSecret);
    }
    let signed = only(header, delivery).and_then(Signed::parse).ok_or(WebhookRefusal::BadSignature)?;
    // All are tried, whichever matches: the time taken says nothing about which one did.
    let genuine = secrets
        .into_iter()
        .fold(Choice::from(0), |genuine, secret| genuine | signed.is_by(secret.as_bytes(), &delivery.body));
    if !bool::from(genuine) {
        return Err(WebhookRefusal::BadSignature);
    }
    // Last, so that Stale is said of genuine deliveries only: it means a replay, or a clock to look after.
    if signed.at_ms.abs_diff(now.as_millisecond()) > TOLERANCE_MS {
        return Err(WebhookRefusal::Stale);
    }
    Ok(())
}

/// The header's value. Given twice, nobody can say which one the next reader would take.
fn only<'a>(header: &str, delivery: &'a WebhookDelivery) -> Option<&'a str> {
    let mut values = delivery.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(header));
    let (_, value) = values.next()?;
    values.next().is_none().then_some(value)
}

struct Signed<'a> {
    /// As it was written: that is what was signed.
    t: &'a str,
    at_ms: i64,
    signatures: Vec<[u8; 32]>,
}

impl<'a> Signed<'a> {
    /// Strict: one `t`, at least one `v1`, each in its only spelling. Other schemes may stand beside them and count for
    /// nothing.
    fn parse(value: &'a str) -> Option<Self> {
        if value.len() > MAX_HEADER {
            return None;
        }
        let (mut t, mut signatures) = (None, Vec::new());
        for element in value.split(',') {
            match element.split_once('=')? {
                ("t", _) if t.is_some() => return None,
                ("t", text) => t = Some((text, unix_ms(text)?)),
                ("v1", text) => signatures.push(digest(text)?),
                _ => {}
            }
        }
        let (t, at_ms) = t?;
        let is_signed = (1..=MAX_SIGNATURES).contains(&signatures.len());
        is_signed.then_some(Self { t, at_ms, signatures })
    }

    fn is_by(&self, secret: &[u8], body: &[u8]) -> Choice {
        // HMAC takes a key of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return Choice::from(0) };
        mac.update(self.t.as_bytes());
        mac.update(b".");
        mac.update(body);
        let expected = mac.finalize().into_bytes();
        self.signatures.iter().fold(Choice::from(0), |genuine, given| genuine | expected.ct_eq(given))
    }
}

fn unix_ms(text: &str) -> Option<i64> {
    let plain = (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse::<i64>().ok().filter(|_| plain)?.checked_mul(1_000)
}

fn digest(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    (is_lower && hex::decode_to_slice(text, &mut digest).is_ok()).then_some(digest)
}

#[cfg(test)]
mod tests;
