use super::{Route, ok};
use crate::Api;
use crate::extract::{Authenticated, Ids};
use crate::problem::Problem;
use crate::wire::ledger::Viewer;
use crate::wire::list::ListQuery;
use crate::wire::transaction::{TransactionBody, TransactionStatus, read_filter};
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use fatura_application::ports::Page;
use fatura_domain::id::CustomerId;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/v1/customers/{id}/transactions", list)]
}

async fn list(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(customer): Ids<CustomerId>,
    uri: Uri,
) -> Result<Response, Problem> {
    let ListQuery { fields, paging } = ListQuery::read(&caller, &uri);
    let (filter, status) = read_filter(fields)?;
    let request = paging.request()?;
    let found = api.app.transactions(&caller, customer, &filter, request).await?;
    let matches_all = status.is_none_or(|status| status == TransactionStatus::Succeeded);
    let page = if matches_all { found } else { Page { data: Vec::new(), next: None } };
    let viewer = Viewer::of(&caller);
    Ok(ok(&paging.body(&page, |transaction| TransactionBody::of(transaction, viewer))))
}
