//! A client's view of the API: the real router, requests in, answers out. Every answer is held against the OpenAPI
//! document on the way.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot be set up has failed")]

mod api_keys;
mod arbitrary;
mod attention;
mod charging;
mod contract;
mod customers;
mod disputes;
mod dunning;
mod gateways;
mod history;
mod idempotency;
mod invoices;
mod lists;
mod log;
mod openapi;
mod payment_methods;
mod refunds;
mod refusals;
mod requeue;
mod roles;
mod runs;
mod world;
