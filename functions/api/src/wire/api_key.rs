use super::common::Instant;
use super::fields::{Fields, Read};
use super::values::{one_of, text};
use crate::problem::Problem;
use fatura_application::CreateApiKey;
use fatura_application::access::{ApiKey, KeyRole, Scope, Scopes};
use fatura_domain::text::Name;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

pub(crate) fn read_api_key(mut fields: Fields) -> Result<CreateApiKey, Problem> {
    let roles = [KeyRole::Operator, KeyRole::Service].into_iter().map(|role| (role.as_str(), role));
    let role = fields.required("role", one_of(roles));
    let scopes = fields.optional("scopes", scopes);
    let name = fields.optional("name", text(Name::parse));
    // Such a key would be refused whatever it asked.
    let idle =
        scopes.iter().flatten().find(|scope| role == Some(KeyRole::Service) && scope.is_for_operators());
    if let Some(scope) = idle {
        fields.fault("scopes", format!("has {scope}, which is for operators"));
    }
    let scopes = scopes.map_or(Scopes::Unlimited, Scopes::Only);
    fields.finish(|| Some(CreateApiKey { role: role?, scopes, name }))
}

/// An empty list is refused: whoever wants a key for nothing has made a mistake.
fn scopes(value: &Value) -> Read<BTreeSet<Scope>> {
    let names = value.as_array().filter(|names| !names.is_empty()).ok_or("must be a list of scopes")?;
    names.iter().map(|name| one_of(Scope::ALL.iter().map(|scope| (scope.as_str(), *scope)))(name)).collect()
}

#[derive(Debug, Serialize)]
pub(crate) struct ApiKeyBody<'a> {
    id: &'a str,
    role: KeyRole,
    /// None: unlimited.
    scopes: Option<Vec<&'static str>>,
    prefix: Option<&'a str>,
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
            scopes: key.scopes.names(),
            prefix: key.prefix.as_deref(),
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
