//! Behind the API: the queue and the bus, as the stack names them.

use crate::client::{unique, variable};
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_lambda::primitives::Blob;
use serde_json::Value;
use std::time::Duration;

pub(crate) async fn config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest()).load().await
}

/// A new secret in a folder. Answers its name.
pub(crate) async fn keep_secret(folder: &str, secret: &Value) -> String {
    let client = aws_sdk_secretsmanager::Client::new(&config().await);
    let name = format!("{folder}/{}", unique("test"));
    client.create_secret().name(&name).secret_string(secret.to_string()).send().await.unwrap();
    name
}

/// All that a rotation takes: another value.
pub(crate) async fn rotate_token_key() {
    let client = aws_sdk_secretsmanager::Client::new(&config().await);
    let secret = variable("TOKEN_KEY_SECRET_ARN");
    client.put_secret_value().secret_id(secret).secret_string(unique("token-key")).send().await.unwrap();
}

/// The queue between the API and the consumer.
#[derive(Debug)]
pub(crate) struct ChargeQueue(String);

impl ChargeQueue {
    pub(crate) fn connect() -> Self {
        Self(variable("CHARGE_QUEUE_URL"))
    }

    pub(crate) async fn send_all(&self, bodies: impl IntoIterator<Item = String>) {
        let client = aws_sdk_sqs::Client::new(&config().await);
        for body in bodies {
            client.send_message().queue_url(&self.0).message_body(body).send().await.unwrap();
        }
    }
}

/// A queue that listens to the bus.
#[derive(Debug)]
pub(crate) struct Listener {
    sqs: aws_sdk_sqs::Client,
    url: String,
}

impl Listener {
    pub(crate) async fn to_all_events(name: &str) -> Self {
        let config = config().await;
        let sqs = aws_sdk_sqs::Client::new(&config);
        let url = sqs.create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap();
        let name_of_arn = aws_sdk_sqs::types::QueueAttributeName::QueueArn;
        let attributes = sqs
            .get_queue_attributes()
            .queue_url(&url)
            .attribute_names(name_of_arn.clone())
            .send()
            .await
            .unwrap();
        let arn = attributes.attributes.unwrap()[&name_of_arn].clone();

        let events = aws_sdk_eventbridge::Client::new(&config);
        let bus = variable("EVENT_BUS_NAME");
        let pattern = r#"{"source":["fatura"]}"#;
        events.put_rule().name(name).event_bus_name(&bus).event_pattern(pattern).send().await.unwrap();
        let target = aws_sdk_eventbridge::types::Target::builder().id("queue").arn(arn).build().unwrap();
        events.put_targets().rule(name).event_bus_name(&bus).targets(target).send().await.unwrap();
        Self { sqs, url }
    }

    /// The bodies of what has arrived since it was last asked.
    pub(crate) async fn hear(&self) -> Vec<String> {
        let request = self.sqs.receive_message().queue_url(&self.url).max_number_of_messages(10);
        let answer = request.wait_time_seconds(1).send().await.unwrap();
        let mut bodies = Vec::new();
        for message in answer.messages.unwrap_or_default() {
            let handle = message.receipt_handle.unwrap();
            self.sqs.delete_message().queue_url(&self.url).receipt_handle(handle).send().await.unwrap();
            bodies.extend(message.body);
        }
        bodies
    }

    pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
}

/// What the schedule does each minute, now.
pub(crate) async fn sweep() {
    let client = aws_sdk_lambda::Client::new(&config().await);
    let function = format!("{}-retry-sweep", variable("STACK_NAME"));
    let answer = client.invoke().function_name(function).payload(Blob::new("{}")).send().await.unwrap();
    assert_eq!(answer.function_error, None, "{:?}", answer.payload);
}
