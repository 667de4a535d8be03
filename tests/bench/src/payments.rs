//! What a payment over one order costs, by card and from a wallet, its merchant's wallet included.

use crate::costs::{Bench, operator};
use crate::table::Report;
use anyhow::{Context, Result};
use fatura_application::{Answer, MakePayment, OrderView, PayBy, PlaceOrder};
use fatura_domain::customer::{Customer, CustomerKind, Profile};
use fatura_domain::id::{CustomerId, OrderId};
use fatura_domain::invoice::Invoice;
use fatura_domain::ledger::Transaction;
use fatura_domain::money::{Currency, Money};
use fatura_domain::text::{Email, Metadata, Name};
use fatura_domain::wallet::{Amount, Movement, Route};
use fatura_store::Reading;

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let bench = Bench::start().await?;
    let merchant = bench.merchant().await?;
    bench.fill_wallet().await?;
    // The first payment opens the merchant's wallet, and tells the function the fees in force.
    let order = bench.order(merchant).await?.0;
    bench.pay(order, PayBy::Wallet).await?;

    let (order, placed) = bench.order(merchant).await?;
    report.paid("place an order", placed);
    report.paid("payment of an order from the wallet", bench.pay(order, PayBy::Wallet).await?);
    let (order, _) = bench.order(merchant).await?;
    let made = bench.pay(order, PayBy::Method(None)).await?;
    report.paid("payment of an order by card", made);
    let settled = bench.consume().await?;
    report.paid("consume it (claim and settle)", settled);
    let units = made.write_units() + settled.write_units();
    report.add("write units, payment by card → paid", units, "", None);
    Ok(())
}

impl Report {
    fn paid(&mut self, name: &str, cost: Reading) {
        self.add(format!("{name}: round trips"), cost.round_trips, "", None);
        self.add(format!("{name}: write units"), cost.write_units(), "", None);
    }
}

impl Bench {
    async fn merchant(&self) -> Result<CustomerId> {
        let profile = Profile {
            name: Name::parse("Shop")?,
            email: Email::parse("shop@example.com")?,
            external_id: None,
            kind: CustomerKind::Merchant,
            time_zone: None,
            billing_anchor_day: None,
            country: None,
            metadata: Metadata::default(),
        };
        let shown = |customer: &Customer| Self::answer(&customer.id.to_string());
        let made = self.app.create_customer(&operator(), profile, None, &self.once(), &shown).await?;
        made.answer.body.parse().context("a customer's id")
    }

    async fn fill_wallet(&self) -> Result<()> {
        let amount = Amount::try_new(Money::try_new(1_000_000, Currency::BRL)?)?;
        let movement = Movement { customer: self.customer, route: Route::Credit, amount, reference: None };
        let shown = |booked: &Transaction| Self::answer(&booked.id.to_string());
        self.app.move_in_wallet(&operator(), movement, &self.once(), &shown).await?;
        Ok(())
    }

    async fn order(&self, merchant: CustomerId) -> Result<(OrderId, Reading)> {
        let command = PlaceOrder { buyer: self.customer, merchant, content: Self::content()? };
        let once = self.once();
        let shown = |view: &OrderView| Self::answer(&view.order.id.to_string());
        let (reply, cost) = self.metered(self.app.place_order(&operator(), command, &once, &shown)).await?;
        Ok((reply.answer.body.parse().context("an order's id")?, cost))
    }

    async fn pay(&self, order: OrderId, by: PayBy) -> Result<Reading> {
        let metadata = Metadata::default();
        let command = MakePayment { orders: vec![order], by, description: None, metadata };
        let once = self.once();
        Ok(self.metered(self.app.make_payment(&operator(), command, &once, &shown)).await?.1)
    }
}

/// As long an answer as the API's, which the idempotency record keeps.
fn shown(payment: &Invoice) -> Answer {
    Bench::answer(&format!("{payment:?}"))
}
