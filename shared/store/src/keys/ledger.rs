//! Where the ledger lies. Journals and their links are written once, so they lie with the records; what is moved lies with
//! its customer; what the relay keeps lies apart, so that it needs the right to write nothing else.

use super::{Key, PAST_ALL, TRANSACTION, customer_partition, transaction};
use fatura_domain::id::{CustomerId, TransactionId};
use fatura_domain::money::Currency;
use sha2::{Digest, Sha256};

const WALLET: &str = "WALLET#";
const REVERSED: &str = "REV#";
const LINK: &str = "LINK#";
const CHAIN: &str = "K#";
const HEAD: &str = "HEAD";
const BOOKS: &str = "BOOKS";
const TOTALS: &str = "T#";
/// The platform's sums are several items, so that many journals may be counted at once.
const TOTALS_SHARDS: u8 = 16;

pub(crate) fn wallet(customer: CustomerId, currency: Currency) -> Key {
    Key::of_customer(customer, format!("{WALLET}{currency}"))
}

pub(crate) fn wallet_currency(sk: &str) -> Option<Currency> {
    sk.strip_prefix(WALLET)?.parse().ok()
}

pub(crate) fn wallets(customer: CustomerId) -> (String, String, String) {
    (customer_partition(customer), WALLET.to_owned(), format!("{WALLET}{PAST_ALL}"))
}

/// Says that a journal was reversed.
pub(crate) fn reversal(of: TransactionId) -> Key {
    Key::of_record(of.owner(), format!("{REVERSED}{}", of.code()))
}

/// A journal's place in its customer's chain, by the journal: it has one at most.
pub(crate) fn link(journal: TransactionId) -> Key {
    Key::of_record(journal.owner(), format!("{LINK}{}", journal.code()))
}

pub(crate) fn linked_journal(sk: &str) -> Option<TransactionId> {
    format!("{}{}", TransactionId::PREFIX, sk.strip_prefix(LINK)?).parse().ok()
}

pub(crate) fn chain_head(customer: CustomerId) -> Key {
    Key { pk: format!("{CHAIN}{}", customer.code()), sk: HEAD.to_owned() }
}

pub(crate) fn totals_of(customer: CustomerId) -> Key {
    let which = Sha256::digest(customer.code()).first().map_or(0, |byte| byte % TOTALS_SHARDS);
    Key { pk: BOOKS.to_owned(), sk: format!("{TOTALS}{which:02}") }
}

pub(crate) fn all_totals() -> (String, String, String) {
    (BOOKS.to_owned(), TOTALS.to_owned(), format!("{TOTALS}{PAST_ALL}"))
}

/// What the sort keys of all journals begin with.
pub(crate) const JOURNALS: &str = TRANSACTION;

/// The last sort key that there can be before a journal's own.
pub(crate) fn last_before(journal: TransactionId) -> String {
    let sk = transaction(journal).sk;
    let mut shorter: Vec<char> = sk.chars().collect();
    let last = shorter.pop().and_then(|last| char::from_u32(u32::from(last).checked_sub(1)?));
    // Every key is of one length: what is one character less in its last place is just before it.
    shorter.into_iter().chain(last).collect()
}
