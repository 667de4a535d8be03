//! A client's view of the API: the real router, requests in, answers out. Every answer is held against the OpenAPI
//! document on the way.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

mod access;
mod api_keys;
mod attention;
mod bill_batches;
mod bill_exports;
mod bill_lines;
mod bill_totals;
mod bills;
mod charging;
mod contract;
mod customers;
mod disputes;
mod dunning;
mod fees;
mod gateways;
mod history;
mod idempotency;
mod invoices;
mod ledger;
mod lists;
mod log;
mod notifications;
mod openapi;
mod orders;
mod payment_methods;
mod payments;
mod rates;
mod refunds;
mod refusals;
mod requeue;
mod risk;
mod roles;
mod runs;
mod scopes;
mod services;
mod sessions;
mod sign_in;
mod webhook_endpoints;
mod world;
