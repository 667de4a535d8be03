//! DynamoDB in this process: a table of its own for each test, in a few milliseconds.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use dynoxide::Database;
use fatura_store::DynamoStore;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const TABLE: &str = "fatura";

/// A table like the template's, in an engine that ends with it.
#[derive(Debug)]
pub struct TestTable {
    pub client: Client,
    pub store: Arc<DynamoStore>,
    server: JoinHandle<()>,
}

impl TestTable {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(dynoxide::server::serve_on(listener, Database::memory().unwrap()));
        let client = Self::client(&endpoint);
        create(&client).await;
        Self { store: Arc::new(DynamoStore::new(client.clone(), TABLE)), client, server }
    }

    fn client(endpoint: &str) -> Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(endpoint)
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .build();
        Client::from_conf(config)
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
        .index_name("W")
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
