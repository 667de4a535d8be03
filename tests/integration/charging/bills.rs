//! Bills through the functions: what is appended, closed by the clock or by hand, and becomes of them.

use crate::faults::Mishap;
use crate::world::{World, answer, card};
use fatura_application::ports::{BillFilter, PageRequest};
use fatura_application::{BillView, CreateBill, Error, Reply};
use fatura_domain::attention::AttentionKind;
use fatura_domain::bill::{
    BillLine, BillStatus, BillTerms, LineContent, LineDraft, LineKind, Outcome, Price, Recurs, Reference,
    TermsDraft,
};
use fatura_domain::customer::TimeZoneName;
use fatura_domain::id::{BillId, CustomerId, InvoiceId};
use fatura_domain::invoice::{Quantity, Status};
use fatura_domain::text::Description;
use fatura_domain::{SignedDuration, Timestamp};
use fatura_testkit::Fault;
use std::collections::{BTreeMap, HashSet};

const DAY: i64 = 24 * 3_600;

fn fee(price: &str, currency: &str, reference: Option<&str>) -> LineContent {
    let kind = if price.starts_with('-') { LineKind::Credit } else { LineKind::Fee };
    LineContent::try_new(LineDraft {
        kind,
        description: Description::parse("Transfer").unwrap(),
        quantity: Quantity::parse("1").unwrap(),
        unit_price: Price::parse(price).unwrap(),
        currency: currency.parse().unwrap(),
        reference: reference.map(|reference| Reference::parse(reference).unwrap()),
        occurred_at: None,
    })
    .unwrap()
}

fn shown(view: &BillView) -> fatura_application::Answer {
    answer(view.bill.id.to_string())
}

impl World {
    /// From now on, for so many days.
    async fn opened(&self, customer: CustomerId, days: i64, into: Option<&str>) -> BillId {
        let start = self.app.clock.now();
        let end = start + SignedDuration::from_secs(days * DAY);
        self.bill_of(customer, (start, end), into, Recurs::Never).await
    }

    async fn bill_of(
        &self,
        customer: CustomerId,
        (period_start, period_end): (Timestamp, Timestamp),
        into: Option<&str>,
        recurs: Recurs,
    ) -> BillId {
        let terms = BillTerms::try_new(TermsDraft {
            period_start,
            period_end,
            time_zone: Some(TimeZoneName::parse("UTC").unwrap()),
            settlement_currency: into.map(|code| code.parse().unwrap()),
            recurs,
        });
        let command = CreateBill { customer, terms: terms.unwrap() };
        let reply = self.app.create_bill(&Self::operator(), command, &self.once(), &shown).await.unwrap();
        reply.answer.body.parse().unwrap()
    }

    async fn append(&self, bill: BillId, content: LineContent) -> Result<Reply, Error> {
        let count = |view: &BillView, _: &[BillLine]| answer(view.sums.count.to_string());
        self.app.append_line(&Self::operator(), bill, content, None, &count).await
    }

    async fn gather(&self, bill: BillId, fees: &[(&str, &str)]) {
        for (price, currency) in fees {
            self.append(bill, fee(price, currency, None)).await.unwrap();
        }
    }

    async fn close(&self, bill: BillId) -> Result<Reply, Error> {
        self.app.close_bill(&Self::operator(), bill, false, &self.once(), &shown).await
    }

    async fn seen(&self, bill: BillId) -> BillView {
        self.app.bill(&Self::operator(), bill).await.unwrap()
    }

    /// By currency.
    async fn totals(&self, bill: BillId) -> BTreeMap<String, String> {
        let totals = self.seen(bill).await.sums.totals;
        totals.iter().map(|amount| (amount.currency().to_string(), amount.to_string())).collect()
    }

    async fn settlement(&self, bill: BillId) -> (&'static str, Vec<InvoiceId>) {
        let bill = self.seen(bill).await.bill;
        let settlement = &bill.state.closed().unwrap().settlement;
        let outcomes = settlement.outcomes().into_iter().flatten();
        let invoices = outcomes.filter_map(|(_, outcome)| match outcome {
            Outcome::Invoiced(invoice) => Some(*invoice),
            Outcome::Nothing | Outcome::Carried(_) => None,
        });
        (settlement.as_str(), invoices.collect())
    }

    async fn settled(&self, bill: BillId) -> Vec<InvoiceId> {
        let (status, invoices) = self.settlement(bill).await;
        assert_eq!(status, "settled");
        invoices
    }

