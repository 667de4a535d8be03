//! What becomes of bills: each is closed once with what its line items come to, and each currency of that is asked for
//! once, given back once, or nothing.

use super::items::number;
use super::{Books, Key};
use crate::rates::per_dollar;
use fatura_domain::bill::{Bill, BillCause, BillStatus, Closed, Outcome, Settlement};
use fatura_domain::exchange::Conversion;
use fatura_domain::id::BillId;
use fatura_domain::invoice::Invoice;
use fatura_domain::money::Currency;
use serde_json::Value;
use std::collections::BTreeMap;

const SHARD: &str = "BL#";
const LINE: &str = "L#";

impl Books {
    /// A bill's next version.
    pub(super) fn bill(&mut self, bill: &Bill, wrong: &mut Vec<String>) {
        let before = self.bills.get(&bill.id);
        let mut say = |what: String| wrong.push(format!("{}: {what}", bill.id));
        let was = before.map_or(0, |before| before.version);
        if bill.version != was + 1 {
            say(format!("version {} follows version {was}", bill.version));
        }
        let known = before.map_or(0, |before| before.history.len());
        if before.is_some_and(|before| bill.history.get(..known) != Some(before.history.as_slice())) {
            say("its history was rewritten".to_owned());
        }
        for pair in bill.history.windows(2).skip(known.saturating_sub(1)) {
            let [from, to] = pair else { continue };
            if from.status != to.status && !from.status.may_become().contains(&to.status) {
                say(format!("{} became {}", from.status.as_str(), to.status.as_str()));
            }
        }
        let is_close = |cause| matches!(cause, BillCause::CloseRequested | BillCause::PeriodEnded);
        let closes = bill.history.iter().filter(|step| is_close(step.cause)).count();
        if closes > 1 {
            say(format!("it is closed {closes} times"));
        }
        if let (Some(before), Some(after)) =
            (before.and_then(|bill| bill.state.closed()), bill.state.closed())
            && before.sums != after.sums
        {
            say("what it was closed with is changed".to_owned());
        }
        let is_new =
            bill.state.closed().is_some() && before.is_some_and(|bill| bill.state.closed().is_none());
        self.bills.insert(bill.id, bill.clone());
        if is_new {
            self.is_whole(bill, wrong);
        }
    }

    /// It was closed with what its line items come to.
    fn is_whole(&self, bill: &Bill, wrong: &mut Vec<String>) {
        let Some(closed) = bill.state.closed() else { return };
        let (count, sums) = self.gathered(bill.id);
        let kept: BTreeMap<String, i64> =
            closed.sums.totals.iter().map(|sum| (sum.currency().to_string(), sum.minor())).collect();
        if kept != sums || closed.sums.count != count {
            wrong.push(format!("{} is closed with {kept:?}, and its line items come to {sums:?}", bill.id));
        }
    }

    fn gathered(&self, bill: BillId) -> (u64, BTreeMap<String, i64>) {
        let pk = format!("{SHARD}{}#", bill.code());
        let lines = self.starting_with(&pk).filter(|((_, sk), _)| sk.starts_with(LINE));
        let (mut count, mut sums) = (0, BTreeMap::new());
        for (_, line) in lines {
            count += 1;
            let currency = line.pointer("/l/M/t/M/c/S").and_then(Value::as_str).unwrap_or_default();
            *sums.entry(currency.to_owned()).or_default() += number(line, "/l/M/t/M/n/N");
        }
        (count, sums)
    }

    /// In the end each bill is settled, but for a balance that nothing takes.
    pub(crate) fn bills_settled(&self, wrong: &mut Vec<String>) {
        for bill in self.bills.values() {
            match (&bill.state.closed(), bill.status()) {
                (Some(closed), _) => {
                    self.is_whole(bill, wrong);
                    self.is_settled_right(bill, closed, wrong);
                }
                (None, BillStatus::Canceled) => {}
                (None, status) => wrong.push(format!("{} ends as {}", bill.id, status.as_str())),
            }
        }
        for invoice in self.invoices.values() {
            self.is_of_its_bill(invoice, wrong);
        }
    }

