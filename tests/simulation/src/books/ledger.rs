//! The ledger as a whole: what every account comes to, and whose the money of each payment is.

use super::Books;
use super::items::number;
use fatura_domain::id::{CustomerId, InvoiceId, TransactionId};
use fatura_domain::invoice::{Invoice, Share, Split};
use fatura_domain::ledger::{Account, Direction, MovedBy, Transaction, TransactionKind};
use fatura_domain::money::{Currency, Money};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Debits less credits.
    balances: BTreeMap<(Account, Currency), i128>,
    /// What was booked for an invoice, in its order.
    of: BTreeMap<InvoiceId, Vec<TransactionId>>,
    moved: BTreeSet<(CustomerId, Currency)>,
    booked: Vec<TransactionId>,
    reversed: BTreeSet<TransactionId>,
    touched: BTreeSet<InvoiceId>,
}

/// What the journals of one payment come to.
#[derive(Debug, Default)]
struct Parts {
    /// Came from where the buyer's money is, less what went back there.
    came: i128,
    merchants: BTreeMap<CustomerId, i128>,
    platform: i128,
}

impl Ledger {
    pub(super) fn post(&mut self, transaction: &Transaction, wrong: &mut Vec<String>) {
        if transaction.mirrors.is_some() {
            return;
        }
        let reversed = transaction.reverses();
        if reversed.is_some_and(|reversed| !self.reversed.insert(reversed)) {
            wrong.push(format!("{} reverses what was reversed before", transaction.id));
        }
        for entry in transaction.journal.entries() {
            let key = (entry.account.clone(), entry.amount.currency());
            *self.balances.entry(key).or_default() += debit(entry.direction, entry.amount);
        }
        self.moved
            .extend(transaction.journal.wallets().into_iter().map(|(whose, currency, _)| (whose, currency)));
        self.booked.push(transaction.id);
        if let Some(invoice) = transaction.moved_by.invoice() {
            self.of.entry(invoice).or_default().push(transaction.id);
            self.touched.insert(invoice);
        }
    }

    pub(super) fn touch(&mut self, invoice: &Invoice) {
        self.touched.insert(invoice.id);
    }

    fn has(&self, account: Account, currency: Currency) -> i128 {
        self.balances.get(&(account, currency)).copied().unwrap_or_default()
    }
}

/// Counted as a debit: a credit is less than nothing.
pub(super) fn debit(direction: Direction, amount: Money) -> i128 {
    let minor = i128::from(amount.minor());
    if direction == Direction::Debit { minor } else { -minor }
}

impl Books {
    pub(super) fn ledger_agrees(&mut self, wrong: &mut Vec<String>) {
        let booked = std::mem::take(&mut self.ledger.booked);
        if !booked.is_empty() {
            self.trial_balance(wrong);
        }
        for id in booked {
            self.is_shown_to_all(id, wrong);
        }
        for (customer, currency) in std::mem::take(&mut self.ledger.moved) {
            let key = (format!("C#{}", customer.code()), format!("WALLET#{}", currency.code()));
            let has = self.items.get(&key).map_or(0, |item| number(item, "/b/N"));
            let posted = -self.ledger.has(Account::Wallet(customer), currency);
            if i128::from(has) != posted {
                wrong.push(format!("the wallet of {customer} has {has}, and {posted} were posted"));
            }
        }
        for id in std::mem::take(&mut self.ledger.touched) {
            let Some(invoice) = self.invoices.get(&id) else { continue };
            self.wallet_paid(invoice, wrong);
            if let Some(split) = &invoice.split {
                self.is_split(invoice, split, wrong);
            }
        }
    }

    fn trial_balance(&self, wrong: &mut Vec<String>) {
        let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
        for ((_, currency), balance) in &self.ledger.balances {
            *sums.entry(currency.code()).or_default() += balance;
        }
        if sums.values().any(|sum| *sum != 0) {
            wrong.push(format!("the books as a whole do not balance: {sums:?}"));
        }
    }

    /// Each customer whom a journal concerns has a copy of what concerns them.
    fn is_shown_to_all(&self, id: TransactionId, wrong: &mut Vec<String>) {
        let Some(transaction) = self.transactions.get(&id) else { return };
        for customer in transaction.journal.customers() {
            let own = |transaction: &Transaction| -> i128 {
                let entries = transaction.journal.entries().iter();
                let own = entries.filter(|entry| entry.account.customer() == Some(customer));
                own.map(|entry| debit(entry.direction, entry.amount)).sum()
            };
            let shown = self.transactions.get(&id.owned_by(customer));
            if shown.map(own) != Some(own(transaction)) {
                wrong.push(format!("{id} is not shown to {customer} as it was booked"));
            }
        }
    }

