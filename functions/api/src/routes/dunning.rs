use super::{Route, ok, versioned};
use crate::Api;
use crate::extract::{Authenticated, Submission};
use crate::problem::Problem;
use crate::wire::dunning::{RulesBody, read_rules};
use crate::wire::list::ListQuery;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/dunning-policy", get),
        Route::put("/v1/dunning-policy", replace),
        Route::get("/v1/dunning-policy/versions", versions),
    ]
}

async fn get(State(api): State<Api>, Authenticated(caller): Authenticated) -> Result<Response, Problem> {
    let edition = api.app.rules(&caller).await?;
    Ok(versioned(edition.version, &RulesBody::from(&edition)))
}

async fn replace(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    request: Submission,
) -> Result<Response, Problem> {
    let if_version = request.if_match()?;
    let rules = read_rules(request.fields()?)?;
    let edition = api.app.replace_rules(&caller, rules, if_version).await?;
    Ok(versioned(edition.version, &RulesBody::from(&edition)))
}

async fn versions(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    uri: Uri,
) -> Result<Response, Problem> {
    let ListQuery { fields, paging } = ListQuery::read(&caller, &uri);
    fields.finish(|| Some(()))?;
    let page = api.app.rule_editions(&caller, paging.request()?).await?;
    Ok(ok(&paging.body(&page, RulesBody::from)))
}