    fn is_settled_right(&self, bill: &Bill, closed: &Closed, wrong: &mut Vec<String>) {
        let mut say = |what: String| wrong.push(format!("{}: {what}", bill.id));
        if !matches!(closed.settlement, Settlement::Settled { .. }) && !self.waits_in_vain(bill) {
            say(format!("it ends {}", closed.settlement.as_str()));
        }
        let (_, sums) = self.gathered(bill.id);
        let owed: BTreeMap<String, i64> = match closed.settlement.conversion() {
            Some(conversion) => {
                let total = exact(&sums, conversion);
                BTreeMap::from([(conversion.currency().to_string(), total)])
            }
            None => sums,
        };
        for (currency, outcome) in closed.settlement.outcomes().into_iter().flatten() {
            let amount = owed.get(currency.code()).copied().unwrap_or_default();
            let is_right = match outcome {
                Outcome::Nothing => amount == 0,
                Outcome::Invoiced(invoice) => {
                    let invoice = self.invoices.get(invoice);
                    invoice
                        .is_some_and(|one| one.total.minor() == amount && one.total.currency() == *currency)
                }
                Outcome::Carried(to) => self.carried(bill.id, *to, *currency) == Some(amount),
            };
            if !is_right {
                say(format!("{amount} {currency} became {outcome:?}"));
            }
        }
        let following = self.bills.values().filter(|next| next.opened_by == Some(bill.id)).count();
        if following > 1 || (following == 1) != closed.next.is_some() {
            say(format!("{following} bills follow it, and it says {:?}", closed.next));
        }
    }

    /// Minor units that another bill has from it, if it has them once.
    fn carried(&self, from: BillId, to: BillId, currency: Currency) -> Option<i64> {
        let pk = format!("{SHARD}{}#", to.code());
        let is_it = |line: &&Value| {
            line.pointer("/f/S").and_then(Value::as_str) == Some(&from.to_string())
                && line.pointer("/l/M/t/M/c/S").and_then(Value::as_str) == Some(currency.code())
        };
        let mut lines = self.starting_with(&pk).map(|(_, line)| line).filter(is_it);
        match (lines.next(), lines.next()) {
            (Some(line), None) => Some(number(line, "/l/M/t/M/n/N")),
            _ => None,
        }
    }

    /// An invoice that a bill made is what that bill says it made.
    fn is_of_its_bill(&self, invoice: &Invoice, wrong: &mut Vec<String>) {
        let name = invoice.content.metadata.iter().find(|(name, _)| *name == "bill_id");
        let Some(bill) = name.and_then(|(_, bill)| bill.parse::<BillId>().ok()) else { return };
        let closed = self.bills.get(&bill).and_then(|bill| bill.state.closed());
        let outcomes = closed.and_then(|closed| closed.settlement.outcomes());
        let made = outcomes.and_then(|outcomes| outcomes.get(&invoice.total.currency()));
        if made != Some(&Outcome::Invoiced(invoice.id)) {
            wrong.push(format!("{} is for {bill}, which made {made:?}", invoice.id));
        }
    }

    /// A balance whose customer has no bill that could take it.
    pub(super) fn waits_in_vain(&self, bill: &Bill) -> bool {
        let is_open =
            |other: &Bill| other.customer() == bill.customer() && other.status() == BillStatus::Open;
        bill.awaits_bill() && !self.bills.values().any(is_open)
    }

    pub(super) fn is_balance_in_vain(&self, (_, sk): &Key) -> bool {
        let Some(code) = sk.strip_prefix("BILL#") else { return false };
        let id = format!("{}{code}", BillId::PREFIX).parse().ok();
        id.and_then(|id: BillId| self.bills.get(&id)).is_some_and(|bill| self.waits_in_vain(bill))
    }

    /// How often it has come back.
    pub(crate) fn bills_before(&self, bill: &Bill) -> usize {
        let before = |bill: &&Bill| bill.opened_by.and_then(|before| self.bills.get(&before));
        std::iter::successors(Some(bill), before).count() - 1
    }
}

/// Amounts as one, by the rates that were published then: the exact sum, rounded once, half to even.
fn exact(sums: &BTreeMap<String, i64>, conversion: &Conversion) -> i64 {
    let to = conversion.currency();
    let Some(quote) = conversion.quote() else { return sums.get(to.code()).copied().unwrap_or_default() };
    let rate = |currency: Currency| per_dollar(currency, quote.published_at);
    let scale = |currency: Currency| 10_i128.pow(currency.digits());
    let mut denominator = 1_i128;
    for code in sums.keys() {
        let currency: Currency = code.parse().unwrap();
        denominator *= rate(currency) * scale(currency);
    }
    let mut numerator = 0_i128;
    for (code, minor) in sums {
        let currency: Currency = code.parse().unwrap();
        let share = denominator / (rate(currency) * scale(currency));
        numerator += i128::from(*minor) * share * rate(to) * scale(to);
    }
    let (whole, rest) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
    let is_up = 2 * rest > denominator || (2 * rest == denominator && whole % 2 != 0);
    i64::try_from(whole + i128::from(is_up)).unwrap()
}
