//! DynamoDB in this process: a table of its own for each test, in a few milliseconds.

use crate::faults::Faults;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use dynoxide::Database;
use fatura_store::{DynamoStore, WORK_INDEX};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const TABLE: &str = "fatura";

/// A table like the template's, in an engine that ends with it.
#[derive(Debug)]
pub struct TestTable {
    /// Sees the table as it is, and meets no faults.
    pub client: Client,
    pub store: Arc<DynamoStore>,
    /// What the store's next requests meet.
    pub faults: Faults,
    server: JoinHandle<()>,
}

impl TestTable {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(dynoxide::server::serve_on(listener, Database::memory().unwrap()));
        let faults = Faults::default();
        let client = Client::from_conf(config(&endpoint).build());
        create(&client).await;
        let settings = config(&endpoint).interceptor(faults.clone()).build();
        let store = Arc::new(DynamoStore::new(Client::from_conf(settings), TABLE));
        Self { client, store, faults, server }
    }

    pub const fn name() -> &'static str {
        TABLE
    }
}

impl Drop for TestTable {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn config(endpoint: &str) -> Builder {
    aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .retry_config(RetryConfig::disabled())
}

async fn create(client: &Client) {
    let attribute = |name: &str| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .unwrap()
    };
    let key = |name: &str, key_type| {
        KeySchemaElement::builder().attribute_name(name).key_type(key_type).build().unwrap()
    };
    let index = GlobalSecondaryIndex::builder()
        .index_name(WORK_INDEX)
        .key_schema(key("WP", KeyType::Hash))
        .key_schema(key("WS", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .unwrap();
    client
        .create_table()
        .table_name(TABLE)
        .set_attribute_definitions(Some(["PK", "SK", "WP", "WS"].map(attribute).to_vec()))
        .key_schema(key("PK", KeyType::Hash))
        .key_schema(key("SK", KeyType::Range))
        .global_secondary_indexes(index)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
}
