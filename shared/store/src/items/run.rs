use super::{Item, corrupt, from_item, partition_key, sort_key, to_item};
use crate::keys;
use aws_sdk_dynamodb::types::AttributeValue;
use fatura_application::ports::StoreError;
use fatura_application::{Difference, DifferenceKind};
use fatura_domain::Timestamp;
use fatura_domain::actor::Actor;
use fatura_domain::gateway::{GatewayName, GatewayReference, MovementKind};
use fatura_domain::id::{InvoiceId, RunId};
use fatura_domain::money::Money;
use fatura_domain::run::{Part, Run, RunKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
pub(crate) struct RunItem {
    #[serde(rename = "k")]
    kind: RunKind,
    #[serde(rename = "by")]
    by: Actor,
    #[serde(rename = "ca", with = "fatura_domain::stored_instant")]
    created_at: Timestamp,
    #[serde(rename = "n")]
    parts: u8,
}

impl RunItem {
    pub(crate) fn write(run: &Run) -> Result<Item, StoreError> {
        let Run { id, kind, by, created_at, parts } = run.clone();
        to_item(keys::run(&id), Self { kind, by, created_at, parts })
    }

    pub(crate) fn read(item: Item) -> Result<Run, StoreError> {
        let id = run_of(&item)?;
        let Self { kind, by, created_at, parts } = from_item(item)?;
        Ok(Run { id, kind, by, created_at, parts })
    }
}

/// In the work index until it is done.
#[derive(Serialize, Deserialize)]
pub(crate) struct PartItem {
    #[serde(rename = "WP", default, skip_serializing_if = "Option::is_none")]
    work: Option<String>,
    #[serde(rename = "WS", default, skip_serializing_if = "Option::is_none")]
    position: Option<String>,
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "pl", default, skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    #[serde(rename = "c", default, skip_serializing_if = "BTreeMap::is_empty")]
    counts: BTreeMap<String, u64>,
    #[serde(
        rename = "due",
        default,
        with = "fatura_domain::stored_instant::optional",
        skip_serializing_if = "Option::is_none"
    )]
    due: Option<Timestamp>,
    #[serde(rename = "u", with = "fatura_domain::stored_instant")]
    updated_at: Timestamp,
}

impl PartItem {
    pub(crate) fn write(part: &Part) -> Result<Item, StoreError> {
        let (work, position) = keys::part_work(part).unzip();
        let Part { run, number, version, place, counts, due, updated_at } = part.clone();
        to_item(keys::part(&run, number), Self { work, position, version, place, counts, due, updated_at })
    }

    pub(crate) fn read(item: Item) -> Result<Part, StoreError> {
        let run = run_of(&item)?;
        let number = keys::part_number(sort_key(&item)).ok_or_else(|| corrupt("not a part's key"))?;
        let Self { version, place, counts, due, updated_at, .. } = from_item(item)?;
        Ok(Part { run, number, version, place, counts, due, updated_at })
    }
}

fn run_of(item: &Item) -> Result<RunId, StoreError> {
    keys::run_id(partition_key(item)).ok_or_else(|| corrupt("not a run's key"))
}

/// A counter's attributes are outcomes; what else lies in the item is its key.
pub(crate) fn read_tally(item: Item) -> impl Iterator<Item = (String, i64)> {
    item.into_iter().filter_map(|(name, value)| match value {
        AttributeValue::N(digits) => Some((name, digits.parse().ok()?)),
        _ => None,
    })
}

#[derive(Serialize, Deserialize)]
pub(crate) struct DifferenceItem {
    #[serde(rename = "k")]
    kind: DifferenceKind,
    #[serde(rename = "m")]
    movement: MovementKind,
    #[serde(rename = "gw")]
    gateway: GatewayName,
    #[serde(rename = "ref")]
    reference: GatewayReference,
    #[serde(rename = "o")]
    ours: String,
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    amount_here: Option<Money>,
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    amount_there: Option<Money>,
    #[serde(rename = "inv", default, skip_serializing_if = "Option::is_none")]
    invoice: Option<InvoiceId>,
}

impl DifferenceItem {
    pub(crate) fn write(run: &RunId, difference: &Difference) -> Result<Item, StoreError> {
        let key = keys::difference(run, &difference.digest());
        let Difference { kind, movement, gateway, reference, ours, amount_here, amount_there, invoice } =
            difference.clone();
        to_item(key, Self { kind, movement, gateway, reference, ours, amount_here, amount_there, invoice })
    }

    pub(crate) fn read(item: Item) -> Result<Difference, StoreError> {
        let Self { kind, movement, gateway, reference, ours, amount_here, amount_there, invoice } =
            from_item(item)?;
        Ok(Difference { kind, movement, gateway, reference, ours, amount_here, amount_there, invoice })
    }
}
