//! The store's patience, in one place: what passes by itself is tried again, a bounded number of times and not for long.

use crate::DynamoStore;
use aws_sdk_dynamodb::config::AsyncSleep;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use fatura_application::ports::StoreError;
use std::time::{Duration, SystemTime};

const TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);
/// No try begins later than this after the first: whoever waits has a deadline of its own.
const BEGUN_WITHIN: Duration = Duration::from_secs(5);

impl DynamoStore {
    /// Sends, and sends again while `passes` says that the error does. What is sent has to be safe to arrive twice.
    pub(crate) async fn patiently<T, E, F>(
        &self,
        send: impl Fn() -> F,
        passes: fn(&SdkError<E>) -> bool,
    ) -> Result<T, SdkError<E>>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
    {
        let began = self.now();
        let mut failures = 0;
        loop {
            let call = self.meter.call();
            let answer = send().await;
            drop(call);
            match answer {
                Err(error) if passes(&error) && failures + 1 < TRIES && self.since(began) < BEGUN_WITHIN => {
                    self.rest(failures).await;
                    failures += 1;
                }
                answer => return answer,
            }
        }
    }

    /// As the client itself waits, if it was told how: what is simulated waits for nothing.
    pub(crate) async fn rest(&self, failures: u32) {
        match self.client.config().sleep_impl() {
            Some(sleep) => sleep.sleep(pause(failures)).await,
            None => tokio::time::sleep(pause(failures)).await,
        }
    }

    /// By the client's own clock: what is simulated has another time than the machine.
    fn now(&self) -> SystemTime {
        self.client.config().time_source().map_or_else(SystemTime::now, |time| time.now())
    }

    /// Nothing, if the clock was put back meanwhile: the number of tries is bounded as well.
    fn since(&self, began: SystemTime) -> Duration {
        self.now().duration_since(began).unwrap_or_default()
    }
}

/// Whether the same request may succeed in a moment: throttling, a conflict, a server's fault, no answer at all.
pub(crate) fn passes<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        SdkError::ServiceError(service) => {
            service.raw().status().is_server_error()
                || matches!(
                    service.err().code(),
                    Some(
                        "ThrottlingException"
                            | "ProvisionedThroughputExceededException"
                            | "RequestLimitExceeded"
                            | "TransactionConflictException"
                            | "TransactionInProgressException"
                    )
                )
        }
        _ => false,
    }
}

/// What to tell the caller: to come again, or that something is wrong with what we sent or found.
pub(crate) fn failure<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> StoreError {
    match error {
        SdkError::ServiceError(service) => {
            let code = service.err().code().unwrap_or("unknown").to_owned();
            match code.as_str() {
                "ValidationException"
                | "SerializationException"
                | "ResourceNotFoundException"
                | "AccessDeniedException"
                | "IdempotentParameterMismatchException"
                | "ItemCollectionSizeLimitExceededException" => StoreError::Corrupt(code),
                "ThrottlingException"
                | "ProvisionedThroughputExceededException"
                | "RequestLimitExceeded"
                | "TransactionConflictException" => StoreError::Contended(code),
                _ => StoreError::Unavailable(code),
            }
        }
        SdkError::ConstructionFailure(_) => StoreError::Corrupt("a request could not be built".to_owned()),
        SdkError::TimeoutError(_) => StoreError::Unavailable("no answer in time".to_owned()),
        _ => StoreError::Unavailable("no connection".to_owned()),
    }
}

/// Doubling, and anywhere within: two that met once shouldn't meet again.
fn pause(failures: u32) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << failures.min(8)).min(LONGEST_PAUSE);
    let longest = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(getrandom::u64().unwrap_or(longest) % longest.max(1))
}
