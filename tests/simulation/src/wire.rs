//! The SDK's client with neither a socket nor a clock of its own.

use crate::clock::Clock;
use crate::control::{Control, Verdict, Whom};
use crate::engine::{Engine, TABLE, is_write};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{AsyncSleep, BehaviorVersion, Region, Sleep, StalledStreamProtectionConfig};
use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use fatura_store::DynamoStore;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The store as a function has it.
pub(crate) fn store(engine: &Arc<Engine>, control: &Control, clock: &Clock) -> DynamoStore {
    let wire = SharedHttpConnector::new(Wire { engine: engine.clone(), control: control.clone() });
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url("http://table.invalid")
        // Nobody reads a signature here.
        .allow_no_auth()
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(http_client_fn(move |_, _| wire.clone()))
        .sleep_impl(Rest(control.clone()))
        .time_source(Time(clock.clone()))
        .build();
    DynamoStore::new(Client::from_conf(config), TABLE)
}

#[derive(Debug)]
struct Time(Clock);

impl TimeSource for Time {
    fn now(&self) -> SystemTime {
        SystemTime::from(fatura_application::ports::Clock::now(&self.0))
    }
}

#[derive(Debug)]
struct Rest(Control);

impl AsyncSleep for Rest {
    fn sleep(&self, _: Duration) -> Sleep {
        let gate = self.0.call(Whom::Rest, "rest");
        Sleep::new(async move {
            gate.await;
        })
    }
}

#[derive(Debug)]
struct Wire {
    engine: Arc<Engine>,
    control: Control,
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = request.headers().get("x-amz-target").and_then(|target| target.split('.').nth(1));
        let operation = name(operation.unwrap());
        let body = request.body().bytes().unwrap().to_vec();
        let gate = self.control.call_about(Whom::Table, operation, fingerprint(operation, &body));
        let engine = self.engine.clone();
        HttpConnectorFuture::new(async move {
            let verdict = gate.await;
            match verdict {
                Verdict::Done => {
                    let (status, body) = engine.perform(operation, &body);
                    Ok(answer(status, body))
                }
                Verdict::Unheard => {
                    engine.perform(operation, &body);
                    Err(ConnectorError::io("the answer is lost".into()))
                }
                Verdict::DiesAfter => {
                    engine.perform(operation, &body);
                    futures::future::pending().await
                }
                Verdict::DiesBefore => futures::future::pending().await,
                Verdict::Refused | Verdict::Lost | Verdict::Late => {
                    Err(ConnectorError::io("no connection".into()))
                }
                Verdict::Throttled => Ok(error(400, "ThrottlingException", "")),
                Verdict::ServerError => Ok(error(500, "InternalServerError", "")),
                Verdict::Conflict if operation == "TransactWriteItems" => {
                    Ok(error(400, "TransactionCanceledException", &canceled(&body)))
                }
                Verdict::Conflict => Ok(error(400, "TransactionConflictException", "")),
            }
        })
    }
}

/// Of what is read: the same in whatever order its members are, which differs from one process to the next. What is written
/// has marks that nothing decides.
fn fingerprint(operation: &str, body: &[u8]) -> u64 {
    if is_write(operation) { 0 } else { body.iter().map(|byte| u64::from(*byte).pow(4)).sum() }
}

/// One reason an action, and one of them met another transaction.
fn canceled(request: &[u8]) -> String {
    let request: serde_json::Value = serde_json::from_slice(request).unwrap();
    let count = request.pointer("/TransactItems").and_then(|items| items.as_array()).unwrap().len();
    let reason =
        |place| if place + 1 == count { r#"{"Code":"TransactionConflict"}"# } else { r#"{"Code":"None"}"# };
    let reasons: Vec<&str> = (0..count).map(reason).collect();
    format!(r#","CancellationReasons":[{}]"#, reasons.join(","))
}

fn error(status: u16, code: &str, more: &str) -> HttpResponse {
    answer(
        status,
        format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"injected"{more}}}"#),
    )
}

fn answer(status: u16, body: String) -> HttpResponse {
    HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))
}

fn name(operation: &str) -> &'static str {
    const KNOWN: [&str; 9] = [
        "GetItem",
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "Query",
        "Scan",
        "BatchGetItem",
        "TransactWriteItems",
        "TransactGetItems",
    ];
    KNOWN.into_iter().find(|known| *known == operation).unwrap()
}
