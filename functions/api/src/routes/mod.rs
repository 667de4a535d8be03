//! One file a resource: parse, call one use case, render.

mod api_keys;
mod attention;
mod bill_lines;
mod bills;
mod customers;
mod disputes;
mod dunning;
mod fees;
mod gateways;
mod health;
mod invoices;
mod ledger;
mod notifications;
mod openapi;
mod orders;
mod payment_methods;
mod payments;
mod refunds;
mod risk;
mod runs;
mod services;
mod transactions;
mod wallet;
mod webhook_endpoints;

use crate::Api;
use axum::handler::Handler;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use fatura_application::Reply;
use serde::Serialize;

/// One operation: what the router is built from and what the OpenAPI document is compared with.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) handler: MethodRouter<Api>,
}

macro_rules! methods {
    ($($name:ident = $filter:ident $method:literal;)*) => {
        impl Route {
            $(fn $name<H: Handler<T, Api>, T: 'static>(path: &'static str, handler: H) -> Self {
                Self { method: $method, path, handler: on(MethodFilter::$filter, handler) }
            })*
        }
    };
}

methods! {
    get = GET "get";
    post = POST "post";
    put = PUT "put";
    patch = PATCH "patch";
    delete = DELETE "delete";
}

pub(crate) fn all() -> impl Iterator<Item = Route> {
    [
        customers::routes(),
        notifications::routes(),
        payment_methods::routes(),
        invoices::routes(),
        refunds::routes(),
        disputes::routes(),
        attention::routes(),
        runs::routes(),
        dunning::routes(),
        gateways::routes(),
        risk::routes(),
        transactions::routes(),
        wallet::routes(),
        orders::routes(),
        payments::routes(),
        fees::routes(),
        ledger::routes(),
        bills::routes(),
        bill_lines::routes(),
        webhook_endpoints::routes(),
        api_keys::routes(),
        services::routes(),
        health::routes(),
        openapi::routes(),
    ]
    .into_iter()
    .flatten()
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// An answer that was written down with its effect, now or when the request came first.
fn replied(reply: Reply) -> Response {
    let mut response = ([(header::CONTENT_TYPE, JSON)], reply.answer.body).into_response();
    *response.status_mut() = StatusCode::from_u16(reply.answer.status).unwrap_or_default();
    if reply.replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

fn ok(body: &impl Serialize) -> Response {
    ([(header::CONTENT_TYPE, JSON)], crate::wire::to_json(body)).into_response()
}

fn versioned(version: u64, body: &impl Serialize) -> Response {
    ([(header::ETAG, format!("\"{version}\""))], ok(body)).into_response()
}
