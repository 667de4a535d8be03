//! The merchant's charge API.

use crate::answer::Answer;
use crate::app::{App, World};
use crate::charge::{State as ChargeState, VoidReason};
use crate::control::is_merchant;
use crate::event::EventKind;
use crate::hand_over::hand_over;
use crate::idempotency::key_of;
use crate::order::Order;
use crate::outside;
use crate::reading::parse_json;
use crate::tokens::{Behaviour, Manner, Verdict};
use crate::webhooks::publish;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/charges", get(list).post(create))
        .route("/charges/{id}", get(show))
        .route("/charges/{id}/void", post(void))
}

/// A charge that was decided on, and how its first answer goes out.
struct Admitted {
    answer: Answer,
    manner: Manner,
    /// None if nothing was remembered.
    charge_id: Option<String>,
    event: Option<String>,
}

async fn create(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Result<Response, Answer> {
    let key = key_of(&headers)?;
    let request = parse_json(&body)?;
    let order = Order::parse(&request)?;
    // Decided and remembered before anything is awaited: a merchant that hangs up was charged all the same.
    let admitted = admit(&mut app.world(), &key, request, order);
    if let Some(charge_id) = &admitted.charge_id {
        outside::set_timers(&app, charge_id);
    }
    Ok(hand_over(&app, admitted.answer, admitted.manner, admitted.event).await)
}

/// Decides about a charge, once a key.
fn admit(world: &mut World, key: &str, request: Value, order: Order) -> Admitted {
    let nothing_new = |answer, manner| Admitted { answer, manner, charge_id: None, event: None };
    let now = world.now();
    let journal = &mut world.journal;
    if let Some(answer) = journal.charge_keys.seen(key, &request) {
        return nothing_new(answer, Manner::Plain);
    }
    let Behaviour { verdict, manner } = order.behaviour();
    let mut charge = order.into_charge(key, now);
    let (status, event) = match verdict {
        Verdict::Nothing => {
            return nothing_new(
                Answer::problem(StatusCode::GATEWAY_TIMEOUT, "no_answer", "too late"),
                manner,
            );
        }
        Verdict::DeclineOnce(decline) if journal.declined_once.insert(charge.invoice_id.clone()) => {
            charge.state = ChargeState::Declined(decline);
            (StatusCode::PAYMENT_REQUIRED, EventKind::Declined)
        }
        Verdict::Decline(decline) => {
            charge.state = ChargeState::Declined(decline);
            (StatusCode::PAYMENT_REQUIRED, EventKind::Declined)
        }
        Verdict::Capture | Verdict::DeclineOnce(_) => {
            charge.take(charge.amount_minor, now);
            (StatusCode::CREATED, EventKind::Captured)
        }
        Verdict::Settle => (StatusCode::CREATED, EventKind::Pending),
    };
    let answer = Answer::new(status, charge.body(now));
    let charge_id = charge.id.clone();
    journal.add_charge(charge);
    journal.charge_keys.keep(key, request, answer.clone());
    let event = journal.add_event(event, &charge_id, now);
    Admitted { answer, manner, charge_id: Some(charge_id), event }
}

#[derive(Deserialize)]
struct Filter {
    reference: Option<String>,
}

async fn list(State(app): State<Arc<App>>, Query(filter): Query<Filter>, headers: HeaderMap) -> Answer {
    let world = app.world();
    let charges = world.journal.charges.find(filter.reference.as_deref());
    let now = world.now();
    Answer::list(charges.into_iter().filter_map(|charge| told(&world, &headers, charge.body(now))).collect())
}

async fn show(State(app): State<Arc<App>>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    let world = app.world();
    let charge = world.journal.charges.get(&id).and_then(|it| told(&world, &headers, it.body(world.now())));
    charge.map_or_else(|| Answer::not_found("charge"), Answer::ok)
}

/// The merchant may be lied to, a test never is.
fn told(world: &World, headers: &HeaderMap, charge: Value) -> Option<Value> {
    match &world.control.lie {
        Some(lie) if is_merchant(headers) => lie.told(charge),
        _ => Some(charge),
    }
}

/// Pending → voided; voided already is a success too. Anything else is a conflict that says the status.
async fn void(State(app): State<Arc<App>>, Path(id): Path<String>) -> Answer {
    let mut world = app.world();
    let now = world.now();
    let journal = &mut world.journal;
    let Some(charge) = journal.charges.get_mut(&id) else { return Answer::not_found("charge") };
    let mut event = None;
    match charge.state_at(now) {
        ChargeState::Pending => {
            charge.state = ChargeState::Voided(VoidReason::Requested);
            event = Some(EventKind::Voided);
        }
        ChargeState::Voided(_) => {}
        state @ (ChargeState::Captured | ChargeState::Declined(_)) => {
            let message = format!("a charge that is {} can't be voided", state.name());
            let mut answer = Answer::problem(StatusCode::CONFLICT, "not_voidable", &message);
            answer.add("status", Value::from(state.name()));
            answer.add("charge", charge.body(now));
            return answer;
        }
    }
    let answer = Answer::ok(charge.body(now));
    let event = event.and_then(|kind| journal.add_event(kind, &id, now));
    drop(world);
    publish(&app, event);
    answer
}
