//! DynamoDB behind the application's ports: one table, one index, every write conditional.
//!
//! Architecture invariant: keys are built in `keys`, writes leave through `transact` and `claim`, and nothing of
//! DynamoDB is seen outside.

mod access;
mod batch;
mod bills;
mod claim;
mod items;
mod keys;
mod ledger;
mod lists;
mod meter;
mod notices;
mod orders;
mod outgoing;
mod rates;
mod reads;
mod retry;
mod risk;
mod services;
mod stream;
mod transact;

pub use keys::WORK_INDEX;
pub use meter::{Meter, Reading};
pub use stream::{StreamImage, bill_of_image, invoice_of_image, transaction_of_image};

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone)]
pub struct DynamoStore {
    client: Client,
    table: String,
    meter: Arc<Meter>,
}

impl DynamoStore {
    /// The client must not try again by itself: that is `retry`'s matter.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), meter: Arc::default() }
    }

    /// With a client as the store wants it: DynamoDB answers in milliseconds or is asked again.
    pub fn connect(config: &SdkConfig, table: impl Into<String>) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(2))
            .build();
        let config = aws_sdk_dynamodb::config::Builder::from(config)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .build();
        Self::new(Client::from_conf(config), table)
    }

    /// What was asked and what it cost, for tests and benchmarks.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }
}

impl fmt::Debug for DynamoStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoStore").field("table", &self.table).finish_non_exhaustive()
    }
}
