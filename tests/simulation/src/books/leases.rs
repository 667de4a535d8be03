//! Who may be calling a gateway about an attempt just now. Until their lease has run out, nobody else moves the attempt on by
//! the gateway's not knowing it: the order may be on its way.

use super::Books;
use crate::control::TaskId;
use crate::gateway::SimulatedGateway;
use fatura_domain::charge::Phase;
use fatura_domain::gateway::GatewayName;
use fatura_domain::id::{AttemptId, InvoiceId};
use fatura_domain::invoice::{Invoice, State};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Who has written what is read, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer {
    pub(crate) task: TaskId,
    pub(crate) at_ms: i64,
    /// How far its clock may be ahead.
    pub(crate) skew_ms: i64,
}

#[derive(Debug, Default)]
pub(super) struct Leases {
    held: BTreeMap<InvoiceId, Lease>,
    /// Attempts that somebody else moved on, since somebody last looked.
    taken: Vec<(AttemptId, GatewayName, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Lease {
    holder: TaskId,
    until_ms: i64,
}

impl Leases {
    pub(super) fn follow(&mut self, before: Option<&Invoice>, after: &Invoice, by: Writer) {
        let (was, is) = (before.and_then(sending), sending(after));
        if was == is {
            return;
        }
        if let Some((attempt, gateway, _)) = was
            && let Some(lease) = self.held.remove(&attempt.invoice)
            && lease.holder != by.task
            && by.at_ms + by.skew_ms < lease.until_ms
        {
            let Lease { holder, until_ms } = lease;
            let what = format!("#{} moves {attempt} on, which #{holder} holds until {until_ms}", by.task);
            self.taken.push((attempt, gateway, what));
        }
        if let Some((attempt, _, until_ms)) = is {
            self.held.insert(attempt.invoice, Lease { holder: by.task, until_ms });
        }
    }
}

impl Books {
    /// What the gateway has and tells, anybody may write down at any time.
    pub(super) fn are_kept(&mut self, gateways: &[Arc<SimulatedGateway>], wrong: &mut Vec<String>) {
        for (attempt, name, what) in std::mem::take(&mut self.leases.taken) {
            let gateway = gateways.iter().find(|gateway| *gateway.called() == name);
            let is_known = gateway.is_some_and(|gateway| gateway.knows(attempt));
            if !is_known {
                wrong.push(format!("{what}, and {name} knows nothing of it"));
            }
        }
    }
}

fn sending(invoice: &Invoice) -> Option<(AttemptId, GatewayName, i64)> {
    let State::Pending(collection) = &invoice.state else { return None };
    let live = collection.live.as_ref()?;
    let Phase::Sending { lease_until } = live.phase else { return None };
    Some((invoice.attempt_id(live.number), collection.source.gateway.clone(), lease_until.as_millisecond()))
}
