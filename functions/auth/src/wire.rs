//! What goes over the wire. No reason repeats what was sent: it may be a password.

use crate::problem::Problem;
use fatura_application::tokens::GOOD_FOR;
use fatura_application::{Fault, SignedIn};
use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Request, Response};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// An address, a password, a token: nothing here is long.
const LARGEST_BODY: usize = 4 * 1024;

/// The members of a body. One that is named twice makes it no JSON: no two readers agree on which of them counts.
pub(crate) struct Fields(BTreeMap<String, Value>);

impl Fields {
    pub(crate) fn of(request: Request) -> Result<Self, Problem> {
        let is_json = is_json(request.headers().get(header::CONTENT_TYPE));
        let body = request.into_body();
        if body.len() > LARGEST_BODY {
            return Err(Problem::too_large(LARGEST_BODY));
        }
        if !body.is_empty() && !is_json {
            return Err(Problem::not_json());
        }
        // Parsed for being JSON first, so that a body of another shape is told from one that is none.
        let whole: Value = serde_json::from_slice(&body).map_err(|_| Problem::malformed())?;
        if !whole.is_object() {
            return Err(Problem::invalid(&[Fault::new("body", "must be an object")]));
        }
        serde_json::from_slice(&body).map_err(|_| Problem::malformed())
    }

    /// Exactly these, all of them text; whatever is wrong is said at once.
    pub(crate) fn texts<const N: usize>(mut self, names: [&str; N]) -> Result<[String; N], Problem> {
        let mut faults = Vec::new();
        let texts = names.map(|name| match self.0.remove(name) {
            Some(Value::String(text)) => text,
            given => {
                let reason =
                    if given.is_none_or(|value| value.is_null()) { "is required" } else { "must be text" };
                faults.push(Fault::new(name, reason));
                String::new()
            }
        });
        // A name may be a slip of what belongs in a value: only what looks like one is repeated.
        let is_plain =
            |name: &str| name.len() <= 40 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        for name in self.0.keys() {
            let field = if is_plain(name) { name } else { "(a member)" };
            faults.push(Fault::new(field, "is not a member of this request"));
        }
        if faults.is_empty() { Ok(texts) } else { Err(Problem::invalid(&faults)) }
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a member is named twice"));
                    }
                }
                Ok(Fields(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

fn is_json(content_type: Option<&HeaderValue>) -> bool {
    let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or("");
    let media_type = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

pub(crate) fn granted(signed_in: &SignedIn) -> Response<Body> {
    #[derive(Serialize)]
    struct Granted<'a> {
        access_token: &'a str,
        token_type: &'static str,
        expires_in: i64,
        refresh_token: String,
    }
    let body = Granted {
        access_token: &signed_in.access_token.0,
        token_type: "Bearer",
        expires_in: GOOD_FOR.as_secs(),
        refresh_token: signed_in.refresh_token.reveal(),
    };
    let mut response = json(200, "application/json", &body);
    // RFC 6749, 5.1: nobody on the way may keep it.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub(crate) fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

pub(crate) fn json(status: u16, media_type: &'static str, body: &impl Serialize) -> Response<Body> {
    // Our own types have string keys and no failing parts.
    let mut response = Response::new(Body::Text(serde_json::to_string(body).unwrap_or_default()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
