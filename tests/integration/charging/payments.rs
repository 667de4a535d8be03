//! Two merchants, one buyer: paid by card and from the wallet, partly given back, paid out. After each step every wallet is
//! the sum of what was posted to it, and the books balance; wherever it is cut off, it ends the same.

use crate::books::ALL;
use crate::faults::Mishap;
use crate::world::{World, answer, card};
use fatura_application::{
    Error, MakePayment, Once, OrderView, PayBy, PlaceOrder, RefundAmount, Reply, RequestRefund,
};
use fatura_domain::customer::{Customer, CustomerKind, Profile};
use fatura_domain::fees::{Fees, Rate};
use fatura_domain::id::{CustomerId, InvoiceId, OrderId};
use fatura_domain::invoice::{Content, Invoice, LineItem, Quantity, Status, UnitPrice};
use fatura_domain::ledger::{Totals, Transaction};
use fatura_domain::money::{Currency, Money};
use fatura_domain::order::OrderStatus;
use fatura_domain::refund::Refund;
use fatura_domain::text::{Description, Email, Metadata, Name};
use fatura_domain::wallet::{Amount, Movement, Route};
use std::panic::AssertUnwindSafe;

fn brl(minor: i64) -> Money {
    Money::try_new(minor, Currency::BRL).unwrap()
}

/// Ana buys from two shops, of which the platform keeps 2.9 per cent and 0.30 of each order.
struct Market {
    world: World,
    ana: CustomerId,
    shops: [CustomerId; 2],
}

impl Market {
    async fn open() -> Self {
        let world = World::start().await;
        let fees = Fees::try_new(Rate::parse("0.029").unwrap(), vec![brl(30)]).unwrap();
        world.app.put_fees(&World::operator(), None, fees, None).await.unwrap();
        let ana = world.payer(card("tok_visa")).await;
        let shops = [merchant(&world, "one").await, merchant(&world, "two").await];
        Self { world, ana, shops }
    }

    async fn order(&self, shop: usize, price: &str) -> OrderId {
        let line = LineItem {
            description: Description::parse("Cup").unwrap(),
            quantity: Quantity::parse("1").unwrap(),
            unit_price: UnitPrice::parse(price).unwrap(),
        };
        let content = Content {
            currency: Currency::BRL,
            items: vec![line],
            description: None,
            metadata: Metadata::default(),
        };
        let command = PlaceOrder { buyer: self.ana, merchant: self.shops[shop], content };
        let shown = |view: &OrderView| answer(view.order.id.to_string());
        let world = &self.world;
        let placed = world.app.place_order(&World::operator(), command, &world.once(), &shown).await;
        placed.unwrap().answer.body.parse().unwrap()
    }

    async fn pay(&self, orders: &[OrderId], by: PayBy, once: &Once) -> Result<Reply, Error> {
        let command =
            MakePayment { orders: orders.to_vec(), by, description: None, metadata: Metadata::default() };
        let shown = |invoice: &Invoice| answer(invoice.id.to_string());
        self.world.app.make_payment(&World::operator(), command, once, &shown).await
    }

    async fn give_back(&self, invoice: InvoiceId, minor: Option<i64>, once: &Once) -> Result<Reply, Error> {
        let amount = minor.map_or(RefundAmount::AllThatIsLeft, |minor| RefundAmount::Exactly(brl(minor)));
        let command = RequestRefund { invoice, amount, reason: None };
        let shown = |refund: &Refund| answer(refund.id.to_string());
        self.world.app.request_refund(&World::operator(), command, once, &shown).await
    }

    async fn move_money(
        &self,
        customer: CustomerId,
        route: Route,
        minor: i64,
        once: &Once,
    ) -> Result<Reply, Error> {
        let amount = Amount::try_new(brl(minor)).unwrap();
        let movement = Movement { customer, route, amount, reference: None };
        let shown = |booked: &Transaction| answer(booked.id.to_string());
        self.world.app.move_in_wallet(&World::operator(), movement, once, &shown).await
    }

    async fn holds(&self, customer: CustomerId) -> i64 {
        let wallets = self.world.app.wallets(&World::operator(), customer).await.unwrap();
        wallets.iter().map(|wallet| wallet.balance.minor()).sum()
    }

    /// Every wallet is the sum of its journals, every chain whole, and debits equal credits over all.
    async fn agrees(&self) {
        let operator = World::operator();
        for customer in [self.ana, self.shops[0], self.shops[1]] {
            let found = self.world.app.verify_customer(&operator, customer, true).await.unwrap();
            assert_eq!(found.findings, [], "{customer}");
            assert_eq!(found.journals, found.sealed);
        }
        let trial = self.world.app.trial_balance(&operator).await.unwrap();
        assert!(trial.differences.iter().all(|(_, left)| *left == 0), "{trial:?}");
        let books = self.world.app.verify_books(&operator, (0, Totals::default()), ALL).await.unwrap();
        assert!(books.findings.is_empty() && books.next.is_none(), "{books:?}");
    }

