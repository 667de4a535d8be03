use crate::environment::optional;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::SharedCredentialsProvider;

/// What Lambda puts into the environment is all there is: no profiles are parsed and no metadata service is asked, which
/// is most of what the usual loader does at start.
pub(crate) fn config() -> SdkConfig {
    let region = optional("AWS_REGION").or_else(|| optional("AWS_DEFAULT_REGION"));
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region.map(Region::new))
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()));
    config.set_endpoint_url(optional("AWS_ENDPOINT_URL"));
    config.build()
}
