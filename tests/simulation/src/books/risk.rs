//! What the risk rules hold or refuse goes to no gateway, and what they counted stays counted.

use super::{Books, Key};
use crate::gateway::SimulatedGateway;
use aws_smithy_types::base64;
use fatura_domain::Timestamp;
use fatura_domain::charge::{FailureClass, Phase};
use fatura_domain::id::{AttemptId, AttemptNumber};
use fatura_domain::invoice::{Invoice, State};
use fatura_domain::risk::Try;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const HOUR: &str = "VEL#";
const RULES: &str = "CFG#risk";
/// Where in a try its attempt's mark lies.
const MARK: std::ops::Range<usize> = 4..8;

#[derive(Debug, Default)]
pub(crate) struct Risk {
    /// By how many an attempt was claimed before the rules had their say. Whoever claimed it first may have sent it already, and
    /// only a gateway knows.
    claims: BTreeMap<AttemptId, BTreeSet<Timestamp>>,
    held: BTreeSet<AttemptId>,
    /// Declined by rules, or rejected by a person.
    refused: BTreeSet<AttemptId>,
    /// Judged by rules that ask about velocity: one of these attempts was counted.
    counted: Vec<Vec<AttemptId>>,
}

impl Books {
    /// What was tried in an hour is added to, and never forgotten.
    pub(super) fn remember(&self, key: &Key, image: &Value, wrong: &mut Vec<String>) {
        let (pk, sk) = key;
        if !sk.starts_with(HOUR) {
            return;
        }
        let is = tries(image);
        if self.items.get(key).map(tries).is_some_and(|was| !was.is_subset(&is)) {
            wrong.push(format!("{pk} {sk} has forgotten what was tried"));
        }
    }

    /// Follows what becomes of an attempt that the rules have their say about.
    pub(super) fn judge(&mut self, before: Option<&Invoice>, after: &Invoice) {
        let live = after.state.live_attempt();
        if let Some(live) = live {
            let attempt = after.attempt_id(live.number);
            match &live.phase {
                Phase::Sending { lease_until } => {
                    self.risk.claims.entry(attempt).or_default().insert(*lease_until);
                }
                Phase::Held if self.was_claimed_once(attempt) => {
                    self.risk.held.insert(attempt);
                }
                _ => {
                    self.risk.held.remove(&attempt);
                }
            }
        }
        self.count_judged(before, after);
        let Some(was) = before.and_then(|before| before.state.live_attempt()) else { return };
        let attempt = after.attempt_id(was.number);
        let is_over = live.is_none_or(|live| live.number != was.number);
        if is_over {
            self.risk.held.remove(&attempt);
            let refused = matches!(&after.state, State::ChargedWithError(failed) if failed.failure.class == FailureClass::RiskDeclined);
            if refused && (was.phase == Phase::Held || self.was_claimed_once(attempt)) {
                self.risk.refused.insert(attempt);
            }
        }
    }

    fn was_claimed_once(&self, attempt: AttemptId) -> bool {
        self.risk.claims.get(&attempt).is_none_or(|claims| claims.len() == 1)
    }

    /// Whoever is judged by rules that mention velocity was counted before.
    fn count_judged(&mut self, before: Option<&Invoice>, after: &Invoice) {
        let Some(before) = before else { return };
        let (None, Some(judgement)) = (before.judgement(), after.judgement()) else { return };
        let edition = judgement.assessment.edition;
        let rules = self.items.get(&(RULES.to_owned(), format!("V#{edition:010}")));
        if rules.is_some_and(|rules| rules.to_string().contains("velocity.")) {
            let first = before.attempts.max(AttemptNumber(1)).0;
            let attempts = (first..=after.attempts.0).map(|number| after.attempt_id(AttemptNumber(number)));
            self.risk.counted.push(attempts.collect());
        }
    }

    pub(super) fn risk_agrees(&mut self, gateways: &[Arc<SimulatedGateway>], wrong: &mut Vec<String>) {
        for attempt in self.risk.held.iter().filter(|attempt| is_known(gateways, **attempt)) {
            wrong.push(format!("{attempt} is held for review, and a gateway has it"));
        }
        for attempts in std::mem::take(&mut self.risk.counted) {
            if !attempts.iter().any(|attempt| self.is_counted(*attempt)) {
                wrong.push(format!("{attempts:?} was judged by velocity and not counted"));
            }
        }
    }

    pub(crate) fn refused_stay_unsent(&self, gateways: &[Arc<SimulatedGateway>], wrong: &mut Vec<String>) {
        for attempt in self.risk.refused.iter().filter(|attempt| is_known(gateways, **attempt)) {
            wrong.push(format!("{attempt} was refused for its risk, and a gateway has it"));
        }
    }

    fn is_counted(&self, attempt: AttemptId) -> bool {
        let mark = Try::new(attempt, None, Timestamp::UNIX_EPOCH).to_bytes();
        let of_customer = self.within(&format!("C#{}", attempt.invoice.owner().code()));
        let hours = of_customer.filter(|((_, sk), _)| sk.starts_with(HOUR));
        hours.flat_map(|(_, item)| tries(item)).any(|one| one.get(MARK) == mark.get(MARK))
    }
}

fn is_known(gateways: &[Arc<SimulatedGateway>], attempt: AttemptId) -> bool {
    gateways.iter().any(|gateway| gateway.book.lock().unwrap().charges.contains_key(&attempt.to_string()))
}

fn tries(item: &Value) -> BTreeSet<Vec<u8>> {
    let all = item.pointer("/a/BS").and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|one| base64::decode(one.as_str()?).ok()).collect()
}
