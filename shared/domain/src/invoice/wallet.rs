//! Paying from the customer's own wallet: no gateway, no waiting, one journal.

use super::{Cause, FromWallet, IllegalTransition, Invoice, Payment, State, Status, Transition};
use crate::Moment;
use crate::actor::Actor;
use crate::attention::{Attention, AttentionId, AttentionKind};
use crate::id::{CustomerId, TransactionId};
use crate::ledger::{Account, ByWallet, Direction, Journal, MovedBy, Transaction, TransactionKind};
use crate::money::Money;

/// A paid invoice, and the movement that paid it. None: there was nothing to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletPayment {
    pub invoice: Invoice,
    pub transaction: Option<Transaction>,
}

impl Invoice {
    /// Through pending, as every paid invoice goes. Whether the wallet covers it is for whoever writes it to say.
    pub fn paid_from_wallet(&self, by: &Actor, moment: Moment) -> Result<WalletPayment, IllegalTransition> {
        if self.status() != Status::Draft {
            return Err(IllegalTransition { from: self.status(), to: Status::Paid });
        }
        let Some(journal) = self.settled(Account::Wallet(self.customer()), self.total) else {
            return Ok(WalletPayment { invoice: self.free(moment.now), transaction: None });
        };
        let transaction = self.in_wallet(TransactionKind::Charge, self.total, journal, by, moment);
        let payment =
            Payment::from_wallet(moment.now, FromWallet { transaction: transaction.id, amount: self.total });
        let mut invoice = Self { state: State::Paid(payment), ..self.touched(moment.now) };
        invoice.history.extend([
            Transition::new(Status::Pending, moment.now, Cause::ChargeRequested),
            Transition::new(Status::Paid, moment.now, Cause::PaidFromWallet),
        ]);
        Ok(WalletPayment { invoice, transaction: Some(transaction) })
    }

    pub fn is_paid_from_wallet(&self) -> bool {
        self.state.payment().is_some_and(|payment| payment.wallet.is_some())
    }

    /// What comes for this invoice, from where it is to whose it is. None: nothing comes.
    pub(super) fn settled(&self, source: Account, amount: Money) -> Option<Journal> {
        match &self.split {
            Some(split) => split.settled().coming_from(&source, &Account::Revenue, amount.currency()),
            None => Journal::transfer(source, Account::Revenue, amount).ok(),
        }
    }

    pub(super) fn in_wallet(
        &self,
        kind: TransactionKind,
        amount: Money,
        journal: Journal,
        by: &Actor,
        moment: Moment,
    ) -> Transaction {
        Transaction {
            id: TransactionId::new(self.customer(), moment.now, moment.entropy),
            kind,
            amount,
            moved_by: MovedBy::Wallet(ByWallet { by: by.clone(), reference: None, invoice: Some(self.id) }),
            lines: self.lines(),
            at: moment.now,
            journal,
            mirrors: None,
        }
    }

    /// Remembers what its merchants owe by a transaction: if that comes again, it settles the debt first.
    #[must_use]
    pub fn owing(self, transaction: &Transaction) -> Self {
        Self { split: self.split.map(|split| split.owing(&transaction.journal)), ..self }
    }

    /// What a person has to look at where merchants' wallets didn't take what was theirs to get or to give: it is booked
    /// as owed, and a journal by hand settles it once there is money. None: all of it moved.
    pub fn unsettled(&self, transaction: &Transaction) -> Option<Attention> {
        let owed = transaction.journal.entries().iter().filter_map(|entry| match entry.account {
            Account::MerchantPayable(merchant) => Some((merchant, entry)),
            _ => None,
        });
        let mut each = owed.map(|(merchant, entry)| match entry.direction {
            Direction::Debit => format!("{merchant} owes {}, which its wallet didn't have", entry.amount),
            Direction::Credit if transaction.kind == TransactionKind::Reinstatement => format!(
                "{} came again for {merchant} and is booked against what it owed: if it owes less by now, the rest is its",
                entry.amount
            ),
            Direction::Credit => format!("{merchant} is owed {}, which its wallet didn't take", entry.amount),
        });
        let detail = [each.next()?].into_iter().chain(each).collect::<Vec<_>>().join("; ");
        Some(Attention {
            id: AttentionId::of_journal(transaction.id),
            kind: AttentionKind::MerchantNotSettled,
            invoice: Some(self.id),
            bill: None,
            amount: Some(transaction.amount),
            gateway: None,
            reference: None,
            detail,
            raised_at: transaction.at,
            closed: None,
        })
    }

    /// What a merchant is shown of a transaction of this invoice: the lines that it has sold.
    pub fn lines_sold_by(&self, merchant: CustomerId) -> Vec<String> {
        let lines = self.lines();
        self.split.as_ref().map_or_else(Vec::new, |split| split.lines_of(merchant, &lines))
    }
}
