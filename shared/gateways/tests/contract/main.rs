//! What every gateway must do alike, and each gateway put through it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod adyen;
mod bench;
mod brazil;
mod common;
mod contract;
mod iugu;
#[path = "../../../../tests/gateways-outside/localstripe.rs"]
mod localstripe;
mod mercado_pago;
mod outgoing;
mod pagbank;
mod paypal;
mod rates;
mod sandbox;
mod scripted;
mod stripe;
mod vindi;
