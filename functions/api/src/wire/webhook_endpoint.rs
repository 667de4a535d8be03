use super::common::Instant;
use super::fields::Fields;
use super::values::{flag, id, instant, text, whole};
use crate::problem::Problem;
use fatura_application::AmendEndpoint;
use fatura_domain::actor::Actor;
use fatura_domain::id::CustomerId;
use fatura_domain::text::Text;
use fatura_domain::webhook_endpoint::{
    DisabledBy, Endpoint, EndpointState, EndpointTerms, EndpointUrl, EventFilter, FilterError,
    LONGEST_OVERLAP, Loopback, Owner,
};
use fatura_domain::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

/// For how long an old secret signs beside the new one unless it is said.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

pub(crate) fn read_endpoint(mut fields: Fields, loopback: Loopback) -> Result<EndpointTerms, Problem> {
    let url = fields.required("url", text(|text| EndpointUrl::parse(text, loopback)));
    let description = fields.optional("description", text(Text::parse));
    let events = fields.required("events", words);
    let events = filter(&mut fields, events);
    let customer = fields.optional("customer_id", id::<CustomerId>);
    fields.finish(|| {
        let owner = customer.map_or(Owner::Operators, Owner::Customer);
        Some(EndpointTerms { owner, url: url?, description, events: events? })
    })
}

pub(crate) fn read_amendment(mut fields: Fields, loopback: Loopback) -> Result<AmendEndpoint, Problem> {
    let url = fields.optional("url", text(|text| EndpointUrl::parse(text, loopback)));
    let description = fields.change("description", text(Text::parse));
    let events = fields.optional("events", words);
    let events = filter(&mut fields, events);
    let is_enabled = fields.optional("enabled", flag);
    fields.finish(|| Some(AmendEndpoint { url, description, events, is_enabled }))
}

pub(crate) fn read_rotation(mut fields: Fields) -> Result<SignedDuration, Problem> {
    let most = LONGEST_OVERLAP.as_secs();
    let overlap = fields.optional("overlap_seconds", |value| {
        let seconds = i64::from(whole::<u32>(value)?);
        if seconds <= most { Ok(seconds) } else { Err(format!("must be at most {most}")) }
    });
    fields.finish(|| Some(overlap.map_or(OVERLAP, SignedDuration::from_secs)))
}

pub(crate) fn read_since(mut fields: Fields) -> Result<Timestamp, Problem> {
    let since = fields.required("since", instant);
    fields.finish(|| since)
}

fn words(value: &Value) -> Result<Vec<String>, String> {
    let list = value.as_array().ok_or("must be a list of events")?;
    let words = list.iter().map(|word| word.as_str().map(str::to_owned));
    words.collect::<Option<_>>().ok_or_else(|| "must be a list of text".to_owned())
}

fn filter(fields: &mut Fields, words: Option<Vec<String>>) -> Option<EventFilter> {
    let faulty = match EventFilter::parse(&words?) {
        Ok(filter) => return Some(filter),
        Err(error) => error,
    };
    let field = match faulty {
        FilterError::MatchesNothing(place) => format!("events[{place}]"),
        FilterError::Count => "events".to_owned(),
    };
    fields.fault_at(field, faulty.to_string());
    None
}

#[derive(Debug, Serialize)]
pub(crate) struct EndpointBody<'a> {
    id: String,
    url: &'a str,
    description: Option<&'a str>,
    events: Vec<String>,
    customer_id: Option<String>,
    status: &'static str,
    disabled_at: Option<Instant>,
    disabled_by: Option<&'a str>,
    failing_since: Option<Instant>,
    previous_secret_expires_at: Option<Instant>,
    created_at: Instant,
    updated_at: Instant,
    version: u64,
}

/// With the secret, which is shown when it is made and never again.
#[derive(Serialize)]
pub(crate) struct NewEndpointBody<'a> {
    #[serde(flatten)]
    endpoint: EndpointBody<'a>,
    secret: Option<String>,
}

impl<'a> EndpointBody<'a> {
    pub(crate) fn of(endpoint: &'a Endpoint, now: Timestamp) -> Self {
        let (status, disabled_at, disabled_by, failing_since) = match &endpoint.state {
            EndpointState::Enabled { failing_since } => ("enabled", None, None, *failing_since),
            EndpointState::Disabled { at, by } => ("disabled", Some(Instant(*at)), Some(whom(by)), None),
        };
        let customer = match endpoint.owner {
            Owner::Operators => None,
            Owner::Customer(customer) => Some(customer.to_string()),
        };
        Self {
            id: endpoint.id.to_string(),
            url: endpoint.url.as_str(),
            description: endpoint.description.as_ref().map(Text::as_str),
            events: endpoint.events.patterns().collect(),
            customer_id: customer,
            status,
            disabled_at,
            disabled_by,
            failing_since: failing_since.map(Instant),
            previous_secret_expires_at: endpoint.secrets.overlaps_until(now).map(Instant),
            created_at: Instant(endpoint.created_at),
            updated_at: Instant(endpoint.updated_at),
            version: endpoint.version,
        }
    }
}

impl<'a> NewEndpointBody<'a> {
    pub(crate) fn shown(endpoint: &'a Endpoint, now: Timestamp) -> Self {
        let secret = Some(endpoint.secrets.current().exposed());
        Self { endpoint: EndpointBody::of(endpoint, now), secret }
    }

    /// As it is kept for whoever asks again.
    pub(crate) fn stored(endpoint: &'a Endpoint, now: Timestamp) -> Self {
        Self { endpoint: EndpointBody::of(endpoint, now), secret: None }
    }
}

fn whom(by: &DisabledBy) -> &str {
    match by {
        DisabledBy::Failure => "failure",
        DisabledBy::Gone => "gone",
        DisabledBy::Somebody(actor) => Actor::as_str(actor),
    }
}
