use super::{Item, corrupt, from_item, sort_key, to_item};
use crate::keys;
use fatura_application::ports::StoreError;
use fatura_domain::Timestamp;
use fatura_domain::charge::{Attempt, AttemptOutcome};
use fatura_domain::gateway::{GatewayName, GatewayReference, MeansType};
use fatura_domain::id::{AttemptId, AttemptNumber, InvoiceId, PaymentMethodId, TransactionId};
use fatura_domain::ledger::{AtGateway, ByWallet, Journal, MovedBy, Posted, Transaction, TransactionKind};
use fatura_domain::money::Money;
use fatura_domain::risk::Judgement;
use fatura_domain::routing::Why;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) struct TransactionItem {
    #[serde(rename = "k")]
    kind: TransactionKind,
    #[serde(rename = "a")]
    amount: Money,
    #[serde(flatten)]
    moved_by: MovedByItem,
    #[serde(rename = "l", default, skip_serializing_if = "Vec::is_empty")]
    lines: Vec<String>,
    #[serde(rename = "at", with = "fatura_domain::stored_instant")]
    at: Timestamp,
    #[serde(rename = "j")]
    journal: Journal,
    #[serde(rename = "mi", default, skip_serializing_if = "Option::is_none")]
    mirrors: Option<TransactionId>,
    /// When the attempt that this books had begun; it ended with this transaction.
    #[serde(
        rename = "sa",
        default,
        with = "fatura_domain::stored_instant::optional",
        skip_serializing_if = "Option::is_none"
    )]
    attempt_started_at: Option<Timestamp>,
    #[serde(rename = "y", default, skip_serializing_if = "Option::is_none")]
    attempt_why: Option<Why>,
    #[serde(rename = "rk", default, skip_serializing_if = "Option::is_none")]
    attempt_risk: Option<Judgement>,
}

/// What moved the money: an attribute that no other has tells which it was, and a gateway's lie beside each other.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum MovedByItem {
    Wallet {
        #[serde(rename = "wb")]
        by: ByWallet,
    },
    Operator {
        #[serde(rename = "po")]
        posted: Posted,
    },
    Gateway {
        #[serde(rename = "inv")]
        invoice: InvoiceId,
        #[serde(rename = "n")]
        attempt: AttemptNumber,
        #[serde(rename = "gw")]
        gateway: GatewayName,
        #[serde(rename = "ref")]
        reference: GatewayReference,
        #[serde(rename = "pm")]
        payment_method: PaymentMethodId,
        #[serde(rename = "by")]
        means: MeansType,
    },
}

impl From<MovedBy> for MovedByItem {
    fn from(moved_by: MovedBy) -> Self {
        match moved_by {
            MovedBy::Wallet(by) => Self::Wallet { by },
            MovedBy::Operator(posted) => Self::Operator { posted },
            MovedBy::Gateway(AtGateway { invoice, attempt, gateway, reference, payment_method, means }) => {
                Self::Gateway { invoice, attempt, gateway, reference, payment_method, means }
            }
        }
    }
}

impl From<MovedByItem> for MovedBy {
    fn from(item: MovedByItem) -> Self {
        match item {
            MovedByItem::Wallet { by } => Self::Wallet(by),
            MovedByItem::Operator { posted } => Self::Operator(posted),
            MovedByItem::Gateway { invoice, attempt, gateway, reference, payment_method, means } => {
                Self::Gateway(AtGateway { invoice, attempt, gateway, reference, payment_method, means })
            }
        }
    }
}

impl TransactionItem {
    pub(crate) fn write(transaction: &Transaction, attempt: Option<&Attempt>) -> Result<Item, StoreError> {
        let booked = transaction.clone();
        let attributes = Self {
            kind: booked.kind,
            amount: booked.amount,
            moved_by: booked.moved_by.into(),
            lines: booked.lines,
            at: booked.at,
            journal: booked.journal,
            mirrors: booked.mirrors,
            attempt_started_at: attempt.map(|attempt| attempt.started_at),
            attempt_why: attempt.and_then(|attempt| attempt.why),
            attempt_risk: attempt.and_then(|attempt| attempt.risk.clone()),
        };
        to_item(keys::transaction(transaction.id), attributes)
    }

    pub(crate) fn read(item: Item) -> Result<Transaction, StoreError> {
        let id = keys::transaction_id(sort_key(&item)).ok_or_else(|| corrupt("not a transaction's key"))?;
        let read: Self = from_item(item)?;
        Ok(Transaction {
            id,
            kind: read.kind,
            amount: read.amount,
            moved_by: read.moved_by.into(),
            lines: read.lines,
            at: read.at,
            journal: read.journal,
            mirrors: read.mirrors,
        })
    }

    /// The attempt that succeeded, if this transaction is its record.
    pub(crate) fn read_attempt(item: Item) -> Result<Option<Attempt>, StoreError> {
        let Self { attempt_started_at, attempt_why, attempt_risk, .. } = from_item(item.clone())?;
        let Some(started_at) = attempt_started_at else { return Ok(None) };
        let attempt = booked_attempt(&Self::read(item)?, started_at, attempt_why);
        Ok(attempt.map(|attempt| Attempt { risk: attempt_risk, ..attempt }))
    }

    /// Whether all that there is to say of the attempt follows from the transaction and how the attempt began.
    pub(crate) fn tells(transaction: &Transaction, attempt: &Attempt) -> bool {
        let told = booked_attempt(transaction, attempt.started_at, attempt.why);
        told.is_some_and(|told| Attempt { risk: attempt.risk.clone(), ..told } == *attempt)
    }
}

fn booked_attempt(transaction: &Transaction, started_at: Timestamp, why: Option<Why>) -> Option<Attempt> {
    let at = transaction.moved_by.at_gateway()?;
    Some(Attempt {
        id: AttemptId { invoice: at.invoice, number: at.attempt },
        gateway: at.gateway.clone(),
        payment_method: at.payment_method,
        why,
        risk: None,
        outcome: AttemptOutcome::Succeeded,
        reference: Some(at.reference.clone()),
        started_at,
        finished_at: transaction.at,
    })
}
