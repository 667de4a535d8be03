//! Whoever does whatever in whatever order, and dies at any point: what was accepted is in the closed bill, nothing else is,
//! and it is settled once. The model has a store's transactions and nothing more: everybody decides by what they read
//! some time ago.

use super::*;
use crate::id::InvoiceId;
use proptest::prelude::*;

const PEOPLE: usize = 3;
const CODES: [&str; 4] = ["USD", "GEL", "JPY", "KWD"];
const PRICES: [&str; 6] = ["1", "2.5", "0.333", "1000000", "-3", "-999999.99"];

#[derive(Debug, Clone)]
enum Step {
    Read,
    /// `reference` none: a line item of its own each time.
    Append {
        reference: Option<u8>,
        price: usize,
        code: usize,
        looks: bool,
    },
    CloseByHand,
    Wake,
    CloseShard(usize),
    Finish {
        rates: bool,
    },
    RatesCome,
    Forgo,
    Settle(usize),
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let append = (prop::option::weighted(0.7, 0_u8..6), 0..PRICES.len(), 0..CODES.len(), any::<bool>());
    let step = prop_oneof![
        6 => Just(Step::Read),
        8 => append.prop_map(|(reference, price, code, looks)| Step::Append { reference, price, code, looks }),
        1 => Just(Step::CloseByHand),
        1 => Just(Step::Wake),
        4 => (0_usize..3).prop_map(Step::CloseShard),
        2 => any::<bool>().prop_map(|rates| Step::Finish { rates }),
        1 => Just(Step::RatesCome),
        1 => Just(Step::Forgo),
        2 => (0_usize..4).prop_map(Step::Settle),
        2 => (1_i64..20).prop_map(Step::Wait),
    ];
    prop::collection::vec((0..PEOPLE, step), 0..150)
}

/// A bill's items as they lie in the table.
#[derive(Debug, Clone)]
struct Items {
    bill: Bill,
    shards: Vec<Shard>,
    lines: BTreeMap<LineKey, BillLine>,
}

impl Items {
    fn of(bill: Bill) -> Self {
        Self { shards: bill.shards.numbers().map(Shard::new).collect(), bill, lines: BTreeMap::new() }
    }

    /// The transaction of an append: the line item if there is none of its key, and its shard unless that is closed.
    fn write(&mut self, line: &BillLine, shard: u8) -> Result<(), Option<ShardRefusal>> {
        if self.lines.contains_key(&line.key()) {
            return Err(None);
        }
        let shard = &mut self.shards[usize::from(shard)];
        *shard = shard.with(line.total(), self.bill.shards).map_err(Some)?;
        self.lines.insert(line.key(), line.clone());
        Ok(())
    }
}

struct World {
    now: Timestamp,
    own: Items,
    /// Another bill of the customer's, that stays open and takes balances.
    other: Items,
    seen: Vec<Bill>,
    answered: BTreeMap<LineKey, Money>,
    invoices: BTreeMap<InvoiceId, Money>,
    next: Vec<Bill>,
    appends: u64,
    closed: Option<Sums>,
}

impl World {
    fn new(settlement_currency: Option<&str>) -> Self {
        let own = bill_of(ANA, settlement_currency, Recurs::Monthly);
        let year = TermsDraft {
            period_start: start(),
            period_end: start() + SignedDuration::from_hours(24 * 366),
            time_zone: None,
            settlement_currency: None,
            recurs: Recurs::Never,
        };
        let id = BillId::new(CustomerId::new(ANA), start(), 77);
        let other = Bill::open(id, BillTerms::try_new(year).unwrap(), Shards::DEFAULT, start());
        Self {
            now: end() - SignedDuration::from_mins(30),
            seen: vec![own.clone(); PEOPLE],
            own: Items::of(own),
            other: Items::of(other),
            answered: BTreeMap::new(),
            invoices: BTreeMap::new(),
            next: Vec::new(),
            appends: 0,
            closed: None,
        }
    }

    /// Writes the header if nobody has since it was read.
    fn commit(&mut self, seen: &Bill, next: Bill) -> bool {
        if self.own.bill.version != seen.version {
            return false;
        }
        assert_eq!(next.version, seen.version + 1);
        assert!(next.history.starts_with(&seen.history), "what has happened has happened");
        for pair in next.history.windows(2) {
            assert!(pair[0].status.may_become().contains(&pair[1].status), "{pair:?}");
        }
        self.own.bill = next;
        true
    }

    fn take(&mut self, who: usize, step: &Step) {
        let seen = self.seen[who].clone();
        match step {
            Step::Read => self.seen[who] = self.own.bill.clone(),
            Step::Wait(minutes) => self.now += SignedDuration::from_mins(*minutes),
            Step::Append { reference, price, code, looks } => {
                self.append(&seen, reference.map(|name| format!("call-{name}")), *price, *code, *looks);
            }
            Step::CloseByHand => {
                let cause = CloseCause::Requested { by: operator(), is_last: false };
                if let Ok(Change::Applied(next)) = seen.begin_closing(cause, self.now) {
                    self.commit(&seen, next);
                }
            }
            Step::Wake => {
                if let Some(next) = seen.woken(self.now) {
                    self.commit(&seen, next);
                }
            }
            Step::CloseShard(number) => {
                if matches!(seen.state, BillState::Closing(_)) {
                    self.own.shards[*number] = self.own.shards[*number].closed();
                }
            }
            Step::Finish { rates } => self.finish(&seen, *rates),
            Step::RatesCome => {
                if let Some(closed) = seen.state.closed() {
                    let into = seen.terms.settlement_currency().unwrap_or(Currency::USD);
                    let conversion = converted(&closed.sums.totals, into);
                    if let Ok(Change::Applied(next)) = seen.freeze_rates(conversion, self.now) {
                        self.commit(&seen, next);
                    }
                }
            }
            Step::Forgo => {
                if let Ok(Change::Applied(next)) = seen.forgo_rates(&operator(), self.now) {
                    self.commit(&seen, next);
                }
            }
            Step::Settle(which) => self.settle(&seen, *which),
        }
    }

