//! Standard Webhooks' symmetric signature: HMAC-SHA256 over `id.timestamp.body`, in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fatura_domain::Timestamp;
use fatura_domain::webhook_endpoint::{MessageId, Secret};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The value of `webhook-signature`: one signature for each secret, so that a receiver believes it before and after it has
/// changed over to the new one.
pub(super) fn signatures(id: MessageId, at: Timestamp, body: &str, secrets: &[&Secret]) -> String {
    let signed = secrets.iter().map(|secret| signature(&id.to_string(), at.as_second(), body, secret));
    signed.collect::<Vec<_>>().join(" ")
}

fn signature(id: &str, unix_seconds: i64, body: &str, secret: &Secret) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.bytes()) else { return String::new() };
    mac.update(format!("{id}.{unix_seconds}.").as_bytes());
    mac.update(body.as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fatura_domain::webhook_endpoint::EndpointId;

    /// The vector that Standard Webhooks' own libraries are tested with.
    #[test]
    fn the_published_vector() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(
            signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#, &secret),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn the_example_for_receivers_is_genuine() {
        let page = include_str!("../../../../docs/webhooks-out.md");
        let between = |begin: &str, end: &str| page.split_once(begin).unwrap().1.split_once(end).unwrap().0;
        let header = |name: &str| between(&format!("\n{name}: "), "\n");
        let secret = Secret::parse(between("signed with `", "`")).unwrap();
        let (_, body) = between("```http\n", "\n```").split_once("\n\n").unwrap();
        let at = header("webhook-timestamp").parse().unwrap();
        let id: MessageId = header("webhook-id").parse().unwrap();
        assert_eq!(signature(&id.to_string(), at, body, &secret), header("webhook-signature"));
    }

    #[test]
    fn each_secret_signs_the_newest_first() {
        let [old, new] = [1, 2].map(|byte| Secret::new([byte; 32]));
        let id = MessageId::of("evt_1", EndpointId::new(Timestamp::UNIX_EPOCH, 1));
        let alone = |secret| signatures(id, Timestamp::UNIX_EPOCH, "{}", &[secret]);
        let both = signatures(id, Timestamp::UNIX_EPOCH, "{}", &[&new, &old]);
        assert_eq!(both, format!("{} {}", alone(&new), alone(&old)));
        assert_ne!(alone(&new), alone(&old));
    }
}
