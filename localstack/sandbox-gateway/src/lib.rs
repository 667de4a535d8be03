//! A fake payment gateway with a memory: the default gateway of the local stack, and of every test that needs one that
//! remembers what it charged. It captures, declines, holds answers back, lies and sends signed webhooks on demand.
//!
//! Three kinds of callers, told apart because trouble on demand must never hide the truth from a test:
//! - **the merchant** (our adapter): every `POST` of a charge, void or refund, and every `GET` with an `Authorization`
//!   header. It needs the API key, and gets the outages, latencies and lies of `/control`.
//! - **the outside world**: `/pay` (the payer's bank) and `/dispute` (the cardholder). No key, no trouble.
//! - **the test**: a `GET` without `Authorization` is the truth; `/control`, `/webhooks`, `/health`. No key, no trouble.
//!
//! Decided here, because gateways differ and the worst case is the useful one:
//! - `down` answers 503 (so: unknown to the caller); for "never reached it" there is `tok_429`, or dropping the [`Sandbox`].
//! - `latency_ms` comes after the work: a caller that gives up early may have charged.
//! - Money always arrives: a pix paid late, after a void, or twice is captured; `payments` says what came and what was late.
//! - `disputed` stays true once there was a dispute; `dispute.status` says how it ended.
//! - A lost dispute may be won after all, and one may be opened about a charge that was refunded already.
//! - A movement is a charge's whole capture, at its first payment, or a refund that succeeded.
//! - The clock can be moved (`TEST_CLOCK_FILE`, `clock_offset_s`); waits take real time all the same.
//! - An idempotent repeat gives the first answer as it was, not the charge as it has become since.
//! - `tok_not_charged_*` and `tok_429` record nothing, so a repeat meets the same trouble again and still charges nothing.
//! - `tok_charged_truncated` is sound HTTP around half a JSON document; a held answer ends as a 504 after a minute.

mod answer;
mod app;
mod charge;
mod charges;
mod clock;
mod config;
mod control;
mod disputes;
mod event;
mod hand_over;
mod idempotency;
mod journal;
mod movements;
mod order;
mod outside;
mod pix;
mod reading;
mod refunds;
mod server;
mod signature;
mod table;
mod tokens;
mod webhooks;

pub use config::Config;
pub use server::{Sandbox, serve};