    /// Settled, and each of its invoices paid.
    async fn is_paid_for(&self, bill: BillId) -> bool {
        let bill = self.seen(bill).await.bill;
        let Some(closed) = bill.state.closed() else { return false };
        let mut is_paid = closed.settlement.as_str() == "settled";
        for outcome in closed.settlement.outcomes().into_iter().flatten() {
            if let (_, Outcome::Invoiced(invoice)) = outcome {
                is_paid &= self.invoice(*invoice).await.status() == Status::Paid;
            }
        }
        is_paid
    }

    async fn bills(&self, customer: CustomerId, status: Option<BillStatus>) -> Vec<BillView> {
        let page = PageRequest { limit: 100, after: None };
        let filter = BillFilter { status };
        self.app.bills_of(&Self::operator(), customer, filter, page).await.unwrap().data
    }

    async fn assert_paid(&self, invoice: InvoiceId, amount: &str, minor: i64) {
        let paid = self.invoice(invoice).await;
        assert_eq!((paid.status(), paid.amount_paid().to_string().as_str()), (Status::Paid, amount));
        let captured = self.journal(invoice).await;
        let captured: Vec<_> = captured.iter().map(|charge| &charge["captured_minor"]).collect();
        assert_eq!(captured, [&serde_json::json!(minor)]);
    }

    /// Bills that somebody has to look at because they wait for rates.
    async fn without_rates(&self) -> Vec<Option<BillId>> {
        let matters = self.matters().await.into_iter();
        let waiting = matters.filter(|matter| matter.kind == AttentionKind::BillAwaitsRates);
        waiting.map(|matter| matter.bill).collect()
    }
}

#[tokio::test]
async fn it_closes_by_itself_and_is_paid() {
    let world = World::start().await;
    let customer = world.payer(card("tok_visa")).await;
    let bill = world.opened(customer, 1, None).await;
    world.gather(bill, &[("10.00", "BRL"), ("0.005", "BRL"), ("2.055", "BRL")]).await;
    world.pass(DAY - 1);
    world.gather(bill, &[("1.00", "BRL")]).await;
    assert_eq!(world.sweep().await, 0, "not yet");
    world.clock.advance(SignedDuration::from_millis(999));
    world.gather(bill, &[("0.01", "BRL")]).await;
    world.clock.advance(SignedDuration::from_millis(1));
    let late = world.append(bill, fee("1.00", "BRL", None)).await;
    assert!(matches!(late, Err(Error::FailedPrecondition { status: Some("open"), .. })), "{late:?}");

    assert_eq!(world.sweep().await, 1);
    world.drain().await;
    // Each line is rounded by itself, half to even: 10.00 + 0.00 + 2.06 + 1.00 + 0.01.
    assert_eq!(world.totals(bill).await, BTreeMap::from([("BRL".to_owned(), "13.07".to_owned())]));
    let invoices = world.settled(bill).await;
    assert_eq!(invoices.len(), 1);
    world.assert_paid(invoices[0], "13.07", 1_307).await;
    world.pass(DAY);
    assert_eq!(world.sweep().await, 0, "and nothing is left to be done");
}

/// Whatever fails or dies, and wherever: each currency is one invoice, and one bill follows.
#[tokio::test]
async fn wherever_it_is_cut_off_it_is_settled_once() {
    let mut cuts = 0;
    for mishap in [Mishap::Fails, Mishap::AnswerLost, Mishap::Dies] {
        for nth in 1.. {
            let world = World::start().await;
            let customer = world.payer(card("tok_visa")).await;
            let start = world.app.clock.now();
            let period = (start, start + SignedDuration::from_secs(DAY));
            let bill = world.bill_of(customer, period, None, Recurs::Monthly).await;
            world.gather(bill, &[("10.00", "BRL"), ("20.00", "USD"), ("-3.00", "EUR")]).await;
            world.pass(DAY);
            let before = world.store.commits();
            world.store.at_commit(nth, mishap);
            // What fails comes again from the queue or from the sweep, whichever is first.
            for _ in 0..8 {
                let swept = retry_sweep::handle(&world.app, retry_sweep::Task::Sweep, || {
                    std::time::Duration::from_secs(50)
                });
                let _ = futures::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(swept)).await;
                world.store.revive();
                let _ = world.deliver().await;
                world.store.revive();
                if world.is_paid_for(bill).await {
                    break;
                }
                world.pass(3_700);
            }
            let is_cut = nth <= world.store.commits() - before;
            let invoices = world.settled(bill).await;
            assert_eq!(invoices.len(), 2, "cut at commit {nth}");
            world.assert_paid(invoices[0], "10.00", 1_000).await;
            world.assert_paid(invoices[1], "20.00", 2_000).await;
            let open = world.bills(customer, Some(BillStatus::Open)).await;
            assert_eq!(open.len(), 1, "one month follows");
            assert_eq!(open[0].bill.opened_by, Some(bill));
            assert_eq!(
                world.totals(open[0].bill.id).await,
                BTreeMap::from([("EUR".to_owned(), "-3.00".to_owned())]),
                "and takes the balance, once"
            );
            if !is_cut {
                break;
            }
            cuts += 1;
        }
    }
    assert!(
        cuts >= 3 * 8,
        "{cuts}: begun, counted, two invoices and a balance, each charge claimed and settled"
    );
}

