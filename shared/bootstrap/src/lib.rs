//! How a function starts: environment, clients, secrets, tracing. No rules.
//!
//! Nothing here calls out before the first event: a client is only built, secrets are read when they are first needed.

#[cfg(feature = "store")]
mod app;
mod aws;
mod deadline;
#[cfg(feature = "discovery")]
mod discovery;
mod environment;
#[cfg(feature = "events")]
mod events;
#[cfg(feature = "store")]
mod gateways;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "notices")]
mod notices;
#[cfg(feature = "delivery-queue")]
mod outgoing;
#[cfg(any(feature = "delivery-queue", feature = "webhook-queue"))]
mod queues;
#[cfg(feature = "rates")]
mod rates;
#[cfg(feature = "secrets")]
mod secrets;
#[cfg(feature = "sqs-batch")]
pub mod sqs_batch;
#[cfg(feature = "store")]
mod system;
mod telemetry;
#[cfg(feature = "secrets")]
mod token_keys;
#[cfg(feature = "store")]
mod watched;

#[cfg(feature = "store")]
pub use app::Bootstrap;
pub use deadline::time_left;
pub use environment::StartError;
#[cfg(feature = "events")]
pub use events::event_bus;
#[cfg(feature = "notices")]
pub use notices::Telling;
pub use telemetry::init as init_telemetry;
#[cfg(feature = "store")]
pub use {fatura_domain::service::Symptom, watched::Watched};
