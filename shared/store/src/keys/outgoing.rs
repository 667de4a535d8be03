//! Endpoints lie together, as every event is held against all of them; a message lies alone, and beside each endpoint there is
//! a list of what was made for it. In partitions of their own, so that roles can tell them from money.

use super::work::{DUE, kind_partition, sortable, work_subject};
use super::{Key, PAST_ALL, SHARDS, partitions};
use fatura_domain::Timestamp;
use fatura_domain::webhook_endpoint::{Delivery, EndpointId, MessageId};
use sha2::{Digest, Sha256};

const ENDPOINTS: &str = "WE";

pub(crate) fn endpoints_partition() -> String {
    ENDPOINTS.to_owned()
}

pub(crate) fn all_endpoints() -> (String, String) {
    (EndpointId::PREFIX.to_owned(), format!("{}{PAST_ALL}", EndpointId::PREFIX))
}

pub(crate) fn endpoint(id: EndpointId) -> Key {
    Key { pk: endpoints_partition(), sk: id.to_string() }
}

pub(crate) fn delivery(id: MessageId) -> Key {
    Key::alone(format!("MSG#{id}"))
}

pub(crate) fn delivery_id(pk: &str) -> Option<MessageId> {
    pk.strip_prefix("MSG#")?.parse().ok()
}

pub(crate) fn deliveries_partition(endpoint: EndpointId) -> String {
    format!("WEL#{endpoint}")
}

/// A message's place in the list of its endpoint.
pub(crate) fn delivery_place(delivery: &Delivery) -> Key {
    let sk = format!("{}#{}", sortable(delivery.created_at), delivery.id);
    Key { pk: deliveries_partition(delivery.endpoint), sk }
}

pub(crate) fn listed_delivery(sk: &str) -> Option<MessageId> {
    sk.split_once('#')?.1.parse().ok()
}

pub(crate) fn deliveries_from(since: Timestamp) -> (String, String) {
    (sortable(since), PAST_ALL.to_string())
}

const DELIVERIES: &str = "webhook";

/// Where a message stands that is to be sent; one that is over stands nowhere.
pub(crate) fn delivery_work(delivery: &Delivery) -> Option<(String, String)> {
    let position = format!("{DUE}{}#{}", sortable(delivery.due()?), delivery.id);
    let shard = Sha256::digest(delivery.id.to_string()).first().map_or(0, |byte| byte % SHARDS);
    Some((kind_partition(DELIVERIES, shard), position))
}

pub(crate) fn delivery_partitions() -> impl Iterator<Item = String> {
    partitions(DELIVERIES)
}

pub(crate) fn work_delivery(sk: &str) -> Option<MessageId> {
    work_subject(sk)?.parse().ok()
}