#[tokio::test]
async fn a_close_that_races_appends_has_what_was_answered_and_nothing_else() {
    let world = World::start().await;
    let customer = world.payer(card("tok_visa")).await;
    let (mut some_taken, mut some_refused) = (false, false);
    for round in 0..5 {
        let bill = world.opened(customer, 30, None).await;
        let appends = (0..100).map(|number| {
            let content = fee("1.01", "BRL", Some(&format!("{round}-{number}")));
            let world = &world;
            async move {
                for _ in 0..(number % 10) * (round + 1) {
                    tokio::task::yield_now().await;
                }
                world.append(bill, content).await
            }
        });
        let closed = async {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            world.close(bill).await
        };
        let (answers, closed) = tokio::join!(futures::future::join_all(appends), closed);
        closed.unwrap();
        let taken = answers.iter().filter(|answer| answer.is_ok()).count();
        let refused = answers.iter().filter(|answer| matches!(answer, Err(Error::FailedPrecondition { .. })));
        assert_eq!(taken + refused.count(), 100, "a close is the only reason to refuse");
        (some_taken, some_refused) = (some_taken || taken > 0, some_refused || taken < 100);
        let sums = world.seen(bill).await.sums;
        assert_eq!(
            (sums.count, sums.totals.get("BRL".parse().unwrap()).minor()),
            (taken as u64, 101 * i64::try_from(taken).unwrap())
        );
        let page = PageRequest { limit: 100, after: None };
        let lines = world.app.bill_lines(&World::operator(), bill, page).await.unwrap().data;
        assert_eq!(lines.len(), taken);
    }
    assert!(some_taken && some_refused, "it was a race");
}

#[tokio::test]
async fn the_same_reference_is_the_same_line_item_whatever_has_become_of_the_bill() {
    let world = World::start().await;
    let customer = world.payer(card("tok_visa")).await;
    let bill = world.opened(customer, 1, None).await;
    let first = world.append(bill, fee("1.00", "BRL", Some("a"))).await.unwrap();
    let again = world.append(bill, fee("1.0", "BRL", Some("a"))).await.unwrap();
    assert_eq!((first.replayed, again.replayed), (false, true));
    assert_eq!((first.answer.body, again.answer.body), ("1".to_owned(), "1".to_owned()));
    let other = world.append(bill, fee("2.00", "BRL", Some("a"))).await;
    assert!(matches!(other, Err(Error::Conflict(_))), "{other:?}");
    world.close(bill).await.unwrap();
    assert!(world.append(bill, fee("1.00", "BRL", Some("a"))).await.unwrap().replayed, "it has it");
    let late = world.append(bill, fee("1.00", "BRL", Some("b"))).await;
    assert!(matches!(late, Err(Error::FailedPrecondition { status: Some("closed"), .. })), "{late:?}");
}

#[tokio::test]
async fn three_months_of_a_bill_of_the_thirty_first() {
    let world = World::start().await;
    let customer = world.payer(card("tok_visa")).await;
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    world.clock.set(at("2026-12-31T00:00:00Z"));
    let period = (at("2026-12-31T00:00:00Z"), at("2027-01-31T00:00:00Z"));
    let mut bill = world.bill_of(customer, period, None, Recurs::Monthly).await;
    for end in ["2027-01-31T00:00:00Z", "2027-02-28T00:00:00Z", "2027-03-31T00:00:00Z"] {
        world.gather(bill, &[("5.00", "BRL")]).await;
        world.clock.set(at(end) - SignedDuration::from_millis(1));
        assert_eq!(world.sweep().await, 0);
        world.clock.set(at(end));
        world.sweep().await;
        world.drain().await;
        let invoices = world.settled(bill).await;
        world.assert_paid(invoices[0], "5.00", 500).await;
        let open = world.bills(customer, Some(BillStatus::Open)).await;
        assert_eq!(open.len(), 1);
        assert_eq!(open[0].bill.terms.period().start(), at(end));
        bill = open[0].bill.id;
    }
    assert_eq!(world.seen(bill).await.bill.terms.period().end(), at("2027-04-30T00:00:00Z"));
}

