use super::{Route, ok, replied, versioned};
use crate::Api;
use crate::extract::{Authenticated, Ids, Submission};
use crate::problem::Problem;
use crate::wire::common::answer;
use crate::wire::invoice::InvoiceBody;
use crate::wire::list::ListQuery;
use crate::wire::risk::{AssessmentBody, read_charge, read_review};
use crate::wire::risk_rules::{RiskRulesBody, RulesPutBody, read_rules};
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use fatura_domain::id::InvoiceId;
use fatura_domain::invoice::Invoice;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/risk", assess),
        Route::get("/v1/risk-rules", get),
        Route::put("/v1/risk-rules", replace),
        Route::get("/v1/risk-rules/versions", versions),
        Route::post("/v1/invoices/{id}/review", review),
    ]
}

/// Asks and changes nothing: no idempotency key.
async fn assess(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    request: Submission,
) -> Result<Response, Problem> {
    let command = read_charge(request.fields()?)?;
    Ok(ok(&AssessmentBody::from(&api.app.assess_charge(&caller, command).await?)))
}

async fn get(State(api): State<Api>, Authenticated(caller): Authenticated) -> Result<Response, Problem> {
    let edition = api.app.risk_rules(&caller).await?;
    Ok(versioned(edition.version, &RiskRulesBody::from(&edition)))
}

async fn replace(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    request: Submission,
) -> Result<Response, Problem> {
    let if_version = request.if_match()?;
    let put = read_rules(request.fields()?, if_version)?;
    let dry_run = put.dry_run;
    let put = api.app.put_risk_rules(&caller, put).await?;
    let body = RulesPutBody::of(&put, dry_run);
    Ok(if dry_run { ok(&body) } else { versioned(put.edition.version, &body) })
}

async fn versions(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    uri: Uri,
) -> Result<Response, Problem> {
    let ListQuery { fields, paging } = ListQuery::read(&caller, &uri);
    fields.finish(|| Some(()))?;
    let page = api.app.risk_editions(&caller, paging.request()?).await?;
    Ok(ok(&paging.body(&page, RiskRulesBody::from)))
}

async fn review(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<InvoiceId>,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    let command = read_review(id, request.fields()?)?;
    let render = |invoice: &Invoice| answer(200, &InvoiceBody::from(invoice).for_caller(&caller, invoice));
    Ok(replied(api.app.review_invoice(&caller, command, &once, &render).await?))
}
