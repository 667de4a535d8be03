//! How long the store tries again: by its client's clock, and not by the machine's.

use crate::world::*;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{AsyncSleep, Sleep, StalledStreamProtectionConfig};
use aws_smithy_async::time::TimeSource;
use fatura_application::ports::*;
use fatura_store::DynamoStore;
use fatura_testkit::{Fault, TestTable};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const START: u64 = 1_793_620_800;

/// Passes by so many seconds with each rest, and not otherwise.
#[derive(Debug, Clone)]
struct Time {
    seconds: Arc<AtomicU64>,
    of_a_rest: i64,
}

impl Time {
    fn with_rests_of(of_a_rest: i64) -> Self {
        Self { seconds: Arc::new(AtomicU64::new(START)), of_a_rest }
    }
}

impl TimeSource for Time {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.seconds.load(Ordering::SeqCst))
    }
}

impl AsyncSleep for Time {
    /// The client itself asks for rests that it never takes.
    fn sleep(&self, _: Duration) -> Sleep {
        let time = self.clone();
        Sleep::new(async move {
            let now = time.seconds.load(Ordering::SeqCst).saturating_add_signed(time.of_a_rest);
            time.seconds.store(now, Ordering::SeqCst);
        })
    }
}

/// Reads what is always throttled, and says how often it was asked for.
async fn calls_with_rests_of(seconds: i64) -> u64 {
    let table = TestTable::start().await;
    let time = Time::with_rests_of(seconds);
    let config = table.client.config().to_builder().interceptor(table.faults.clone());
    let config = config
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .sleep_impl(time.clone())
        .time_source(time);
    let store = DynamoStore::new(Client::from_conf(config.build()), TestTable::name());
    table.faults.next_times(50, &Fault::Throttled);
    let failed = store.invoice(draft(ANA, 0, 1).id).await;
    assert!(matches!(failed, Err(StoreError::Contended(_))), "{failed:?}");
    store.meter().reading().calls
}

#[tokio::test]
async fn no_try_begins_five_seconds_after_the_first_by_the_clients_clock() {
    assert_eq!(calls_with_rests_of(2).await, 4);
    assert_eq!(calls_with_rests_of(5).await, 2);
}

#[tokio::test]
async fn a_clock_that_stands_still_or_is_put_back_leaves_the_number_of_tries() {
    assert_eq!(calls_with_rests_of(0).await, 6);
    assert_eq!(calls_with_rests_of(-60).await, 6);
}
