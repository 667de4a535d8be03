//! What may be given back of a paid invoice, and what the gateway's word about it does.

use super::{Cause, Invoice, Payment, State, Status};
use crate::dunning::Policy;
use crate::gateway::{GatewayReference, MeansType, RefundOutcome};
use crate::id::{AttemptNumber, PaymentMethodId, RefundId, TransactionId};
use crate::ledger::{Account, AtGateway, Journal, MovedBy, Transaction, TransactionKind};
use crate::money::Money;
use crate::refund::{Refund, RefundOf, RefundState};
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
        let until = payment.at.checked_add(policy.rules.refund_window()).unwrap_or(Timestamp::MAX);
        if now > until {
            return Err(RefundError::TooLate(until));
        }
        let left = charge.amount.minor() - payment.refunded - payment.refunding;
        let left = Money::try_new(left, charge.amount.currency()).map_err(|_| RefundError::NothingCharged)?;
        let amount = amount.unwrap_or(left);
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
            id,
            version: 1,
            invoice: self.id,
            of: RefundOf::Payment,
            amount,
            reason,
            gateway: charge.gateway.clone(),
            charge: charge.reference.clone(),
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
            gateway: orphan.gateway.clone(),
            charge: orphan.reference.clone(),
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
        let settled = |payment: Payment| Payment {
            refunding: payment.refunding - refund.amount.minor(),
            refunded: payment.refunded + refund.amount.minor(),
            ..payment
        };
        let Some(charge) = self.state.payment().and_then(|payment| payment.charge.as_ref()) else {
            return RefundReduced::AlreadyApplied;
        };
        let (method, means) = (charge.payment_method, charge.means);
        let given_back = Returned { attempt: charge.attempt, method, means, from: Account::Revenue };
        let (Some(state), Some(transaction)) =
            (self.with_payment(settled), self.reversal(refund, reference, given_back, moment))
        else {
            return RefundReduced::AlreadyApplied;
        };
        let settled = refund.moved(
            RefundState::Succeeded { reference: reference.clone(), transaction: transaction.id },
            moment.now,
        );
        let invoice = Self { state, ..self.touched(moment.now) };
        let is_whole = invoice.amount_refunded() == invoice.amount_paid();
        let invoice = match (&invoice.state, is_whole) {
            (State::Paid(payment), true) => {
                let state = State::Refunded(payment.clone());
                invoice.clone().moved_on(state, Cause::Refunded, moment.now).unwrap_or(invoice)
            }
            _ => invoice,
        };
        RefundReduced::Applied {
            refund: Box::new(settled),
            invoice: Some(Box::new(invoice)),
            transaction: Some(Box::new(transaction)),
        }
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
        let (Some(orphan), Some((method, means))) = (orphan, self.state.tried()) else {
            return RefundReduced::AlreadyApplied;
        };
        orphan.returned = true;
        let given_back = Returned { attempt: orphan.attempt, method, means, from: Account::Unapplied };
        let Some(transaction) = self.reversal(refund, reference, given_back, moment) else {
            return RefundReduced::AlreadyApplied;
        };
        let state = RefundState::Succeeded { reference: reference.clone(), transaction: transaction.id };
        RefundReduced::Applied {
            refund: Box::new(refund.moved(state, moment.now)),
            invoice: Some(Box::new(invoice)),
            transaction: Some(Box::new(transaction)),
        }
    }

    /// The charge's entries the other way round, for what went back.
    fn reversal(
        &self,
        refund: &Refund,
        reference: &GatewayReference,
        given_back: Returned,
        moment: Moment,
    ) -> Option<Transaction> {
        let clearing = Account::GatewayClearing(refund.gateway.clone());
        let journal = Journal::transfer(given_back.from, clearing, refund.amount).ok()?;
        Some(Transaction {
            id: TransactionId::new(self.customer(), moment.now, moment.entropy),
            kind: TransactionKind::Refund,
            amount: refund.amount,
            moved_by: MovedBy::Gateway(AtGateway {
                invoice: self.id,
                attempt: given_back.attempt,
                gateway: refund.gateway.clone(),
                reference: reference.clone(),
                payment_method: given_back.method,
                means: given_back.means,
            }),
            lines: self.lines(),
            at: moment.now,
            journal,
            mirrors: None,
        })
    }
}

/// Which charge goes back, and from what account.
struct Returned {
    attempt: AttemptNumber,
    method: PaymentMethodId,
    means: MeansType,
    from: Account,
}
