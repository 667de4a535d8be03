//! What goes over the wire: requests read into commands, things on record rendered for clients.

pub(crate) mod api_key;
pub(crate) mod attempt;
pub(crate) mod attention;
pub(crate) mod bill;
pub(crate) mod bill_export;
pub(crate) mod bill_line;
pub(crate) mod books;
pub(crate) mod common;
pub(crate) mod customer;
pub(crate) mod dispute;
pub(crate) mod dunning;
pub(crate) mod fees;
pub(crate) mod fields;
pub(crate) mod gateway;
pub(crate) mod history;
pub(crate) mod invoice;
pub(crate) mod ledger;
pub(crate) mod list;
pub(crate) mod notifications;
pub(crate) mod order;
pub(crate) mod payment;
pub(crate) mod payment_method;
pub(crate) mod refund;
pub(crate) mod risk;
pub(crate) mod risk_rules;
pub(crate) mod run;
pub(crate) mod service;
pub(crate) mod strict_json;
pub(crate) mod transaction;
pub(crate) mod values;
pub(crate) mod wallet;
pub(crate) mod webhook_delivery;
pub(crate) mod webhook_endpoint;

use serde::Serialize;

/// Our own types have string keys and no failing parts, so there is nothing that could go wrong here.
pub(crate) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
