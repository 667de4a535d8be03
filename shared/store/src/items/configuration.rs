//! What can be changed while the system runs, and what it notes about the gateways.

use super::{Item, corrupt, from_item, sort_key, to_item};
use crate::keys::{self, Key};
use fatura_application::RulesEdition;
use fatura_application::circuit::{Circuit, CircuitState};
use fatura_application::ports::StoreError;
use fatura_domain::Timestamp;
use fatura_domain::actor::Actor;
use fatura_domain::dunning::Rules;
use fatura_domain::gateway::GatewayName;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) struct RulesItem {
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "r")]
    rules: Rules,
    #[serde(rename = "by")]
    by: Actor,
    #[serde(rename = "at", with = "fatura_domain::stored_instant")]
    at: Timestamp,
}

impl RulesItem {
    /// Twice: the one in force, and the edition that stays.
    pub(crate) fn write(edition: &RulesEdition) -> Result<[Item; 2], StoreError> {
        let item = |key: Key| {
            let RulesEdition { version, rules, put } = edition.clone();
            let (by, at) = put.ok_or_else(|| corrupt("rules that nobody put"))?;
            to_item(key, Self { version, rules, by, at })
        };
        Ok([item(keys::rules())?, item(keys::rules_edition(edition.version))?])
    }

    pub(crate) fn read(item: Item) -> Result<RulesEdition, StoreError> {
        let Self { version, rules, by, at } = from_item(item)?;
        Ok(RulesEdition { version, rules, put: Some((by, at)) })
    }
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
