use super::{Route, ok};
use crate::Api;
use crate::extract::Authenticated;
use crate::problem::Problem;
use crate::wire::service::ServicesBody;
use axum::extract::State;
use axum::response::Response;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/v1/services", list)]
}

async fn list(State(api): State<Api>, Authenticated(caller): Authenticated) -> Result<Response, Problem> {
    Ok(ok(&ServicesBody::from(&api.app.services(&caller).await?)))
}
