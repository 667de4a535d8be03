//! What a person has to look at: everything that no rule of ours can end well by itself.

use crate::actor::Actor;
use crate::gateway::{GatewayName, GatewayReference};
use crate::id::{AttemptId, BillId, DisputeId, InvoiceId, OwnedId, RefundId, TransactionId};
use crate::money::Money;
use crate::webhook_endpoint::EndpointId;
use crate::{Timestamp, stored_instant};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attention {
    pub id: AttentionId,
    pub kind: AttentionKind,
    pub invoice: Option<InvoiceId>,
    pub bill: Option<BillId>,
    pub amount: Option<Money>,
    pub gateway: Option<GatewayName>,
    /// What the gateway calls it, if it told.
    pub reference: Option<GatewayReference>,
    /// One sentence for whoever decides.
    pub detail: String,
    pub raised_at: Timestamp,
    pub closed: Option<Closed>,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    #[serde(with = "stored_instant")]
    pub at: Timestamp,
    /// None: it ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttentionKind {
    /// Every poll was silent: nobody knows whether it charged.
    UnknownOutcome,
    /// The gateway captured another amount than it was asked for.
    AmountMismatch,
    /// Money came for which nothing was owed. It is being refunded.
    OrphanPayment,
    /// A refund that the gateway refused, or about which it stays silent.
    RefundFailed,
    /// Our set-up, the currency, or the customer's record at the gateway keeps the charge from being made.
    CannotCharge,
    /// The cardholder disputes what was given back already.
    DisputeAfterRefund,
    /// A customer contested a payment with us, and no bank has opened a case about it.
    ContestUnanswered,
    /// A bank's case of which its gateway tells nothing any more, and whose end it never told.
    DisputeOutcomeUnknown,
    /// Our books and the gateway's differ.
    ReconciliationDifference,
    /// What a gateway says of the charge that its webhook named isn't what we ordered.
    WebhookMismatch,
    /// A closed bill is to be settled in one currency, and what the others are worth in it cannot be had.
    BillAwaitsRates,
    /// No gateway takes what a bill's invoice asks for.
    BillNotCharged,
    /// A merchant's wallet did not take what moved of a payment, which is booked as owed instead.
    MerchantNotSettled,
    /// A server that wanted to be told isn't reached any more.
    WebhookEndpointDisabled,
    /// The risk rules hold a charge until a person has looked at it.
    RiskReview,
}

impl AttentionKind {
    pub const ALL: [Self; 15] = [
        Self::UnknownOutcome,
        Self::AmountMismatch,
        Self::OrphanPayment,
        Self::RefundFailed,
        Self::CannotCharge,
        Self::DisputeAfterRefund,
        Self::ContestUnanswered,
        Self::DisputeOutcomeUnknown,
        Self::ReconciliationDifference,
        Self::WebhookMismatch,
        Self::BillAwaitsRates,
        Self::BillNotCharged,
        Self::MerchantNotSettled,
        Self::WebhookEndpointDisabled,
        Self::RiskReview,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownOutcome => "unknown_outcome",
            Self::AmountMismatch => "amount_mismatch",
            Self::OrphanPayment => "orphan_payment",
            Self::RefundFailed => "refund_failed",
            Self::CannotCharge => "cannot_charge",
            Self::DisputeAfterRefund => "dispute_after_refund",
            Self::ContestUnanswered => "contest_unanswered",
            Self::DisputeOutcomeUnknown => "dispute_outcome_unknown",
            Self::ReconciliationDifference => "reconciliation_difference",
            Self::WebhookMismatch => "webhook_mismatch",
            Self::BillAwaitsRates => "bill_awaits_rates",
            Self::BillNotCharged => "bill_not_charged",
            Self::MerchantNotSettled => "merchant_not_settled",
            Self::WebhookEndpointDisabled => "webhook_endpoint_disabled",
            Self::RiskReview => "risk_review",
        }
    }
}

/// Called after what it is about, so that the same matter is raised once and can be closed without being looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttentionId(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not the id of a matter that needs attention")]
pub struct InvalidAttentionId;

impl AttentionId {
    pub const PREFIX: &str = "atn_";
    pub const REVIEW: &str = "review_";
    pub const MISSED: &str = "missed_";
    const LONGEST: usize = 64;

    pub fn of_attempt(attempt: AttemptId) -> Self {
        Self(format!("{}att_{}{:02}", Self::PREFIX, attempt.invoice.code(), attempt.number.0))
    }

    /// Apart from whatever else may come of the attempt: what was said at a review stays on record.
    pub fn of_review(attempt: AttemptId) -> Self {
        Self(format!("{}{}{attempt}", Self::PREFIX, Self::REVIEW))
    }

