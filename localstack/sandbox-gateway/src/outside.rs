//! What happens to charges without the merchant: the payer's bank, and time.

use crate::answer::Answer;
use crate::app::App;
use crate::charge::{Means, State as ChargeState, VoidReason};
use crate::event::EventKind;
use crate::reading::{AMOUNTS, Reader, parse_optional_json};
use crate::tokens::SETTLES_AFTER;
use crate::webhooks::publish;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/charges/{id}/pay", post(pay))
}

/// The payer's bank: takes a payment of this pix at any time, in any amount, as often as it comes.
async fn pay(State(app): State<Arc<App>>, Path(id): Path<String>, body: Bytes) -> Result<Answer, Answer> {
    let request = parse_optional_json(&body)?;
    let mut reader = Reader::new(&request);
    let amount_minor = reader.optional_integer("amount_minor", AMOUNTS);
    reader.finish(())?;
    take_payment(&app, &id, amount_minor)
}

fn take_payment(app: &Arc<App>, id: &str, amount_minor: Option<i64>) -> Result<Answer, Answer> {
    let mut world = app.world();
    let now = world.now();
    let journal = &mut world.journal;
    let charge = journal.charges.get_mut(id).ok_or_else(|| Answer::not_found("charge"))?;
    if matches!(charge.means, Means::Card) {
        return Err(Answer::problem(StatusCode::CONFLICT, "not_a_pix", "only a pix is paid by a bank"));
    }
    charge.take(amount_minor.unwrap_or(charge.amount_minor), now);
    let answer = Answer::ok(charge.body(now));
    let event = journal.add_event(EventKind::Captured, id, now);
    drop(world);
    publish(app, event);
    Ok(answer)
}

/// Starts what time will do to a new charge: settle it, let it expire, have it paid.
pub(crate) fn set_timers(app: &Arc<App>, id: &str) {
    let (expires_at, auto_pay_ms) = {
        let world = app.world();
        let Some(charge) = world.journal.charges.get(id) else { return };
        match charge.means {
            Means::Card if charge.state != ChargeState::Pending => return,
            Means::Card => (None, None),
            Means::Pix { expires_at, .. } => (Some(expires_at), world.control.pix_auto_pay_ms),
        }
    };
    let Some(expires_at) = expires_at else {
        return after(app, id, SETTLES_AFTER, settle);
    };
    let left = u64::try_from(expires_at - app.world().now()).unwrap_or_default();
    after(app, id, Duration::from_secs(left), expire);
    if let Some(auto_pay_ms) = auto_pay_ms {
        after(app, id, Duration::from_millis(auto_pay_ms), |app, id| {
            // The charge may be gone by a reset.
            let _ = take_payment(app, id, None);
        });
    }
}

fn after(app: &Arc<App>, id: &str, wait: Duration, act: impl FnOnce(&Arc<App>, &str) + Send + 'static) {
    let (this, id) = (Arc::clone(app), id.to_owned());
    app.spawn(async move {
        sleep(wait).await;
        act(&this, &id);
    });
}

fn settle(app: &Arc<App>, id: &str) {
    let mut world = app.world();
    let now = world.now();
    let journal = &mut world.journal;
    let Some(charge) = journal.charges.get_mut(id) else { return };
    if charge.state != ChargeState::Pending {
        return;
    }
    charge.take(charge.amount_minor, now);
    let event = journal.add_event(EventKind::Captured, id, now);
    drop(world);
    publish(app, event);
}

fn expire(app: &Arc<App>, id: &str) {
    let mut world = app.world();
    let now = world.now();
    let journal = &mut world.journal;
    let Some(charge) = journal.charges.get_mut(id) else { return };
    if charge.state != ChargeState::Pending {
        return;
    }
    charge.state = ChargeState::Voided(VoidReason::Expired);
    let event = journal.add_event(EventKind::Voided, id, now);
    drop(world);
    publish(app, event);
}
