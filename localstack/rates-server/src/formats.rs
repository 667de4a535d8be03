//! The same rates as each of the two writes them.

use crate::control::Control;
use crate::server::App;
use axum::Json;
use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Deserialize;
use serde_json::{Map, Number, Value, json};
use std::fmt::Write as _;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

/// What the central bank gives, in significant digits.
const DIGITS: u32 = 6;

pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/api/latest.json", get(open_exchange_rates))
        .route("/stats/eurofxref/eurofxref-daily.xml", get(european_central_bank))
        .layer(middleware::from_fn_with_state(Arc::clone(app), trouble))
}

/// Trouble on demand, the same for both.
async fn trouble(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Control { down, status, latency_ms, .. } = app.control().clone();
    tokio::time::sleep(Duration::from_millis(latency_ms)).await;
    let demanded = status.and_then(|status| StatusCode::from_u16(status).ok());
    match demanded.or_else(|| down.then_some(StatusCode::SERVICE_UNAVAILABLE)) {
        Some(status) => refusal(status, "not_allowed", "trouble on demand"),
        None => next.run(request).await,
    }
}

#[derive(Deserialize)]
struct Caller {
    app_id: Option<String>,
}

async fn open_exchange_rates(State(app): State<Arc<App>>, Query(caller): Query<Caller>) -> Response {
    match caller.app_id.as_deref() {
        None | Some("") => return refusal(StatusCode::UNAUTHORIZED, "missing_app_id", "No App ID provided."),
        Some(given) if !app.config.app_id.is_empty() && given != app.config.app_id => {
            return refusal(StatusCode::UNAUTHORIZED, "invalid_app_id", "Invalid App ID provided.");
        }
        Some(_) => {}
    }
    let control = app.control().clone();
    let number = |(code, rate): (String, Decimal)| {
        Some((code, Value::Number(Number::from_str(&rate.to_string()).ok()?)))
    };
    let rates: Map<String, Value> = control.rates.into_iter().filter_map(number).collect();
    Json(json!({
        "disclaimer": "Usage subject to terms: made up, for tests",
        "license": "made up, for tests",
        "timestamp": control.published_at.unwrap_or_else(|| app.now()).as_second(),
        "base": "USD",
        "rates": rates,
    }))
    .into_response()
}

fn refusal(status: StatusCode, message: &str, description: &str) -> Response {
    let body = json!({
        "error": true, "status": status.as_u16(), "message": message, "description": description,
    });
    (status, Json(body)).into_response()
}

async fn european_central_bank(State(app): State<Arc<App>>) -> Response {
    let control = app.control().clone();
    let day = working_day(control.published_at.unwrap_or_else(|| app.now()));
    let mut cubes = String::new();
    for (code, rate) in in_euros(&control) {
        let _ = writeln!(cubes, "\t\t\t<Cube currency='{code}' rate='{rate}'/>");
    }
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <gesmes:Envelope xmlns:gesmes=\"http://www.gesmes.org/xml/2002-08-01\" \
         xmlns=\"http://www.ecb.int/vocabulary/2002-08-01/eurofxref\">\n\
         \t<gesmes:subject>Reference rates</gesmes:subject>\n\
         \t<gesmes:Sender>\n\t\t<gesmes:name>Made up, for tests</gesmes:name>\n\t</gesmes:Sender>\n\
         \t<Cube>\n\t\t<Cube time='{day}'>\n{cubes}\t\t</Cube>\n\t</Cube>\n</gesmes:Envelope>\n"
    );
    ([(header::CONTENT_TYPE, "text/xml")], document).into_response()
}

/// Without a rate for the euro there is nothing to tell in euros.
fn in_euros<'a>(control: &'a Control) -> Vec<(&'a str, Decimal)> {
    let Some(euro) = control.rates.get("EUR") else { return Vec::new() };
    let others = control.rates.iter().filter(|(code, _)| *code != "EUR");
    let rate = |(code, rate): (&'a String, &Decimal)| {
        let rate = rate.checked_div(*euro)?;
        let rate = rate.round_sf_with_strategy(DIGITS, RoundingStrategy::MidpointNearestEven)?;
        Some((code.as_str(), rate.normalize()))
    };
    others.filter_map(rate).collect()
}

/// The day, or the Friday before a weekend. The bank's holidays are not ours to know.
fn working_day(at: Timestamp) -> Date {
    let day = TimeZone::UTC.to_datetime(at).date();
    let back = match day.weekday() {
        Weekday::Saturday => 1,
        Weekday::Sunday => 2,
        _ => 0,
    };
    day.checked_sub(back.days()).unwrap_or(day)
}
