//! What the engine never does and DynamoDB does: throttle, conflict, fail, and do the work without saying so.

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::config::interceptors::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// What becomes of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    Throttled,
    /// Somebody is writing one of these items in a transaction just now.
    Conflict,
    /// The same transaction is under way already.
    InProgress,
    /// A transaction's cancellation reasons, one an action: `None`, `TransactionConflict`, `ThrottlingError`, ...
    Canceled(Vec<&'static str>),
    Invalid,
    ServerError,
    /// The request does its work, and its sender is told of a server's error.
    AnswerLost,
    /// Of all that a batch asks for, nothing was read yet: what DynamoDB says when it is throttling.
    Unread,
    /// Goes through as it is: a place in the row, so that a later request can be hit.
    Pass,
}

/// The faults that the next requests of a client meet, in this order.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<VecDeque<Fault>>>);

impl Faults {
    pub fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.0.lock().unwrap().extend(faults);
    }

    pub fn next_times(&self, times: usize, fault: &Fault) {
        self.next(std::iter::repeat_n(fault.clone(), times));
    }

    /// How many have not been met yet.
    pub fn left(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub fn clear(&self) {
        self.0.lock().unwrap().clear();
    }
}

impl Fault {
    const SERVICE: &str = "com.amazonaws.dynamodb.v20120810";

    fn answer(&self, request: &[u8]) -> Option<(u16, String)> {
        let error = |status, code: &str, more: &str| {
            Some((status, format!(r#"{{"__type":"{}#{code}","message":"injected"{more}}}"#, Self::SERVICE)))
        };
        match self {
            Self::Throttled => error(400, "ThrottlingException", ""),
            Self::Conflict => error(400, "TransactionConflictException", ""),
            Self::InProgress => error(400, "TransactionInProgressException", ""),
            Self::Invalid => error(400, "ValidationException", ""),
            Self::ServerError | Self::AnswerLost => error(500, "InternalServerError", ""),
            Self::Canceled(reasons) => {
                let reasons: Vec<String> =
                    reasons.iter().map(|reason| format!(r#"{{"Code":"{reason}"}}"#)).collect();
                let more = format!(r#","CancellationReasons":[{}]"#, reasons.join(","));
                error(400, "TransactionCanceledException", &more)
            }
            Self::Unread => {
                let request: serde_json::Value = serde_json::from_slice(request).unwrap();
                let asked =
                    request.get("RequestItems").unwrap_or_else(|| panic!("asks for no batch: {request}"));
                Some((200, format!(r#"{{"Responses":{{}},"UnprocessedKeys":{asked}}}"#)))
            }
            Self::Pass => None,
        }
    }
}

/// The engine takes an expression's names or values that are none, and DynamoDB does not.
fn refuse_empty_maps(request: &[u8]) {
    let text = String::from_utf8_lossy(request);
    for name in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
        assert!(!text.contains(&format!("\"{name}\":{{}}")), "DynamoDB refuses an empty {name}");
    }
}

/// What is answered in the place of the engine.
#[derive(Debug)]
struct Met(u16, String);

impl Storable for Met {
    type Storer = StoreReplace<Self>;
}

impl Intercept for Faults {
    fn name(&self) -> &'static str {
        "faults"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request().body().bytes().unwrap_or_default();
        refuse_empty_maps(request);
        let Some(fault) = self.0.lock().unwrap().pop_front() else { return Ok(()) };
        let answer = fault.answer(request);
        if !matches!(fault, Fault::AnswerLost | Fault::Pass) {
            // No such operation: whatever was asked is not done.
            context.request_mut().headers_mut().insert("x-amz-target", "DynamoDB_20120810.Nothing");
        }
        if let Some((status, body)) = answer {
            cfg.interceptor_state().store_put(Met(status, body));
        }
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(Met(status, body)) = cfg.load::<Met>() {
            *context.response_mut() = HttpResponse::new((*status).try_into()?, SdkBody::from(body.as_str()));
        }
        Ok(())
    }
}
