use super::{Route, ok};
use crate::Api;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/health", health)]
}

#[derive(Serialize)]
struct HealthBody {
    status: &'static str,
    version: &'static str,
}

/// That this function runs, and which build of it. What it depends on has alarms of its own.
async fn health(State(api): State<Api>) -> Response {
    ok(&HealthBody { status: "ok", version: api.version })
}
