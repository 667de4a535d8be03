//! Which notice an event asks for. What the event says is what is told, however late: only what has to be true still, a Pix
//! code that can be paid, is looked up.

use crate::wire::event::{Amount, At, BillData, Event, EventData, InvoiceData};
use fatura_domain::Timestamp;
use fatura_domain::charge::FailureClass;
use fatura_domain::event::EventKind;
use fatura_domain::id::InvoiceId;
use fatura_domain::money::Money;
use fatura_domain::notice::NoticeKind;
use fatura_notices::{Matter, Remedy};

/// What is to be told, without what has to be read first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum About {
    /// As it is, but for what it was paid with.
    Paid {
        invoice: InvoiceId,
        amount: Money,
        at: Timestamp,
    },
    Returned {
        invoice: InvoiceId,
        amount: Money,
        at: Timestamp,
    },
    Pix {
        invoice: InvoiceId,
    },
    Whole(Matter),
}

impl About {
    pub(super) const fn kind(&self) -> NoticeKind {
        match self {
            Self::Paid { .. } => NoticeKind::Receipt,
            Self::Returned { .. } => NoticeKind::Refund,
            Self::Pix { .. } => NoticeKind::PixQr,
            Self::Whole(matter) => matter.kind(),
        }
    }
}

/// Whether anybody is told of such events at all. Others are not even read: what they hold is for others.
pub(super) const fn is_told(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::InvoicePaid
            | EventKind::InvoiceChargeFailed
            | EventKind::InvoiceUncollectible
            | EventKind::InvoiceRefunded
            | EventKind::InvoicePartiallyRefunded
            | EventKind::InvoiceInProtest
            | EventKind::InvoiceActionRequired
            | EventKind::BillClosed
    )
}

/// None: nobody is told of that.
pub(super) fn about(kind: EventKind, event: &Event) -> Option<About> {
    let At(at) = event.occurred_at;
    match &event.data {
        EventData::Invoice(data) => about_invoice(kind, at, data),
        EventData::Bill(data) => about_bill(kind, data),
    }
}

fn about_invoice(kind: EventKind, at: Timestamp, data: &InvoiceData) -> Option<About> {
    let invoice = data.invoice_id;
    match kind {
        // Money that came, and not a dispute that was won or a total of nothing.
        EventKind::InvoicePaid if ["charge_succeeded", "paid_from_wallet"].contains(&data.cause.as_str()) => {
            Some(About::Paid { invoice, amount: data.amount_paid.money()?, at })
        }
        EventKind::InvoiceChargeFailed | EventKind::InvoiceUncollectible => {
            let failure = data.failure.as_ref()?;
            // The last comes with an event of its own about the end, and is one failure all the same.
            if failure.uncollectible && kind == EventKind::InvoiceChargeFailed {
                return None;
            }
            let class = FailureClass::ALL.into_iter().find(|class| class.as_str() == failure.class)?;
            Some(About::Whole(Matter::ChargeFailed {
                invoice,
                amount: data.total.money()?,
                remedy: Remedy::of(class),
                again_at: failure.retry_at.map(|At(at)| at),
            }))
        }
        EventKind::InvoiceRefunded | EventKind::InvoicePartiallyRefunded => {
            let amount = data.amount_returned.as_ref()?.money()?;
            Some(About::Returned { invoice, amount, at })
        }
        // One that goes on after another's end was told of when it began.
        EventKind::InvoiceInProtest if ["contested", "dispute_opened"].contains(&data.cause.as_str()) => {
            Some(About::Whole(Matter::DisputeOpened { invoice, amount: data.amount_paid.money()?, at }))
        }
        EventKind::InvoiceActionRequired => Some(About::Pix { invoice }),
        _ => None,
    }
}

