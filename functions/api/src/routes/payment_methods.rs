use super::{Route, ok, replied};
use crate::Api;
use crate::extract::{Authenticated, Ids, Submission};
use crate::problem::{Code, Problem};
use crate::wire::common::answer;
use crate::wire::list::ListQuery;
use crate::wire::payment_method::{PaymentMethodBody, read_payment_method, read_token};
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use fatura_application::ports::{Page, Position};
use fatura_domain::customer::PaymentMethod;
use fatura_domain::gateway::GatewayName;
use fatura_domain::id::{CustomerId, PaymentMethodId};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/customers/{id}/payment-methods", add),
        Route::get("/v1/customers/{id}/payment-methods", list),
        Route::get("/v1/customers/{id}/payment-methods/{pm}", get),
        Route::post("/v1/customers/{id}/payment-methods/{pm}/default", make_default),
        Route::put("/v1/customers/{id}/payment-methods/{pm}/tokens/{gateway}", hold_also),
        Route::delete("/v1/customers/{id}/payment-methods/{pm}", detach),
    ]
}

async fn add(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(customer): Ids<CustomerId>,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    let command = read_payment_method(customer, request.fields()?)?;
    let render = |method: &PaymentMethod, default| answer(201, &PaymentMethodBody::of(method, default));
    Ok(replied(api.app.add_payment_method(&caller, command, &once, &render).await?))
}

/// They come with the customer in one read and are few: the page is cut from them here.
async fn list(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(customer): Ids<CustomerId>,
    uri: Uri,
) -> Result<Response, Problem> {
    let ListQuery { fields, paging } = ListQuery::read(&caller, &uri);
    fields.finish(|| Some(()))?;
    let request = paging.request()?;
    let after = match request.after {
        Some(Position(id)) => Some(
            id.parse::<PaymentMethodId>()
                .map_err(|_| Problem::new(Code::InvalidCursor, "the cursor is not one of this list"))?,
        ),
        None => None,
    };
    let payer = api.app.payment_methods(&caller, customer).await?;
    let mut data: Vec<PaymentMethod> =
        payer.methods.into_iter().filter(|method| after.is_none_or(|after| method.id < after)).collect();
    let has_more = data.len() > request.limit;
    data.truncate(request.limit);
    let next = data.last().filter(|_| has_more).map(|method| Position(method.id.to_string()));
    let default = payer.customer.default_payment_method;
    let page = Page { data, next };
    Ok(ok(&paging.body(&page, |method| PaymentMethodBody::of(method, default == Some(method.id)))))
}

async fn get(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids((customer, id)): Ids<(CustomerId, PaymentMethodId)>,
) -> Result<Response, Problem> {
    let payer = api.app.payment_methods(&caller, customer).await?;
    let method = payer.methods.iter().find(|method| method.id == id).ok_or_else(Problem::not_found)?;
    Ok(ok(&PaymentMethodBody::of(method, payer.customer.default_payment_method == Some(id))))
}

async fn make_default(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids((customer, id)): Ids<(CustomerId, PaymentMethodId)>,
    request: Submission,
) -> Result<Response, Problem> {
    request.optional_fields()?.finish(|| Some(()))?;
    let method = api.app.set_default_payment_method(&caller, customer, id).await?;
    Ok(ok(&PaymentMethodBody::of(&method, true)))
}

async fn hold_also(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids((customer, id, gateway)): Ids<(CustomerId, PaymentMethodId, String)>,
    request: Submission,
) -> Result<Response, Problem> {
    let token = read_token(request.fields()?)?;
    let gateway = GatewayName::parse(&gateway).map_err(|_| Problem::not_found())?;
    if id.owner() != customer {
        return Err(Problem::not_found());
    }
    let (method, is_default) = api.app.hold_also(&caller, id, &gateway, token).await?;
    Ok(ok(&PaymentMethodBody::of(&method, is_default)))
}

async fn detach(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids((customer, id)): Ids<(CustomerId, PaymentMethodId)>,
) -> Result<Response, Problem> {
    api.app.detach_payment_method(&caller, customer, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
