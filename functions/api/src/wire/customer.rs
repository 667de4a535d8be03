use super::common::{Instant, metadata_body};
use super::fields::{Fields, Read};
use super::values::{one_of, text};
use crate::problem::Problem;
use fatura_domain::calendar::AnchorDay;
use fatura_domain::customer::{Customer, CustomerKind, Profile, TimeZoneName};
use fatura_domain::risk::Country;
use fatura_domain::sign_in::Password;
use fatura_domain::text::{Email, ExternalId, Name};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) fn read_profile(mut fields: Fields) -> Result<Profile, Problem> {
    let profile = profile(&mut fields);
    fields.finish(|| profile)
}

/// A customer who is to sign in has a password; many never do.
pub(crate) fn read_customer(mut fields: Fields) -> Result<(Profile, Option<Password>), Problem> {
    let password = fields.optional("password", text(Password::parse));
    let profile = profile(&mut fields);
    fields.finish(|| Some((profile?, password)))
}

pub(crate) struct PasswordChange {
    /// As it was typed: whether it is one is found out by comparing.
    pub(crate) current: Option<String>,
    pub(crate) new: Password,
}

pub(crate) fn read_password(mut fields: Fields) -> Result<PasswordChange, Problem> {
    let current = fields.optional("current_password", text(|typed| Ok::<_, String>(typed.to_owned())));
    let new = fields.required("password", text(Password::parse));
    fields.finish(|| Some(PasswordChange { current, new: new? }))
}

fn profile(fields: &mut Fields) -> Option<Profile> {
    let name = fields.required("name", text(Name::parse));
    let email = fields.required("email", text(Email::parse));
    let external_id = fields.optional("external_id", text(ExternalId::parse));
    let kinds = [CustomerKind::Buyer, CustomerKind::Merchant].into_iter().map(|kind| (kind.as_str(), kind));
    let kind = fields.optional("kind", one_of(kinds)).unwrap_or_default();
    let time_zone = fields.optional("time_zone", text(TimeZoneName::parse));
    let billing_anchor_day = fields.optional("billing_anchor_day", anchor_day);
    let country = fields.optional("country", text(str::parse::<Country>));
    let metadata = fields.metadata().unwrap_or_default();
    let (name, email) = (name?, email?);
    Some(Profile { name, email, external_id, kind, time_zone, billing_anchor_day, country, metadata })
}

fn anchor_day(value: &Value) -> Read<AnchorDay> {
    let day = value.as_u64().and_then(|day| u8::try_from(day).ok()).unwrap_or_default();
    AnchorDay::try_from(day).map_err(|error| error.to_string())
}

#[derive(Debug, Serialize)]
pub(crate) struct CustomerBody<'a> {
    id: String,
    name: &'a str,
    email: &'a str,
    external_id: Option<&'a str>,
    kind: &'static str,
    time_zone: Option<&'a str>,
    billing_anchor_day: Option<u8>,
    country: Option<String>,
    metadata: BTreeMap<&'a str, &'a str>,
    default_payment_method_id: Option<String>,
    created_at: Instant,
    updated_at: Instant,
    version: u64,
}

impl<'a> From<&'a Customer> for CustomerBody<'a> {
    fn from(customer: &'a Customer) -> Self {
        let profile = &customer.profile;
        Self {
            id: customer.id.to_string(),
            name: profile.name.as_str(),
            email: profile.email.as_str(),
            external_id: profile.external_id.as_ref().map(ExternalId::as_str),
            kind: profile.kind.as_str(),
            time_zone: profile.time_zone.as_ref().map(TimeZoneName::as_str),
            billing_anchor_day: profile.billing_anchor_day.map(u8::from),
            country: profile.country.map(String::from),
            metadata: metadata_body(&profile.metadata),
            default_payment_method_id: customer.default_payment_method.map(|id| id.to_string()),
            created_at: Instant(customer.created_at),
            updated_at: Instant(customer.updated_at),
            version: customer.version,
        }
    }
}
