//! The gateway's own books, as a merchant fetches them to compare with its own.

use crate::answer::Answer;
use crate::app::{App, World};
use crate::charge::{Charge, State as ChargeState};
use crate::control::{Invented, is_merchant};
use crate::refunds::Refund;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};
use std::ops::Range;
use std::sync::Arc;

const DEFAULT_LIMIT: usize = 100;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/movements", get(list))
}

/// `from` and `to` are unix seconds; `to` is exclusive.
#[derive(Deserialize)]
struct Filter {
    from: i64,
    to: i64,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// The order of the list: by time; of the same second captures come first, so that none follows its own refund; then as
/// they were made. It doesn't depend on what comes later, so a place in it is a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    at: i64,
    rank: u8,
    number: usize,
}

const CAPTURE: u8 = 0;
const REFUND: u8 = 1;
const INVENTED: u8 = 2;

/// One charge's captured sum at its first payment, and each refund that succeeded.
async fn list(
    State(app): State<Arc<App>>,
    filter: Result<Query<Filter>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Answer, Answer> {
    let refused = |message: &str| Answer::problem(StatusCode::BAD_REQUEST, "invalid_query", message);
    let Query(filter) = filter.map_err(|rejection| refused(&rejection.body_text()))?;
    let limit = filter.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=DEFAULT_LIMIT).contains(&limit) {
        return Err(refused("limit must be from 1 to 100"));
    }
    let after = filter.cursor.map(|cursor| Place::parse(&cursor).ok_or_else(|| refused("no such cursor")));
    let after = after.transpose()?;
    let mut entries = entries(&app.world(), filter.from..filter.to, is_merchant(&headers));
    entries.retain(|(place, _)| after.is_none_or(|after| *place > after));
    entries.sort_unstable_by_key(|(place, _)| *place);
    let is_last = entries.len() <= limit;
    entries.truncate(limit);
    let next_cursor = entries.last().filter(|_| !is_last).map(|(place, _)| place.cursor());
    let data: Vec<Value> = entries.into_iter().map(|(_, entry)| entry).collect();
    Ok(Answer::ok(json!({ "data": data, "next_cursor": next_cursor })))
}

/// All of the window in any order; lied about before it is cut into pages, so that only the last page is short.
fn entries(world: &World, window: Range<i64>, is_merchant: bool) -> Vec<(Place, Value)> {
    let captures = world.journal.charges.find(None).into_iter().enumerate().filter_map(capture);
    let refunds = world.journal.refunds.find(None).into_iter().enumerate().filter_map(refund);
    let truth = captures.chain(refunds).filter(|(place, _)| window.contains(&place.at));
    let Some(lie) = world.control.lie.as_ref().filter(|_| is_merchant) else { return truth.collect() };
    let told = truth.filter_map(|(place, entry)| Some((place, lie.told_movement(entry)?)));
    let invented = lie.movements.iter().enumerate().map(invented);
    told.chain(invented.filter(|(place, _)| window.contains(&place.at))).collect()
}

fn capture((number, charge): (usize, &Charge)) -> Option<(Place, Value)> {
    let at = charge.captured_at().filter(|_| charge.state == ChargeState::Captured)?;
    let entry = json!({
        "kind": "capture",
        "id": charge.id,
        "charge_id": charge.id,
        "reference": charge.reference,
        "amount_minor": charge.captured_minor(),
        "currency": charge.currency,
        "at": at,
    });
    Some((Place { at, rank: CAPTURE, number }, entry))
}

fn refund((number, refund): (usize, &Refund)) -> Option<(Place, Value)> {
    let at = refund.succeeded_at?;
    let entry = json!({
        "kind": "refund",
        "id": refund.id,
        "charge_id": refund.charge_id,
        "reference": refund.reference,
        "amount_minor": refund.amount_minor,
        "currency": refund.currency,
        "at": at,
    });
    Some((Place { at, rank: REFUND, number }, entry))
}

fn invented((number, entry): (usize, &Invented)) -> (Place, Value) {
    (Place { at: entry.at, rank: INVENTED, number }, json!(entry))
}

impl Place {
    fn cursor(self) -> String {
        format!("{}.{}.{}", self.at, self.rank, self.number)
    }

    fn parse(cursor: &str) -> Option<Self> {
        let mut parts = cursor.splitn(3, '.');
        let (at, rank, number) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { at: at.parse().ok()?, rank: rank.parse().ok()?, number: number.parse().ok()? })
    }
}
