//! What the sources are told to do.

use crate::server::App;
use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Number, Value, json};
use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::sync::Arc;

const LONGEST_MS: u64 = 60_000;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Control {
    /// Everything is answered 503.
    pub(crate) down: bool,
    /// Everything is answered with this status.
    pub(crate) status: Option<u16>,
    pub(crate) latency_ms: u64,
    /// What a dollar is worth. Decimals as strings or numbers; replaced as a whole.
    #[serde(serialize_with = "texts", deserialize_with = "decimals")]
    pub(crate) rates: BTreeMap<String, Decimal>,
    /// None: now.
    pub(crate) published_at: Option<Timestamp>,
}

impl Default for Control {
    fn default() -> Self {
        let rates = [
            ("AUD", "1.5321"),
            ("BRL", "5.3984"),
            ("CAD", "1.3977"),
            ("CHF", "0.8051"),
            ("CLF", "0.02418"),
            ("EUR", "0.8625"),
            ("GBP", "0.7602"),
            ("GEL", "2.73"),
            ("JPY", "151.37"),
            ("KWD", "0.3071"),
            ("MXN", "18.4215"),
            ("USD", "1"),
        ];
        let rates = rates.into_iter().filter_map(|(code, rate)| Some((code.to_owned(), rate.parse().ok()?)));
        Self { down: false, status: None, latency_ms: 0, rates: rates.collect(), published_at: None }
    }
}

impl Control {
    /// The fields that are named change, `null` puts one back.
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
        if merged.latency_ms > LONGEST_MS {
            return Err(format!("at most {LONGEST_MS} ms"));
        }
        if merged.status.is_some_and(|status| !(200..=599).contains(&status)) {
            return Err("a status is one of 200 to 599".to_owned());
        }
        Ok(merged)
    }
}

fn texts<S: Serializer>(rates: &BTreeMap<String, Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(rates.iter().map(|(code, rate)| (code, rate.to_string())))
}

fn decimals<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Decimal>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Number(Number),
    }
    let written = BTreeMap::<String, Written>::deserialize(deserializer)?;
    let read = |(code, written): (String, Written)| {
        let text = match written {
            Written::Text(text) => text,
            Written::Number(number) => number.to_string(),
        };
        // Any number, zero and less too: that sources go wrong is what tests are about.
        let rate = Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text));
        rate.map(|rate| (code, rate)).map_err(serde::de::Error::custom)
    };
    written.into_iter().map(read).collect()
}

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/control", get(show).post(change)).route("/control/reset", post(reset))
}

async fn show(State(app): State<Arc<App>>) -> Response {
    shown(&app)
}

async fn change(State(app): State<Arc<App>>, body: Bytes) -> Response {
    let patch: Map<String, Value> = match serde_json::from_slice(&body) {
        Ok(patch) => patch,
        Err(error) => return refused(StatusCode::BAD_REQUEST, &format!("not a JSON object: {error}")),
    };
    let merged = app.control().merged(&patch);
    match merged {
        Ok(merged) => *app.control() = merged,
        Err(message) => return refused(StatusCode::UNPROCESSABLE_ENTITY, &message),
    }
    shown(&app)
}

async fn reset(State(app): State<Arc<App>>) -> Response {
    *app.control() = Control::default();
    shown(&app)
}

fn shown(app: &App) -> Response {
    Json(json!(*app.control())).into_response()
}

fn refused(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": { "message": message } }))).into_response()
}
