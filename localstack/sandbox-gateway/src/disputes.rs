//! The cardholder's case about a charge.

use crate::answer::Answer;
use crate::app::{App, new_id};
use crate::charge::{Dispute, DisputeStatus, State as ChargeState};
use crate::event::EventKind;
use crate::reading::{AMOUNTS, Reader, parse_json};
use crate::webhooks::publish;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use std::sync::Arc;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/charges/{id}/dispute", post(dispute))
}

/// Opens a dispute, and it is decided at once if the outcome says so. `amount_minor` counts when it is opened.
async fn dispute(State(app): State<Arc<App>>, Path(id): Path<String>, body: Bytes) -> Result<Answer, Answer> {
    let request = parse_json(&body)?;
    let mut reader = Reader::new(&request);
    let amount_minor = reader.optional_integer("amount_minor", AMOUNTS);
    let wanted = match reader.text("outcome").as_str() {
        "won" => DisputeStatus::Won,
        "lost" => DisputeStatus::Lost,
        "open" => DisputeStatus::Open,
        _ => {
            reader.fault("outcome", "must be won, lost or open");
            DisputeStatus::Open
        }
    };
    reader.finish(())?;
    let mut world = app.world();
    let now = world.now();
    let journal = &mut world.journal;
    let charge = journal.charges.get_mut(&id).ok_or_else(|| Answer::not_found("charge"))?;
    let conflict = |code, message| Answer::problem(StatusCode::CONFLICT, code, message);
    if charge.state != ChargeState::Captured {
        return Err(conflict("not_disputable", "only a captured charge is disputed"));
    }
    let before = charge.dispute.as_ref().map(|dispute| dispute.status);
    if !before.is_none_or(|before| may_become(before, wanted)) {
        return Err(conflict("dispute_closed", "the dispute is decided already"));
    }
    let whole = charge.disputable_minor();
    let dispute = charge.dispute.get_or_insert_with(|| Dispute {
        id: new_id("dp"),
        status: wanted,
        amount_minor: amount_minor.unwrap_or(whole),
    });
    dispute.status = wanted;
    let kinds = events(before, wanted, &dispute.id);
    let answer = Answer::ok(charge.body(now));
    let events: Vec<String> =
        kinds.into_iter().filter_map(|kind| journal.add_event(kind, &id, now)).collect();
    drop(world);
    publish(&app, events);
    Ok(answer)
}

/// Won is final. Lost is not: a bank may give the money back to the merchant after all. The same again is a repeat.
fn may_become(before: DisputeStatus, wanted: DisputeStatus) -> bool {
    match before {
        DisputeStatus::Open => true,
        DisputeStatus::Lost => wanted != DisputeStatus::Open,
        DisputeStatus::Won => wanted == DisputeStatus::Won,
    }
}

fn events(before: Option<DisputeStatus>, wanted: DisputeStatus, id: &str) -> Vec<EventKind> {
    let opened = before.is_none().then(|| EventKind::DisputeOpened(id.to_owned()));
    let decided = match (before, wanted) {
        (Some(before), wanted) if before == wanted => None,
        (_, DisputeStatus::Open) => None,
        (Some(DisputeStatus::Lost), DisputeStatus::Won) => Some(EventKind::DisputeReinstated(id.to_owned())),
        (_, DisputeStatus::Won) => Some(EventKind::DisputeWon(id.to_owned())),
        (_, DisputeStatus::Lost) => Some(EventKind::DisputeLost(id.to_owned())),
    };
    opened.into_iter().chain(decided).collect()
}
