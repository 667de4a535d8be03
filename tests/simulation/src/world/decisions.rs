//! When all is quiet, people decide what waits for them: by what they see at the gateway, since nothing else would be right.

use super::World;
use crate::books::Matter;
use crate::clients::Asked;
use crate::gateway::Charge;
use fatura_domain::attention::AttentionKind;
use fatura_domain::gateway::DisputeVerdict;
use fatura_domain::id::AttemptId;

/// What they decide may bring more to be decided.
const MOST_ROUNDS: usize = 20;
/// How long everything goes wrong while they decide.
const HOSTILE_STEPS: u64 = 40;

impl World {
    pub(super) fn decide(&mut self) -> Result<(), Vec<String>> {
        for round in 0..MOST_ROUNDS {
            let matters = self.books.matters();
            let decided: Vec<Asked> = matters.iter().filter_map(|matter| self.decision(matter)).collect();
            if decided.is_empty() {
                return are_decided(&matters);
            }
            self.is_quiet = round > 0;
            self.is_over = true;
            for asked in decided {
                // Two have looked at the same matter, or one presses the button twice.
                if self.chance.happens(300) {
                    self.ask(asked.clone());
                }
                self.ask(asked);
            }
            for _ in 0..HOSTILE_STEPS {
                self.step()?;
            }
            self.go_quiet()?;
        }
        Err(vec![format!("there is always more to decide: {:?}", self.books.matters())])
    }

    /// None: it is no such question, or they can't find out either.
    fn decision(&mut self, matter: &Matter) -> Option<Asked> {
        match matter.kind {
            AttentionKind::RiskReview => {
                let is_approved = self.chance.happens(500);
                Some(self.clients.review(matter.invoice, is_approved))
            }
            AttentionKind::AmountMismatch => Some(self.clients.resolve(matter.attempt()?, None)),
            AttentionKind::UnknownOutcome => {
                let attempt = matter.attempt()?;
                match self.charge(matter, |charge| charge.attempt == attempt) {
                    Some(charge) if charge.is_as_asked() => {
                        Some(self.clients.resolve(attempt, Some(&charge.reference)))
                    }
                    Some(charge) if charge.may_come() => None,
                    _ => Some(self.clients.resolve(attempt, None)),
                }
            }
            AttentionKind::ContestUnanswered => {
                let invoice = self.books.invoices.get(&matter.invoice)?;
                let paid = invoice.state.payment()?.charge.clone()?;
                let charge = self.charge(matter, |charge| charge.reference == paid.reference)?;
                let is_lost = charge.cases.iter().any(|case| case.verdict == DisputeVerdict::Lost);
                Some(self.clients.close_matter(&matter.id, is_lost))
            }
            AttentionKind::DisputeOutcomeUnknown => {
                let is_it =
                    |charge: &Charge| charge.disputes().any(|told| Some(told.reference) == matter.reference);
                let charge = self.charge(matter, is_it)?;
                let case =
                    charge.disputes().find(|told| Some(&told.reference) == matter.reference.as_ref())?;
                Some(self.clients.close_matter(&matter.id, case.status == DisputeVerdict::Lost))
            }
            _ => None,
        }
    }

    fn charge(&self, matter: &Matter, is_it: impl Fn(&Charge) -> bool) -> Option<Charge> {
        let gateway =
            self.outside.gateways.iter().find(|one| Some(one.called()) == matter.gateway.as_ref())?;
        gateway.book.lock().unwrap().charges.values().find(|charge| is_it(charge)).cloned()
    }
}

/// What is left are refunds and webhooks that only the gateway's people can clear up, and charges that are neither right
/// nor none.
fn are_decided(left: &[Matter]) -> Result<(), Vec<String>> {
    const TO_DECIDE: [AttentionKind; 4] = [
        AttentionKind::RiskReview,
        AttentionKind::AmountMismatch,
        AttentionKind::ContestUnanswered,
        AttentionKind::DisputeOutcomeUnknown,
    ];
    let undecided = left.iter().filter(|matter| TO_DECIDE.contains(&matter.kind));
    let undecided: Vec<String> = undecided.map(|matter| format!("nobody can decide {matter:?}")).collect();
    if undecided.is_empty() { Ok(()) } else { Err(undecided) }
}

impl Matter {
    fn attempt(&self) -> Option<AttemptId> {
        self.id.strip_prefix("atn_")?.parse().ok()
    }
}
