use std::env;
use thiserror::Error;

/// What keeps a function from starting: something that the template has to set.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    #[error("the environment variable {0} is not a URL without credentials, query or fragment")]
    NotABaseUrl(&'static str),
    #[error("the environment variable {0} is not {1}")]
    Unusable(&'static str, &'static str),
    #[error("{0} is no name of a function")]
    NoSuchService(&'static str),
    #[error("there is no gateway called {0}")]
    NoSuchGateway(String),
    #[error("the HTTP client cannot be built")]
    Http(#[from] fatura_gateways::HttpSetupError),
}

pub(crate) fn required(name: &'static str) -> Result<String, StartError> {
    optional(name).ok_or(StartError::Missing(name))
}

/// Set and not empty: a template can't leave a variable out, only empty.
pub(crate) fn optional(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
