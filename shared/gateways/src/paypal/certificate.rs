//! The certificate that PayPal signs its notices with. Its address comes with the notice, from whoever sent that; so the
//! address has to be PayPal's, and the certificate has to be PayPal's by itself: issued to PayPal's name for it, by an
//! authority that is trusted, and valid now.
//!
//! The name is from PayPal's own older SDKs (`SSLUtil`, "messageverificationcerts….paypal.com"), as third parties tell.
//! Whether the intermediate certificates come with it is uncertain: more of them can be configured, which are trusted no
//! further than a root vouches for them.

use super::id::is_plain;
use crate::base_url::BaseUrl;
use crate::http::{Http, exchange};
use fatura_application::ports::WebhookRefusal;
use fatura_domain::Timestamp;
use reqwest::Url;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, DnsName, ServerName, UnixTime};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA256;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage};

const PATH: [&str; 3] = ["v1", "notifications", "certs"];
const MAX_ADDRESS: usize = 500;
/// There are one or two at a time; more are somebody else's doing.
const MAX_KEPT: usize = 4;
const MAX_CHAIN: usize = 8;
const LIVE: &[&str] = &["messageverificationcerts.paypal.com"];
/// Uncertain which of the two the sandbox has.
const SANDBOX: &[&str] =
    &["messageverificationcerts.sandbox.paypal.com", "messageverificationcerts.paypal.com"];

pub(super) type Chain = Vec<CertificateDer<'static>>;

pub(super) struct Certificates {
    is_sandbox: bool,
    roots: RootCertStore,
    /// Where they are fetched from, if not from where they say.
    instead: Option<BaseUrl>,
    kept: Mutex<VecDeque<(Address, Arc<Chain>)>>,
}

/// Where a certificate of PayPal's is.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    url: Url,
    name: String,
}

impl Certificates {
    /// The sandbox's notices are signed for the sandbox's users, whoever they are: they count only where the sandbox is
    /// what is asked.
    pub(super) fn pinned(base_url: &BaseUrl) -> Self {
        let is_sandbox =
            base_url.at(&[]).host_str().is_some_and(|host| host.ends_with(".sandbox.paypal.com"));
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Self { is_sandbox, roots, instead: None, kept: Mutex::default() }
    }

    pub(super) fn instead(self, at: BaseUrl, roots: RootCertStore) -> Self {
        Self { instead: Some(at), roots, ..self }
    }

    /// Only in its one spelling: whatever a parser would forgive (a port, a user, capitals, backslashes) is nothing that
    /// PayPal writes.
    pub(super) fn address(&self, text: &str) -> Option<Address> {
        let url = Url::parse(text).ok().filter(|url| text.len() <= MAX_ADDRESS && url.as_str() == text)?;
        let is_bare = url.username().is_empty()
            && url.password().is_none()
            && url.port().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        let host = url.host_str()?;
        let is_paypals = if self.is_sandbox {
            host.ends_with(".sandbox.paypal.com")
        } else {
            host.ends_with(".paypal.com") && !host.ends_with(".sandbox.paypal.com")
        };
        let path: Vec<&str> = url.path_segments()?.collect();
        let (name, parent) = path.split_last()?;
        let is_certificate = parent == PATH && is_plain(name);
        let name = (*name).to_owned();
        (url.scheme() == "https" && is_bare && is_paypals && is_certificate).then_some(Address { url, name })
    }

    /// The chain at this address, whoever is there: it is yet to be verified.
    pub(super) async fn chain(&self, at: &Address, http: &Http) -> Result<Arc<Chain>, WebhookRefusal> {
        if let Some(kept) = self.kept(at) {
            return Ok(kept);
        }
        let url = match &self.instead {
            Some(instead) => instead.at(&[PATH.as_slice(), &[at.name.as_str()]].concat()),
            None => at.url.clone(),
        };
        // It comes again: PayPal repeats what we can't look at now.
        let unavailable = |why: &str| WebhookRefusal::Unavailable(format!("the certificate: {why}"));
        let answer = exchange(http.get(url)).await.map_err(|trouble| {
            let failure = trouble.into_failure();
            unavailable(&failure.message)
        })?;
        if !answer.status.is_success() {
            return Err(WebhookRefusal::BadSignature);
        }
        let chain = read(answer.body()).ok_or_else(|| unavailable("is unreadable"))?;
        Ok(Arc::new(chain))
    }

    /// Whether it is PayPal's, now. Kept from then on, and asked again each time: certificates end.
    pub(super) fn trusts(&self, at: &Address, chain: &Arc<Chain>, more: &Chain, now: Timestamp) -> bool {
        let is_trusted = self.is_trusted(chain, more, now).is_some();
        if is_trusted {
            self.keep(at, chain);
        }
        is_trusted
    }

