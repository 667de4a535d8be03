//! What a gateway truly did: its charges and refunds, whatever anybody was told about them.

use fatura_application::ports::ChargeLookup;
use fatura_domain::Timestamp;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{
    ChargeOutcome, ChargeRequest, DisputeStanding, DisputeVerdict, GatewayReference, MeansType,
    PendingAction, RefundOutcome, RefundRequest,
};
use fatura_domain::id::{AttemptId, InvoiceId};
use fatura_domain::money::Money;
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    Captured(Money),
    Waiting(PendingAction),
    Declined(FailureClass),
    Voided,
}

#[derive(Debug, Clone)]
pub(crate) struct Charge {
    pub(crate) attempt: AttemptId,
    pub(crate) reference: GatewayReference,
    pub(crate) asked: Money,
    pub(crate) standing: Standing,
    /// Money came against what the gateway itself had said before: no caller could have known.
    pub(crate) is_contradicted: bool,
    /// The cases about it, oldest first.
    pub(crate) cases: Vec<Case>,
    /// Of how many of them we must know: there were so many when word of one was brought and taken in.
    pub(crate) cases_heard: usize,
    /// Of its cases the gateway tells the latest only, and that until it is won.
    pub(crate) is_forgotten: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) verdict: DisputeVerdict,
    /// None: it is about all of the charge, and the gateway doesn't say so.
    pub(crate) amount: Option<Money>,
}

#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub(crate) request: RefundRequest,
    pub(crate) reference: GatewayReference,
    pub(crate) state: RefundStanding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefundStanding {
    Done,
    UnderWay,
    Failed,
}

/// What a gateway decides about an order that it sees for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Captures,
    CapturesLess,
    Declines(FailureClass),
    Waits,
}

#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) charges: BTreeMap<String, Charge>,
    pub(crate) refunds: BTreeMap<String, Refund>,
    /// Since when money has come or gone, by the gateway's own reference.
    pub(super) dates: BTreeMap<String, i64>,
    /// Orders that came again under a key that was known.
    pub(crate) repeated: u64,
    /// Under which keys, new or known, since somebody last asked.
    pub(crate) ordered_lately: Vec<AttemptId>,
    /// Of which invoices, since somebody last asked.
    pub(crate) captured_lately: Vec<InvoiceId>,
    /// What no caller may do.
    pub(crate) violations: Vec<String>,
}

impl Book {
    pub(crate) fn charge(&mut self, request: &ChargeRequest, mood: Mood, expires_at: Timestamp) -> &Charge {
        let key = request.attempt.to_string();
        self.ordered_lately.push(request.attempt);
        if let Some(known) = self.charges.get(&key) {
            self.repeated += 1;
            if known.asked != request.amount {
                let (was, is) = (known.asked, request.amount);
                self.violations.push(format!("the key {key} was used for {was} and for {is}"));
            }
        }
        let reference = GatewayReference(format!("ch_{}", self.charges.len() + 1));
        let means = request.means.kind();
        let standing = match mood {
            Mood::Captures | Mood::CapturesLess | Mood::Waits if means == MeansType::Pix => {
                let emv = "00020126".to_owned();
                Standing::Waiting(PendingAction::Pix { emv, expires_at })
            }
            Mood::Captures => Standing::Captured(request.amount),
            Mood::CapturesLess => {
                let less = Money::try_new(request.amount.minor() - 1, request.amount.currency()).unwrap();
                Standing::Captured(less)
            }
            Mood::Declines(class) => Standing::Declined(class),
            Mood::Waits => Standing::Waiting(PendingAction::Review),
        };
        if matches!(standing, Standing::Captured(_)) {
            self.captured_lately.push(request.attempt.invoice);
        }
        self.charges.entry(key).or_insert(Charge {
            attempt: request.attempt,
            reference,
            asked: request.amount,
            standing,
            is_contradicted: false,
            cases: Vec::new(),
            cases_heard: 0,
            is_forgotten: false,
        })
    }

    /// By the gateway's own name for it, where its caller knows that.
    pub(crate) fn meant(&mut self, lookup: &ChargeLookup) -> Option<&mut Charge> {
        match &lookup.reference {
            Some(reference) => self.charges.values_mut().find(|charge| charge.reference == *reference),
            None => self.charges.get_mut(&lookup.attempt.to_string()),
        }
    }

    pub(crate) fn by_reference(&self, reference: &GatewayReference) -> Option<&Charge> {
        self.charges.values().find(|charge| charge.reference == *reference)
    }

    pub(crate) fn captured(&self, reference: &GatewayReference) -> Option<Money> {
        match self.by_reference(reference)?.standing {
            Standing::Captured(money) => Some(money),
            _ => None,
        }
    }

    /// Every capture, by the gateway's own reference.
    pub(crate) fn captures(&self) -> Vec<(GatewayReference, Money, Charge)> {
        let captured = self.charges.values().filter_map(|charge| match charge.standing {
            Standing::Captured(money) => Some((charge.reference.clone(), money, charge.clone())),
            _ => None,
        });
        captured.collect()
    }

