//! Exchange rates for tests, in the formats of two that publish them, with failures on demand:
//! - `GET /api/latest.json?app_id=…` as Open Exchange Rates does it, in dollars, its refusals included;
//! - `GET /stats/eurofxref/eurofxref-daily.xml` as the European Central Bank does it: the same rates in euros, to six
//!   digits, of the last working day;
//! - `GET` and `POST /control`, `POST /control/reset`: `{down, status, latency_ms, rates, published_at}`;
//! - `GET /health`.
//!
//! Both tell the same truth, so that a test can change the source and not the amounts. Nothing is remembered but what
//! `/control` was told; every publication is as of now unless it was told otherwise.

mod control;
mod formats;
mod server;

pub use server::{Config, RatesServer, serve};
