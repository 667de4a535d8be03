//! What the risk rules say of an order before it goes out, and what a person decides where they ask for one.

use super::reduce::LiveCollection;
use super::{Collection, Invoice, Reduced, Reduction, State, Status};
use crate::actor::Actor;
use crate::charge::{Failure, FailureClass, LiveAttempt, Phase};
use crate::dunning::Policy;
use crate::risk::{Assessment, CardMark, Judgement, Review, Verdict};
use crate::{Moment, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What an attempt that is yet to begin will be paid with: what velocity has to know of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begins {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<CardMark>,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("only a charge that is held for review can be reviewed")]
pub struct NotHeld(pub Status);

impl Invoice {
    /// The attempt that its message begins, unless what it stands for has been judged already. None: none begins.
    pub fn begins(&self) -> Option<Begins> {
        let State::Pending(Collection { source, live: None, risk: None, .. }) = &self.state else {
            return None;
        };
        Some(Begins { card: source.card.as_ref().map(|card| card.mark) })
    }

    /// What the order that is being collected by was judged to be. An order that is carried to another gateway stays judged.
    pub const fn judgement(&self) -> Option<&Judgement> {
        match &self.state {
            State::Pending(collection) => collection.risk.as_ref(),
            _ => None,
        }
    }

    /// With what the rules said of it, which is written with whatever becomes of the order: no change of its own.
    #[must_use]
    pub fn judged(mut self, judgement: Judgement) -> Self {
        if let State::Pending(collection) = &mut self.state {
            collection.risk.get_or_insert(judgement);
        }
        self
    }

    /// With what an earlier reading of it was judged to be, if that was about the same attempt: the table may not know it yet.
    #[must_use]
    pub fn judged_as(self, earlier: &Self) -> Self {
        let live = |invoice: &Self| invoice.state.live_attempt().map(|live| live.number);
        match earlier.judgement() {
            Some(judgement) if live(&self).is_some() && live(&self) == live(earlier) => {
                self.judged(judgement.clone())
            }
            _ => self,
        }
    }

    /// Held until a person has looked. None: the attempt isn't about to be sent.
    pub fn held(&self, policy: &Policy, moment: Moment) -> Option<Reduction> {
        let State::Pending(collection) = &self.state else { return None };
        let live = collection.live.as_ref().filter(|live| matches!(live.phase, Phase::Sending { .. }))?;
        if collection.cancel_requested {
            let live = LiveCollection { invoice: self, collection, live, policy, moment };
            return applied(live.resolved_as_not_charged(&held_failure()));
        }
        let live = LiveAttempt { phase: Phase::Held, ..live.clone() };
        Some(Reduction::of(self.waiting(collection, live, None, moment.now)))
    }

    /// What a person says of a charge that is held: it goes out at once, or ends as declined.
    pub fn reviewed(
        &self,
        verdict: Verdict,
        by: Actor,
        policy: &Policy,
        moment: Moment,
    ) -> Result<Reduction, NotHeld> {
        let not_held = || NotHeld(self.status());
        let State::Pending(collection) = &self.state else { return Err(not_held()) };
        let live = collection.live.as_ref().filter(|live| live.phase == Phase::Held).ok_or_else(not_held)?;
        let Judgement { assessment, .. } = collection.risk.clone().unwrap_or_else(unknown);
        let risk = Some(Judgement { assessment, review: Some(Review { verdict, by, at: moment.now }) });
        let collection = Collection { risk, ..collection.clone() };
        match verdict {
            Verdict::Approve => {
                // It begins now, not when it was held.
                let live = LiveAttempt { phase: Phase::Cleared, started_at: moment.now, ..live.clone() };
                let due = moment.now.checked_add(policy.resend_after).ok();
                let invoice = self.waiting(&collection, live, due, moment.now);
                Ok(Reduction { wake: true, ..Reduction::of(invoice) })
            }
            Verdict::Reject => {
                let message = "a person has rejected it after a review";
                let failure = Failure::new(FailureClass::RiskDeclined, "risk_rejected", message);
                let judged = Self { state: State::Pending(collection.clone()), ..self.clone() };
                let live = LiveCollection { invoice: &judged, collection: &collection, live, policy, moment };
                applied(live.refused(&failure)).ok_or_else(not_held)
            }
        }
    }

    fn waiting(
        &self,
        collection: &Collection,
        live: LiveAttempt,
        due: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let state = State::Pending(Collection { live: Some(live), due, ..collection.clone() });
        Self { state, ..self.touched(now) }
    }
}

/// Why an attempt that was held was never sent.
pub(super) fn held_failure() -> Failure {
    Failure::new(FailureClass::NotSent, "risk_review", "it was held for review")
}

/// The failure of an order that the rules refuse.
pub fn declined_by_rules() -> Failure {
    Failure::new(FailureClass::RiskDeclined, "risk_declined", "the risk rules decline it")
}

fn applied(reduced: Reduced) -> Option<Reduction> {
    match reduced {
        Reduced::Applied(reduction) => Some(*reduction),
        Reduced::AlreadyApplied => None,
    }
}

/// What is held without a word of why was written by another release.
fn unknown() -> Judgement {
    Assessment::unreadable(0).into()
}
