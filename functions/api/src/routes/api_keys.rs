use super::{Route, ok, replied};
use crate::Api;
use crate::extract::{Authenticated, Ids, Submission};
use crate::problem::Problem;
use crate::wire::api_key::{ApiKeyBody, NewApiKeyBody, read_api_key};
use crate::wire::common::answer;
use crate::wire::list::ListBody;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use fatura_application::NewKey;
use fatura_application::access::ApiKey;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/api-keys", create),
        Route::get("/v1/api-keys", list),
        Route::delete("/v1/api-keys/{id}", revoke),
    ]
}

async fn create(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    let command = read_api_key(request.fields()?)?;
    let shown = |new: &NewKey| answer(201, &NewApiKeyBody::of(&new.record, Some(&new.key)));
    // The key isn't kept, so whoever asks again learns all but that.
    let stored = |record: &ApiKey| answer(201, &NewApiKeyBody::of(record, None));
    Ok(replied(api.app.create_api_key(&caller, command, &once, &shown, &stored).await?))
}

async fn list(State(api): State<Api>, Authenticated(caller): Authenticated) -> Result<Response, Problem> {
    let keys = api.app.api_keys(&caller).await?;
    Ok(ok(&ListBody { data: keys.iter().map(ApiKeyBody::from).collect::<Vec<_>>(), next_cursor: None }))
}

async fn revoke(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<String>,
) -> Result<Response, Problem> {
    api.app.revoke_api_key(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
