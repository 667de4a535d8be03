//! What may be given back of a paid invoice, and what the gateway's word about it does.

use super::{Cause, Invoice, Payment, State, Status};
use crate::actor::Actor;
use crate::dunning::Policy;
use crate::gateway::{GatewayName, GatewayReference, MeansType, RefundOutcome};
use crate::id::{AttemptNumber, PaymentMethodId, RefundId, TransactionId};
use crate::ledger::{Account, AtGateway, Journal, MovedBy, Transaction, TransactionKind};
use crate::money::Money;
use crate::refund::{Refund, RefundOf, RefundState, RefundTo};
use crate::text::Text;
use crate::{Moment, Timestamp};
use thiserror::Error;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RefundError {
    #[error("only a paid invoice can be refunded, and this one is {}", .0.as_str())]
    NotPaid(Status),
    #[error("nothing was charged for this invoice")]
    NothingCharged,
    #[error("the time for refunds ended at {0}")]
    TooLate(Timestamp),
    #[error("must be at most {0}, which is what has not been refunded yet")]
    TooMuch(Money),
    #[error("must be greater than 0")]
    NotPositive,
    #[error("must be in the invoice's currency")]
    OtherCurrency,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundReduced {
    Applied { refund: Box<Refund>, invoice: Option<Box<Invoice>>, transaction: Option<Box<Transaction>> },
    AlreadyApplied,
}

impl Invoice {
    /// Reserves what is to go back, all that is left unless an amount is named, and makes the order for it.
    pub fn refunding(
        &self,
        id: RefundId,
        amount: Option<Money>,
        reason: Option<Text<500>>,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<(Self, Refund), RefundError> {
        let State::Paid(payment) = &self.state else { return Err(RefundError::NotPaid(self.status())) };
        let charge = payment.charge.as_ref().ok_or(RefundError::NothingCharged)?;
        let to = RefundTo::Gateway(charge.gateway.clone(), charge.reference.clone());
        let order = Order { id, amount, reason, to };
        self.reserved(payment, charge.amount, order, policy, now)
    }

    /// The same for what came from a wallet, and goes back there at once: there is nobody to wait for.
    pub fn refunded_to_wallet(
        &self,
        id: RefundId,
        amount: Option<Money>,
        reason: Option<Text<500>>,
        by: &Actor,
        policy: &Policy,
        moment: Moment,
    ) -> Result<(Self, Refund, Transaction), RefundError> {
        let State::Paid(payment) = &self.state else { return Err(RefundError::NotPaid(self.status())) };
        let wallet = payment.wallet.as_ref().ok_or(RefundError::NothingCharged)?;
        let order = Order { id, amount, reason, to: RefundTo::Wallet };
        let (reserved, refund) = self.reserved(payment, wallet.amount, order, policy, moment.now)?;
        let own = Account::Wallet(self.customer());
        let book = |journal| self.in_wallet(TransactionKind::Refund, refund.amount, journal, by, moment);
        let (invoice, settled, transaction) =
            reserved.given_back(&refund, None, own, book, moment.now).ok_or(RefundError::NothingCharged)?;
        // One change, and a refund that never was on its way.
        Ok((Self { version: reserved.version, ..invoice }, Refund { version: 1, ..settled }, transaction))
    }

    fn reserved(
        &self,
        payment: &Payment,
        paid: Money,
        order: Order,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<(Self, Refund), RefundError> {
        let until = payment.at.checked_add(policy.rules.refund_window()).unwrap_or(Timestamp::MAX);
        if now > until {
            return Err(RefundError::TooLate(until));
        }
        let left = paid.minor() - payment.refunded - payment.refunding;
        let left = Money::try_new(left, paid.currency()).map_err(|_| RefundError::NothingCharged)?;
        let amount = order.amount.unwrap_or(left);
        if amount.currency() != left.currency() {
            return Err(RefundError::OtherCurrency);
        }
        if amount.minor() > left.minor() || left.is_zero() {
            return Err(RefundError::TooMuch(left));
        }
        if !amount.is_positive() {
            return Err(RefundError::NotPositive);
        }
        let refund = Refund {
            id: order.id,
            version: 1,
            invoice: self.id,
            of: RefundOf::Payment,
            amount,
            reason: order.reason,
            to: order.to,
            state: RefundState::Pending { sends: 0, due: policy.resend_refund_at(0, now) },
            created_at: now,
            updated_at: now,
        };
        let payment = Payment { refunding: payment.refunding + amount.minor(), ..payment.clone() };
        Ok((Self { state: State::Paid(payment), ..self.touched(now) }, refund))
    }

    /// The order that gives back the latest orphan without one, noted beside it.
    pub(super) fn return_orphan(&mut self, policy: &Policy, moment: Moment) -> Option<Refund> {
        let id = RefundId::new(self.customer(), moment.now, moment.entropy);
        let invoice = self.id;
        let orphan = self.orphans.iter_mut().rev().find(|orphan| orphan.refund.is_none())?;
        orphan.refund = Some(id);
        Some(Refund {
            id,
            version: 1,
            invoice,
            of: RefundOf::Orphan,
            amount: orphan.amount,
            reason: None,
            to: RefundTo::Gateway(orphan.gateway.clone(), orphan.reference.clone()),
            state: RefundState::Pending { sends: 0, due: policy.resend_refund_at(0, moment.now) },
            created_at: moment.now,
            updated_at: moment.now,
        })
    }

    /// The gateway's word about a refund: an answer, a webhook or a look-up, any number of times.
    pub fn observe_refund(
        &self,
        refund: &Refund,
        outcome: &RefundOutcome,
        policy: &Policy,
        moment: Moment,
    ) -> RefundReduced {
        let RefundState::Pending { sends, .. } = refund.state else { return RefundReduced::AlreadyApplied };
        match outcome {
            RefundOutcome::Succeeded { reference, amount } if *amount == refund.amount => match refund.of {
                RefundOf::Payment => self.refunded(refund, reference, moment),
                RefundOf::Orphan => self.returned(refund, reference, moment),
            },
            RefundOutcome::Failed { failure } => {
                let failed = refund.moved(RefundState::Failed { failure: failure.clone() }, moment.now);
                if refund.of == RefundOf::Orphan {
                    let refund = Box::new(failed);
                    return RefundReduced::Applied { refund, invoice: None, transaction: None };
                }
                self.with_payment(|payment| Payment {
                    refunding: payment.refunding - refund.amount.minor(),
                    ..payment
                })
                .map_or(RefundReduced::AlreadyApplied, |state| RefundReduced::Applied {
                    refund: Box::new(failed),
                    invoice: Some(Box::new(Self { state, ..self.touched(moment.now) })),
                    transaction: None,
                })
            }
            // Another amount than ours is not our refund: it stays open until a person has looked.
            RefundOutcome::Succeeded { .. } => {
                let open = refund.moved(RefundState::Pending { sends, due: None }, moment.now);
                RefundReduced::Applied { refund: Box::new(open), invoice: None, transaction: None }
            }
            RefundOutcome::Pending { .. } | RefundOutcome::Unclear { .. } => {
                let sends = sends.saturating_add(1);
                let due = policy.resend_refund_at(sends, moment.now);
                let open = refund.moved(RefundState::Pending { sends, due }, moment.now);
                RefundReduced::Applied { refund: Box::new(open), invoice: None, transaction: None }
            }
        }
    }

    fn refunded(&self, refund: &Refund, reference: &GatewayReference, moment: Moment) -> RefundReduced {
        let charge = self.state.payment().and_then(|payment| payment.charge.as_ref());
        let (Some(charge), Some(gateway)) = (charge, refund.gateway()) else {
            return RefundReduced::AlreadyApplied;
        };
        let (attempt, method, means) = (charge.attempt, charge.payment_method, charge.means);
        let back = Returned { gateway, reference, attempt, method, means };
        let clearing = Account::GatewayClearing(gateway.clone());
        let book = |journal| self.reversal(refund, &back, journal, moment);
        match self.given_back(refund, Some(reference), clearing, book, moment.now) {
            Some((invoice, settled, transaction)) => RefundReduced::Applied {
                refund: Box::new(settled),
                invoice: Some(Box::new(invoice)),
                transaction: Some(Box::new(transaction)),
            },
            None => RefundReduced::AlreadyApplied,
        }
    }

    /// It is back where it came from, taken from whose it was.
    fn given_back(
        &self,
        refund: &Refund,
        reference: Option<&GatewayReference>,
        to: Account,
        book: impl FnOnce(Journal) -> Transaction,
        now: Timestamp,
    ) -> Option<(Self, Refund, Transaction)> {
        let amount = refund.amount;
        let (split, journal) = match &self.split {
            Some(split) => {
                let (after, parts) = split.refunded(amount.minor());
                let coming = parts.coming_from(&to, &Account::Revenue, amount.currency());
                (Some(after), coming.map(|journal| journal.reversed()))
            }
            None => (None, Journal::transfer(Account::Revenue, to, amount).ok()),
        };
        let state = self.with_payment(|payment| Payment {
            refunding: payment.refunding - amount.minor(),
            refunded: payment.refunded + amount.minor(),
            ..payment
        })?;
        let transaction = book(journal?);
        let settled = RefundState::Succeeded { reference: reference.cloned(), transaction: transaction.id };
        let invoice = Self { split, state, ..self.touched(now) };
        let is_whole = invoice.amount_refunded() == invoice.amount_paid();
        let invoice = match (&invoice.state, is_whole) {
            (State::Paid(payment), true) => {
                let state = State::Refunded(payment.clone());
                invoice.clone().moved_on(state, Cause::Refunded, now).unwrap_or(invoice)
            }
            _ => invoice,
        };
        Some((invoice, refund.moved(settled, now), transaction))
    }

    /// Whatever became of the invoice meanwhile, its payment is where refunds are counted.
    fn with_payment(&self, change: impl FnOnce(Payment) -> Payment) -> Option<State> {
        match self.state.clone() {
            State::Paid(payment) => Some(State::Paid(change(payment))),
            State::InProtest(payment) => Some(State::InProtest(change(payment))),
            State::Chargeback(payment) => Some(State::Chargeback(change(payment))),
            _ => None,
        }
    }

    /// An orphan is back where it came from.
    fn returned(&self, refund: &Refund, reference: &GatewayReference, moment: Moment) -> RefundReduced {
        let mut invoice = self.touched(moment.now);
        let orphan = invoice.orphans.iter_mut().find(|orphan| orphan.refund == Some(refund.id));
        let (Some(orphan), Some((method, means)), Some(gateway)) =
            (orphan, self.state.tried(), refund.gateway())
        else {
            return RefundReduced::AlreadyApplied;
        };
        orphan.returned = true;
        let back = Returned { gateway, reference, attempt: orphan.attempt, method, means };
        let clearing = Account::GatewayClearing(gateway.clone());
        let Ok(journal) = Journal::transfer(Account::Unapplied, clearing, refund.amount) else {
            return RefundReduced::AlreadyApplied;
        };
        let transaction = self.reversal(refund, &back, journal, moment);
        let state =
            RefundState::Succeeded { reference: Some(reference.clone()), transaction: transaction.id };
        RefundReduced::Applied {
            refund: Box::new(refund.moved(state, moment.now)),
            invoice: Some(Box::new(invoice)),
            transaction: Some(Box::new(transaction)),
        }
    }

    fn reversal(
        &self,
        refund: &Refund,
        back: &Returned<'_>,
        journal: Journal,
        moment: Moment,
    ) -> Transaction {
        Transaction {
            id: TransactionId::new(self.customer(), moment.now, moment.entropy),
            kind: TransactionKind::Refund,
            amount: refund.amount,
            moved_by: MovedBy::Gateway(AtGateway {
                invoice: self.id,
                attempt: back.attempt,
                gateway: back.gateway.clone(),
                reference: back.reference.clone(),
                payment_method: back.method,
                means: back.means,
            }),
            lines: self.lines(),
            at: moment.now,
            journal,
            mirrors: None,
        }
    }
}

/// What is to go back, and where to.
struct Order {
    id: RefundId,
    amount: Option<Money>,
    reason: Option<Text<500>>,
    to: RefundTo,
}

/// Which charge went back at which gateway.
struct Returned<'a> {
    gateway: &'a GatewayName,
    reference: &'a GatewayReference,
    attempt: AttemptNumber,
    method: PaymentMethodId,
    means: MeansType,
}
