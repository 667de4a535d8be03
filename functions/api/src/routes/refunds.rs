use super::{Route, ok, replied};
use crate::Api;
use crate::extract::{Authenticated, Ids, Submission};
use crate::problem::Problem;
use crate::wire::common::answer;
use crate::wire::list::ListQuery;
use crate::wire::refund::{RefundBody, read_refund};
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use fatura_domain::id::InvoiceId;
use fatura_domain::refund::Refund;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::post("/v1/invoices/{id}/refunds", create), Route::get("/v1/invoices/{id}/refunds", list)]
}

async fn create(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(invoice): Ids<InvoiceId>,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    let command = read_refund(invoice, request.optional_fields()?)?;
    let render = |refund: &Refund| answer(202, &RefundBody::from(refund));
    Ok(replied(api.app.request_refund(&caller, command, &once, &render).await?))
}

async fn list(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(invoice): Ids<InvoiceId>,
    uri: Uri,
) -> Result<Response, Problem> {
    let ListQuery { fields, paging } = ListQuery::read(&caller, &uri);
    fields.finish(|| Some(()))?;
    let page = api.app.refunds(&caller, invoice, paging.request()?).await?;
    Ok(ok(&paging.body(&page, RefundBody::from)))
}
