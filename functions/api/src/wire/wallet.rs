use super::common::MoneyBody;
use super::fields::{Fields, Read};
use super::values::{id, money, text};
use crate::problem::Problem;
use fatura_domain::id::CustomerId;
use fatura_domain::ledger::MovementReference;
use fatura_domain::wallet::{Amount, Movement, Route, Wallet};
use serde::Serialize;
use serde_json::Value;

/// Money in or out, by the bank.
pub(crate) fn read_movement(
    customer: CustomerId,
    route: Route,
    mut fields: Fields,
) -> Result<Movement, Problem> {
    let (amount, reference) = what(&mut fields);
    fields.finish(|| Some(Movement { customer, route, amount: amount?, reference }))
}

pub(crate) fn read_transfer(customer: CustomerId, mut fields: Fields) -> Result<Movement, Problem> {
    let to = fields.required("to_customer_id", id::<CustomerId>);
    let (amount, reference) = what(&mut fields);
    fields.finish(|| {
        Some(Movement { customer, route: Route::Transfer { to: to? }, amount: amount?, reference })
    })
}

fn what(fields: &mut Fields) -> (Option<Amount>, Option<MovementReference>) {
    (fields.required("amount", amount), fields.optional("reference", text(MovementReference::parse)))
}

fn amount(value: &Value) -> Read<Amount> {
    Amount::try_new(money(value)?).map_err(|error| error.to_string())
}

#[derive(Debug, Serialize)]
pub(crate) struct BalanceBody {
    customer_id: String,
    balances: Vec<MoneyBody>,
}

impl BalanceBody {
    pub(crate) fn of(customer: CustomerId, wallets: &[Wallet]) -> Self {
        let balances = wallets.iter().map(|wallet| wallet.balance.into()).collect();
        Self { customer_id: customer.to_string(), balances }
    }
}
