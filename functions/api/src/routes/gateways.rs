use super::{Route, ok, versioned};
use crate::Api;
use crate::extract::{Authenticated, Ids, Submission};
use crate::problem::Problem;
use crate::wire::fields::Fields;
use crate::wire::gateway::{CheckBody, GatewayBody, PlanBody, RoutingBody, read_gateway, read_routing};
use crate::wire::list::{ListBody, ListQuery};
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use fatura_application::PlanEdition;
use fatura_domain::gateway::GatewayName;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/gateways", list),
        Route::put("/v1/gateways/{name}", put),
        Route::post("/v1/gateways/{name}/check", check),
        Route::get("/v1/gateway-routing", get),
        Route::put("/v1/gateway-routing", replace),
        Route::get("/v1/gateway-routing/versions", versions),
    ]
}

async fn list(State(api): State<Api>, Authenticated(caller): Authenticated) -> Result<Response, Problem> {
    let edition = api.app.gateway_plan(&caller).await?;
    let data = edition.plan.gateways.iter().map(GatewayBody::from).collect::<Vec<_>>();
    Ok(versioned(edition.version, &ListBody { data, next_cursor: None }))
}

async fn put(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(name): Ids<String>,
    request: Submission,
) -> Result<Response, Problem> {
    let name = gateway(&name)?;
    let if_version = request.if_match()?;
    let put = read_gateway(request.fields()?)?;
    let edition = api.app.put_gateway(&caller, &name, put, if_version).await?;
    let settings = edition.plan.settings(&name).ok_or_else(Problem::not_found)?;
    Ok(versioned(edition.version, &GatewayBody::from(settings)))
}

async fn check(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(name): Ids<String>,
    request: Submission,
) -> Result<Response, Problem> {
    let name = gateway(&name)?;
    request.optional_fields()?.finish(|| Some(()))?;
    let failure = api.app.check_gateway(&caller, &name).await?;
    Ok(ok(&CheckBody::from(failure.as_ref())))
}

async fn get(State(api): State<Api>, Authenticated(caller): Authenticated) -> Result<Response, Problem> {
    Ok(routing(&api.app.gateway_plan(&caller).await?))
}

async fn replace(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    request: Submission,
) -> Result<Response, Problem> {
    let if_version = request.if_match()?;
    let fields: Fields = request.fields()?;
    let wanted = read_routing(fields)?;
    Ok(routing(&api.app.put_routing(&caller, wanted, if_version).await?))
}

async fn versions(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    uri: Uri,
) -> Result<Response, Problem> {
    let ListQuery { fields, paging } = ListQuery::read(&caller, &uri);
    fields.finish(|| Some(()))?;
    let page = api.app.gateway_plan_editions(&caller, paging.request()?).await?;
    Ok(ok(&paging.body(&page, PlanBody::from)))
}

fn routing(edition: &PlanEdition) -> Response {
    versioned(edition.version, &RoutingBody::from(edition))
}

/// A name that is none names nothing.
fn gateway(name: &str) -> Result<GatewayName, Problem> {
    GatewayName::parse(name).map_err(|_| Problem::not_found())
}
