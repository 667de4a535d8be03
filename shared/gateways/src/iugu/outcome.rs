//! How an invoice stands, from what Iugu says of it.

use super::declines::of_lr;
use super::wire::{Charged, Invoice, Status};
use crate::brazil::declines::issuer_code;
use crate::brazil::{is_plain, pix, reais};
use crate::trouble::Trouble;
use fatura_domain::gateway::{
    ChargeOutcome, DisputeOutcome, DisputeStanding, DisputeVerdict, GatewayReference, PendingAction,
};
use fatura_domain::id::AttemptId;
use serde_json::Value;

pub(super) fn declined(charged: Charged) -> Result<ChargeOutcome, Trouble> {
    let lr = charged.lr.as_ref().map(|lr| match lr {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    let lr = lr.filter(|lr| !lr.is_empty() && lr != "null");
    if lr.as_deref().is_some_and(|lr| issuer_code(lr) == "0") {
        return Err(Trouble::unknown("contradictory_answer", "declined, and the issuer approved"));
    }
    Ok(ChargeOutcome::Declined {
        failure: of_lr(lr.as_deref(), charged.message.as_deref()),
        reference: charged.invoice_id.filter(|id| is_plain(id)).map(GatewayReference),
    })
}

/// How this invoice stands, once it is sure to be the one that was asked about.
pub(super) fn standing(invoice: &Invoice, attempt: AttemptId) -> Result<ChargeOutcome, Trouble> {
    if !is_of(invoice, attempt) || !is_plain(&invoice.id) {
        return Err(of_others());
    }
    let reference = GatewayReference(invoice.id.clone());
    Ok(match invoice.status {
        _ if invoice.took_money() => {
            if invoice.currency.as_deref().is_some_and(|currency| currency != "BRL") {
                return Err(Trouble::unknown("contradictory_answer", "paid in another currency than reais"));
            }
            let captured = reais::cents(invoice.paid_cents().unwrap_or_default())?;
            ChargeOutcome::Approved { reference, captured }
        }
        Status::Pending => ChargeOutcome::Pending { reference, action: awaited(invoice)? },
        // K: a direct charge that fails cancels its invoice.
        Status::Canceled | Status::Expired => ChargeOutcome::Voided { reference },
        // Somebody says that it was paid, and not through Iugu.
        Status::ExternallyPaid => {
            return Err(Trouble::unknown("paid_elsewhere", "the invoice was marked as paid outside of Iugu"));
        }
        _ => ChargeOutcome::Pending { reference, action: PendingAction::Review },
    })
}

fn awaited(invoice: &Invoice) -> Result<PendingAction, Trouble> {
    let code =
        invoice.pix.as_ref().and_then(|code| code.qrcode_text.as_deref()).filter(|code| !code.is_empty());
    let Some(emv) = code else { return Ok(PendingAction::Review) };
    // U whether the code ends with the day or later; that it is good until then is sure.
    let due = invoice.due_date.as_deref().unwrap_or_default();
    pix::scan(emv, &format!("{due}T23:59:59-03:00"))
}

/// Of several invoices under one reference the one that took money counts, then the one that still may.
pub(super) fn standing_among(invoices: Vec<Invoice>, attempt: AttemptId) -> Result<ChargeOutcome, Trouble> {
    let found = !invoices.is_empty();
    let mut ours: Vec<Invoice> = invoices.into_iter().filter(|invoice| is_of(invoice, attempt)).collect();
    ours.sort_by_key(rank);
    if ours.iter().filter(|invoice| invoice.took_money()).count() > 1 {
        tracing::error!(%attempt, "the gateway captured more than once for one attempt");
    }
    match ours.first() {
        Some(first) => standing(first, attempt),
        None if found => Err(of_others()),
        None => Ok(ChargeOutcome::Absent),
    }
}

fn rank(invoice: &Invoice) -> u8 {
    match invoice.status {
        _ if invoice.took_money() => 0,
        Status::Canceled | Status::Expired => 2,
        _ => 1,
    }
}

/// Iugu keeps no case apart from its invoice: the status is all that it tells (D that there are these two). One that was
/// won is an invoice that is paid again, which looks like one that was never disputed.
pub(super) fn dispute(invoices: &[Invoice], attempt: AttemptId) -> Result<DisputeOutcome, Trouble> {
    if invoices.is_empty() {
        return Ok(DisputeOutcome::Uncharged);
    }
    if !invoices.iter().any(|invoice| is_of(invoice, attempt)) {
        return Err(of_others());
    }
    let disputed = invoices.iter().filter(|invoice| is_of(invoice, attempt)).filter_map(|invoice| {
        let status = match invoice.status {
            Status::InProtest => DisputeVerdict::Open,
            Status::Chargeback => DisputeVerdict::Lost,
            _ => return None,
        };
        Some(DisputeStanding { reference: GatewayReference(invoice.id.clone()), status, amount: None })
    });
    Ok(DisputeOutcome::Told(disputed.collect()))
}

fn is_of(invoice: &Invoice, attempt: AttemptId) -> bool {
    invoice.order_id.as_deref() == Some(attempt.to_string().as_str())
}

fn of_others() -> Trouble {
    Trouble::unknown("reference_mismatch", "the gateway told of the invoices of other attempts only")
}
