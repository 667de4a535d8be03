//! What a person decides where no rule can.

use super::reduce::LiveCollection;
use super::{Invoice, Observation, Reduced, Reduction, State, Status};
use crate::Moment;
use crate::charge::{Failure, FailureClass, Phase};
use crate::dunning::Policy;
use crate::gateway::{ChargeOutcome, GatewayReference};
use crate::id::AttemptNumber;
use thiserror::Error;

/// What became of an attempt, by the word of somebody who has looked at the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// It took the whole amount, and this is what it calls the charge.
    Charged(GatewayReference),
    /// It took nothing; or another amount, which goes back.
    NotCharged,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ResolveError {
    #[error("only an attempt whose outcome is unknown can be resolved")]
    NotUnknown(Status),
    #[error("the gateway captured another amount, which can only be given back: resolve it as not_charged")]
    OtherAmount,
}

impl Invoice {
    pub fn resolved(
        &self,
        attempt: AttemptNumber,
        resolution: &Resolution,
        policy: &Policy,
        moment: Moment,
    ) -> Result<Reduction, ResolveError> {
        let refused = || ResolveError::NotUnknown(self.status());
        let State::Pending(collection) = &self.state else { return Err(refused()) };
        let live = collection.live.as_ref().filter(|live| live.number == attempt).ok_or_else(refused)?;
        let is_mismatched = match live.phase {
            Phase::Unknown { .. } => false,
            Phase::Mismatched { .. } => true,
            Phase::Sending { .. }
            | Phase::Held
            | Phase::Cleared
            | Phase::NotSent { .. }
            | Phase::Awaiting { .. } => return Err(refused()),
        };
        let reduced = match resolution {
            Resolution::Charged(_) if is_mismatched => return Err(ResolveError::OtherAmount),
            Resolution::Charged(reference) => {
                let outcome = ChargeOutcome::Approved { reference: reference.clone(), captured: self.total };
                let gateway = collection.source.gateway.clone();
                self.observe(&Observation { gateway, attempt, outcome }, policy, moment)
            }
            Resolution::NotCharged => {
                let class = live.failure().map_or(FailureClass::Unknown, |failure| failure.class);
                let failure =
                    Failure::new(class, "resolved_as_not_charged", "an operator found nothing charged");
                LiveCollection { invoice: self, collection, live, policy, moment }
                    .resolved_as_not_charged(&failure)
            }
        };
        let Reduced::Applied(reduction) = reduced else { return Err(refused()) };
        let mut reduction = *reduction;
        if is_mismatched {
            reduction.refund = reduction.invoice.return_orphan(policy, moment);
        }
        Ok(reduction)
    }
}