    /// Done again under the same key until it is answered, as a client does, whatever dies.
    async fn insist<F: Future<Output = Result<Reply, Error>>>(&self, ask: impl Fn() -> F) -> String {
        for _ in 0..8 {
            let asked = futures::FutureExt::catch_unwind(AssertUnwindSafe(ask())).await;
            self.world.store.revive();
            if let Ok(Ok(reply)) = asked {
                return reply.answer.body;
            }
        }
        panic!("never answered");
    }

    /// What fails comes again from the queue or from the sweep, whichever is first.
    async fn until(&self, invoice: InvoiceId, is_so: impl Fn(&Invoice) -> bool) {
        for _ in 0..8 {
            let _ = self.world.deliver().await;
            self.world.store.revive();
            let swept = retry_sweep::handle(&self.world.app, retry_sweep::Task::Sweep, || {
                std::time::Duration::from_secs(50)
            });
            let _ = futures::FutureExt::catch_unwind(AssertUnwindSafe(swept)).await;
            self.world.store.revive();
            if is_so(&self.world.invoice(invoice).await) {
                return;
            }
            self.world.pass(3_700);
        }
        panic!("never so: {:?}", self.world.invoice(invoice).await);
    }
}

async fn merchant(world: &World, name: &str) -> CustomerId {
    let profile = Profile {
        name: Name::parse("Shop").unwrap(),
        email: Email::parse(&format!("{name}@shops.example.com")).unwrap(),
        external_id: None,
        kind: CustomerKind::Merchant,
        time_zone: None,
        billing_anchor_day: None,
        country: None,
        metadata: Metadata::default(),
    };
    let id_only = |customer: &Customer| answer(customer.id.to_string());
    let made = world.app.create_customer(&World::operator(), profile, None, &world.once(), &id_only).await;
    made.unwrap().answer.body.parse().unwrap()
}

#[tokio::test]
async fn a_market_day_to_the_last_cent() {
    let market = Market::open().await;
    let world = &market.world;
    let orders =
        [market.order(0, "70.00").await, market.order(1, "30.00").await, market.order(0, "0.55").await];
    let paid = market.pay(&orders, PayBy::Method(None), &world.once()).await.unwrap();
    let invoice: InvoiceId = paid.answer.body.parse().unwrap();
    world.deliver().await;
    assert_eq!(world.invoice(invoice).await.amount_paid(), brl(10_055));
    assert_eq!(world.journal(invoice).await.len(), 1, "one charge");
    // 2.33 and 0.32 of the first shop's, 1.17 of the second's.
    let holdings = [market.holds(market.shops[0]).await, market.holds(market.shops[1]).await];
    assert_eq!(holdings, [7_055 - 265, 3_000 - 117]);
    market.agrees().await;

    market.give_back(invoice, Some(3_333), &world.once()).await.unwrap();
    world.deliver().await;
    let left = [market.holds(market.shops[0]).await, market.holds(market.shops[1]).await];
    let fees = 382 - (3_333 - (6_790 - left[0]) - (2_883 - left[1]));
    assert_eq!((left, fees), ([4_539, 1_927], 256));
    market.agrees().await;

    let refused = market.pay(&[market.order(1, "50.00").await], PayBy::Wallet, &world.once()).await;
    assert!(matches!(refused, Err(Error::InsufficientFunds(_))), "{refused:?}");
    world.pass(1);
    market.move_money(market.ana, Route::Credit, 5_000, &world.once()).await.unwrap();
    let order = market.order(1, "50.00").await;
    let by_wallet = market.pay(&[order], PayBy::Wallet, &world.once()).await.unwrap();
    assert_eq!((market.holds(market.ana).await, market.holds(market.shops[1]).await), (0, 1_927 + 4_825));
    let view = world.app.order(&World::operator(), order).await.unwrap();
    assert_eq!(view.status, OrderStatus::Paid);
    market.agrees().await;

    let by_wallet: InvoiceId = by_wallet.answer.body.parse().unwrap();
    world.pass(1);
    market.give_back(by_wallet, None, &world.once()).await.unwrap();
    assert_eq!((market.holds(market.ana).await, market.holds(market.shops[1]).await), (5_000, 1_927));
    market.agrees().await;

    world.pass(1);
    market.move_money(market.shops[0], Route::Debit, 4_539, &world.once()).await.unwrap();
    let refused = market.move_money(market.shops[0], Route::Debit, 1, &world.once()).await;
    assert!(matches!(refused, Err(Error::FailedPrecondition { .. })));
    market.agrees().await;

    // Paid out already: the shop owes what goes back, and the buyer gets it.
    world.pass(1);
    market.give_back(invoice, None, &world.once()).await.unwrap();
    world.deliver().await;
    assert_eq!(world.invoice(invoice).await.status(), Status::Refunded);
    let end = [market.holds(market.shops[0]).await, market.holds(market.shops[1]).await];
    assert_eq!(end, [0, 0]);
    let open = world.app.attention(&World::operator(), None, ALL).await.unwrap().data;
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].detail, format!("{} owes 45.39, which its wallet didn't have", market.shops[0]));
    market.agrees().await;
}

