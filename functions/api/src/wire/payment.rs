use super::attempt::{AttemptBody, attempts_body};
use super::common::{FailureBody, Instant, MoneyBody, metadata_body};
use super::fields::Fields;
use super::invoice::{NextActionBody, failure, next_action};
use super::refund::RefundBody;
use super::risk::{JudgementBody, may_see};
use super::values::{flag, id, text};
use crate::problem::Problem;
use fatura_application::access::Caller;
use fatura_application::{MakePayment, PayBy, PaymentView};
use fatura_domain::id::{OrderId, PaymentId, PaymentMethodId};
use fatura_domain::invoice::{Invoice, Share, Split};
use fatura_domain::money::Money;
use fatura_domain::text::Description;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) fn read_payment(mut fields: Fields) -> Result<MakePayment, Problem> {
    let orders = fields.required("order_ids", |value| Ok(value.clone()));
    let orders = orders.and_then(|orders| read_orders(&mut fields, orders));
    let by =
        if fields.says("source") { fields.object("source", read_source) } else { Some(PayBy::Method(None)) };
    let description = fields.optional("description", text(Description::parse));
    let metadata = fields.metadata().unwrap_or_default();
    fields.ignore(&["source"]);
    fields.finish(|| Some(MakePayment { orders: orders?, by: by?, description, metadata }))
}

fn read_orders(fields: &mut Fields, value: Value) -> Option<Vec<OrderId>> {
    const NAME: &str = "order_ids";
    let Value::Array(values) = value else {
        fields.fault(NAME, "must be a list");
        return None;
    };
    if values.is_empty() || values.len() > Split::MOST_SHARES {
        fields.fault(NAME, format!("must have 1 to {} entries", Split::MOST_SHARES));
        return None;
    }
    let mut orders = Vec::new();
    for (place, value) in values.iter().enumerate() {
        match id::<OrderId>(value) {
            Ok(order) => orders.push(order),
            Err(reason) => fields.fault_at(format!("{NAME}[{place}]"), reason),
        }
    }
    (orders.len() == values.len()).then_some(orders)
}

/// A payment method, or the wallet; never both.
pub(super) fn read_source(source: &mut Fields) -> Option<PayBy> {
    let method = source.optional("payment_method_id", id::<PaymentMethodId>);
    let wallet = source.optional("wallet", flag).unwrap_or_default();
    match (method, wallet) {
        (Some(_), true) => {
            source.fault("wallet", "can't be paid from together with a payment method");
            None
        }
        (None, true) => Some(PayBy::Wallet),
        (method, false) => Some(PayBy::Method(method)),
    }
}

/// What a merchant is charged is between the merchant and the platform.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeesFees(bool);

impl SeesFees {
    pub(crate) const fn of(caller: &Caller) -> Self {
        Self(may_see(caller))
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct PaymentBody<'a> {
    id: String,
    invoice_id: String,
    buyer_id: String,
    status: &'static str,
    currency: &'static str,
    description: Option<&'a str>,
    total: MoneyBody,
    amount_paid: MoneyBody,
    amount_refunded: MoneyBody,
    source: SourceBody,
    orders: Vec<ShareBody>,
    next_action: Option<NextActionBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureBody<'a>>,
    metadata: BTreeMap<&'a str, &'a str>,
    created_at: Instant,
    updated_at: Instant,
    version: u64,
}

#[derive(Debug, Serialize)]
struct SourceBody {
    payment_method_id: Option<String>,
    wallet: bool,
}

#[derive(Debug, Serialize)]
struct ShareBody {
    order_id: String,
    merchant_id: String,
    amount: MoneyBody,
    amount_returned: MoneyBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<MoneyBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    net: Option<MoneyBody>,
}

impl<'a> PaymentBody<'a> {
    pub(crate) fn of(invoice: &'a Invoice, sees_fees: SeesFees) -> Self {
        let shares = invoice.split.as_ref().map_or(&[][..], Split::shares);
        Self {
            id: PaymentId::from(invoice.id).to_string(),
            invoice_id: invoice.id.to_string(),
            buyer_id: invoice.customer().to_string(),
            status: invoice.status().as_str(),
            currency: invoice.content.currency.code(),
            description: invoice.content.description.as_ref().map(Description::as_str),
            total: invoice.total.into(),
            amount_paid: invoice.amount_paid().into(),
            amount_refunded: invoice.amount_refunded().into(),
            source: SourceBody {
                payment_method_id: invoice.payment_method().map(|method| method.to_string()),
                wallet: invoice.is_paid_from_wallet(),
            },
            orders: shares.iter().map(|share| share_body(invoice, share, sees_fees)).collect(),
            next_action: next_action(invoice),
            failure: failure(&invoice.state).map(FailureBody::from),
            metadata: metadata_body(&invoice.content.metadata),
            created_at: Instant(invoice.created_at),
            updated_at: Instant(invoice.updated_at),
            version: invoice.version,
        }
    }
}

fn share_body(invoice: &Invoice, share: &Share, SeesFees(sees_fees): SeesFees) -> ShareBody {
    let currency = invoice.content.currency;
    // Each is a part of the invoice's total, which is an amount.
    let money = |minor| Money::try_new(minor, currency).unwrap_or(Money::zero(currency)).into();
    ShareBody {
        order_id: share.order.to_string(),
        merchant_id: share.merchant.to_string(),
        amount: money(share.gross),
        amount_returned: money(share.net_returned + share.fee_returned),
        fee: sees_fees.then(|| money(share.fee)),
        net: sees_fees.then(|| money(share.net())),
    }
}

/// A payment with its attempts and its refunds, newest first.
#[derive(Debug, Serialize)]
pub(crate) struct PaymentDetailBody<'a> {
    #[serde(flatten)]
    payment: PaymentBody<'a>,
    /// Of its newest attempt, for those who may see how charges are judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    risk: Option<JudgementBody<'a>>,
    attempts: Vec<AttemptBody<'a>>,
    refunds: Vec<RefundBody<'a>>,
}

impl<'a> PaymentDetailBody<'a> {
    pub(crate) fn of(view: &'a PaymentView, caller: &Caller) -> Self {
        let PaymentView { invoice, finished: over, refunds } = view;
        let newest = invoice.judgement().or_else(|| over.first()?.risk.as_ref());
        Self {
            payment: PaymentBody::of(invoice, SeesFees::of(caller)),
            risk: newest.filter(|_| may_see(caller)).map(JudgementBody::from),
            attempts: attempts_body(invoice, over, caller),
            refunds: refunds.iter().map(RefundBody::from).collect(),
        }
    }
}
