//! What a dispute does to an invoice: the customer's contest, and the gateway's word about its case, in whatever order.

use super::{Captured, Cause, IllegalTransition, Invoice, Payment, Split, State, Status};
use crate::attention::{Attention, AttentionId, AttentionKind};
use crate::dispute::{ContestReason, Dispute, DisputeEnd, DisputeState, Origin};
use crate::dunning::Policy;
use crate::gateway::{DisputeStanding, DisputeVerdict};
use crate::id::{DisputeId, TransactionId};
use crate::ledger::{Account, AtGateway, Journal, MovedBy, Transaction, TransactionKind};
use crate::money::Money;
use crate::text::Text;
use crate::{Moment, Timestamp};
use thiserror::Error;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ContestError {
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    #[error("nothing was charged for this invoice")]
    NothingCharged,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DisputeReduced {
    Applied(Box<DisputeReduction>),
    /// Nothing new.
    AlreadyApplied,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputeReduction {
    pub dispute: Dispute,
    /// It has not been on record before.
    pub is_new: bool,
    pub invoice: Invoice,
    pub transaction: Option<Transaction>,
    pub matter: Option<Attention>,
}

impl Invoice {
    /// The customer says that this payment is not right. How it ends is for the gateway to say.
    pub fn contested(
        &self,
        reason: ContestReason,
        note: Option<Text<500>>,
        policy: &Policy,
        moment: Moment,
    ) -> Result<(Self, Dispute), ContestError> {
        let State::Paid(payment) = &self.state else {
            return Err(IllegalTransition { from: self.status(), to: Status::InProtest }.into());
        };
        let charge = payment.charge.as_ref().ok_or(ContestError::NothingCharged)?;
        let dispute = self.opened(charge, payment, Origin::Contest { reason, note }, None, policy, moment);
        let state = State::InProtest(payment.clone());
        let moved = self.moved(state, Cause::Contested, moment.now)?;
        Ok((Self { dispute: Some(dispute.id), ..moved }, dispute))
    }

    /// The gateway's word about a case: a webhook or a look-up, any number of times. `known` are the invoice's disputes.
    pub fn observe_dispute(
        &self,
        known: &[Dispute],
        standing: &DisputeStanding,
        policy: &Policy,
        moment: Moment,
    ) -> DisputeReduced {
        let Some((payment, charge)) =
            self.state.payment().and_then(|payment| payment.charge.as_ref().map(|charge| (payment, charge)))
        else {
            return DisputeReduced::AlreadyApplied;
        };
        let before = Dispute::meant(known, standing);
        let told = before.map_or_else(
            || self.opened(charge, payment, Origin::Gateway, Some(standing), policy, moment),
            |before| before.told(standing),
        );
        let word = match standing.status {
            DisputeVerdict::Open if before.is_some_and(|before| before.is_followed(policy, moment.now)) => {
                return DisputeReduced::AlreadyApplied;
            }
            DisputeVerdict::Open => Word::Open { next_look: policy.poll_dispute_at(moment.now) },
            DisputeVerdict::Won => Word::Won { presumed: false },
            DisputeVerdict::Lost => Word::Lost,
        };
        self.follows(Case { before, told }, word, known, charge, moment)
            .map_or(DisputeReduced::AlreadyApplied, |reduction| DisputeReduced::Applied(Box::new(reduction)))
    }

    /// A person's word on how a dispute ended of which no bank tells. None: there is no such question any more.
    pub fn dispute_resolved(
        &self,
        known: &[Dispute],
        dispute: &Dispute,
        end: DisputeEnd,
        moment: Moment,
    ) -> Option<DisputeReduction> {
        dispute.matter()?;
        let charge = self.state.payment()?.charge.as_ref()?;
        let word = match end {
            DisputeEnd::Won => Word::Won { presumed: true },
            DisputeEnd::Lost => Word::Lost,
        };
        let case = Case { before: Some(dispute), told: dispute.clone() };
        self.follows(case, word, known, charge, moment)
    }

    /// What a word about a case changes. None: nothing.
    fn follows(
        &self,
        case: Case<'_>,
        word: Word,
        known: &[Dispute],
        charge: &Captured,
        moment: Moment,
    ) -> Option<DisputeReduction> {
        let Case { before, told: dispute } = case;
        let is_new = before.is_none();
        let is_undecided = dispute.is_undecided();
        let bank = match (word, &dispute.state) {
            (Word::Open { .. } | Word::Won { .. }, _) if is_undecided => None,
            (Word::Lost, _) if is_undecided => Some(Bank::Takes),
            (Word::Won { .. }, DisputeState::Lost { .. }) => Some(Bank::GivesBack),
            // What a person has called lost has a name now.
            (Word::Lost, DisputeState::Lost { .. }) if before?.case.is_none() => None,
            (Word::Open { .. } | Word::Won { .. } | Word::Lost, _) => return None,
        };
        let (transaction, split) = match bank {
            Some(bank) => {
                let (transaction, split) = self.booked(bank, &dispute, charge, moment)?;
                (Some(transaction), split)
            }
            None => (None, self.split.clone()),
        };
        let booked = transaction.as_ref().map(|transaction| transaction.id);
        let state = match (word, &dispute.state) {
            (Word::Won { presumed }, _) => DisputeState::Won { reinstatement: booked, presumed },
            (_, DisputeState::Lost { .. }) => dispute.state.clone(),
            (Word::Open { next_look }, _) => DisputeState::Open { due: next_look },
            (Word::Lost, _) => DisputeState::Lost { chargeback: booked? },
        };
        let others = known.iter().filter(|other| other.id != dispute.id).map(|other| &other.state);
        let counts = Counts::of(others.chain([&state]));
        let touched = Self { split, ..self.touched(moment.now) };
        let invoice = touched.disputed(counts, bank, is_new, moment.now);
        let invoice = if is_new { Self { dispute: Some(dispute.id), ..invoice } } else { invoice };
        let was_presumed = matches!(dispute.state, DisputeState::Won { .. });
        let is_surprise = is_new || (was_presumed && !matches!(word, Word::Won { .. }));
        let dispute = if is_new { Dispute { state, ..dispute } } else { dispute.moved(state, moment.now) };
        let matter = (is_surprise && invoice.status() == Status::Refunded).then(|| {
            invoice.attention(
                AttentionId::of_dispute(dispute.id),
                AttentionKind::DisputeAfterRefund,
                dispute.amount,
                &dispute.gateway,
                dispute.case.clone(),
                "disputed after it was given back: show the bank the refund".to_owned(),
            )
        });
        Some(DisputeReduction { dispute, is_new, invoice, transaction, matter })
    }

    /// Where its disputes bring it, all together: nothing is paid while a bank has money of it or may come to have.
    fn disputed(self, counts: Counts, bank: Option<Bank>, is_new: bool, now: Timestamp) -> Self {
        let ended = if matches!(bank, Some(Bank::GivesBack)) { Cause::Reinstated } else { Cause::DisputeWon };
        match counts {
            Counts::Lost => {
                let protested = self.in_protest(now);
                match protested.state.clone() {
                    State::InProtest(payment) => protested
                        .clone()
                        .moved_on(State::Chargeback(payment), Cause::DisputeLost, now)
                        .unwrap_or(protested),
                    _ => protested,
                }
            }
            Counts::Open => match self.state.clone() {
                State::Chargeback(payment) => {
                    let paid = self.clone().moved_on(State::Paid(payment.clone()), ended, now);
                    let protested =
                        paid.and_then(|paid| paid.moved_on(State::InProtest(payment), ended, now));
                    protested.unwrap_or(self)
                }
                _ => self.in_protest(now),
            },
            Counts::Won if is_new => self.in_protest(now).paid_after_all(ended, now),
            Counts::Won => self.paid_after_all(ended, now),
        }
    }

    fn opened(
        &self,
        charge: &Captured,
        payment: &Payment,
        origin: Origin,
        standing: Option<&DisputeStanding>,
        policy: &Policy,
        moment: Moment,
    ) -> Dispute {
        let left = Money::try_new(charge.amount.minor() - payment.refunded, charge.amount.currency())
            .ok()
            .filter(|left| left.is_positive());
        let told = standing.and_then(|standing| standing.amount_in(charge.amount.currency()));
        Dispute {
            id: DisputeId::new(self.customer(), moment.now, moment.entropy),
            version: 1,
            invoice: self.id,
            gateway: charge.gateway.clone(),
            charge: charge.reference.clone(),
            case: standing.map(|standing| standing.reference.clone()),
            // Banks dispute what was given back, too.
            amount: told.or(left).unwrap_or(charge.amount),
            origin,
            state: DisputeState::Open { due: policy.poll_dispute_at(moment.now) },
            created_at: moment.now,
            updated_at: moment.now,
        }
    }

    /// If it was paid; what was given back or is in protest already stays what it is.
    fn in_protest(self, now: Timestamp) -> Self {
        match &self.state {
            State::Paid(payment) => {
                let state = State::InProtest(payment.clone());
                self.clone().moved_on(state, Cause::DisputeOpened, now).unwrap_or(self)
            }
            _ => self,
        }
    }

    /// Paid again after a dispute; or refunded, if everything went back in the meantime.
    fn paid_after_all(self, cause: Cause, now: Timestamp) -> Self {
        let (State::InProtest(payment) | State::Chargeback(payment)) = self.state.clone() else {
            return self;
        };
        let paid = self.clone().moved_on(State::Paid(payment.clone()), cause, now).unwrap_or(self);
        if paid.amount_refunded() == paid.amount_paid() {
            paid.clone().moved_on(State::Refunded(payment), Cause::Refunded, now).unwrap_or(paid)
        } else {
            paid
        }
    }

    /// What a bank moves is first the merchants', in proportion, and only then our loss.
    fn booked(
        &self,
        bank: Bank,
        dispute: &Dispute,
        charge: &Captured,
        moment: Moment,
    ) -> Option<(Transaction, Option<Split>)> {
        let clearing = Account::GatewayClearing(charge.gateway.clone());
        let (currency, minor) = (dispute.amount.currency(), dispute.amount.minor());
        let of_split = self.split.as_ref().map(|split| match bank {
            Bank::Takes => split.charged_back(minor),
            Bank::GivesBack => split.reinstated(minor),
        });
        let (split, coming) = match of_split {
            Some((after, parts)) => {
                (Some(after), parts.coming_from(&clearing, &Account::Chargebacks, currency)?)
            }
            None => (None, Journal::transfer(clearing, Account::Chargebacks, dispute.amount).ok()?),
        };
        let (kind, journal) = match bank {
            Bank::Takes => (TransactionKind::Chargeback, coming.reversed()),
            Bank::GivesBack => (TransactionKind::Reinstatement, coming),
        };
        let transaction = Transaction {
            id: TransactionId::new(self.customer(), moment.now, moment.entropy),
            kind,
            amount: dispute.amount,
            moved_by: MovedBy::Gateway(AtGateway {
                invoice: self.id,
                attempt: charge.attempt,
                gateway: charge.gateway.clone(),
                reference: dispute.case.clone().unwrap_or_else(|| charge.reference.clone()),
                payment_method: charge.payment_method,
                means: charge.means,
            }),
            lines: self.lines(),
            at: moment.now,
            journal,
            mirrors: None,
        };
        Some((transaction, split))
    }
}

/// Which way a bank moves money in a case.
#[derive(Debug, Clone, Copy)]
enum Bank {
    Takes,
    GivesBack,
}

/// A dispute that somebody has a word about, as it was and as it is told.
struct Case<'a> {
    /// None: it has not been on record.
    before: Option<&'a Dispute>,
    told: Dispute,
}

#[derive(Debug, Clone, Copy)]
enum Word {
    Open { next_look: Option<Timestamp> },
    Won { presumed: bool },
    Lost,
}

/// What counts of several disputes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Counts {
    Won,
    Open,
    Lost,
}

impl Counts {
    fn of<'a>(disputes: impl Iterator<Item = &'a DisputeState>) -> Self {
        let each = disputes.map(|state| match state {
            DisputeState::Won { .. } => Self::Won,
            DisputeState::Open { .. } => Self::Open,
            DisputeState::Lost { .. } => Self::Lost,
        });
        each.max().unwrap_or(Self::Won)
    }
}
