use super::{Route, ok, replied};
use crate::Api;
use crate::extract::{Authenticated, Ids, Submission};
use crate::problem::Problem;
use crate::wire::common::answer;
use crate::wire::ledger::Viewer;
use crate::wire::transaction::TransactionBody;
use crate::wire::wallet::{BalanceBody, read_movement, read_transfer};
use axum::extract::State;
use axum::response::Response;
use fatura_application::access::Caller;
use fatura_domain::id::CustomerId;
use fatura_domain::ledger::Transaction;
use fatura_domain::wallet::{self, Movement};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/wallet/{id}/balance", balance),
        Route::post("/v1/wallet/{id}/credit", credit),
        Route::post("/v1/wallet/{id}/debit", debit),
        Route::post("/v1/wallet/{id}/transfer", transfer),
    ]
}

async fn balance(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(customer): Ids<CustomerId>,
) -> Result<Response, Problem> {
    let wallets = api.app.wallets(&caller, customer).await?;
    Ok(ok(&BalanceBody::of(customer, &wallets)))
}

async fn credit(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(customer): Ids<CustomerId>,
    request: Submission,
) -> Result<Response, Problem> {
    let movement = read_movement(customer, wallet::Route::Credit, request.fields()?);
    moved(&api, &caller, &request, movement).await
}

async fn debit(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(customer): Ids<CustomerId>,
    request: Submission,
) -> Result<Response, Problem> {
    let movement = read_movement(customer, wallet::Route::Debit, request.fields()?);
    moved(&api, &caller, &request, movement).await
}

async fn transfer(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(customer): Ids<CustomerId>,
    request: Submission,
) -> Result<Response, Problem> {
    moved(&api, &caller, &request, read_transfer(customer, request.fields()?)).await
}

async fn moved(
    api: &Api,
    caller: &Caller,
    request: &Submission,
    movement: Result<Movement, Problem>,
) -> Result<Response, Problem> {
    let once = request.once(caller)?;
    let viewer = Viewer::of(caller);
    let render = |booked: &Transaction| answer(201, &TransactionBody::of(booked, viewer));
    Ok(replied(api.app.move_in_wallet(caller, movement?, &once, &render).await?))
}
