use super::{Route, versioned};
use crate::Api;
use crate::extract::{Authenticated, Ids, Submission};
use crate::problem::Problem;
use crate::wire::fees::{FeesBody, read_fees};
use axum::extract::State;
use axum::response::Response;
use fatura_application::access::Role;
use fatura_domain::id::CustomerId;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/fees", get),
        Route::put("/v1/fees", put),
        Route::get("/v1/customers/{id}/fees", get_own),
        Route::put("/v1/customers/{id}/fees", put_own),
    ]
}

async fn get(State(api): State<Api>, Authenticated(caller): Authenticated) -> Result<Response, Problem> {
    let edition = api.app.platform_fees(&caller).await?;
    Ok(versioned(edition.version, &FeesBody::of(&edition, true)))
}

async fn put(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    request: Submission,
) -> Result<Response, Problem> {
    let if_version = request.if_match()?;
    let fees = read_fees(request.fields()?)?;
    let edition = api.app.put_fees(&caller, None, fees, if_version).await?;
    Ok(versioned(edition.version, &FeesBody::of(&edition, true)))
}

async fn get_own(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(merchant): Ids<CustomerId>,
) -> Result<Response, Problem> {
    let edition = api.app.fees_of(&caller, merchant).await?;
    let says_who = !matches!(caller.role, Role::Customer(_));
    Ok(versioned(edition.version, &FeesBody::of(&edition, says_who)))
}

async fn put_own(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(merchant): Ids<CustomerId>,
    request: Submission,
) -> Result<Response, Problem> {
    let if_version = request.if_match()?;
    let fees = read_fees(request.fields()?)?;
    let edition = api.app.put_fees(&caller, Some(merchant), fees, if_version).await?;
    Ok(versioned(edition.version, &FeesBody::of(&edition, true)))
}
