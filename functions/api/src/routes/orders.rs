use super::{Route, ok, replied, versioned};
use crate::Api;
use crate::extract::{Authenticated, Ids, Submission};
use crate::problem::Problem;
use crate::wire::common::answer;
use crate::wire::list::ListQuery;
use crate::wire::order::{OrderBody, read_buyer, read_order};
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use fatura_application::OrderView;
use fatura_domain::id::OrderId;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/orders", create),
        Route::get("/v1/orders", list),
        Route::get("/v1/orders/{id}", get),
        Route::delete("/v1/orders/{id}", cancel),
    ]
}

async fn create(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    let command = read_order(request.fields()?)?;
    let render = |placed: &OrderView| answer(201, &OrderBody::from(placed));
    Ok(replied(api.app.place_order(&caller, command, &once, &render).await?))
}

async fn get(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<OrderId>,
) -> Result<Response, Problem> {
    let view = api.app.order(&caller, id).await?;
    Ok(versioned(view.order.version, &OrderBody::from(&view)))
}

async fn cancel(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<OrderId>,
) -> Result<Response, Problem> {
    let view = api.app.cancel_order(&caller, id).await?;
    Ok(versioned(view.order.version, &OrderBody::from(&view)))
}

async fn list(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    uri: Uri,
) -> Result<Response, Problem> {
    let ListQuery { fields, paging } = ListQuery::read(&caller, &uri);
    let buyer = read_buyer(fields)?;
    let page = api.app.orders_of(&caller, buyer, paging.request()?).await?;
    Ok(ok(&paging.body(&page, OrderBody::from)))
}