/// What was paid out before a bank took it is a debt, and what the bank gives again settles that: it isn't paid out twice.
#[tokio::test]
async fn what_is_given_again_is_not_paid_out_while_it_is_owed() {
    let market = Market::open().await;
    let world = &market.world;
    world.without_webhooks().await;
    let orders = [market.order(0, "70.00").await, market.order(1, "30.00").await];
    let paid = market.pay(&orders, PayBy::Method(None), &world.once()).await.unwrap();
    let invoice: InvoiceId = paid.answer.body.parse().unwrap();
    world.deliver().await;
    world.pass(1);
    market.move_money(market.shops[0], Route::Debit, 6_767, &world.once()).await.unwrap();
    let charge = world.charge_at_gateway(invoice).await;
    for (outcome, owes, second) in [("lost", 6_767, 0), ("won", 0, 2_883)] {
        world.pass(3_600);
        world.dispute(&charge, outcome).await;
        world.tell(&charge, 1, false).await;
        assert_eq!(market.holds(market.shops[0]).await, 0, "{outcome}: it has it in its bank already");
        assert_eq!(market.holds(market.shops[1]).await, second, "{outcome}");
        let owed = world.balances(invoice).await.remove(&format!("merchant_payable:{}", market.shops[0]));
        assert_eq!(owed.unwrap_or_default(), owes, "{outcome}");
        market.agrees().await;
    }
    assert_eq!(world.invoice(invoice).await.status(), Status::Paid);
    let mut told = world.matters().await.into_iter().map(|matter| matter.detail);
    assert!(told.any(|detail| detail.starts_with("67.67 came again for")));
}

/// The same with every step asked for as a client asks, until it is answered, cut off at one commit.
async fn cut_off(nth: usize, mishap: Mishap) -> bool {
    let market = Market::open().await;
    let world = &market.world;
    let orders = [market.order(0, "70.00").await, market.order(1, "30.00").await];
    let another = [market.order(0, "20.00").await, market.order(1, "30.00").await];
    let keys: [Once; 6] = std::array::from_fn(|_| world.once());
    let before = world.store.commits();
    world.store.at_commit(nth, mishap);

    let paid = market.insist(|| market.pay(&orders, PayBy::Method(None), &keys[0])).await;
    let invoice: InvoiceId = paid.parse().unwrap();
    market.until(invoice, |invoice| invoice.status() == Status::Paid).await;
    market.insist(|| market.give_back(invoice, Some(3_333), &keys[1])).await;
    market.until(invoice, |invoice| invoice.amount_refunded() == brl(3_333)).await;
    market.insist(|| market.move_money(market.ana, Route::Credit, 5_000, &keys[2])).await;
    let by_wallet = market.insist(|| market.pay(&another, PayBy::Wallet, &keys[3])).await;
    let by_wallet: InvoiceId = by_wallet.parse().unwrap();
    market.insist(|| market.give_back(by_wallet, Some(1_000), &keys[4])).await;
    market.insist(|| market.move_money(market.shops[0], Route::Debit, 1_000, &keys[5])).await;
    let is_cut = nth <= world.store.commits() - before;
    // What follows only looks.
    world.store.at_commit(usize::MAX, Mishap::Fails);

    assert_eq!(world.journal(invoice).await.len(), 1, "one charge, cut at commit {nth}");
    assert_eq!(world.truth("/refunds").await.len(), 1, "one refund there");
    let holdings = [
        market.holds(market.ana).await,
        market.holds(market.shops[0]).await,
        market.holds(market.shops[1]).await,
    ];
    let (first, second) = (6_767 - 2_255 + 1_912 - 382 - 1_000, 2_883 - 961 + 2_883 - 577);
    assert_eq!(holdings, [1_000, first, second], "cut at commit {nth} by {mishap:?}");
    for order in orders.iter().chain(&another) {
        let view = world.app.order(&World::operator(), *order).await.unwrap();
        assert_eq!(view.status, OrderStatus::Paid);
    }
    market.agrees().await;
    is_cut
}

#[tokio::test]
async fn wherever_a_market_day_is_cut_off_it_ends_the_same() {
    for mishap in [Mishap::AnswerLost, Mishap::Dies] {
        let mut cuts = 0;
        while cut_off(cuts + 1, mishap).await {
            cuts += 1;
        }
        assert!(cuts >= 8, "{cuts} commits by {mishap:?}");
    }
}

/// Every payment of a merchant writes the same wallet. What was captured is written all the same, and not found again later.
#[tokio::test]
async fn others_who_sell_at_the_same_time_do_not_cost_the_gateways_word() {
    let market = Market::open().await;
    let order = market.order(0, "70.00").await;
    let paid = market.pay(&[order], PayBy::Method(None), &market.world.once()).await.unwrap();
    market.world.store.at_commit(1, Mishap::Contended);
    market.world.deliver().await;
    let invoice = market.world.invoice(paid.answer.body.parse().unwrap()).await;
    assert_eq!((invoice.status(), invoice.amount_paid()), (Status::Paid, brl(7_000)));
    market.agrees().await;
}