#[tokio::test]
async fn rates_are_frozen_by_the_close_and_waited_for_if_there_are_none() {
    let world = World::start().await;
    let customer = world.payer(card("tok_visa")).await;
    let bill = world.opened(customer, 30, Some("USD")).await;
    world.gather(bill, &[("10.00", "USD"), ("27.30", "GEL")]).await;
    assert!(world.seen(bill).await.converted.is_none(), "nobody knows yet, and it is shown all the same");
    world.close(bill).await.unwrap();
    assert_eq!(world.settlement(bill).await.0, "awaiting_rates");
    assert_eq!(world.without_rates().await, [Some(bill)]);
    world.pass(60);
    world.sweep().await;
    world.drain().await;
    assert_eq!(world.settlement(bill).await.0, "awaiting_rates");

    world.rates.tell(world.app.clock.now(), &[("GEL", "2.73")]);
    world.pass(3_600);
    world.sweep().await;
    world.drain().await;
    assert!(world.without_rates().await.is_empty());
    let invoices = world.settled(bill).await;
    world.assert_paid(invoices[0], "20.00", 2_000).await;
    world.rates.tell(world.app.clock.now(), &[("GEL", "1.00")]);
    world.pass(2 * 3_600);
    let frozen = world.seen(bill).await.converted.unwrap();
    assert_eq!(frozen.conversion.total().to_string(), "20.00");
    assert!(frozen.indicative.is_none());

    let open = world.opened(customer, 30, Some("USD")).await;
    world.gather(open, &[("27.30", "GEL")]).await;
    let shown = world.seen(open).await.converted.unwrap();
    assert_eq!(
        (shown.conversion.total().to_string().as_str(), shown.indicative.unwrap().is_stale),
        ("27.30", false)
    );
    world.rates.fall_silent();
    world.pass(DAY);
    assert!(world.seen(open).await.converted.unwrap().indicative.unwrap().is_stale, "a day old, and says so");
    world.pass(3 * DAY);
    assert!(world.seen(open).await.converted.is_none(), "too old to be rates");
}

#[tokio::test]
async fn an_operator_may_end_the_wait_for_rates() {
    let world = World::start().await;
    let customer = world.payer(card("tok_visa")).await;
    let bill = world.opened(customer, 30, Some("USD")).await;
    world.gather(bill, &[("10.00", "USD"), ("27.30", "GEL")]).await;
    world.close(bill).await.unwrap();
    world.app.forgo_rates(&World::operator(), bill, &world.once(), &shown).await.unwrap();
    world.drain().await;
    let invoices = world.settled(bill).await;
    assert_eq!(invoices.len(), 2);
    world.assert_paid(invoices[0], "27.30", 2_730).await;
    world.assert_paid(invoices[1], "10.00", 1_000).await;
    assert!(world.without_rates().await.is_empty());
}

#[tokio::test]
async fn a_balance_waits_for_the_next_bill_and_is_its_credit_once() {
    let world = World::start().await;
    let customer = world.payer(card("tok_visa")).await;
    let bill = world.opened(customer, 1, None).await;
    world.gather(bill, &[("-5.00", "BRL"), ("2.00", "BRL"), ("0.00", "USD")]).await;
    world.close(bill).await.unwrap();
    assert_eq!(world.settlement(bill).await, ("settling", Vec::new()));
    world.pass(DAY);
    world.sweep().await;
    world.drain().await;
    assert_eq!(world.settlement(bill).await.0, "settling", "there is no bill");

    let next = world.opened(customer, 1, None).await;
    world.drain().await;
    assert_eq!(world.settled(bill).await, []);
    world.gather(next, &[("10.00", "BRL")]).await;
    assert_eq!(world.totals(next).await["BRL"], "7.00");
    world.close(next).await.unwrap();
    world.drain().await;
    let invoices = world.settled(next).await;
    world.assert_paid(invoices[0], "7.00", 700).await;
}

#[tokio::test]
async fn who_has_no_card_yet_is_charged_when_one_comes() {
    let world = World::start().await;
    let customer = world.customer(None).await;
    let bill = world.opened(customer, 1, None).await;
    world.gather(bill, &[("3.00", "BRL")]).await;
    world.close(bill).await.unwrap();
    world.drain().await;
    let invoices = world.settled(bill).await;
    assert_eq!(world.invoice(invoices[0]).await.status(), Status::Draft);
    world.add_method(customer, card("tok_visa"), true).await;
    world.drain().await;
    world.assert_paid(invoices[0], "3.00", 300).await;
}

