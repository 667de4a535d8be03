use super::{Route, replied, versioned};
use crate::Api;
use crate::extract::{Authenticated, Ids, Submission};
use crate::problem::Problem;
use crate::wire::common::answer;
use crate::wire::customer::{CustomerBody, read_customer, read_password, read_profile};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use fatura_application::CustomerReference;
use fatura_domain::id::CustomerId;
use fatura_domain::text::ExternalId;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/customers", create),
        Route::get("/v1/customers/{id}", get),
        Route::put("/v1/customers/{id}", replace),
        Route::put("/v1/customers/{id}/password", change_password),
    ]
}

async fn create(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once_without("password", &caller)?;
    let (profile, password) = read_customer(request.fields()?)?;
    let render = |customer: &_| answer(201, &CustomerBody::from(customer));
    Ok(replied(api.app.create_customer(&caller, profile, password.as_ref(), &once, &render).await?))
}

async fn get(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<String>,
) -> Result<Response, Problem> {
    let reference = match id.strip_prefix("external:") {
        Some(external_id) => ExternalId::parse(external_id).ok().map(CustomerReference::External),
        None => id.parse().ok().map(CustomerReference::Id),
    };
    let customer = api.app.customer(&caller, &reference.ok_or_else(Problem::not_found)?).await?;
    Ok(versioned(customer.version, &CustomerBody::from(&customer)))
}

async fn replace(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<CustomerId>,
    request: Submission,
) -> Result<Response, Problem> {
    let if_version = request.if_match()?;
    let profile = read_profile(request.fields()?)?;
    let customer = api.app.replace_customer(&caller, id, profile, if_version).await?;
    Ok(versioned(customer.version, &CustomerBody::from(&customer)))
}

async fn change_password(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<CustomerId>,
    request: Submission,
) -> Result<Response, Problem> {
    let change = read_password(request.fields()?)?;
    api.app.change_password(&caller, id, change.current.as_deref(), &change.new).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
