//! The payment gateways, those who publish exchange rates, and those who are told by webhook: what the application's
//! `Gateway`, `Rates` and `WebhookSender` ports mean in HTTP.
//!
//! Architecture invariants:
//! - Whatever goes wrong on the way is one of two things, told apart in `http` alone: the order surely did not reach
//!   the gateway, or it may have. Only a gateway's own readable answer makes a decline.
//! - A question (`fetch_charge`, `cancel`) that fails says nothing about the charge: it is always `Unknown`, never
//!   `NotSent` and never `Declined`, because either would let another attempt begin. In the same way a dispute that
//!   can't be asked about is `Unclear`, and a page of movements is whole or an error.
//! - Nothing here sleeps or retries. When to ask again is the domain's business.
//! - No key, token or URL gets into a failure or a log.
//! - Every gateway passes `tests/contract`.

mod adyen;
mod base_url;
mod brazil;
mod form;
mod http;
mod iugu;
mod mercado_pago;
mod outgoing;
mod pagbank;
mod paypal;
mod rates;
mod sandbox;
mod signature;
mod stripe;
mod trouble;
mod vindi;

pub use adyen::Adyen;
pub use base_url::{BaseUrl, InvalidBaseUrl};
pub use http::{Http, HttpSetupError, Timeouts};
pub use iugu::Iugu;
pub use mercado_pago::MercadoPago;
pub use outgoing::{Lookup, SystemLookup, WebhookClient};
pub use pagbank::PagBank;
pub use paypal::PayPal;
pub use rates::{EuropeanCentralBank, OpenExchangeRates};
pub use sandbox::Sandbox;
pub use stripe::Stripe;
pub use vindi::Vindi;
