//! Trouble on demand.

use crate::answer::Answer;
use crate::app::{App, World};
use crate::clock::LONGEST_SHIFT_S;
use crate::reading::{parse_json, parse_optional_json};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

const LONGEST_MS: u64 = 60_000;
const MOST_DUPLICATES: u32 = 20;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Control {
    /// Everything the merchant asks is answered 503.
    pub(crate) down: bool,
    pub(crate) latency_ms: u64,
    pub(crate) webhook_delay_ms: u64,
    /// Copies of each event besides the first.
    pub(crate) webhook_duplicates: u32,
    /// Events are kept and can be redelivered, but not sent.
    pub(crate) webhooks_off: bool,
    pub(crate) webhook_target: Option<String>,
    /// Pays each new pix after this time.
    pub(crate) pix_auto_pay_ms: Option<u64>,
    pub(crate) refund_outcome: RefundOutcome,
    /// Seconds to add to the clock, besides those of its file.
    pub(crate) clock_offset_s: i64,
    pub(crate) lie: Option<Lie>,
}

/// What becomes of new refunds. Pending ones succeed a second later.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefundOutcome {
    #[default]
    Succeeded,
    Pending,
    Failed,
}

/// What the merchant is told about charges that it looks up, and about movements; the truth (no `Authorization`) is unchanged.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Lie {
    /// None: about all of them. A refund's id names its movement, a charge's id the charge and its capture.
    charge_ids: Option<Vec<String>>,
    /// Also told as the captured amount, unless that has a lie of its own.
    amount_minor: Option<i64>,
    captured_minor: Option<i64>,
    currency: Option<String>,
    status: Option<String>,
    reference: Option<String>,
    invoice_id: Option<String>,
    missing: bool,
    /// Told in addition to what there is.
    pub(crate) movements: Vec<Invented>,
}

/// A movement that never was; any word will do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Invented {
    kind: String,
    id: String,
    charge_id: String,
    reference: String,
    amount_minor: i64,
    currency: String,
    pub(crate) at: i64,
}

impl Control {
    /// The fields that are named change, `null` puts one back; `lie` is replaced as a whole.
    fn merged(&self, patch: &Map<String, Value>) -> Result<Self, String> {
        let mut fields = serde_json::to_value(self).map_err(|error| error.to_string())?;
        if let Some(fields) = fields.as_object_mut() {
            for (name, value) in patch {
                if value.is_null() {
                    fields.remove(name);
                } else {
                    fields.insert(name.clone(), value.clone());
                }
            }
        }
        let merged: Self = serde_json::from_value(fields).map_err(|error| error.to_string())?;
        let longest =
            merged.latency_ms.max(merged.webhook_delay_ms).max(merged.pix_auto_pay_ms.unwrap_or_default());
        if longest > LONGEST_MS || merged.webhook_duplicates > MOST_DUPLICATES {
            return Err(format!("at most {LONGEST_MS} ms and {MOST_DUPLICATES} duplicates"));
        }
        if !(-LONGEST_SHIFT_S..=LONGEST_SHIFT_S).contains(&merged.clock_offset_s) {
            return Err(format!("the clock moves by at most {LONGEST_SHIFT_S} s"));
        }
        Ok(merged)
    }
}

impl Lie {
    /// The charge as told; None: there is no such charge.
    pub(crate) fn told(&self, charge: Value) -> Option<Value> {
        let told = [
            ("amount_minor", self.amount_minor.map(Value::from)),
            ("captured_minor", self.captured_minor.or(self.amount_minor).map(Value::from)),
            ("currency", self.currency.clone().map(Value::from)),
            ("status", self.status.clone().map(Value::from)),
            ("reference", self.reference.clone().map(Value::from)),
            ("invoice_id", self.invoice_id.clone().map(Value::from)),
        ];
        self.instead(charge, told)
    }

    /// The movement as told; None: there was none. A movement has one amount, which a charge tells as captured.
    pub(crate) fn told_movement(&self, movement: Value) -> Option<Value> {
        let told = [
            ("amount_minor", self.captured_minor.or(self.amount_minor).map(Value::from)),
            ("currency", self.currency.clone().map(Value::from)),
            ("reference", self.reference.clone().map(Value::from)),
        ];
        self.instead(movement, told)
    }

    fn instead<const N: usize>(
        &self,
        mut entry: Value,
        told: [(&'static str, Option<Value>); N],
    ) -> Option<Value> {
        let id = entry.get("id").and_then(Value::as_str).unwrap_or_default();
        if self.charge_ids.as_ref().is_some_and(|ids| !ids.iter().any(|named| named == id)) {
            return Some(entry);
        }
        if self.missing {
            return None;
        }
        let fields = entry.as_object_mut()?;
        for (name, value) in told {
            if let Some(value) = value {
                fields.insert(name.to_owned(), value);
            }
        }
        Some(entry)
    }
}

/// A `GET` without `Authorization` is a test that wants the truth.
pub(crate) fn is_merchant(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION)
}

/// Before and after everything the merchant asks: outage, key, latency.
pub(crate) async fn gate(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if request.method() == Method::GET && !is_merchant(request.headers()) {
        return next.run(request).await;
    }
    if app.world().control.down {
        return Answer::problem(StatusCode::SERVICE_UNAVAILABLE, "down", "the gateway is down")
            .into_response();
    }
    if !has_key(&app.config.api_key, request.headers()) {
        return Answer::problem(StatusCode::UNAUTHORIZED, "unauthorized", "the API key is missing or wrong")
            .into_response();
    }
    let response = next.run(request).await;
    let latency = app.world().control.latency_ms;
    sleep(Duration::from_millis(latency)).await;
    response
}

fn has_key(expected: &str, headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    expected.is_empty() || given.strip_prefix("Bearer ") == Some(expected)
}

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/control", get(show).post(change)).route("/control/reset", post(reset))
}

async fn show(State(app): State<Arc<App>>) -> Answer {
    Answer::ok(json!(app.world().control))
}

async fn change(State(app): State<Arc<App>>, body: Bytes) -> Result<Answer, Answer> {
    let patch = parse_json(&body)?;
    let refused =
        |message: &str| Answer::problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid_control", message);
    let patch = patch.as_object().ok_or_else(|| refused("must be an object"))?;
    let mut world = app.world();
    world.control = world.control.merged(patch).map_err(|message| refused(&message))?;
    Ok(Answer::ok(json!(world.control)))
}

/// Forgets everything but where webhooks go and the clock's file. Deliveries and timers under way find nothing left to do.
async fn reset(State(app): State<Arc<App>>, body: Bytes) -> Result<Answer, Answer> {
    parse_optional_json(&body)?;
    let mut world = app.world();
    let webhook_target = world.control.webhook_target.take();
    let clock = std::mem::take(&mut world.clock);
    *world = World { control: Control { webhook_target, ..Control::default() }, clock, ..World::default() };
    Ok(Answer::ok(json!(world.control)))
}
