use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The value of `Sandbox-Signature`: HMAC-SHA256 over `t.body`, so that neither can be changed alone.
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
pub(crate) fn signature(secret: &str, at: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key will do");
    mac.update(format!("{at}.{body}").as_bytes());
    format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::signature;

    /// From `printf '1700000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test`.
    #[test]
    fn agrees_with_openssl() {
        let expected = "t=1700000000,v1=c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925";
        assert_eq!(signature("whsec_test", 1_700_000_000, r#"{"id":"evt_1"}"#), expected);
    }
}
