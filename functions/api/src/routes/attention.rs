use super::{Route, ok, replied};
use crate::Api;
use crate::extract::{Authenticated, Ids, Submission};
use crate::problem::Problem;
use crate::wire::attention::{AttentionBody, read_close, read_kind, read_resolution};
use crate::wire::common::answer;
use crate::wire::invoice::InvoiceBody;
use crate::wire::list::ListQuery;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use fatura_domain::attention::AttentionId;
use fatura_domain::id::AttemptId;
use fatura_domain::invoice::Invoice;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/attention", list),
        Route::get("/v1/attention/{id}", get),
        Route::post("/v1/attention/{id}/close", close),
        Route::post("/v1/attempts/{id}/resolve", resolve),
    ]
}

async fn list(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    uri: Uri,
) -> Result<Response, Problem> {
    let ListQuery { fields, paging } = ListQuery::read(&caller, &uri);
    let kind = read_kind(fields)?;
    let page = api.app.attention(&caller, kind, paging.request()?).await?;
    Ok(ok(&paging.body(&page, AttentionBody::from)))
}

async fn get(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<String>,
) -> Result<Response, Problem> {
    let id: AttentionId = id.parse().map_err(|_| Problem::not_found())?;
    Ok(ok(&AttentionBody::from(&api.app.attention_of(&caller, &id).await?)))
}

async fn close(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<String>,
    request: Submission,
) -> Result<Response, Problem> {
    let id: AttentionId = id.parse().map_err(|_| Problem::not_found())?;
    let (end, note) = read_close(request.optional_fields()?)?;
    Ok(ok(&AttentionBody::from(&api.app.close_attention(&caller, &id, end, note).await?)))
}

async fn resolve(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<AttemptId>,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    let command = read_resolution(id, request.fields()?)?;
    let render = |invoice: &Invoice| answer(200, &InvoiceBody::from(invoice));
    Ok(replied(api.app.resolve_attempt(&caller, command, &once, &render).await?))
}
