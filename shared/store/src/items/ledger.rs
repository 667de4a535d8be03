use super::{Item, corrupt, from_item, sort_key, to_item};
use crate::keys;
use aws_sdk_dynamodb::types::AttributeValue;
use fatura_application::ports::StoreError;
use fatura_domain::id::CustomerId;
use fatura_domain::ledger::{GeneralAccount, Hash, Head, Link, Totals, Turnover};
use fatura_domain::money::{Currency, Money};
use fatura_domain::wallet::Wallet;
use serde::{Deserialize, Serialize};

/// A balance, in minor units of the currency that its key says.
#[derive(Serialize, Deserialize)]
pub(crate) struct WalletItem {
    #[serde(rename = "b")]
    balance: i64,
}

impl WalletItem {
    pub(crate) const BALANCE: &str = "b";

    pub(crate) fn read(customer: CustomerId, item: Item) -> Result<Wallet, StoreError> {
        let currency = keys::wallet_currency(sort_key(&item)).ok_or_else(|| corrupt("not a wallet's key"))?;
        let read: Self = from_item(item)?;
        let balance = Money::try_new(read.balance, currency).map_err(corrupt)?;
        Ok(Wallet { customer, balance })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct LinkItem {
    #[serde(rename = "n")]
    number: u64,
    #[serde(rename = "p", with = "serde_bytes")]
    previous: Vec<u8>,
    #[serde(rename = "h", with = "serde_bytes")]
    hash: Vec<u8>,
}

impl LinkItem {
    pub(crate) fn write(link: &Link) -> Result<Item, StoreError> {
        let attributes =
            Self { number: link.number, previous: link.previous.0.to_vec(), hash: link.hash.0.to_vec() };
        to_item(keys::link(link.transaction), attributes)
    }

    pub(crate) fn read(item: Item) -> Result<Link, StoreError> {
        let transaction = keys::linked_journal(sort_key(&item)).ok_or_else(|| corrupt("not a link's key"))?;
        let read: Self = from_item(item)?;
        Ok(Link { transaction, number: read.number, previous: hash(read.previous)?, hash: hash(read.hash)? })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct HeadItem {
    #[serde(rename = "n")]
    length: u64,
    #[serde(rename = "h", with = "serde_bytes")]
    hash: Vec<u8>,
}

impl HeadItem {
    pub(crate) const LENGTH: &str = "n";

    pub(crate) fn write(head: &Head) -> Result<Item, StoreError> {
        let attributes = Self { length: head.length, hash: head.hash.0.to_vec() };
        to_item(keys::chain_head(head.customer), attributes)
    }

    pub(crate) fn read(customer: CustomerId, item: Option<Item>) -> Result<Head, StoreError> {
        let Some(item) = item else { return Ok(Head::start(customer)) };
        let read: Self = from_item(item)?;
        Ok(Head { customer, length: read.length, hash: hash(read.hash)? })
    }
}

fn hash(bytes: Vec<u8>) -> Result<Hash, StoreError> {
    bytes.try_into().map(Hash).map_err(|_| corrupt("a hash of another length"))
}

/// What was posted to the platform's accounts. Each side of each account and currency is an attribute of its own: `d BRL
/// revenue`. DynamoDB adds to nothing that lies deeper.
pub(crate) struct TotalsItem;

const DEBITS: &str = "d";
const CREDITS: &str = "c";

impl TotalsItem {
    /// What is to be added, by attribute; what is nothing is left out.
    pub(crate) fn additions(counted: &Totals) -> Vec<(String, i128)> {
        let sides = counted.each().flat_map(|(account, currency, turnover)| {
            [(DEBITS, turnover.debits), (CREDITS, turnover.credits)]
                .map(|(side, minor)| (format!("{side} {currency} {account}"), minor))
        });
        sides.filter(|(_, minor)| *minor != 0).collect()
    }

    pub(crate) fn read(item: &Item) -> Result<Totals, StoreError> {
        let mut totals = Totals::default();
        for (name, value) in item {
            let Some((side, currency, account)) = parts(name) else { continue };
            let currency: Currency = currency.parse().map_err(corrupt)?;
            let account = GeneralAccount::parse(account).map_err(corrupt)?;
            let minor = digits(value)?;
            let turnover = match side {
                DEBITS => Turnover { debits: minor, credits: 0 },
                _ => Turnover { debits: 0, credits: minor },
            };
            totals.add(account, currency, turnover);
        }
        Ok(totals)
    }
}

fn parts(name: &str) -> Option<(&str, &str, &str)> {
    let (side, rest) = name.split_once(' ')?;
    let (currency, account) = rest.split_once(' ')?;
    [DEBITS, CREDITS].contains(&side).then_some((side, currency, account))
}

fn digits(value: &AttributeValue) -> Result<i128, StoreError> {
    value.as_n().map_err(|_| corrupt("a sum that is no number"))?.parse().map_err(corrupt)
}
