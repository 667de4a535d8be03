//! Where orders lie, with their buyer, and what the platform keeps of them: with the rules.

use super::{Configuration, Key, PAST_ALL};
use fatura_domain::id::{CustomerId, OrderId};

/// Not between a customer and its payment methods, which are read as one range.
const ORDER: &str = "BUY#";

pub(crate) fn order(id: OrderId) -> Key {
    Key::of_customer(id.owner(), format!("{ORDER}{}", id.code()))
}

pub(crate) fn order_id(sk: &str) -> Option<OrderId> {
    format!("{}{}", OrderId::PREFIX, sk.strip_prefix(ORDER)?).parse().ok()
}

pub(crate) fn all_orders() -> (String, String) {
    (ORDER.to_owned(), format!("{ORDER}{PAST_ALL}"))
}

/// The fees in force: a merchant's own, or the platform's.
pub(crate) fn fees(merchant: Option<CustomerId>) -> Key {
    fees_of(merchant, Configuration::Fees.current())
}

pub(crate) fn fees_edition(merchant: Option<CustomerId>, version: u64) -> Key {
    fees_of(merchant, Configuration::Fees.edition(version))
}

/// Beside the platform's and not with the merchant: only operators change either, and rights go by how a partition begins.
fn fees_of(merchant: Option<CustomerId>, platform: Key) -> Key {
    match merchant {
        Some(merchant) => Key { pk: format!("{}#{}", platform.pk, merchant.code()), ..platform },
        None => platform,
    }
}
