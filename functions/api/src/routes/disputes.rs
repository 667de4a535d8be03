use super::{Route, ok, replied};
use crate::Api;
use crate::extract::{Authenticated, Ids, Submission};
use crate::problem::Problem;
use crate::wire::common::answer;
use crate::wire::dispute::{DisputeBody, read_contest};
use crate::wire::invoice::InvoiceBody;
use crate::wire::list::ListQuery;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use fatura_domain::id::InvoiceId;
use fatura_domain::invoice::Invoice;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::post("/v1/invoices/{id}/contest", contest), Route::get("/v1/invoices/{id}/disputes", list)]
}

async fn contest(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(invoice): Ids<InvoiceId>,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    let command = read_contest(invoice, request.fields()?)?;
    let render = |invoice: &Invoice| answer(202, &InvoiceBody::from(invoice));
    Ok(replied(api.app.contest_invoice(&caller, command, &once, &render).await?))
}

async fn list(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(invoice): Ids<InvoiceId>,
    uri: Uri,
) -> Result<Response, Problem> {
    let ListQuery { fields, paging } = ListQuery::read(&caller, &uri);
    fields.finish(|| Some(()))?;
    let page = api.app.disputes(&caller, invoice, paging.request()?).await?;
    Ok(ok(&paging.body(&page, DisputeBody::from)))
}