#[tokio::test]
async fn only_an_empty_bill_is_taken_away() {
    let world = World::start().await;
    let customer = world.payer(card("tok_visa")).await;
    let (empty, full) = (world.opened(customer, 1, None).await, world.opened(customer, 1, None).await);
    world.gather(full, &[("1.00", "BRL"), ("-1.00", "BRL")]).await;
    let cancel = async |bill| world.app.cancel_bill(&World::operator(), bill, &world.once(), &shown).await;
    cancel(empty).await.unwrap();
    let late = world.append(empty, fee("1.00", "BRL", None)).await;
    assert!(matches!(late, Err(Error::FailedPrecondition { status: Some("canceled"), .. })), "{late:?}");
    let refused = cancel(full).await;
    assert!(matches!(refused, Err(Error::FailedPrecondition { status: Some("open"), .. })), "{refused:?}");
    world.close(full).await.unwrap();
    assert_eq!(world.settled(full).await, [], "zero is nothing to ask for");
    let closed = world.close(empty).await;
    assert!(matches!(closed, Err(Error::FailedPrecondition { status: Some("canceled"), .. })), "{closed:?}");
}

#[tokio::test]
async fn many_appends_at_once_lose_nothing_and_count_once() {
    let world = World::start().await;
    let customer = world.payer(card("tok_visa")).await;
    let bill = world.opened(customer, 1, None).await;
    let appends = (0..1_000).map(|number| {
        // Each is sent twice, as a queue that delivers at least once does.
        let content = fee("0.01", "BRL", Some(&format!("{}", number / 2)));
        world.append(bill, content)
    });
    let answers = futures::future::join_all(appends).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(answers.iter().flatten().filter(|reply| !reply.replayed).count(), 500);
    let sums = world.seen(bill).await.sums;
    assert_eq!((sums.count, sums.totals.get("BRL".parse().unwrap()).to_string()), (500, "5.00".to_owned()));
    let page = PageRequest { limit: 100, after: None };
    let mut page = world.app.bill_lines(&World::operator(), bill, page).await.unwrap();
    let mut seen = HashSet::new();
    loop {
        assert!(page.data.iter().all(|line| seen.insert(line.reference().unwrap())), "each once");
        let Some(after) = page.next else { break };
        assert_eq!(page.data.len(), 100);
        let more = PageRequest { limit: 100, after: Some(after) };
        page = world.app.bill_lines(&World::operator(), bill, more).await.unwrap();
    }
    assert_eq!(seen.len(), 500);
}

/// From its n-th request on, nothing reaches the table any more: between two shards, too.
#[tokio::test]
async fn whoever_closes_it_may_be_cut_off_at_any_request() {
    let mut cuts = 0;
    for nth in 0.. {
        let world = World::start().await;
        let customer = world.payer(card("tok_visa")).await;
        let bill = world.opened(customer, 30, Some("USD")).await;
        world.gather(bill, &[("10.00", "USD"), ("5.00", "USD")]).await;
        world.table.faults.next_times(nth, &Fault::Pass);
        world.table.faults.next_times(200, &Fault::Invalid);
        let cut = world.close(bill).await;
        let was_met = world.table.faults.left() < 200;
        world.table.faults.clear();
        for _ in 0..4 {
            world.pass(3_700);
            world.sweep().await;
            world.drain().await;
        }
        if world.seen(bill).await.bill.status() == BillStatus::Open {
            assert!(cut.is_err(), "nothing was begun, and that was said");
            world.close(bill).await.unwrap();
            world.drain().await;
        }
        let invoices = world.settled(bill).await;
        assert_eq!(invoices.len(), 1, "cut at request {nth}");
        world.assert_paid(invoices[0], "15.00", 1_500).await;
        if !was_met {
            break;
        }
        cuts += 1;
    }
    assert!(cuts >= 12, "{cuts}: read, begun, eight shards, counted, invoiced");
}

/// The customer brings a card between the look at what there is to be charged and the writing of the invoice.
#[tokio::test]
async fn a_card_that_comes_while_the_bill_is_settled_is_charged() {
    let world = World::start().await;
    for yields in 0..40 {
        let customer = world.customer(None).await;
        let bill = world.opened(customer, 1, None).await;
        world.gather(bill, &[("3.00", "BRL")]).await;
        let brought = async {
            for _ in 0..yields {
                tokio::task::yield_now().await;
            }
            world.add_method(customer, card("tok_visa"), true).await
        };
        let (closed, _) = tokio::join!(world.close(bill), brought);
        closed.unwrap();
        world.drain().await;
        let invoices = world.settled(bill).await;
        world.assert_paid(invoices[0], "3.00", 300).await;
    }
}
