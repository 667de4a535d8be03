use super::is_public;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use thiserror::Error;
use url::{Host, Url};

const LONGEST: usize = 2_048;
/// Below it live services that were never meant to be sent a webhook (mail, remote shells).
const FIRST_FREE_PORT: u16 = 1_024;
/// Names that mean a host of one's own network, here or in any cloud.
const OWN_NAMES: [&str; 4] = ["localhost", "local", "internal", "home.arpa"];

/// Where webhooks are sent: `https`, to a public host. It may hold what only its owner should know, such as a token in its
/// query, so that it isn't shown in logs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EndpointUrl(Url);

/// Whether this machine itself may be sent webhooks: where everything runs on it, and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loopback {
    Refused,
    Allowed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidEndpointUrl {
    #[error("must be a URL of at most {LONGEST} characters")]
    Malformed,
    #[error("must be an https URL")]
    NotHttps,
    #[error("must have no user and no password")]
    Credentials,
    #[error("must have no fragment")]
    Fragment,
    #[error("must have port 443, or one from {FIRST_FREE_PORT} on")]
    Port,
    #[error("must lead to a host on the public internet")]
    NotPublic,
}

impl EndpointUrl {
    /// Addresses in every spelling (decimal, octal, hexadecimal, shortened) are read as a browser reads them, and then
    /// judged. What a name resolves to is judged each time that something is sent.
    pub fn parse(text: &str, loopback: Loopback) -> Result<Self, InvalidEndpointUrl> {
        let is_short = text.len() <= LONGEST && !text.chars().any(char::is_control);
        let url = Url::parse(text).ok().filter(|_| is_short).ok_or(InvalidEndpointUrl::Malformed)?;
        let is_ours = is_loopback(&url) && loopback == Loopback::Allowed;
        if url.scheme() != "https" && !(is_ours && url.scheme() == "http") {
            return Err(InvalidEndpointUrl::NotHttps);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidEndpointUrl::Credentials);
        }
        if url.fragment().is_some() {
            return Err(InvalidEndpointUrl::Fragment);
        }
        if url.port().is_some_and(|port| port < FIRST_FREE_PORT) {
            return Err(InvalidEndpointUrl::Port);
        }
        if !is_ours && !may_be_public(&url) {
            return Err(InvalidEndpointUrl::NotPublic);
        }
        Ok(Self(url))
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The address that it names without a name, which nobody will resolve.
    pub fn literal_address(&self) -> Option<IpAddr> {
        address(&self.0.host()?)
    }

