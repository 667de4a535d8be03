//! What the deployment has published of itself: parameters under one prefix, `<prefix>/endpoints/<name>` and
//! `<prefix>/functions/<name>`. Whoever adds a function adds a parameter, and nothing here.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::error::DisplayErrorContext;
use fatura_application::ports::{Deployment, Directory, DirectoryError};
use fatura_domain::service::ServiceName;
use std::sync::OnceLock;

pub(crate) struct Parameters {
    config: SdkConfig,
    /// Made when somebody asks: most instances never are.
    client: OnceLock<Client>,
    prefix: String,
}

/// The most that one page may have.
const PAGE: i32 = 10;
/// A thousand parameters: far beyond what a deployment has.
const MOST_PAGES: usize = 100;

impl Parameters {
    pub(crate) const fn new(config: SdkConfig, prefix: String) -> Self {
        Self { config, client: OnceLock::new(), prefix }
    }
}

#[async_trait]
impl Directory for Parameters {
    async fn deployment(&self) -> Result<Deployment, DirectoryError> {
        let client = self.client.get_or_init(|| Client::new(&self.config));
        let mut found = Vec::new();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let request =
                client.get_parameters_by_path().path(&self.prefix).recursive(true).max_results(PAGE);
            let page = request.set_next_token(next).send().await;
            let page = page.map_err(|error| DirectoryError(DisplayErrorContext(&error).to_string()))?;
            found.extend(page.parameters.unwrap_or_default().into_iter().filter_map(|parameter| {
                let name = parameter.name?;
                Some((name.strip_prefix(&self.prefix)?.to_owned(), parameter.value?))
            }));
            next = page.next_token;
            if next.is_none() {
                return Ok(deployment(found));
            }
        }
        Err(DirectoryError("there are too many of them".to_owned()))
    }
}

/// What lies elsewhere under the prefix is somebody else's.
fn deployment(parameters: Vec<(String, String)>) -> Deployment {
    let mut deployment = Deployment::default();
    for (path, value) in parameters {
        match path.trim_start_matches('/').split_once('/') {
            Some(("endpoints", name)) => {
                deployment.endpoints.insert(name.to_owned(), value);
            }
            Some(("functions", name)) => {
                if let Ok(name) = ServiceName::parse(name) {
                    deployment.functions.insert(name, value);
                } else {
                    tracing::warn!(path, "a parameter names no function");
                }
            }
            _ => {}
        }
    }
    deployment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_told_apart_by_their_folder() {
        let parameters = [
            ("/endpoints/api-url", "https://api.invalid"),
            ("/functions/api", "fatura-api"),
            ("/functions/charge-consumer", "fatura-charge-consumer"),
            ("/functions/Not A Function", "x"),
            ("/functions/deeper/api", "x"),
            ("/theirs/api", "x"),
            ("/loose", "x"),
        ];
        let read = deployment(parameters.map(|(path, value)| (path.to_owned(), value.to_owned())).into());
        assert_eq!(read.endpoints["api-url"], "https://api.invalid");
        assert_eq!(read.endpoints.len(), 1);
        let functions: Vec<_> =
            read.functions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(functions, [("api", "fatura-api"), ("charge-consumer", "fatura-charge-consumer")]);
    }
}
