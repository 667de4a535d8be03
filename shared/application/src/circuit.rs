//! Circuit breakers: a gateway that stays silent isn't asked to charge for a while, and then by one order at first.

use crate::ports::{Circuits, StoreError};
use fatura_domain::gateway::{ChargeOutcome, GatewayName};
use fatura_domain::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A gateway's circuit while it isn't closed, shared by all consumers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circuit {
    pub gateway: GatewayName,
    pub version: u64,
    pub state: CircuitState,
    /// How often in a row it has opened: each time for longer.
    pub trips: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CircuitState {
    Closed,
    /// Nothing is sent until then.
    Open {
        until: Timestamp,
    },
    /// One order is on its way to see whether the gateway answers again; the others wait.
    Probing {
        until: Timestamp,
    },
}

/// Whether an order may go out to a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    Go,
    HoldUntil(Timestamp),
}

/// What one consumer knows of the circuits, and how it has fared with each gateway since.
pub struct Breakers {
    circuits: Arc<dyn Circuits>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    circuits: Vec<Circuit>,
    read_at: Option<Timestamp>,
    silent: HashMap<GatewayName, u32>,
}

/// Silence in a row that opens a circuit: more than a few unlucky cards can make.
const SILENT_ORDERS: u32 = 10;
const FRESH_FOR: SignedDuration = SignedDuration::from_secs(5);
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(30);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// A probe that has not come back by then is lost, and another goes out.
const PROBE_TIME: SignedDuration = SignedDuration::from_secs(30);

impl Breakers {
    pub fn new(circuits: Arc<dyn Circuits>) -> Self {
        Self { circuits, known: Mutex::default() }
    }

    /// Reads the circuits again if what is known of them is old. A store that doesn't answer opens nothing.
    pub(crate) async fn refresh(&self, now: Timestamp) {
        let is_fresh = self.known().read_at.is_some_and(|at| now.duration_since(at).abs() < FRESH_FOR);
        if is_fresh {
            return;
        }
        match self.circuits.open_circuits().await {
            Ok(circuits) => {
                let mut known = self.known();
                known.circuits = circuits;
                known.read_at = Some(now);
            }
            Err(error) => tracing::warn!(%error, "circuits cannot be read"),
        }
    }

    pub(crate) async fn admit(&self, gateway: &GatewayName, now: Timestamp) -> Result<Admission, StoreError> {
        let Some(circuit) = self.circuit(gateway) else { return Ok(Admission::Go) };
        match circuit.state {
            CircuitState::Closed => Ok(Admission::Go),
            CircuitState::Open { until } | CircuitState::Probing { until } if until > now => {
                Ok(Admission::HoldUntil(until))
            }
            CircuitState::Open { .. } | CircuitState::Probing { .. } => {
                let until = now.checked_add(PROBE_TIME).unwrap_or(now);
                let probing = circuit.next(CircuitState::Probing { until });
                let is_ours = self.circuits.change_circuit(Some(&circuit), &probing).await?;
                self.learn(probing);
                Ok(if is_ours { Admission::Go } else { Admission::HoldUntil(until) })
            }
        }
    }

    /// What the gateway said to an order: any answer closes its circuit, silence in a row opens it.
    pub(crate) async fn report(&self, gateway: &GatewayName, outcome: &ChargeOutcome, now: Timestamp) {
        let is_silent = matches!(outcome, ChargeOutcome::NotSent { .. } | ChargeOutcome::Unknown { .. });
        let silent = {
            let mut known = self.known();
            let count = known.silent.entry(gateway.clone()).or_default();
            *count = if is_silent { count.saturating_add(1) } else { 0 };
            *count
        };
        let seen = self.circuit(gateway);
        let is_closed = seen.as_ref().is_none_or(|circuit| circuit.state == CircuitState::Closed);
        let next = match (&seen, is_silent) {
            (Some(circuit), false) if !is_closed => {
                Circuit { trips: 0, ..circuit.next(CircuitState::Closed) }
            }
            (Some(circuit), true) if !is_closed || silent >= SILENT_ORDERS => circuit.opened(now),
            (None, true) if silent >= SILENT_ORDERS => Circuit::new(gateway.clone()).opened(now),
            _ => return,
        };
        tracing::warn!(%gateway, state = ?next.state, "circuit changes");
        // Whoever was first has decided alike.
        match self.circuits.change_circuit(seen.as_ref(), &next).await {
            Ok(_) => self.learn(next),
            Err(error) => tracing::warn!(%gateway, %error, "the circuit stays as it was"),
        }
    }

    /// Until when something is known to be held back, whatever gateway it is for.
    pub(crate) fn open_until(&self, now: Timestamp) -> Option<Timestamp> {
        let known = self.known();
        let untils = known.circuits.iter().filter_map(|circuit| match circuit.state {
            CircuitState::Open { until } | CircuitState::Probing { until } if until > now => Some(until),
            _ => None,
        });
        untils.max()
    }

    fn circuit(&self, gateway: &GatewayName) -> Option<Circuit> {
        self.known().circuits.iter().find(|circuit| circuit.gateway == *gateway).cloned()
    }

    fn learn(&self, circuit: Circuit) {
        let mut known = self.known();
        known.circuits.retain(|other| other.gateway != circuit.gateway);
        known.circuits.push(circuit);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Circuit {
    const fn new(gateway: GatewayName) -> Self {
        Self { gateway, version: 0, state: CircuitState::Closed, trips: 0 }
    }

    fn next(&self, state: CircuitState) -> Self {
        Self { version: self.version + 1, state, ..self.clone() }
    }

    fn opened(&self, now: Timestamp) -> Self {
        let doublings = 1_i32.checked_shl(u32::from(self.trips)).unwrap_or(i32::MAX);
        let pause = FIRST_PAUSE.checked_mul(doublings).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE);
        let until = now.checked_add(pause).unwrap_or(now);
        Self { trips: self.trips.saturating_add(1), ..self.next(CircuitState::Open { until }) }
    }
}

impl fmt::Debug for Breakers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Breakers(..)")
    }
}
