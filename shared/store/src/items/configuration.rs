//! What can be changed while the system runs, and what it notes about the gateways.

use super::{Item, corrupt, from_item, sort_key, to_item};
use crate::keys::{self, Configuration};
use fatura_application::circuit::{Circuit, CircuitState};
use fatura_application::ports::StoreError;
use fatura_application::{FeesEdition, PlanEdition, RiskEdition, RulesEdition};
use fatura_domain::Timestamp;
use fatura_domain::actor::Actor;
use fatura_domain::fees::Fees;
use fatura_domain::gateway::GatewayName;
use fatura_domain::id::CustomerId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// One edition of a configuration.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct EditionItem<T> {
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "r")]
    content: T,
    #[serde(rename = "by")]
    by: Actor,
    #[serde(rename = "at", with = "fatura_domain::stored_instant")]
    at: Timestamp,
}

impl<T: Clone + Serialize + DeserializeOwned> EditionItem<T> {
    /// Twice: the one in force, and the edition that stays.
    fn write(
        kind: Configuration,
        version: u64,
        content: &T,
        put: Option<&(Actor, Timestamp)>,
    ) -> Result<[Item; 2], StoreError> {
        let (by, at) = put.cloned().ok_or_else(|| corrupt("a configuration that nobody put"))?;
        let item = Self { version, content: content.clone(), by, at };
        Ok([to_item(kind.current(), item.clone())?, to_item(kind.edition(version), item)?])
    }
}

pub(crate) fn write_rules(edition: &RulesEdition) -> Result<[Item; 2], StoreError> {
    EditionItem::write(Configuration::Dunning, edition.version, &edition.rules, edition.put.as_ref())
}

pub(crate) fn read_rules(item: Item) -> Result<RulesEdition, StoreError> {
    let EditionItem { version, content: rules, by, at } = from_item(item)?;
    Ok(RulesEdition { version, rules, put: Some((by, at)) })
}

pub(crate) fn write_plan(edition: &PlanEdition) -> Result<[Item; 2], StoreError> {
    EditionItem::write(Configuration::Gateways, edition.version, &edition.plan, edition.put.as_ref())
}

pub(crate) fn read_plan(item: Item) -> Result<PlanEdition, StoreError> {
    let EditionItem { version, content: plan, by, at } = from_item(item)?;
    Ok(PlanEdition { version, plan, put: Some((by, at)) })
}

pub(crate) fn write_risk_rules(edition: &RiskEdition) -> Result<[Item; 2], StoreError> {
    EditionItem::write(Configuration::Risk, edition.version, &edition.rules, edition.put.as_ref())
}

pub(crate) fn read_risk_rules(item: Item) -> Result<RiskEdition, StoreError> {
    let EditionItem { version, content: rules, by, at } = from_item(item)?;
    Ok(RiskEdition { version, rules, put: Some((by, at)) })
}

/// Fees, which merchants have of their own.
#[derive(Clone, Serialize, Deserialize)]
struct FeesItem {
    #[serde(flatten)]
    edition: EditionItem<Fees>,
    #[serde(rename = "of", default, skip_serializing_if = "Option::is_none")]
    merchant: Option<CustomerId>,
}

pub(crate) fn write_fees(edition: &FeesEdition) -> Result<[Item; 2], StoreError> {
    let FeesEdition { merchant, version, .. } = *edition;
    let (by, at) = edition.put.clone().ok_or_else(|| corrupt("fees that nobody put"))?;
    let put = EditionItem { version, content: edition.fees.clone(), by, at };
    let item = FeesItem { edition: put, merchant };
    let current = to_item(keys::fees(merchant), item.clone())?;
    Ok([current, to_item(keys::fees_edition(merchant, version), item)?])
}

pub(crate) fn read_fees(item: Item) -> Result<FeesEdition, StoreError> {
    let FeesItem { edition: EditionItem { version, content: fees, by, at }, merchant } = from_item(item)?;
    Ok(FeesEdition { merchant, version, fees, put: Some((by, at)) })
}

#[derive(Serialize, Deserialize)]
pub(crate) struct CircuitItem {
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "st")]
    state: StoredState,
    #[serde(rename = "n")]
    trips: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredState {
    Closed,
    Open(#[serde(with = "fatura_domain::stored_instant")] Timestamp),
    Probing(#[serde(with = "fatura_domain::stored_instant")] Timestamp),
}

impl CircuitItem {
    pub(crate) fn write(circuit: &Circuit) -> Result<Item, StoreError> {
        let state = match circuit.state {
            CircuitState::Closed => StoredState::Closed,
            CircuitState::Open { until } => StoredState::Open(until),
            CircuitState::Probing { until } => StoredState::Probing(until),
        };
        let attributes = Self { version: circuit.version, state, trips: circuit.trips };
        to_item(keys::circuit(&circuit.gateway), attributes)
    }

    pub(crate) fn read(item: Item) -> Result<Circuit, StoreError> {
        let gateway = GatewayName::parse(sort_key(&item)).map_err(corrupt)?;
        let Self { version, state, trips } = from_item(item)?;
        let state = match state {
            StoredState::Closed => CircuitState::Closed,
            StoredState::Open(until) => CircuitState::Open { until },
            StoredState::Probing(until) => CircuitState::Probing { until },
        };
        Ok(Circuit { gateway, version, state, trips })
    }
}
