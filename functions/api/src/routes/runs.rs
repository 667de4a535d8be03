use super::{Route, ok, replied};
use crate::Api;
use crate::extract::{Authenticated, Ids, Submission};
use crate::problem::Problem;
use crate::wire::common::answer;
use crate::wire::list::ListQuery;
use crate::wire::run::{
    ChargingRunBody, DifferenceBody, ReconciliationBody, read_billing, read_reconciliation, read_requeue,
};
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use fatura_application::access::Caller;
use fatura_application::ports::Progress;
use fatura_domain::id::RunId;
use fatura_domain::run::RunKind;
use std::collections::BTreeMap;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/billing-runs", begin_billing),
        Route::get("/v1/billing-runs/{id}", show_billing),
        Route::post("/v1/requeues", begin_requeue),
        Route::get("/v1/requeues/{id}", show_requeue),
        Route::post("/v1/reconciliations", begin_reconciliation),
        Route::get("/v1/reconciliations/{id}", show_reconciliation),
        Route::get("/v1/reconciliations/{id}/differences", differences),
    ]
}

async fn begin_billing(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    let command = read_billing(request.optional_fields()?)?;
    let render = |progress: &Progress| answer(202, &ChargingRunBody::from(progress));
    Ok(replied(api.app.begin_billing(&caller, command, &once, &render).await?))
}

async fn show_billing(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<RunId>,
) -> Result<Response, Problem> {
    let progress = run(&api, &caller, &id, |kind| matches!(kind, RunKind::Billing(_))).await?;
    Ok(ok(&ChargingRunBody::from(&progress)))
}

async fn begin_requeue(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    let requeue = read_requeue(request.optional_fields()?)?;
    let render = |progress: &Progress| answer(202, &ChargingRunBody::from(progress));
    Ok(replied(api.app.begin_requeue(&caller, requeue, &once, &render).await?))
}

async fn show_requeue(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<RunId>,
) -> Result<Response, Problem> {
    let progress = run(&api, &caller, &id, |kind| matches!(kind, RunKind::Requeue(_))).await?;
    Ok(ok(&ChargingRunBody::from(&progress)))
}

async fn begin_reconciliation(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    let command = read_reconciliation(request.fields()?)?;
    let render = |progress: &Progress| answer(202, &ReconciliationBody::of(progress, BTreeMap::new()));
    Ok(replied(api.app.begin_reconciliation(&caller, command, &once, &render).await?))
}

async fn show_reconciliation(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<RunId>,
) -> Result<Response, Problem> {
    let progress = run(&api, &caller, &id, is_reconciliation).await?;
    let differences = api.app.difference_counts(&caller, &id).await?;
    Ok(ok(&ReconciliationBody::of(&progress, differences)))
}

async fn differences(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<RunId>,
    uri: Uri,
) -> Result<Response, Problem> {
    let ListQuery { fields, paging } = ListQuery::read(&caller, &uri);
    fields.finish(|| Some(()))?;
    let request = paging.request()?;
    run(&api, &caller, &id, is_reconciliation).await?;
    let page = api.app.differences(&caller, &id, request).await?;
    Ok(ok(&paging.body(&page, DifferenceBody::from)))
}

const fn is_reconciliation(kind: &RunKind) -> bool {
    matches!(kind, RunKind::Reconciliation(_))
}

/// A run of this kind: under another kind's path it isn't found.
async fn run(
    api: &Api,
    caller: &Caller,
    id: &RunId,
    is_meant: fn(&RunKind) -> bool,
) -> Result<Progress, Problem> {
    let progress = api.app.run(caller, id).await?;
    if is_meant(&progress.run.kind) { Ok(progress) } else { Err(Problem::not_found()) }
}
