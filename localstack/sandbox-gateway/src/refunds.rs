//! Money back.

use crate::answer::Answer;
use crate::app::{App, World, new_id};
use crate::charge::State as ChargeState;
use crate::control::RefundOutcome;
use crate::event::{EventKind, RefundNames};
use crate::idempotency::key_of;
use crate::reading::{AMOUNTS, Reader, parse_json};
use crate::tokens::SETTLES_AFTER;
use crate::webhooks::publish;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::time::sleep;

pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) charge_id: String,
    pub(crate) reference: String,
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
    outcome: RefundOutcome,
    created_at: i64,
    pub(crate) succeeded_at: Option<i64>,
}

impl Refund {
    fn body(&self) -> Value {
        json!({
            "id": self.id,
            "charge_id": self.charge_id,
            "reference": self.reference,
            "amount_minor": self.amount_minor,
            "currency": self.currency,
            "status": self.outcome,
            "created_at": self.created_at,
            "succeeded_at": self.succeeded_at,
        })
    }

    fn names(&self) -> RefundNames {
        RefundNames { id: self.id.clone(), reference: self.reference.clone() }
    }
}

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/charges/{id}/refunds", post(create))
        .route("/refunds", get(list))
        .route("/refunds/{id}", get(show))
}

async fn create(
    State(app): State<Arc<App>>,
    Path(charge_id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Answer> {
    let key = key_of(&headers)?;
    let body = parse_json(&body)?;
    let mut reader = Reader::new(&body);
    let reference = reader.text("reference");
    let amount_minor = reader.integer("amount_minor", AMOUNTS);
    reader.finish(())?;
    // The same key for another charge is another request.
    let request = json!({ "charge_id": charge_id, "body": body });
    let mut world = app.world();
    if let Some(answer) = world.journal.refund_keys.seen(&key, &request) {
        return Ok(answer);
    }
    let refund = admit(&mut world, charge_id, reference, amount_minor)?;
    let answer = Answer::new(StatusCode::CREATED, refund.body());
    let (id, outcome) = (refund.id.clone(), refund.outcome);
    world.journal.add_refund(refund);
    world.journal.refund_keys.keep(&key, request, answer.clone());
    let event = announce(&mut world, &id);
    drop(world);
    publish(&app, event);
    if outcome == RefundOutcome::Pending {
        let this = Arc::clone(&app);
        app.spawn(async move {
            sleep(SETTLES_AFTER).await;
            settle(&this, &id);
        });
    }
    Ok(answer)
}

/// Takes the amount from what the charge still has, unless there is too little of it.
fn admit(
    world: &mut World,
    charge_id: String,
    reference: String,
    amount_minor: i64,
) -> Result<Refund, Answer> {
    let outcome = world.control.refund_outcome;
    let now = world.now();
    let found = world.journal.charges.get_mut(&charge_id);
    let charge = found.ok_or_else(|| Answer::not_found("charge"))?;
    if charge.state != ChargeState::Captured {
        let message = "only a captured charge is refunded";
        return Err(Answer::problem(StatusCode::CONFLICT, "not_refundable", message));
    }
    let left = charge.refundable_minor();
    if amount_minor > left {
        let message = format!("{left} is left to refund");
        return Err(Answer::problem(StatusCode::UNPROCESSABLE_ENTITY, "amount_too_large", &message));
    }
    if outcome != RefundOutcome::Failed {
        charge.refunded_minor += amount_minor;
    }
    let currency = charge.currency.clone();
    let id = new_id("re");
    let succeeded_at = (outcome == RefundOutcome::Succeeded).then_some(now);
    let refund =
        Refund { id, charge_id, reference, amount_minor, currency, outcome, created_at: now, succeeded_at };
    Ok(refund)
}

/// The event of a refund that is decided; a pending one has none yet.
fn announce(world: &mut World, id: &str) -> Option<String> {
    let refund = world.journal.refunds.get(id)?;
    let kind = match refund.outcome {
        RefundOutcome::Succeeded => EventKind::RefundSucceeded(refund.names()),
        RefundOutcome::Failed => EventKind::RefundFailed(refund.names()),
        RefundOutcome::Pending => return None,
    };
    let charge_id = refund.charge_id.clone();
    let now = world.now();
    world.journal.add_event(kind, &charge_id, now)
}

fn settle(app: &Arc<App>, id: &str) {
    let mut world = app.world();
    let now = world.now();
    let Some(refund) = world.journal.refunds.get_mut(id) else { return };
    refund.outcome = RefundOutcome::Succeeded;
    refund.succeeded_at = Some(now);
    let event = announce(&mut world, id);
    drop(world);
    publish(app, event);
}

#[derive(Deserialize)]
struct Filter {
    reference: Option<String>,
}

/// By the merchant's refund id or by the charge's id.
async fn list(State(app): State<Arc<App>>, Query(filter): Query<Filter>) -> Answer {
    let world = app.world();
    let refunds = world.journal.refunds.find(filter.reference.as_deref());
    Answer::list(refunds.into_iter().map(Refund::body).collect())
}

async fn show(State(app): State<Arc<App>>, Path(id): Path<String>) -> Answer {
    let world = app.world();
    world.journal.refunds.get(&id).map_or_else(|| Answer::not_found("refund"), |it| Answer::ok(it.body()))
}
