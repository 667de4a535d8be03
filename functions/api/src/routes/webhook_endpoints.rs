use super::{Route, ok, replied, versioned};
use crate::Api;
use crate::extract::{Authenticated, Ids, Submission};
use crate::problem::Problem;
use crate::wire::common::answer;
use crate::wire::list::{ListBody, ListQuery};
use crate::wire::webhook_delivery::{DeliveryBody, ReplayedBody, WholeDeliveryBody};
use crate::wire::webhook_endpoint::{
    EndpointBody, NewEndpointBody, read_amendment, read_endpoint, read_rotation, read_since,
};
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use fatura_domain::webhook_endpoint::{Delivery, Endpoint, EndpointId, MessageId};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/webhook-endpoints", create),
        Route::get("/v1/webhook-endpoints", list),
        Route::get("/v1/webhook-endpoints/{id}", get),
        Route::patch("/v1/webhook-endpoints/{id}", amend),
        Route::delete("/v1/webhook-endpoints/{id}", remove),
        Route::post("/v1/webhook-endpoints/{id}/rotate-secret", rotate),
        Route::post("/v1/webhook-endpoints/{id}/test", test),
        Route::post("/v1/webhook-endpoints/{id}/replay", replay_missed),
        Route::get("/v1/webhook-endpoints/{id}/deliveries", deliveries),
        Route::get("/v1/webhook-deliveries/{id}", delivery),
        Route::post("/v1/webhook-deliveries/{id}/replay", replay),
    ]
}

async fn create(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    let terms = read_endpoint(request.fields()?, api.app.loopback())?;
    let now = api.app.clock.now();
    let shown = |endpoint: &Endpoint| answer(201, &NewEndpointBody::shown(endpoint, now));
    let stored = |endpoint: &Endpoint| answer(201, &NewEndpointBody::stored(endpoint, now));
    Ok(replied(api.app.create_webhook_endpoint(&caller, terms, &once, &shown, &stored).await?))
}

async fn list(State(api): State<Api>, Authenticated(caller): Authenticated) -> Result<Response, Problem> {
    let endpoints = api.app.webhook_endpoints(&caller).await?;
    let now = api.app.clock.now();
    let data: Vec<_> = endpoints.iter().map(|endpoint| EndpointBody::of(endpoint, now)).collect();
    Ok(ok(&ListBody { data, next_cursor: None }))
}

async fn get(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<EndpointId>,
) -> Result<Response, Problem> {
    let endpoint = api.app.webhook_endpoint(&caller, id).await?;
    Ok(versioned(endpoint.version, &EndpointBody::of(&endpoint, api.app.clock.now())))
}

async fn amend(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<EndpointId>,
    request: Submission,
) -> Result<Response, Problem> {
    let if_version = request.if_match()?;
    let command = read_amendment(request.fields()?, api.app.loopback())?;
    let endpoint = api.app.amend_webhook_endpoint(&caller, id, command, if_version).await?;
    Ok(versioned(endpoint.version, &EndpointBody::of(&endpoint, api.app.clock.now())))
}

async fn remove(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<EndpointId>,
) -> Result<Response, Problem> {
    api.app.remove_webhook_endpoint(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn rotate(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<EndpointId>,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    let overlap = read_rotation(request.optional_fields()?)?;
    let now = api.app.clock.now();
    let shown = |endpoint: &Endpoint| answer(200, &NewEndpointBody::shown(endpoint, now));
    let stored = |endpoint: &Endpoint| answer(200, &NewEndpointBody::stored(endpoint, now));
    Ok(replied(api.app.rotate_webhook_secret(&caller, id, overlap, &once, &shown, &stored).await?))
}

async fn test(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<EndpointId>,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    request.optional_fields()?.finish(|| Some(()))?;
    let render = |delivery: &Delivery| answer(202, &WholeDeliveryBody::from(delivery));
    Ok(replied(api.app.test_webhook_endpoint(&caller, id, &once, &render).await?))
}

/// Needs no key: what is on its way already isn't sent again.
async fn replay_missed(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<EndpointId>,
    request: Submission,
) -> Result<Response, Problem> {
    let since = read_since(request.fields()?)?;
    let replayed = api.app.replay_missed_webhooks(&caller, id, since).await?;
    Ok((StatusCode::ACCEPTED, ok(&ReplayedBody::from(replayed))).into_response())
}

async fn deliveries(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<EndpointId>,
    uri: Uri,
) -> Result<Response, Problem> {
    let ListQuery { fields, paging } = ListQuery::read(&caller, &uri);
    fields.finish(|| Some(()))?;
    let page = api.app.webhook_deliveries(&caller, id, paging.request()?).await?;
    Ok(ok(&paging.body(&page, DeliveryBody::from)))
}

async fn delivery(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<MessageId>,
) -> Result<Response, Problem> {
    Ok(ok(&WholeDeliveryBody::from(&api.app.webhook_delivery(&caller, id).await?)))
}

async fn replay(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<MessageId>,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    request.optional_fields()?.finish(|| Some(()))?;
    let render = |delivery: &Delivery| answer(202, &WholeDeliveryBody::from(delivery));
    Ok(replied(api.app.replay_webhook(&caller, id, &once, &render).await?))
}
