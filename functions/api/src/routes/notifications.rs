use super::{Route, versioned};
use crate::Api;
use crate::extract::{Authenticated, Ids, Submission};
use crate::problem::Problem;
use crate::wire::notifications::{NotificationsBody, read_notifications};
use axum::extract::State;
use axum::response::Response;
use fatura_domain::id::CustomerId;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/customers/{id}/notifications", get),
        Route::put("/v1/customers/{id}/notifications", put),
    ]
}

async fn get(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<CustomerId>,
) -> Result<Response, Problem> {
    let preferences = api.app.notice_preferences(&caller, id).await?;
    Ok(versioned(preferences.version, &NotificationsBody::from(&preferences)))
}

async fn put(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<CustomerId>,
    request: Submission,
) -> Result<Response, Problem> {
    let if_version = request.if_match()?;
    let wanted = read_notifications(request.fields()?)?;
    let preferences = api.app.put_notice_preferences(&caller, id, wanted, if_version).await?;
    Ok(versioned(preferences.version, &NotificationsBody::from(&preferences)))
}
