use super::{Route, ok, replied, versioned};
use crate::Api;
use crate::extract::{Authenticated, Ids, Submission};
use crate::problem::Problem;
use crate::wire::attempt::attempts_body;
use crate::wire::common::answer;
use crate::wire::fields::Fields;
use crate::wire::history::history_body;
use crate::wire::invoice::{InvoiceBody, read_amendment, read_charge, read_invoice};
use crate::wire::list::{ListBody, ListQuery};
use crate::wire::transaction::refuse_empty_period;
use crate::wire::values::{id, instant, one_of};
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use fatura_application::ports::InvoiceFilter;
use fatura_domain::charge::FailureClass;
use fatura_domain::id::{CustomerId, InvoiceId};
use fatura_domain::invoice::{Invoice, Status};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/invoices", create),
        Route::get("/v1/invoices", list),
        Route::get("/v1/invoices/{id}", get),
        Route::patch("/v1/invoices/{id}", amend),
        Route::post("/v1/invoices/{id}/charge", charge),
        Route::post("/v1/invoices/{id}/cancel", cancel),
        Route::post("/v1/invoices/{id}/requeue", requeue),
        Route::get("/v1/invoices/{id}/attempts", attempts),
        Route::get("/v1/invoices/{id}/history", history),
    ]
}

async fn create(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    let command = read_invoice(request.fields()?)?;
    let status = if command.auto_charge { 202 } else { 201 };
    let render = |invoice: &Invoice| answer(status, &InvoiceBody::from(invoice));
    Ok(replied(api.app.create_invoice(&caller, command, &once, &render).await?))
}

async fn get(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<InvoiceId>,
) -> Result<Response, Problem> {
    let invoice = api.app.invoice(&caller, id).await?;
    Ok(versioned(invoice.version, &InvoiceBody::from(&invoice).for_caller(&caller, &invoice)))
}

async fn amend(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<InvoiceId>,
    request: Submission,
) -> Result<Response, Problem> {
    let if_version = request.if_match()?;
    let amendment = read_amendment(request.fields()?)?;
    let invoice = api.app.amend_invoice(&caller, id, amendment, if_version).await?;
    Ok(versioned(invoice.version, &InvoiceBody::from(&invoice)))
}

async fn charge(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<InvoiceId>,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    let by = read_charge(request.optional_fields()?)?;
    let render = |invoice: &Invoice| answer(202, &InvoiceBody::from(invoice));
    Ok(replied(api.app.charge_invoice(&caller, id, by, &once, &render).await?))
}

async fn cancel(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<InvoiceId>,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once_if_keyed(&caller)?;
    request.optional_fields()?.finish(|| Some(()))?;
    // Not canceled yet: the gateway has been asked to let go, and has the last word.
    let render = |invoice: &Invoice| {
        let status = if invoice.status() == Status::Canceled { 200 } else { 202 };
        answer(status, &InvoiceBody::from(invoice))
    };
    Ok(replied(api.app.cancel_invoice(&caller, id, once.as_ref(), &render).await?))
}

async fn requeue(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<InvoiceId>,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    request.optional_fields()?.finish(|| Some(()))?;
    let render = |invoice: &Invoice| answer(202, &InvoiceBody::from(invoice));
    Ok(replied(api.app.requeue_invoice(&caller, id, &once, &render).await?))
}

async fn history(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<InvoiceId>,
) -> Result<Response, Problem> {
    let attempts = api.app.attempts(&caller, id).await?;
    Ok(ok(&ListBody { data: history_body(&attempts), next_cursor: None }))
}

async fn attempts(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<InvoiceId>,
) -> Result<Response, Problem> {
    let attempts = api.app.attempts(&caller, id).await?;
    Ok(ok(&ListBody {
        data: attempts_body(&attempts.invoice, &attempts.finished, &caller),
        next_cursor: None,
    }))
}

async fn list(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    uri: Uri,
) -> Result<Response, Problem> {
    let ListQuery { fields, paging } = ListQuery::read(&caller, &uri);
    let (scope, filter) = read_list(fields)?;
    let request = paging.request()?;
    let page = match scope {
        Scope::Customer(customer) => api.app.invoices_of(&caller, customer, &filter, request).await?,
        Scope::Everybody(status) => api.app.invoices_in(&caller, status, &filter, request).await?,
    };
    Ok(ok(&paging.body(&page, |invoice| InvoiceBody::from(invoice).for_caller(&caller, invoice))))
}

enum Scope {
    Customer(CustomerId),
    Everybody(Status),
}

fn read_list(mut fields: Fields) -> Result<(Scope, InvoiceFilter), Problem> {
    let has_customer = fields.has("customer_id");
    let customer = fields.optional("customer_id", id::<CustomerId>);
    let statuses = Status::ALL.into_iter().map(|status| (status.as_str(), status));
    let status = if has_customer {
        fields.optional("status", one_of(statuses))
    } else {
        if !fields.has("status") {
            fields.fault("status", "is required without customer_id");
        }
        fields.optional("status", one_of(statuses))
    };
    let classes = FailureClass::ALL.into_iter().map(|class| (class.as_str(), class));
    let failure_class = fields.optional("failure_class", one_of(classes));
    let created_from = fields.optional("created_from", instant);
    let created_to = fields.optional("created_to", instant);
    refuse_empty_period(&mut fields, ("created_from", created_from), ("created_to", created_to));
    let filter = InvoiceFilter { status, failure_class, created_from, created_to, only_payments: false };
    fields.finish(|| {
        let scope = match customer {
            Some(customer) => Scope::Customer(customer),
            None => Scope::Everybody(status?),
        };
        Some((scope, filter))
    })
}
