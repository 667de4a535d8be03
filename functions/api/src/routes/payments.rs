use super::{Route, ok, replied, versioned};
use crate::Api;
use crate::extract::{Authenticated, Ids, Submission};
use crate::problem::Problem;
use crate::wire::common::answer;
use crate::wire::list::ListQuery;
use crate::wire::order::read_buyer;
use crate::wire::payment::{PaymentBody, PaymentDetailBody, SeesFees, read_payment};
use crate::wire::refund::{RefundBody, read_refund};
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use fatura_domain::id::PaymentId;
use fatura_domain::invoice::Invoice;
use fatura_domain::refund::Refund;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/payments", create),
        Route::get("/v1/payments", list),
        Route::get("/v1/payments/{id}", get),
        Route::post("/v1/refunds/{id}", refund),
    ]
}

async fn create(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    let command = read_payment(request.fields()?)?;
    let sees_fees = SeesFees::of(&caller);
    let render = |payment: &Invoice| answer(202, &PaymentBody::of(payment, sees_fees));
    Ok(replied(api.app.make_payment(&caller, command, &once, &render).await?))
}

async fn get(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<PaymentId>,
) -> Result<Response, Problem> {
    let view = api.app.payment(&caller, id).await?;
    Ok(versioned(view.invoice.version, &PaymentDetailBody::of(&view, &caller)))
}

async fn list(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    uri: Uri,
) -> Result<Response, Problem> {
    let ListQuery { fields, paging } = ListQuery::read(&caller, &uri);
    let buyer = read_buyer(fields)?;
    let page = api.app.payments_of(&caller, buyer, paging.request()?).await?;
    let sees_fees = SeesFees::of(&caller);
    Ok(ok(&paging.body(&page, |payment| PaymentBody::of(payment, sees_fees))))
}

/// The same refund as of the invoice that the payment is.
async fn refund(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<PaymentId>,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    let command = read_refund(id.into(), request.optional_fields()?)?;
    let render = |refund: &Refund| answer(202, &RefundBody::from(refund));
    Ok(replied(api.app.refund_payment(&caller, command, &once, &render).await?))
}
