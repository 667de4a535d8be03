use reqwest::Url;
use std::str::FromStr;
use thiserror::Error;

/// Where a gateway's API begins: `https://api.example.com/v1`. It holds no credentials, so it may be shown and logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an http or https URL without user, query or fragment")]
pub struct InvalidBaseUrl;

impl BaseUrl {
    /// The address of a resource below it. Segments are escaped, so that none of them can lead elsewhere.
    pub(crate) fn at(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        // Err only for URLs without a host, which don't get in.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

impl FromStr for BaseUrl {
    type Err = InvalidBaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidBaseUrl> {
        let url = Url::parse(text).map_err(|_| InvalidBaseUrl)?;
        let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        let is_base = url.query().is_none() && url.fragment().is_none();
        if is_web && !has_credentials && is_base { Ok(Self(url)) } else { Err(InvalidBaseUrl) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_the_end_changes_nothing() {
        for base in ["http://localhost:9/v1", "http://localhost:9/v1/"] {
            let base: BaseUrl = base.parse().unwrap();
            assert_eq!(base.at(&["charges", "ch_1"]).as_str(), "http://localhost:9/v1/charges/ch_1");
        }
    }

    #[test]
    fn a_segment_stays_a_segment() {
        let base: BaseUrl = "http://localhost:9".parse().unwrap();
        assert_eq!(
            base.at(&["charges", "a/../b?c#d"]).as_str(),
            "http://localhost:9/charges/a%2F..%2Fb%3Fc%23d"
        );
    }

    #[test]
    fn credentials_queries_and_other_schemes_stay_out() {
        for text in [
            "",
            "localhost",
            "/charges",
            "ftp://host/",
            "file:///etc/passwd",
            "mailto:a@b",
            "http://",
            "http://user@host/",
            "http://user:secret@host/",
            "http://host/?key=secret",
            "http://host/#part",
        ] {
            assert_eq!(text.parse::<BaseUrl>(), Err(InvalidBaseUrl), "{text}");
        }
    }
}
