use super::{Item, corrupt, sort_key};
use crate::keys;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use fatura_application::ports::StoreError;
use fatura_domain::risk::{Hour, Try};

/// A set, so that to add the same attempt twice is to add it once.
pub(crate) const TRIES: &str = "a";

pub(crate) fn write_try(one: Try) -> AttributeValue {
    AttributeValue::Bs(vec![Blob::new(one.to_bytes())])
}

pub(crate) fn read_tries(item: &Item) -> Result<(Hour, Vec<Try>), StoreError> {
    let hour = keys::velocity_hour(sort_key(item)).ok_or_else(|| corrupt("not an hour's key"))?;
    let tries = item.get(TRIES).and_then(|tries| tries.as_bs().ok()).map(Vec::as_slice).unwrap_or_default();
    let tries = tries.iter().map(|bytes| Try::from_bytes(bytes.as_ref()).ok_or_else(|| corrupt("not a try")));
    Ok((hour, tries.collect::<Result<_, _>>()?))
}
