use super::{Route, ok, replied};
use crate::Api;
use crate::extract::{Authenticated, Ids, Submission};
use crate::problem::Problem;
use crate::wire::bill::{BillBody, read_bill, read_close};
use crate::wire::common::answer;
use crate::wire::fields::Fields;
use crate::wire::list::ListQuery;
use crate::wire::values::{id, one_of};
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use fatura_application::ports::BillFilter;
use fatura_application::{Answer, BillView};
use fatura_domain::bill::BillStatus;
use fatura_domain::id::{BillId, CustomerId};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/bills", create),
        Route::get("/v1/bills", list),
        Route::get("/v1/bills/{id}", get),
        Route::post("/v1/bills/{id}/close", close),
        Route::post("/v1/bills/{id}/cancel", cancel),
        Route::post("/v1/bills/{id}/forgo-rates", forgo_rates),
    ]
}

async fn create(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    let command = read_bill(request.fields()?)?;
    let render = |view: &BillView| answer(201, &BillBody::from(view));
    Ok(replied(api.app.create_bill(&caller, command, &once, &render).await?))
}

async fn get(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<BillId>,
) -> Result<Response, Problem> {
    Ok(ok(&BillBody::from(&api.app.bill(&caller, id).await?)))
}

async fn close(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<BillId>,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    let is_last = read_close(request.optional_fields()?)?;
    Ok(replied(api.app.close_bill(&caller, id, is_last, &once, &as_it_is).await?))
}

async fn cancel(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<BillId>,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    request.optional_fields()?.finish(|| Some(()))?;
    Ok(replied(api.app.cancel_bill(&caller, id, &once, &as_it_is).await?))
}

async fn forgo_rates(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<BillId>,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    request.optional_fields()?.finish(|| Some(()))?;
    Ok(replied(api.app.forgo_rates(&caller, id, &once, &as_it_is).await?))
}

fn as_it_is(view: &BillView) -> Answer {
    answer(200, &BillBody::from(view))
}

async fn list(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    uri: Uri,
) -> Result<Response, Problem> {
    let ListQuery { fields, paging } = ListQuery::read(&caller, &uri);
    let scope = read_scope(fields)?;
    let request = paging.request()?;
    let page = match scope {
        Scope::Customer(customer, filter) => api.app.bills_of(&caller, customer, filter, request).await?,
        Scope::Everybody(status) => api.app.bills_in(&caller, status, request).await?,
    };
    Ok(ok(&paging.body(&page, BillBody::from)))
}

enum Scope {
    Customer(CustomerId, BillFilter),
    Everybody(BillStatus),
}

fn read_scope(mut fields: Fields) -> Result<Scope, Problem> {
    let has_customer = fields.has("customer_id");
    let customer = fields.optional("customer_id", id::<CustomerId>);
    if !has_customer && !fields.has("status") {
        fields.fault("status", "is required without customer_id");
    }
    let statuses = BillStatus::ALL.into_iter().map(|status| (status.as_str(), status));
    let status = fields.optional("status", one_of(statuses));
    fields.finish(|| match customer {
        Some(customer) => Some(Scope::Customer(customer, BillFilter { status })),
        None => Some(Scope::Everybody(status?)),
    })
}