    /// Orphans are counted within their invoice.
    pub fn of_orphan(invoice: InvoiceId, place: usize) -> Self {
        Self(format!("{}orphan_{}{place:02}", Self::PREFIX, invoice.code()))
    }

    pub fn of_refund(refund: RefundId) -> Self {
        Self(format!("{}{}{}", Self::PREFIX, OwnedId::<crate::id::kind::Refund>::PREFIX, refund.code()))
    }

    pub fn of_dispute(dispute: DisputeId) -> Self {
        Self(format!("{}{}{}", Self::PREFIX, OwnedId::<crate::id::kind::Dispute>::PREFIX, dispute.code()))
    }

    /// Apart from whatever else came of the dispute, which may be on the list beside it.
    pub fn of_missed(dispute: DisputeId) -> Self {
        Self(format!("{}{}{dispute}", Self::PREFIX, Self::MISSED))
    }

    pub fn of_bill(bill: BillId) -> Self {
        Self(format!("{}{}{}", Self::PREFIX, BillId::PREFIX, bill.code()))
    }

    pub fn of_balance(bill: BillId) -> Self {
        Self(format!("{}balance_{}", Self::PREFIX, bill.code()))
    }

    /// What a journal could not move, under the journal's own name.
    pub fn of_journal(journal: TransactionId) -> Self {
        Self(format!("{}{}{}", Self::PREFIX, TransactionId::PREFIX, journal.code()))
    }

    pub fn of_invoice(invoice: InvoiceId) -> Self {
        Self(format!("{}{}{}", Self::PREFIX, InvoiceId::PREFIX, invoice.code()))
    }

    pub fn of_endpoint(endpoint: EndpointId) -> Self {
        Self(format!("{}{endpoint}", Self::PREFIX))
    }

    /// `digest` tells one difference from another.
    pub fn of_difference(digest: &str) -> Self {
        Self(format!("{}diff_{digest}", Self::PREFIX).chars().take(Self::LONGEST).collect())
    }

    /// `digest` tells one event from another.
    pub fn of_webhook(digest: &str) -> Self {
        Self(format!("{}wh_{digest}", Self::PREFIX).chars().take(Self::LONGEST).collect())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AttentionId {
    type Err = InvalidAttentionId;

    fn from_str(text: &str) -> Result<Self, InvalidAttentionId> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let fits = text.len() <= Self::LONGEST && text.starts_with(Self::PREFIX) && text.bytes().all(plain);
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidAttentionId) }
    }
}

impl fmt::Display for AttentionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{AttemptNumber, CustomerId};

    #[test]
    fn a_matter_is_called_after_what_it_is_about_and_read_back() {
        let (customer, at) = (CustomerId::new(42), Timestamp::UNIX_EPOCH);
        let invoice = InvoiceId::new(customer, at, 7);
        let attempt = AttemptId { invoice, number: AttemptNumber(3) };
        let code = "00000000001A0000000000000007";
        for (id, name) in [
            (AttentionId::of_attempt(attempt), format!("atn_att_{code}03")),
            (AttentionId::of_review(attempt), format!("atn_review_att_{code}03")),
            (AttentionId::of_orphan(invoice, 1), format!("atn_orphan_{code}01")),
            (AttentionId::of_invoice(invoice), format!("atn_inv_{code}")),
            (AttentionId::of_refund(RefundId::new(customer, at, 7)), format!("atn_rfd_{code}")),
            (AttentionId::of_dispute(DisputeId::new(customer, at, 7)), format!("atn_dsp_{code}")),
            (AttentionId::of_missed(DisputeId::new(customer, at, 7)), format!("atn_missed_dsp_{code}")),
            (AttentionId::of_bill(BillId::new(customer, at, 7)), format!("atn_bill_{code}")),
            (AttentionId::of_balance(BillId::new(customer, at, 7)), format!("atn_balance_{code}")),
            (AttentionId::of_journal(TransactionId::new(customer, at, 7)), format!("atn_txn_{code}")),
            (AttentionId::of_endpoint(EndpointId::new(at, 7)), "atn_we_0000000000000007".to_owned()),
            (AttentionId::of_difference(&"d".repeat(99)), format!("atn_diff_{}", "d".repeat(55))),
            (AttentionId::of_webhook("a-b_c"), "atn_wh_a-b_c".to_owned()),
        ] {
            assert_eq!((id.as_str(), id.to_string()), (name.as_str(), name.clone()));
            assert_eq!(name.parse(), Ok(id));
        }
    }

    #[test]
    fn what_is_not_called_so_is_no_matter() {
        for text in ["", "att_1", "xatn_1", "atn_a b", "atn_a/b", "atn_é", &format!("atn_{}", "a".repeat(61))]
        {
            assert_eq!(text.parse::<AttentionId>(), Err(InvalidAttentionId), "{text}");
        }
    }
}