    fn append(&mut self, seen: &Bill, reference: Option<String>, price: usize, code: usize, looks: bool) {
        self.appends += 1;
        let reference = reference.map(|text| Reference::parse(&text).unwrap());
        let said = LineDraft { reference, ..draft(PRICES[price], CODES[code]) };
        let content = LineContent::try_new(said).unwrap();
        let id = line_id(self.appends);
        let key = LineKey::of(&content, id);
        let known = self.own.lines.get(&key).filter(|_| looks);
        let answer = match seen.append(content.clone(), id, known, self.now) {
            Ok(Append::New { line, shard }) => match self.own.write(&line, shard) {
                Ok(()) => {
                    assert!(self.now < end(), "nothing is taken from the end on");
                    assert!(self.closed.is_none(), "nothing is taken after the close");
                    Some(*line)
                }
                Err(None) => match Bill::again(&self.own.lines[&key], &content) {
                    Ok(Append::Known(line)) => Some(*line),
                    _ => None,
                },
                Err(Some(_)) => None,
            },
            Ok(Append::Known(line)) => Some(*line),
            Err(_) => None,
        };
        if let Some(line) = answer {
            assert_eq!(line.total(), content.total());
            self.answered.insert(key, line.total());
        }
    }

    fn finish(&mut self, seen: &Bill, rates: bool) {
        let so_far = Sums::so_far(&self.own.shards).unwrap();
        let into = seen.terms.settlement_currency().filter(|_| rates);
        let conversion = into.map(|into| converted(&so_far.totals, into));
        if let Ok(Change::Applied(closure)) = seen.finish_closing(&self.own.shards, conversion, self.now) {
            let sums = closure.bill.state.closed().unwrap().sums.clone();
            if self.commit(seen, closure.bill) {
                assert_eq!(self.closed.replace(sums), None, "closed once");
                self.next.extend(closure.next);
            }
        }
    }

    /// One step of the settlement: an invoice or a credit, and the header, in one transaction.
    fn settle(&mut self, seen: &Bill, which: usize) {
        let steps = seen.settlement_steps().unwrap_or_default();
        match steps.get(which) {
            Some(SettlementStep::Invoice(plan)) => {
                let next = applied(seen.invoiced(plan.content.currency, plan.id, self.now));
                if self.commit(seen, next) {
                    assert_eq!(self.invoices.insert(plan.id, plan.total), None, "never the same id twice");
                }
            }
            Some(SettlementStep::Carry(balance)) => {
                let carried = applied(seen.carry(balance.currency(), &self.other.bill, self.now));
                if self.own.bill.version == seen.version {
                    self.other.write(&carried.line, carried.shard).unwrap();
                    assert!(self.commit(seen, carried.bill));
                }
            }
            None => {}
        }
    }

    /// What the sweep comes to in the end, if nobody else does anything any more.
    fn end_it(&mut self) {
        self.now = self.now.max(end());
        let all = [
            vec![Step::Wake],
            (0..3).map(Step::CloseShard).collect(),
            vec![Step::Finish { rates: false }, Step::RatesCome],
            (0..4).map(|_| Step::Settle(0)).collect(),
        ];
        for step in all.concat() {
            self.take(0, &Step::Read);
            self.take(0, &step);
        }
    }
}

/// At one to one in major units, as an exchange would round it.
fn converted(totals: &Totals, into: Currency) -> Conversion {
    let rounded = |amount: Money| {
        let exact = amount.major();
        Money::rounded(exact.mantissa(), exact.scale(), into).unwrap()
    };
    let parts: BTreeMap<Currency, Money> =
        totals.iter().map(|amount| (amount.currency(), rounded(amount))).collect();
    let one = CrossRate::try_from("1".to_owned()).unwrap();
    let rates = parts.keys().map(|of| (*of, one)).collect();
    let quote = Quote { rates, source: RateSource::EuropeanCentralBank, published_at: start() };
    Conversion::try_new(into, parts, Some(quote)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]
    #[test]
    fn what_was_answered_is_closed_and_settled_once(steps in steps(), settlement_currency in prop::option::of(0..CODES.len())) {
        let mut world = World::new(settlement_currency.map(|which| CODES[which]));
        for (who, step) in &steps {
            world.take(*who, step);
            if let Some(sums) = &world.closed {
                prop_assert_eq!(&world.own.bill.state.closed().unwrap().sums, sums, "it never changes again");
            }
        }
        world.end_it();

        let closed = world.own.bill.state.closed().unwrap();
        let sums = world.closed.clone().unwrap();
        prop_assert_eq!(&closed.sums, &sums);
        prop_assert_eq!(sums.count, world.answered.len() as u64);
        prop_assert_eq!(&sums.totals, &Totals::of(world.answered.values().copied()).unwrap());
        prop_assert_eq!(world.next.iter().map(|next| next.id).collect::<Vec<_>>(), closed.next.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(world.next.len(), 1);

        prop_assert_eq!(closed.settlement.as_str(), "settled");
        prop_assert_eq!(world.own.bill.due(), None);
        let carried = world.other.lines.values().map(BillLine::total);
        let moved = Totals::of(world.invoices.values().copied().chain(carried)).unwrap();
        for owed in closed.owed().unwrap().iter() {
            prop_assert_eq!(moved.get(owed.currency()), owed);
        }
        let known: Vec<Money> = world.invoices.values().copied().collect();
        prop_assert!(known.iter().all(|amount| amount.is_positive()));
    }
}
