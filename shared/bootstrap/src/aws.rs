use crate::environment::optional;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};

/// What Lambda puts into the environment is all there is: no profiles are parsed and no metadata service is asked, which
/// is most of what the usual loader does at start.
pub(crate) fn config() -> SdkConfig {
    let region = optional("AWS_REGION").or_else(|| optional("AWS_DEFAULT_REGION"));
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region.map(Region::new))
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .http_client(http_client());
    config.set_endpoint_url(optional("AWS_ENDPOINT_URL"));
    config.build()
}

/// The roots of Amazon Trust Services, under which all endpoints of AWS are, as Mozilla's list has them. Reading the whole
/// list of the system is most of a start.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// One for all clients, so that they share connections.
fn http_client() -> SharedHttpClient {
    let roots = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS);
    let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    match TlsContext::builder().with_trust_store(roots).build() {
        Ok(context) => builder.tls_context(context).build_https(),
        // Certificates that can't be read are no reason to trust fewer: the system's do.
        Err(_) => builder.build_https(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_root_is_a_certificate() {
        let text = std::str::from_utf8(AMAZON_ROOTS).unwrap();
        assert_eq!(text.matches("-----BEGIN CERTIFICATE-----").count(), 5);
        let roots = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS);
        assert!(TlsContext::builder().with_trust_store(roots).build().is_ok());
    }
}
