use super::common::Instant;
use super::fields::Fields;
use super::values::{one_of, text};
use crate::problem::Problem;
use fatura_application::access::{ApiKey, KeyRole};
use fatura_domain::text::Name;
use serde::Serialize;

pub(crate) fn read_api_key(mut fields: Fields) -> Result<(KeyRole, Option<Name>), Problem> {
    let roles = [KeyRole::Operator, KeyRole::Service].into_iter().map(|role| (role.as_str(), role));
    let role = fields.required("role", one_of(roles));
    let name = fields.optional("name", text(Name::parse));
    fields.finish(|| Some((role?, name)))
}

#[derive(Debug, Serialize)]
pub(crate) struct ApiKeyBody<'a> {
    id: &'a str,
    role: KeyRole,
    name: Option<&'a str>,
    created_at: Instant,
    revoked_at: Option<Instant>,
}

/// A key's record with the key itself, which is there once and never again.
#[derive(Serialize)]
pub(crate) struct NewApiKeyBody<'a> {
    #[serde(flatten)]
    record: ApiKeyBody<'a>,
    key: Option<&'a str>,
}

impl<'a> From<&'a ApiKey> for ApiKeyBody<'a> {
    fn from(key: &'a ApiKey) -> Self {
        Self {
            id: &key.id,
            role: key.role,
            name: key.name.as_deref(),
            created_at: Instant(key.created_at),
            revoked_at: key.revoked_at.map(Instant),
        }
    }
}

impl<'a> NewApiKeyBody<'a> {
    pub(crate) fn of(record: &'a ApiKey, key: Option<&'a str>) -> Self {
        Self { record: record.into(), key }
    }
}
