use super::common::Instant;
use fatura_application::{Service, Services};
use fatura_domain::service::{Health, Trouble};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Serialize)]
pub(crate) struct ServicesBody<'a> {
    data: Vec<ServiceBody<'a>>,
    endpoints: &'a BTreeMap<String, String>,
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize)]
struct ServiceBody<'a> {
    name: &'a str,
    function: &'a str,
    version: Option<&'a str>,
    started_at: Option<Instant>,
    health: &'static str,
    failing_since: Option<Instant>,
    last_error: Option<LastErrorBody<'a>>,
}

#[derive(Debug, Serialize)]
struct LastErrorBody<'a> {
    class: &'static str,
    message: &'a str,
    at: Instant,
}

impl<'a> From<&'a Services> for ServicesBody<'a> {
    fn from(services: &'a Services) -> Self {
        Self {
            data: services.services.iter().map(ServiceBody::from).collect(),
            endpoints: &services.endpoints,
            next_cursor: None,
        }
    }
}

impl<'a> From<&'a Service> for ServiceBody<'a> {
    fn from(service: &'a Service) -> Self {
        let vitals = service.vitals.as_ref();
        let failing_since = match service.health {
            Health::Failing { since } => Some(Instant(since)),
            Health::Healthy | Health::Unknown => None,
        };
        Self {
            name: service.name.as_str(),
            function: &service.function,
            version: vitals.map(|vitals| vitals.version.as_str()),
            started_at: vitals.map(|vitals| Instant(vitals.started_at)),
            health: service.health.as_str(),
            failing_since,
            last_error: vitals.and_then(|vitals| vitals.trouble.as_ref()).map(LastErrorBody::from),
        }
    }
}

impl<'a> From<&'a Trouble> for LastErrorBody<'a> {
    fn from(trouble: &'a Trouble) -> Self {
        Self {
            class: trouble.symptom.class.as_str(),
            message: trouble.symptom.message.as_str(),
            at: Instant(trouble.at),
        }
    }
}
