//! What a dispute does to an invoice: the customer's contest, and the gateway's word about its case, in whatever order.

use super::{Captured, Cause, IllegalTransition, Invoice, Payment, Split, State, Status};
use crate::attention::{Attention, AttentionId, AttentionKind};
use crate::dispute::{ContestReason, Dispute, DisputeState, Origin};
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

    /// The gateway's word about a case: a webhook or a look-up, any number of times. `known` is the dispute that it means, if
    /// that is on record ([`Dispute::meant`]).
    pub fn observe_dispute(
        &self,
        known: Option<&Dispute>,
        standing: &DisputeStanding,
        policy: &Policy,
        moment: Moment,
    ) -> DisputeReduced {
        let Some((payment, charge)) =
            self.state.payment().and_then(|payment| payment.charge.as_ref().map(|charge| (payment, charge)))
        else {
            return DisputeReduced::AlreadyApplied;
        };
        let known = known.filter(|dispute| dispute.is(standing));
        let case = match known {
            Some(dispute) => Case { dispute: dispute.told(standing), is_new: false },
            None => Case {
                dispute: self.opened(charge, payment, Origin::Gateway, Some(standing), policy, moment),
                is_new: true,
            },
        };
        // An older case that is decided while a newer one is open is booked, and decides nothing for the invoice.
        if !case.is_new && self.dispute != Some(case.dispute.id) {
            return self.observe_older(case, standing, charge, moment);
        }
        let reduction = match (&case.dispute.state, standing.status) {
            (DisputeState::Open { .. }, DisputeVerdict::Open) => self.is_open(case, standing, policy, moment),
            (DisputeState::Open { .. }, DisputeVerdict::Won) => Some(self.is_won(case, standing, moment)),
            (DisputeState::Open { .. }, DisputeVerdict::Lost) => self.is_lost(case, standing, charge, moment),
            (DisputeState::Lost { .. }, DisputeVerdict::Won) => self.is_reinstated(&case, charge, moment),
            (DisputeState::Won { .. } | DisputeState::Lost { .. }, _) => None,
        };
        reduction
            .map_or(DisputeReduced::AlreadyApplied, |reduction| DisputeReduced::Applied(Box::new(reduction)))
    }

    /// A person's word that nothing comes of a contest that no bank has taken up: what was paid is paid. None: it isn't one.
    pub fn contest_dropped(&self, dispute: &Dispute, now: Timestamp) -> Option<(Self, Dispute)> {
        dispute.matter()?;
        let touched = self.touched(now);
        let is_latest = self.dispute == Some(dispute.id);
        let invoice = if is_latest { touched.paid_after_all(Cause::DisputeWon, now) } else { touched };
        Some((invoice, dispute.moved(DisputeState::Won { reinstatement: None }, now)))
    }

    fn observe_older(
        &self,
        case: Case,
        standing: &DisputeStanding,
        charge: &Captured,
        moment: Moment,
    ) -> DisputeReduced {
        let bank = match (&case.dispute.state, standing.status) {
            (DisputeState::Open { .. }, DisputeVerdict::Won) => None,
            (DisputeState::Open { .. }, DisputeVerdict::Lost) => Some(Bank::Takes),
            (DisputeState::Lost { .. }, DisputeVerdict::Won) => Some(Bank::GivesBack),
            _ => return DisputeReduced::AlreadyApplied,
        };
        let booked = bank.and_then(|bank| self.booked(bank, &case.dispute, charge, moment));
        let (transaction, split) =
            booked.map_or((None, self.split.clone()), |(transaction, split)| (Some(transaction), split));
        let booked = transaction.as_ref().map(|transaction| transaction.id);
        let state = match (standing.status, booked) {
            (DisputeVerdict::Lost, Some(chargeback)) => DisputeState::Lost { chargeback },
            (DisputeVerdict::Won, reinstatement) => DisputeState::Won { reinstatement },
            _ => return DisputeReduced::AlreadyApplied,
        };
        let invoice = Self { split, ..self.touched(moment.now) };
        let latest = invoice.dispute;
        let reduction = case.into_reduction(invoice, state, standing, transaction, moment.now);
        let invoice = Self { dispute: latest, ..reduction.invoice };
        DisputeReduced::Applied(Box::new(DisputeReduction { invoice, ..reduction }))
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

    fn is_open(
        &self,
        case: Case,
        standing: &DisputeStanding,
        policy: &Policy,
        moment: Moment,
    ) -> Option<DisputeReduction> {
        if !case.is_new && case.dispute.case.is_some() {
            return None;
        }
        // From now on there is a case to ask about, even if nobody was to ask any more.
        let state = DisputeState::Open { due: policy.poll_dispute_at(moment.now) };
        Some(case.into_reduction(self.in_protest(moment.now), state, standing, None, moment.now))
    }

    fn is_won(&self, case: Case, standing: &DisputeStanding, moment: Moment) -> DisputeReduction {
        let invoice = self.in_protest(moment.now).paid_after_all(Cause::DisputeWon, moment.now);
        let state = DisputeState::Won { reinstatement: None };
        case.into_reduction(invoice, state, standing, None, moment.now)
    }

    fn is_lost(
        &self,
        case: Case,
        standing: &DisputeStanding,
        charge: &Captured,
        moment: Moment,
    ) -> Option<DisputeReduction> {
        let (transaction, split) = self.booked(Bank::Takes, &case.dispute, charge, moment)?;
        let protested = Self { split, ..self.in_protest(moment.now) };
        let invoice = match protested.state.clone() {
            State::InProtest(payment) => protested
                .clone()
                .moved_on(State::Chargeback(payment), Cause::DisputeLost, moment.now)
                .unwrap_or(protested),
            _ => protested,
        };
        let state = DisputeState::Lost { chargeback: transaction.id };
        Some(case.into_reduction(invoice, state, standing, Some(transaction), moment.now))
    }

    fn is_reinstated(&self, case: &Case, charge: &Captured, moment: Moment) -> Option<DisputeReduction> {
        let (transaction, split) = self.booked(Bank::GivesBack, &case.dispute, charge, moment)?;
        let touched = Self { split, ..self.touched(moment.now) };
        let invoice = touched.paid_after_all(Cause::Reinstated, moment.now);
        let state = DisputeState::Won { reinstatement: Some(transaction.id) };
        let dispute = case.dispute.moved(state, moment.now);
        Some(DisputeReduction {
            dispute,
            is_new: false,
            invoice,
            transaction: Some(transaction),
            matter: None,
        })
    }

    /// The next version, in protest if it was paid; what was given back or is in protest already stays what it is.
    fn in_protest(&self, now: Timestamp) -> Self {
        let touched = self.touched(now);
        match &self.state {
            State::Paid(payment) => {
                let state = State::InProtest(payment.clone());
                touched.clone().moved_on(state, Cause::DisputeOpened, now).unwrap_or(touched)
            }
            _ => touched,
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

/// A dispute that the gateway tells of, and whether we knew it.
struct Case {
    dispute: Dispute,
    is_new: bool,
}

impl Case {
    fn into_reduction(
        self,
        invoice: Invoice,
        state: DisputeState,
        standing: &DisputeStanding,
        transaction: Option<Transaction>,
        now: Timestamp,
    ) -> DisputeReduction {
        let Self { dispute, is_new } = self;
        let linked = Dispute { case: Some(standing.reference.clone()), ..dispute };
        let dispute = if is_new { Dispute { state, ..linked } } else { linked.moved(state, now) };
        let matter = (is_new && invoice.status() == Status::Refunded).then(|| {
            invoice.attention(
                AttentionId::of_dispute(dispute.id),
                AttentionKind::DisputeAfterRefund,
                dispute.amount,
                &dispute.gateway,
                dispute.case.clone(),
                "disputed after it was given back: show the bank the refund".to_owned(),
            )
        });
        let invoice = Invoice { dispute: Some(dispute.id), ..invoice };
        DisputeReduction { dispute, is_new, invoice, transaction, matter }
    }
}
