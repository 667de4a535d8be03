//! What handlers are given: a caller who was recognised, ids that are ids, and a body that was read once.

use crate::Api;
use crate::envelope::CallerSlot;
use crate::problem::{Code, Problem};
use crate::wire::fields::Fields;
use crate::wire::strict_json;
use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use fatura_application::Fault;
use fatura_application::access::Caller;
use fatura_application::idempotency::{AnswerScope, Once};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Somebody whose bearer token was good.
pub(crate) struct Authenticated(pub(crate) Caller);

/// Longer than any token of ours: nothing beyond is worth a hash.
const LONGEST_TOKEN: usize = 1_024;

impl FromRequestParts<Api> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let token = bearer_token(&parts.headers)
            .ok_or_else(|| Problem::unauthenticated("send Authorization: Bearer <token>"))?;
        let caller = api.authenticator.caller(token).await?;
        let caller = caller.ok_or_else(|| Problem::unauthenticated("the token is not valid"))?;
        if let Some(slot) = parts.extensions.get::<CallerSlot>() {
            slot.set(&caller.id);
        }
        Ok(Self(caller))
    }
}

fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let mut credentials = headers.get_all(header::AUTHORIZATION).iter();
    // Two of them would leave it open who is asking.
    let (credentials, None) = (credentials.next()?, credentials.next()) else { return None };
    let (scheme, token) = credentials.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && (1..=LONGEST_TOKEN).contains(&token.len())).then_some(token)
}

/// The ids in a path. One that is malformed names nothing, so it isn't found.
pub(crate) struct Ids<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Api> for Ids<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let path = Path::<T>::from_request_parts(parts, api).await;
        path.map(|Path(ids)| Self(ids)).map_err(|_| Problem::not_found())
    }
}

/// A request with a body, and all that idempotency has to know of it.
pub(crate) struct Submission {
    method: Method,
    path: String,
    headers: HeaderMap,
    /// None: nothing was sent.
    body: Option<Value>,
}

const LARGEST_BODY: usize = 256 * 1024;

impl FromRequest<Api> for Submission {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Api) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = to_bytes(body, LARGEST_BODY).await.map_err(|_| {
            Problem::new(Code::PayloadTooLarge, format!("the body may have at most {LARGEST_BODY} bytes"))
        })?;
        let body = parse(&parts.headers, &bytes)?;
        Ok(Self { method: parts.method, path: parts.uri.path().to_owned(), headers: parts.headers, body })
    }
}

fn parse(headers: &HeaderMap, bytes: &Bytes) -> Result<Option<Value>, Problem> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let media_type = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let is_json = media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"));
    if !is_json {
        return Err(Problem::new(Code::UnsupportedMediaType, "send Content-Type: application/json"));
    }
    strict_json::parse(bytes).map(Some).map_err(|error| Problem::new(Code::MalformedJson, error.to_string()))
}

impl Submission {
    /// The body's members, to be read one by one.
    pub(crate) fn fields(&self) -> Result<Fields, Problem> {
        match &self.body {
            Some(Value::Object(members)) => Ok(Fields::of(members.clone())),
            Some(_) => Err(Problem::invalid(&[Fault::new("body", "must be an object")])),
            None => Err(Problem::new(Code::MalformedJson, "the body is empty")),
        }
    }

    /// Where nothing has to be said, saying nothing is as good as `{}`.
    pub(crate) fn optional_fields(&self) -> Result<Fields, Problem> {
        if self.body.is_some() { self.fields() } else { Ok(Fields::of(Map::new())) }
    }

    /// For what may happen only once: a key is required.
    pub(crate) fn once(&self, caller: &Caller) -> Result<Once, Problem> {
        self.once_if_keyed(caller)?.ok_or_else(|| {
            Problem::new(
                Code::IdempotencyKeyMissing,
                "send an Idempotency-Key, new for each thing you want done",
            )
        })
    }

    /// The same, where one member must not leave a trace: a fingerprint is kept, and whoever has it could try passwords
    /// against it. So a replay with another password is a replay.
    pub(crate) fn once_without(&self, secret: &str, caller: &Caller) -> Result<Once, Problem> {
        let once = self.once(caller)?;
        match &self.body {
            Some(Value::Object(members)) if members.contains_key(secret) => {
                let rest = members.iter().filter(|(name, _)| *name != secret);
                let rest = rest.map(|(name, value)| (name.clone(), value.clone())).collect();
                Ok(Once { fingerprint: strict_json::fingerprint(&Value::Object(rest)), ..once })
            }
            _ => Ok(once),
        }
    }

    /// For what does no harm twice: a key is welcome.
    pub(crate) fn once_if_keyed(&self, caller: &Caller) -> Result<Option<Once>, Problem> {
        let Some(key) = self.idempotency_key()? else { return Ok(None) };
        let route = format!("{} {}", self.method, self.path);
        let scope = AnswerScope { caller: caller.id.clone(), route, key };
        // Where saying nothing is allowed, it is as good as `{}`.
        let nothing = Value::Object(Map::new());
        let fingerprint = strict_json::fingerprint(self.body.as_ref().unwrap_or(&nothing));
        Ok(Some(Once { scope, fingerprint }))
    }

    fn idempotency_key(&self) -> Result<Option<String>, Problem> {
        const HEADER: &str = "idempotency-key";
        let mut values = self.headers.get_all(HEADER).iter();
        let (Some(value), another) = (values.next(), values.next()) else { return Ok(None) };
        if value.is_empty() {
            return Ok(None);
        }
        let key = value.to_str().ok().filter(|key| {
            key.len() <= 255 && key.bytes().all(|byte| byte.is_ascii_graphic()) && another.is_none()
        });
        let malformed = || {
            let reason = "must be one value of 1 to 255 visible ASCII characters";
            Problem::invalid(&[Fault::new("Idempotency-Key", reason)])
        };
        key.map(|key| Some(key.to_owned())).ok_or_else(malformed)
    }

    /// The version that the client has seen, if it says so.
    pub(crate) fn if_match(&self) -> Result<Option<u64>, Problem> {
        // Rules that nobody has changed have version 0.
        const NO_VERSION: u64 = u64::MAX;
        let Some(value) = self.headers.get(header::IF_MATCH) else { return Ok(None) };
        let value = value.to_str().unwrap_or("").trim();
        if value == "*" {
            return Ok(None);
        }
        let is_weak = value.starts_with("W/");
        let tag = value.trim_start_matches("W/").strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let tag = tag.filter(|tag| !tag.contains('"')).ok_or_else(|| {
            Problem::invalid(&[Fault::new("If-Match", "must be one entity tag, such as \"3\"")])
        })?;
        // A tag that isn't one of ours, or a weak one, matches nothing.
        Ok(Some(tag.parse().ok().filter(|_| !is_weak).unwrap_or(NO_VERSION)))
    }
}
