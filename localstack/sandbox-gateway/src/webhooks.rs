//! Delivering events, and delivering them again.

use crate::answer::Answer;
use crate::app::App;
use crate::event::{Delivery, Event};
use crate::reading::{Reader, parse_json};
use crate::signature::signature;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// With the waits between them about 21 s, when the target refuses at once.
const TRIES: u32 = 10;
/// A redelivery answers with its outcome, so it gives up sooner.
const REDELIVERY_TRIES: u32 = 3;
const MAX_REDELIVERIES: i64 = 100;
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long `tok_webhook_first` waits for its webhook before it answers anyhow.
const WEBHOOK_FIRST_PATIENCE: Duration = Duration::from_secs(5);

/// Sends events behind the answer, late and more than once as `/control` says. Each goes its own way: like any
/// gateway's, they may arrive in another order than they happened.
pub(crate) fn publish(app: &Arc<App>, events: impl IntoIterator<Item = String>) {
    let delay = Duration::from_millis(app.world().control.webhook_delay_ms);
    for event in events {
        let _ = publish_after(app, &event, delay);
    }
}

/// For `tok_webhook_first`: comes back when the event has been delivered, or patience ends.
pub(crate) async fn publish_and_wait(app: &Arc<App>, events: impl IntoIterator<Item = String>) {
    for event in events {
        for delivery in publish_after(app, &event, Duration::ZERO) {
            // The delivery goes on by itself if patience ends or the merchant goes away.
            let _ = tokio::time::timeout(WEBHOOK_FIRST_PATIENCE, delivery).await;
        }
    }
}

fn publish_after(app: &Arc<App>, event: &str, delay: Duration) -> Vec<JoinHandle<()>> {
    let copies = {
        let control = &app.world().control;
        if control.webhooks_off { 0 } else { 1 + control.webhook_duplicates }
    };
    let send = |_| {
        let (this, event) = (Arc::clone(app), event.to_owned());
        app.spawn(async move {
            sleep(delay).await;
            deliver(&this, &event, TRIES).await;
        })
    };
    (0..copies).map(send).collect()
}

/// Tries until the target takes the event; gives the last try. None: nowhere to send, or the event is gone by a reset.
async fn deliver(app: &App, event: &str, tries: u32) -> Option<Delivery> {
    let mut wait = FIRST_WAIT;
    let mut last = None;
    for left in (0..tries).rev() {
        let (target, body) = {
            let world = app.world();
            (world.control.webhook_target.clone()?, world.journal.events.get(event)?.body.clone())
        };
        let delivery = send(app, &target, body).await;
        app.world().journal.events.get_mut(event)?.deliveries.push(delivery.clone());
        let done = delivery.succeeded();
        last = Some(delivery);
        if done || left == 0 {
            break;
        }
        sleep(wait).await;
        wait = LONGEST_WAIT.min(wait * 2);
    }
    last
}

async fn send(app: &App, target: &str, body: String) -> Delivery {
    let _permit = app.deliveries.acquire().await;
    // Signed at each try: a receiver refuses what is older than a few minutes.
    let at = app.world().now();
    let signed = signature(&app.config.webhook_secret, at, &body);
    let sent = app
        .client
        .post(target)
        .header("content-type", "application/json")
        .header("sandbox-signature", signed)
        .body(body)
        .send()
        .await;
    let outcome =
        sent.map(|answer| answer.status().as_u16()).map_err(|error| error.without_url().to_string());
    Delivery { at, outcome }
}

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/webhooks", get(list)).route("/webhooks/redeliver", post(redeliver))
}

#[derive(Deserialize)]
struct Filter {
    charge_id: Option<String>,
}

async fn list(State(app): State<Arc<App>>, Query(filter): Query<Filter>) -> Answer {
    let world = app.world();
    let events = world.journal.events.find(filter.charge_id.as_deref());
    Answer::list(events.into_iter().map(Event::report).collect())
}

/// Sends all events of a charge again, one after the other, even while webhooks are off; answers when all are sent.
async fn redeliver(State(app): State<Arc<App>>, body: Bytes) -> Result<Answer, Answer> {
    let request = parse_json(&body)?;
    let mut reader = Reader::new(&request);
    let charge_id = reader.text("charge_id");
    let times = reader.optional_integer("times", 1..=MAX_REDELIVERIES).unwrap_or(1);
    let reverse = reader.flag("reverse");
    reader.finish(())?;
    let mut events: Vec<String> = {
        let world = app.world();
        if world.journal.charges.get(&charge_id).is_none() {
            return Err(Answer::not_found("charge"));
        }
        world.journal.events.find(Some(&charge_id)).into_iter().map(|event| event.id.clone()).collect()
    };
    if reverse {
        events.reverse();
    }
    let mut data = Vec::new();
    for _ in 0..times {
        for event in &events {
            let delivery = deliver(&app, event, REDELIVERY_TRIES).await;
            data.push(json!({ "event_id": event, "delivery": delivery.as_ref().map(Delivery::body) }));
        }
    }
    Ok(Answer::list(data))
}