fn about_bill(kind: EventKind, data: &BillData) -> Option<About> {
    let (EventKind::BillClosed, Some(total)) = (kind, &data.total) else { return None };
    let totals: Option<Vec<Money>> = total
        .by_currency
        .iter()
        .map(|(currency, amount)| Money::parse(amount, currency.parse().ok()?).ok())
        .collect();
    // A bill of nothing asks for nothing.
    let totals = totals.filter(|totals| totals.iter().any(|total| !total.is_zero()))?;
    Some(About::Whole(Matter::BillClosed {
        bill: data.bill_id,
        from: data.period_start.0,
        to: data.period_end.0,
        totals,
        converted: total.converted.as_ref().and_then(Amount::money),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: &str, data: &str) -> Option<About> {
        let body = format!(
            r#"{{"id":"evt_1","type":"{kind}","occurred_at":"2026-11-21T12:00:03.251Z","data":{{{data},"customer_id":"cus_1Q7S2D5VJ8KM","version":4}}}}"#
        );
        let kind = EventKind::ALL.into_iter().find(|known| known.as_str() == kind).unwrap();
        let told = about(kind, &serde_json::from_str(&body).unwrap());
        assert!(told.is_none() || is_told(kind));
        told
    }

    fn invoice(kind: &str, cause: &str, more: &str) -> Option<About> {
        let money = r#"{"amount":"122.05","currency":"BRL"}"#;
        let data = format!(
            r#""invoice_id":"inv_1Q7S2D5VJ8KM01JD4Z9W2E7XQ4BT","status":"x","cause":"{cause}","total":{money},"amount_paid":{money}{more}"#
        );
        told(kind, &data)
    }

    fn brl(minor: i64) -> Money {
        Money::try_new(minor, fatura_domain::money::Currency::BRL).unwrap()
    }

    #[test]
    fn a_receipt_is_for_money_that_came() {
        for cause in ["charge_succeeded", "paid_from_wallet"] {
            let receipt = invoice("invoice.paid", cause, "").unwrap();
            assert!(matches!(receipt, About::Paid { amount, .. } if amount == brl(12_205)), "{cause}");
        }
        for cause in ["nothing_to_pay", "dispute_won", "reinstated"] {
            assert_eq!(invoice("invoice.paid", cause, ""), None, "{cause}");
        }
    }

    #[test]
    fn a_failure_says_what_to_do_and_when_it_is_tried_again() {
        let failure =
            r#","failure":{"class":"insufficient_funds","code":"51","retry_at":"2026-11-24T12:00:00Z"}"#;
        let Some(About::Whole(Matter::ChargeFailed { amount, remedy, again_at, .. })) =
            invoice("invoice.charge_failed", "charge_failed", failure)
        else {
            panic!("a failure")
        };
        assert_eq!((amount, remedy), (brl(12_205), Remedy::AddFunds));
        assert_eq!(again_at, Some("2026-11-24T12:00:00Z".parse().unwrap()));
        let last = failure.replace(r#""2026-11-24T12:00:00Z""#, "null");
        let last = invoice("invoice.uncollectible", "gave_up", &last).unwrap();
        assert!(matches!(last, About::Whole(Matter::ChargeFailed { again_at: None, .. })));
    }

    /// Two events come of the failure with which an invoice is given up: one of them is told.
    #[test]
    fn the_last_failure_is_told_once() {
        let failure = r#","failure":{"class":"hard","code":"54","retry_at":null,"uncollectible":true}"#;
        assert_eq!(invoice("invoice.charge_failed", "charge_failed", failure), None);
        assert!(invoice("invoice.uncollectible", "gave_up", failure).is_some());
        let waits = failure.replace("true", "false");
        assert!(invoice("invoice.charge_failed", "charge_failed", &waits).is_some());
    }

    #[test]
    fn a_refund_is_of_what_went_back_this_time() {
        let returned = r#","amount_returned":{"amount":"22.05","currency":"BRL"}"#;
        for kind in ["invoice.partially_refunded", "invoice.refunded"] {
            let refund = invoice(kind, "refunded", returned).unwrap();
            assert!(matches!(refund, About::Returned { amount, .. } if amount == brl(2_205)), "{kind}");
        }
        assert_eq!(invoice("invoice.refunded", "refunded", ""), None, "told by an older build");
    }

    #[test]
    fn a_closed_bill_says_each_currency_and_one_of_nothing_says_nothing() {
        let period = r#""bill_id":"bill_1Q7S2D5VJ8KM01JD4Z9W2E7XQ4BT","status":"closed","cause":"counted","period_start":"2026-11-01T00:00:00Z","period_end":"2026-12-01T00:00:00Z""#;
        let closed = told(
            "bill.closed",
            &format!(r#"{period},"total":{{"by_currency":{{"BRL":"10.00","JPY":"7"}},"converted":null}}"#),
        );
        let Some(About::Whole(Matter::BillClosed { totals, converted, .. })) = closed else {
            panic!("a bill")
        };
        assert_eq!((totals.len(), totals.first(), converted), (2, Some(&brl(1_000)), None));
        let nothing = told(
            "bill.closed",
            &format!(r#"{period},"total":{{"by_currency":{{"BRL":"0.00"}},"converted":null}}"#),
        );
        assert_eq!(nothing, None);
        assert_eq!(told("bill.opened", period), None);
    }

    #[test]
    fn what_concerns_nobody_outside_is_told_to_nobody() {
        for kind in ["invoice.created", "invoice.charging", "invoice.canceled", "invoice.charged_back"] {
            assert_eq!(invoice(kind, "created", ""), None, "{kind}");
        }
        assert!(matches!(invoice("invoice.in_protest", "dispute_opened", ""), Some(About::Whole(_))));
        assert_eq!(invoice("invoice.in_protest", "reinstated", ""), None, "another was told of before");
        assert!(matches!(
            invoice("invoice.action_required", "charge_requested", ""),
            Some(About::Pix { .. })
        ));
    }
}
