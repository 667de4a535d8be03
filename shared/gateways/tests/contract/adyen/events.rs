//! What Adyen's events vouch for.

use super::{MERCHANT, PSP, by_card, gateway};
use crate::brazil::{brl, refund_of};
use fatura_application::ports::Told;
use fatura_domain::charge::FailureClass;
use fatura_domain::gateway::{ChargeOutcome, DisputeVerdict, GatewayReference, RefundOutcome};
use serde_json::{Value, json};

fn told(items: &Value) -> Vec<Told> {
    gateway("http://127.0.0.1:1", &[], &[]).told(items.to_string().as_bytes())
}

fn item(code: &str, reference: &str, original: Option<&str>) -> Value {
    json!({
        "pspReference": if original.is_some() { "JDD6LKT8MBLZNN84" } else { PSP },
        "originalReference": original,
        "merchantAccountCode": MERCHANT,
        "merchantReference": reference,
        "amount": { "currency": "BRL", "value": 12_345 },
        "eventCode": code,
        "success": "true",
    })
}

fn failing(mut item: Value) -> Value {
    item["success"] = json!("false");
    item
}

fn reference(id: &str) -> GatewayReference {
    GatewayReference(id.to_owned())
}

#[test]
fn of_a_charge() {
    let attempt = by_card().attempt;
    let ours = attempt.to_string();
    let charge = |outcome| vec![Told::Charge { attempt, outcome }];
    let voided = || charge(ChargeOutcome::Voided { reference: reference(PSP) });
    let withdrawn = || vec![Told::Withdrawn { attempt, charge: reference(PSP) }];
    let paid = charge(ChargeOutcome::Approved { reference: reference(PSP), captured: brl(12_345) });
    for (item, expected) in [
        (item("AUTHORISATION", &ours, None), paid),
        (item("OFFER_CLOSED", &ours, None), voided()),
        (item("CANCELLATION", &ours, Some(PSP)), voided()),
        (item("TECHNICAL_CANCEL", &ours, Some(PSP)), voided()),
        (item("CAPTURE_FAILED", &ours, Some(PSP)), withdrawn()),
        (item("CANCEL_OR_REFUND", &ours, Some(PSP)), withdrawn()),
        (failing(item("CAPTURE", &ours, Some(PSP))), withdrawn()),
        (item("EXPIRE", &ours, Some(PSP)), withdrawn()),
        (item("EXPIRE", &ours, None), withdrawn()),
        // Nothing that changes how the charge stands.
        (failing(item("CANCELLATION", &ours, Some(PSP))), Vec::new()),
        (item("CAPTURE", &ours, Some(PSP)), Vec::new()),
        (item("PENDING", &ours, None), Vec::new()),
        (item("REPORT_AVAILABLE", "", None), Vec::new()),
        (item("CANCELLATION", &ours, None), Vec::new()),
        // None of ours.
        (item("AUTHORISATION", "order 7", None), Vec::new()),
        (item("AUTHORISATION", "", None), Vec::new()),
    ] {
        assert_eq!(told(&json!([item])), expected, "{item}");
    }
    let [Told::Charge { outcome, .. }] = &told(&json!([failing(item("AUTHORISATION", &ours, None))]))[..]
    else {
        panic!("one word")
    };
    let ChargeOutcome::Declined { reference: Some(id), failure } = outcome else { panic!("{outcome:?}") };
    assert_eq!((id, failure.class, &failure.raw_code), (&reference(PSP), FailureClass::Generic, &None));
}