    fn booked_for(&self, invoice: &Invoice) -> impl Iterator<Item = &Transaction> {
        let booked = self.ledger.of.get(&invoice.id).into_iter().flatten();
        booked.filter_map(|id| self.transactions.get(id))
    }

    /// An invoice that was paid from a wallet was paid by one movement, and what went back went there.
    fn wallet_paid(&self, invoice: &Invoice, wrong: &mut Vec<String>) {
        let of = |kind: TransactionKind| -> i64 {
            let by_wallet = self.booked_for(invoice).filter(|one| matches!(one.moved_by, MovedBy::Wallet(_)));
            by_wallet.filter(|one| one.kind == kind).map(|one| one.amount.minor()).sum()
        };
        let payment = invoice.state.payment();
        let paid = payment.and_then(|payment| payment.wallet.as_ref());
        let (came, went) = (of(TransactionKind::Charge), of(TransactionKind::Refund));
        let due = paid.map_or(0, |_| invoice.total.minor());
        let back = payment.filter(|_| paid.is_some()).map_or(0, |payment| payment.refunded);
        if (came, went) != (due, back) {
            let id = invoice.id;
            wrong
                .push(format!("{id}: {came} came from the wallet of {due}, and {went} went there of {back}"));
        }
    }

    /// What came is whose it is: what merchants keep, what the platform keeps and what went back.
    fn is_split(&self, invoice: &Invoice, split: &Split, wrong: &mut Vec<String>) {
        let mut say = |what: String| wrong.push(format!("{}: {what}", invoice.id));
        let (mut charged, mut back, mut taken) = (0, 0, 0);
        let mut parts = Parts::default();
        for one in self.booked_for(invoice).filter(|one| !is_orphan(one)) {
            let minor = i128::from(one.amount.minor());
            match one.kind {
                TransactionKind::Charge => charged += minor,
                TransactionKind::Refund => back += minor,
                TransactionKind::Chargeback => taken += minor,
                TransactionKind::Reinstatement => taken -= minor,
                TransactionKind::Wallet | TransactionKind::Orphan | TransactionKind::Journal => {}
            }
            parts.add(one, invoice, split, &mut say);
        }
        if parts.came != charged - back - taken {
            say(format!("{} came of {charged}, less {back} refunded and {taken} charged back", parts.came));
        }
        let is_paid = invoice.state.payment().is_some();
        let mut nets: BTreeMap<CustomerId, i128> = BTreeMap::new();
        for share in split.shares().iter().filter(|_| is_paid) {
            *nets.entry(share.merchant).or_default() += i128::from(share.net() - share.net_returned);
        }
        parts.merchants.retain(|_, kept| *kept != 0);
        nets.retain(|_, net| *net != 0);
        if parts.merchants != nets {
            say(format!("its merchants were booked {:?}, and are to have {nets:?}", parts.merchants));
        }
        let returned: i128 =
            split.shares().iter().map(|share| i128::from(share.net_returned + share.fee_returned)).sum();
        if split.shares().iter().any(|share| !is_within(share)) {
            say(format!("more is returned than came: {split:?}"));
        }
        let total = i128::from(invoice.total.minor());
        if returned != total.min(back + taken) {
            say(format!("{returned} of {total} is returned, by {back} refunded and {taken} charged back"));
        }
    }
}

/// Money that nothing was owed for, as it comes or goes back: no merchant's matter.
fn is_orphan(transaction: &Transaction) -> bool {
    transaction.journal.entries().iter().any(|entry| entry.account == Account::Unapplied)
}

fn is_within(share: &Share) -> bool {
    (0..=share.net()).contains(&share.net_returned) && (0..=share.fee).contains(&share.fee_returned)
}

impl Parts {
    fn add(&mut self, one: &Transaction, invoice: &Invoice, split: &Split, say: &mut impl FnMut(String)) {
        for entry in one.journal.entries() {
            let minor = debit(entry.direction, entry.amount);
            match &entry.account {
                Account::GatewayClearing(_) => self.came += minor,
                Account::Wallet(whose) if *whose == invoice.customer() => self.came += minor,
                Account::Wallet(whose) | Account::MerchantPayable(whose)
                    if split.shares().iter().any(|share| share.merchant == *whose) =>
                {
                    *self.merchants.entry(*whose).or_default() -= minor;
                }
                Account::Revenue | Account::Chargebacks => self.platform -= minor,
                other => say(format!("{} moves {other}, which is none of its own", one.id)),
            }
        }
        let kept: i128 = self.merchants.values().sum();
        if self.came != kept + self.platform {
            say(format!(
                "{} came, {kept} is with merchants and {} with the platform",
                self.came, self.platform
            ));
        }
    }
}
