//! When a bill is looked at again, and what has come of it by then. It follows from the bill alone.

use super::close::CloseCause;
use super::state::{BillState, Retry, Settlement};
use super::{Bill, Change};
use crate::Timestamp;
use crate::attention::{Attention, AttentionId, AttentionKind};
use crate::invoice::Invoice;
use crate::money::{Currency, Money};

impl Bill {
    /// When the sweep has to look, if it has to.
    pub fn due(&self) -> Option<Timestamp> {
        match &self.state {
            BillState::Open => Some(self.terms.period().end()),
            BillState::Closing(closing) => Some(closing.retry.due),
            BillState::Closed(closed) => closed.settlement.retry().map(|retry| retry.due),
            BillState::Canceled => None,
        }
    }

    /// What the sweep writes before anybody goes on with a due bill: an open one begins to close, and for any other the
    /// next look is put off. None: it isn't due.
    pub fn woken(&self, now: Timestamp) -> Option<Self> {
        self.due().filter(|due| *due <= now)?;
        let state = match &self.state {
            BillState::Open => {
                return match self.begin_closing(CloseCause::PeriodEnded, now) {
                    Ok(Change::Applied(bill)) => Some(bill),
                    Ok(Change::AlreadyApplied) | Err(_) => None,
                };
            }
            BillState::Closing(closing) => {
                let mut closing = closing.clone();
                closing.retry = closing.retry.again(now);
                BillState::Closing(closing)
            }
            BillState::Closed(closed) => {
                let mut closed = closed.clone();
                let is_rare = self.awaits_bill();
                if let Some(retry) = closed.settlement.retry_mut() {
                    *retry = if is_rare { Retry::rare(now) } else { retry.again(now) };
                }
                BillState::Closed(closed)
            }
            BillState::Canceled => return None,
        };
        Some(self.touched(state, now))
    }

    fn wanting(&self, currency: Currency) -> String {
        let totals = self.state.closed().map(|closed| closed.sums.totals.iter());
        let is_foreign = |amount: &Money| amount.currency() != currency && !amount.is_zero();
        let foreign = totals.into_iter().flatten().filter(is_foreign);
        let foreign: Vec<&str> = foreign.map(|amount| amount.currency().code()).collect();
        format!(
            "to be settled in {currency} it needs rates for {}, and goes on by itself if their source has them; it can be \
             settled in each currency instead",
            foreign.join(", ")
        )
    }

    /// What a person has to look at because of the state that it is in.
    pub fn matter(&self) -> Option<Attention> {
        let since = self.state.closed()?.settlement.awaiting_rates_since()?;
        let detail = self.wanting(self.terms.settlement_currency()?);
        let id = AttentionId::of_bill(self.id);
        Some(self.attention(id, AttentionKind::BillAwaitsRates, detail, since))
    }

    /// What it asks for has become an invoice that no gateway takes.
    pub fn uncharged(&self, invoice: &Invoice) -> Attention {
        let detail = "no gateway that is enabled takes this customer's payment method in this currency";
        let id = AttentionId::of_invoice(invoice.id);
        let matter = self.attention(id, AttentionKind::BillNotCharged, detail.to_owned(), invoice.updated_at);
        Attention { invoice: Some(invoice.id), amount: Some(invoice.total), ..matter }
    }

    /// No other bill takes its balance at once.
    pub fn uncarried(&self) -> Attention {
        let detail = "its balance is more than another bill takes as one credit";
        let id = AttentionId::of_balance(self.id);
        self.attention(id, AttentionKind::BillNotCharged, detail.to_owned(), self.updated_at)
    }

    fn attention(
        &self,
        id: AttentionId,
        kind: AttentionKind,
        detail: String,
        raised_at: Timestamp,
    ) -> Attention {
        Attention {
            id,
            kind,
            invoice: None,
            bill: Some(self.id),
            amount: None,
            gateway: None,
            reference: None,
            detail,
            raised_at,
            closed: None,
        }
    }
}

impl Settlement {
    pub(super) const fn retry(&self) -> Option<Retry> {
        match self {
            Self::AwaitingRates { retry, .. } | Self::Settling { retry, .. } => Some(*retry),
            Self::Settled { .. } => None,
        }
    }

    pub(super) const fn retry_mut(&mut self) -> Option<&mut Retry> {
        match self {
            Self::AwaitingRates { retry, .. } | Self::Settling { retry, .. } => Some(retry),
            Self::Settled { .. } => None,
        }
    }
}