    fn is_trusted(&self, chain: &Chain, more: &Chain, now: Timestamp) -> Option<()> {
        let (first, rest) = chain.split_first()?;
        let certificate = EndEntityCert::try_from(first).ok()?;
        let intermediates: Chain = rest.iter().chain(more).cloned().collect();
        let since_epoch = Duration::from_secs(u64::try_from(now.as_second()).ok()?);
        certificate
            .verify_for_usage(
                ALL_VERIFICATION_ALGS,
                &self.roots.roots,
                &intermediates,
                UnixTime::since_unix_epoch(since_epoch),
                // It is a web server's certificate, used for something else.
                KeyUsage::server_auth(),
                None,
                None,
            )
            .ok()?;
        let names = if self.is_sandbox { SANDBOX } else { LIVE };
        let is_issued_to = |name: &&str| {
            DnsName::try_from(*name).is_ok_and(|name| {
                certificate.verify_is_valid_for_subject_name(&ServerName::DnsName(name)).is_ok()
            })
        };
        names.iter().any(is_issued_to).then_some(())
    }

    fn kept(&self, at: &Address) -> Option<Arc<Chain>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(known, _)| known == at).map(|(_, chain)| chain.clone())
    }

    fn keep(&self, at: &Address, chain: &Arc<Chain>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.iter().any(|(known, _)| known == at) {
            return;
        }
        if kept.len() >= MAX_KEPT {
            kept.pop_front();
        }
        kept.push_back((at.clone(), chain.clone()));
    }
}

/// What PEM has of certificates. None: it has none, or is something else.
pub(super) fn read(pem: &[u8]) -> Option<Chain> {
    let chain: Chain = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()?;
    (1..=MAX_CHAIN).contains(&chain.len()).then_some(chain)
}

/// RSA with PKCS #1 v1.5 and SHA-256, which is what `SHA256withRSA` means.
pub(super) fn is_signed_by(chain: &Chain, message: &[u8], signature: &[u8]) -> bool {
    let certificate = chain.first().and_then(|first| EndEntityCert::try_from(first).ok());
    certificate.is_some_and(|certificate| {
        certificate.verify_signature(RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(base_url: &str, address: &str) -> bool {
        Certificates::pinned(&base_url.parse().unwrap()).address(address).is_some()
    }

    #[test]
    fn only_paypals_own_address_is_asked() {
        const LIVE: &str = "https://api-m.paypal.com";
        const SANDBOX: &str = "https://api-m.sandbox.paypal.com";
        let live = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-7a8abba8";
        let sandbox = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-7a8abba8";
        let other = "https://api-m.paypal.com/v1/notifications/certs/CERT-1";
        assert!(accepts(LIVE, live) && accepts(LIVE, other) && accepts(SANDBOX, sandbox));
        assert!(!accepts(LIVE, sandbox) && !accepts(SANDBOX, live));
        for address in [
            "http://api.paypal.com/v1/notifications/certs/CERT-1",
            "ftp://api.paypal.com/v1/notifications/certs/CERT-1",
            "https://api.paypal.com.evil.tld/v1/notifications/certs/CERT-1",
            "https://evilpaypal.com/v1/notifications/certs/CERT-1",
            "https://api.paypal.com./v1/notifications/certs/CERT-1",
            "https://paypal.com/v1/notifications/certs/CERT-1",
            "https://evil.tld/api.paypal.com/v1/notifications/certs/CERT-1",
            "https://api.paypal.com@evil.tld/v1/notifications/certs/CERT-1",
            "https://user@api.paypal.com/v1/notifications/certs/CERT-1",
            "https://user:pw@api.paypal.com/v1/notifications/certs/CERT-1",
            "https://api.paypal.com:444/v1/notifications/certs/CERT-1",
            "https://api.paypal.com:443/v1/notifications/certs/CERT-1",
            "https://evil.tld\\@api.paypal.com/v1/notifications/certs/CERT-1",
            "https://evil.tld#.paypal.com/v1/notifications/certs/CERT-1",
            "https://evil.tld?.paypal.com/v1/notifications/certs/CERT-1",
            "https:api.paypal.com/v1/notifications/certs/CERT-1",
            "//api.paypal.com/v1/notifications/certs/CERT-1",
            "HTTPS://API.PAYPAL.COM/v1/notifications/certs/CERT-1",
            " https://api.paypal.com/v1/notifications/certs/CERT-1",
            "https://api.paypal.com/v1/notifications/certs/CERT-1?x=1",
            "https://api.paypal.com/v1/notifications/certs/CERT-1#x",
            "https://api.paypal.com/v1/notifications/certs/",
            "https://api.paypal.com/v1/notifications/certs/a/b",
            "https://api.paypal.com/v1/notifications/certs/../../../x",
            "https://api.paypal.com/v1/notifications/certs/%2e%2e",
            "https://api.paypal.com/v1/reporting/certs/CERT-1",
            "https://api.paypal.com/",
            "https://127.0.0.1/v1/notifications/certs/CERT-1",
            "",
        ] {
            assert!(!accepts(LIVE, address), "{address}");
        }
        assert!(!accepts(LIVE, &format!("{live}{}", "0".repeat(MAX_ADDRESS))));
    }
}