    /// For the log: who is meant, and nothing that is between us and them.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

fn address(host: &Host<&str>) -> Option<IpAddr> {
    match *host {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

/// Without the dot that a complete name may end with.
fn name(url: &Url) -> Option<&str> {
    match url.host()? {
        Host::Domain(name) => Some(name.strip_suffix('.').unwrap_or(name)),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

fn is_loopback(url: &Url) -> bool {
    let is_local = |name: &str| name == "localhost" || name.ends_with(".localhost");
    url.host().as_ref().and_then(address).is_some_and(|address| address.to_canonical().is_loopback())
        || name(url).is_some_and(is_local)
}

fn may_be_public(url: &Url) -> bool {
    let is_own = |name: &str| {
        OWN_NAMES
            .iter()
            .filter_map(|own| name.strip_suffix(own))
            .any(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    match (url.host().as_ref().and_then(address), name(url)) {
        (Some(address), _) => is_public(address),
        (None, Some(name)) => name.contains('.') && !is_own(name),
        (None, None) => false,
    }
}

/// What was let in once. That it was loopback which was allowed then says nothing of now: the sender asks again.
impl TryFrom<String> for EndpointUrl {
    type Error = InvalidEndpointUrl;

    fn try_from(text: String) -> Result<Self, InvalidEndpointUrl> {
        Self::parse(&text, Loopback::Allowed)
    }
}

impl From<EndpointUrl> for String {
    fn from(url: EndpointUrl) -> Self {
        url.0.into()
    }
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EndpointUrl({}, ..)", self.host())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use InvalidEndpointUrl::{Credentials, Fragment, Malformed, NotHttps, NotPublic, Port};
    use proptest::prelude::*;

    fn refused(text: &str) -> Result<EndpointUrl, InvalidEndpointUrl> {
        EndpointUrl::parse(text, Loopback::Refused)
    }

    #[test]
    fn a_public_https_url_is_one() {
        for text in [
            "https://example.com/",
            "https://example.com/hooks/fatura?token=t",
            "https://example.com:8443/",
            "https://example.com:1024/",
            "https://example.com./",
            "https://1.1.1.1/",
            "https://[2606:4700:4700::1111]/",
            "https://xn--fatura-9ua.example/",
            "https://notlocalhost.example/",
            "https://my.localx/",
        ] {
            assert_eq!(refused(text).as_ref().map(EndpointUrl::as_str), Ok(text));
        }
        assert_eq!(refused("HTTPS://EXAMPLE.com:443").unwrap().as_str(), "https://example.com/");
    }

    #[test]
    fn everything_else_is_refused_for_what_is_wrong_with_it() {
        let long = format!("https://example.com/{}", "a".repeat(LONGEST));
        for (text, reason) in [
            ("", Malformed),
            ("example.com", Malformed),
            ("https://", Malformed),
            ("https://example.com:99999/", Malformed),
            ("https://exa\nmple.com/", Malformed),
            (long.as_str(), Malformed),
            ("http://example.com/", NotHttps),
            ("http://localhost/", NotHttps),
            ("ftp://example.com/", NotHttps),
            ("file:///etc/passwd", NotHttps),
            ("javascript:alert(1)", NotHttps),
            ("https://user@example.com/", Credentials),
            ("https://:secret@example.com/", Credentials),
            ("https://example.com@169.254.169.254/", Credentials),
            ("https://example.com/#part", Fragment),
            ("https://example.com:22/", Port),
            ("https://example.com:80/", Port),
            ("https://example.com:0/", Port),
            ("https://example.com:1023/", Port),
            ("https://intranet/", NotPublic),
            ("https://localhost/", NotPublic),
            ("https://localhost./", NotPublic),
            ("https://LOCALHOST/", NotPublic),
            ("https://a.localhost/", NotPublic),
            ("https://printer.local/", NotPublic),
            ("https://metadata.google.internal/", NotPublic),
            ("https://instance-data.ec2.internal./", NotPublic),
            ("https://router.home.arpa/", NotPublic),
        ] {
            assert_eq!(refused(text), Err(reason), "{text}");
        }
    }

    #[test]
    fn an_address_is_judged_in_every_spelling() {
        for host in [
            "169.254.169.254",
            "2852039166",
            "0xa9fea9fe",
            "0XA9.0xFE.0xA9.0xFE",
            "0251.0376.0251.0376",
            "025177524776",
            "169.254.43518",
            "169.16689662",
            "169.254.169.254.",
            "１６９.２５４.１６９.２５４",
            "%31%36%39.254.169.254",
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "017700000001",
            "0",
            "0.0.0.0",
            "10.1",
            "[::1]",
            "[::]",
            "[::ffff:169.254.169.254]",
            "[::ffff:a9fe:a9fe]",
            "[0:0:0:0:0:ffff:a9fe:a9fe]",
            "[fd00:ec2::254]",
            "[64:ff9b::a9fe:a9fe]",
            "[2002:a9fe:a9fe::]",
            "[::169.254.169.254]",
            "[fe80::1]",
        ] {
            assert_eq!(refused(&format!("https://{host}/")), Err(NotPublic), "{host}");
        }
    }

    #[test]
    fn the_switch_allows_loopback_and_nothing_more() {
        for text in [
            "http://localhost:8080/",
            "http://127.0.0.1:8080/",
            "https://[::1]:8443/",
            "http://a.localhost:8080/",
            "http://127.1/",
        ] {
            assert!(EndpointUrl::parse(text, Loopback::Allowed).is_ok(), "{text}");
            assert!(refused(text).is_err(), "{text}");
        }
        for (text, reason) in [
            ("http://example.com/", NotHttps),
            ("http://169.254.169.254/", NotHttps),
            ("https://169.254.169.254/", NotPublic),
            ("https://10.0.0.1/", NotPublic),
            ("https://0.0.0.0/", NotPublic),
            ("https://intranet/", NotPublic),
            ("http://localhost:22/", Port),
            ("http://user@localhost:8080/", Credentials),
        ] {
            assert_eq!(EndpointUrl::parse(text, Loopback::Allowed), Err(reason), "{text}");
        }
    }

    #[test]
    fn a_token_in_a_url_is_not_shown() {
        let url = refused("https://example.com/hook-1234?token=5678").unwrap();
        assert_eq!(format!("{url:?}"), "EndpointUrl(example.com, ..)");
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let url = EndpointUrl::parse("http://localhost:8080/hook", Loopback::Allowed).unwrap();
        let stored = serde_json::to_string(&url).unwrap();
        assert_eq!(
            (stored.as_str(), serde_json::from_str(&stored).unwrap()),
            (r#""http://localhost:8080/hook""#, url)
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(https://)?.{0,40}") {
            if let Ok(url) = refused(&text) {
                prop_assert_eq!(refused(url.as_str()), Ok(url.clone()));
                prop_assert!(url.literal_address().is_none_or(is_public));
            }
        }

        #[test]
        fn no_spelling_of_a_special_address_gets_in(host in prop_oneof!["10(\\.[0-9]{1,2}){3}", "0x7f[0-9a-f]{6}", "127(\\.[0-9]{1,2}){1,3}"]) {
            let url = format!("https://{host}/");
            prop_assert!(refused(&url).is_err(), "{}", url);
        }
    }
}
