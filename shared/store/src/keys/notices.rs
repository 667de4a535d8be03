//! What a customer wants to be told lies beside the customer, behind what is read with it; what was told, alone.

use super::Key;
use fatura_domain::id::CustomerId;
use fatura_domain::notice::Channel;
use sha2::{Digest, Sha256};

const PREFERENCES: &str = "TELL";

pub(crate) fn preferences(customer: CustomerId) -> Key {
    Key::of_customer(customer, PREFERENCES.to_owned())
}

/// An event's id is whatever came in the queue: hashed, it is short.
pub(crate) fn telling(event: &str, channel: Channel) -> Key {
    Key { pk: format!("SAID#{}", hex::encode(Sha256::digest(event))), sk: channel.as_str().to_owned() }
}