#[test]
fn of_a_refund() {
    let order = refund_of(PSP, 12_345);
    let ours = order.refund.to_string();
    for (code, success, expected) in [
        ("REFUND", true, Some(true)),
        ("REFUND", false, Some(false)),
        ("REFUND_FAILED", true, Some(false)),
        ("REFUNDED_REVERSED", true, Some(false)),
        ("REFUND_FAILED", false, None),
    ] {
        let item = item(code, &ours, Some(PSP));
        let item = if success { item } else { failing(item) };
        let words = told(&json!([item]));
        let Some(has_succeeded) = expected else {
            assert_eq!(words, []);
            continue;
        };
        let [Told::Refund { refund, charge, outcome }] = &words[..] else { panic!("{words:?}") };
        assert_eq!((*refund, charge), (order.refund, &reference(PSP)));
        match outcome {
            RefundOutcome::Succeeded { reference: id, amount } => {
                assert!(has_succeeded);
                assert_eq!((id, *amount), (&reference("JDD6LKT8MBLZNN84"), brl(12_345)));
            }
            outcome => assert!(matches!(outcome, RefundOutcome::Failed { .. }) && !has_succeeded, "{code}"),
        }
    }
    // Made in Adyen's own pages: none of ours. Of which charge it isn't said: none either.
    assert_eq!(told(&json!([item("REFUND", "by hand", Some(PSP))])), []);
    assert_eq!(told(&json!([item("REFUND", &ours, None)])), []);
}

#[test]
fn of_a_dispute() {
    use DisputeVerdict::{Lost, Open, Won};
    let attempt = by_card().attempt;
    for (code, expected) in [
        ("NOTIFICATION_OF_CHARGEBACK", Some((Open, "JDD6LKT8MBLZNN84"))),
        ("CHARGEBACK", Some((Lost, "JDD6LKT8MBLZNN84"))),
        ("CHARGEBACK_REVERSED", Some((Won, "JDD6LKT8MBLZNN84"))),
        ("PREARBITRATION_WON", Some((Won, "JDD6LKT8MBLZNN84"))),
        ("SECOND_CHARGEBACK", Some((Lost, "JDD6LKT8MBLZNN84/2"))),
        ("PREARBITRATION_LOST", Some((Lost, "JDD6LKT8MBLZNN84/2"))),
        ("REQUEST_FOR_INFORMATION", None),
        ("NOTIFICATION_OF_FRAUD", None),
        ("DISPUTE_DEFENSE_PERIOD_ENDED", None),
    ] {
        let words = told(&json!([item(code, &attempt.to_string(), Some(PSP))]));
        let Some((status, case)) = expected else {
            assert_eq!(words, [], "{code}");
            continue;
        };
        let [Told::Dispute { attempt: told, charge, standing }] = &words[..] else { panic!("{words:?}") };
        assert_eq!((*told, charge), (attempt, &reference(PSP)), "{code}");
        assert_eq!((standing.status, &standing.reference), (status, &reference(case)), "{code}");
        assert_eq!(standing.amount, Some(brl(12_345)));
    }
}

#[test]
fn amounts_in_their_unit_or_not_at_all() {
    let ours = by_card().attempt.to_string();
    for (currency, value, expected) in [
        ("JPY", 500_i64, Some((500, "JPY"))),
        ("KWD", 1_234, Some((1_234, "KWD"))),
        ("CLP", 199_000, Some((1_990, "CLP"))),
        ("CLP", 199_050, None),
        ("XXX", 1, None),
        ("BRL", 0, None),
        ("BRL", -1, None),
    ] {
        let mut item = item("AUTHORISATION", &ours, None);
        item["amount"] = json!({ "currency": currency, "value": value });
        let captured = match &told(&json!([item]))[..] {
            [Told::Charge { outcome: ChargeOutcome::Approved { captured, .. }, .. }] => Some(*captured),
            _ => None,
        };
        let captured = captured.map(|amount| (amount.minor(), amount.currency().code().to_owned()));
        assert_eq!(captured, expected.map(|(minor, code)| (minor, code.to_owned())), "{value} {currency}");
    }
}

#[test]
fn every_item_of_a_batch_counts() {
    let (one, two) = (by_card().attempt, by_card().attempt);
    let items: Vec<Value> =
        [one, two].iter().map(|ours| item("AUTHORISATION", &ours.to_string(), None)).collect();
    let attempts: Vec<_> = told(&json!(items))
        .into_iter()
        .map(|word| match word {
            Told::Charge { attempt, .. } => attempt,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(attempts, [one, two]);
    for body in ["", "{}", "[]", "null", "[{}]", "<xml/>", "[1]"] {
        let gateway = gateway("http://127.0.0.1:1", &[], &[]);
        assert!(gateway.parse_webhook(body.as_bytes()).is_err(), "{body}");
        assert_eq!(gateway.told(body.as_bytes()), [], "{body}");
    }
}