    /// Minor units of a charge that have gone back or are about to.
    pub(crate) fn given_back(&self, charge: &GatewayReference) -> i64 {
        let of_charge = self.refunds.values().filter(|refund| refund.request.charge == *charge);
        let counted = of_charge.filter(|refund| refund.state != RefundStanding::Failed);
        counted.map(|refund| refund.request.amount.minor()).sum()
    }

    /// Minor units that a refund of this reference gave back.
    pub(crate) fn returned(&self, reference: &str) -> i64 {
        let named = self.refunds.values().filter(|refund| refund.reference.0 == reference);
        let done = named.filter(|refund| refund.state == RefundStanding::Done);
        done.map(|refund| refund.request.amount.minor()).sum()
    }

    /// Minor units of a charge that have gone back for good.
    pub(crate) fn done_back(&self, charge: &GatewayReference) -> i64 {
        let of_charge = self.refunds.values().filter(|refund| refund.request.charge == *charge);
        let done = of_charge.filter(|refund| refund.state == RefundStanding::Done);
        done.map(|refund| refund.request.amount.minor()).sum()
    }

    pub(crate) fn refund(&mut self, request: &RefundRequest, state: RefundStanding) -> RefundOutcome {
        let key = request.refund.to_string();
        if self.refunds.contains_key(&key) {
            self.repeated += 1;
            return self.refund_stands(&key);
        }
        let captured = self.captured(&request.charge).map_or(0, Money::minor);
        let mut state = state;
        if self.given_back(&request.charge) + request.amount.minor() > captured {
            let more = format!("{key} asks for {} of {captured} at {}", request.amount, request.charge);
            self.violations.push(format!("more is given back than was captured: {more}"));
            state = RefundStanding::Failed;
        }
        let reference = GatewayReference(format!("re_{}", self.refunds.len() + 1));
        self.refunds.insert(key.clone(), Refund { request: request.clone(), reference, state });
        self.refund_stands(&key)
    }

    fn refund_stands(&self, key: &str) -> RefundOutcome {
        let Some(refund) = self.refunds.get(key) else { panic!("no refund {key}") };
        let reference = refund.reference.clone();
        match refund.state {
            RefundStanding::Done => RefundOutcome::Succeeded { reference, amount: refund.request.amount },
            RefundStanding::UnderWay => RefundOutcome::Pending { reference },
            RefundStanding::Failed => RefundOutcome::Failed {
                failure: Failure::new(FailureClass::Generic, "refund_failed", "the bank said no"),
            },
        }
    }

    pub(crate) fn refund_of(&self, request: &RefundRequest) -> Option<RefundOutcome> {
        let key = request.refund.to_string();
        self.refunds.contains_key(&key).then(|| self.refund_stands(&key))
    }
}

impl Charge {
    pub(crate) fn is_as_asked(&self) -> bool {
        self.standing == Standing::Captured(self.asked)
    }

    /// Or came as less than was asked for: what that is nobody can say who knows only yes and no.
    pub(crate) const fn may_come(&self) -> bool {
        matches!(self.standing, Standing::Waiting(_) | Standing::Captured(_))
    }

    /// What no bank has taken or may take.
    pub(crate) fn undisputed(&self) -> Option<Money> {
        let Standing::Captured(captured) = self.standing else { return None };
        let standing = self.cases.iter().filter(|case| case.verdict != DisputeVerdict::Won);
        let disputed: i64 = standing.map(|case| case.amount.unwrap_or(captured).minor()).sum();
        Money::try_new(captured.minor() - disputed, captured.currency())
            .ok()
            .filter(|left| left.is_positive())
    }

    pub(crate) fn outcome(&self) -> ChargeOutcome {
        let reference = self.reference.clone();
        match &self.standing {
            Standing::Captured(captured) => ChargeOutcome::Approved { reference, captured: *captured },
            Standing::Waiting(action) => ChargeOutcome::Pending { reference, action: action.clone() },
            Standing::Declined(class) => ChargeOutcome::Declined {
                reference: Some(reference),
                failure: Failure::new(*class, class.as_str(), "the bank said no"),
            },
            Standing::Voided => ChargeOutcome::Voided { reference },
        }
    }

    pub(crate) fn disputes(&self) -> impl Iterator<Item = DisputeStanding> {
        self.cases.iter().zip(1..).map(|(case, place)| DisputeStanding {
            reference: GatewayReference(format!("dp_{}_{place}", self.reference)),
            status: case.verdict,
            amount: case.amount,
        })
    }

    /// Newest first, as gateways list.
    pub(crate) fn told(&self) -> Vec<DisputeStanding> {
        let mut told: Vec<_> = self.disputes().collect();
        told.reverse();
        if self.is_forgotten {
            told.truncate(1);
            told.retain(|standing| standing.status != DisputeVerdict::Won);
        }
        told
    }
}
