//! DynamoDB in this process and on no socket: the requests of the real SDK, answered by the engine that all tests use.

use dynoxide::storage_backend::ManualClock;
use dynoxide::{Database, DynoxideError};
use fatura_store::WORK_INDEX;
use rusqlite::Connection;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex};

/// As the template has it.
pub(crate) const TABLE: &str = "fatura";
const STREAM_PAGE: usize = 1_000;
/// In memory, as long as somebody has it open.
const TEMPLATE: &str = "file:fatura-simulation-template?mode=memory&cache=shared";
/// The engine looks for a stream's end with each write, and without an index goes through all of the stream for it.
const STREAM_INDEX: &str = "CREATE INDEX fatura_simulation_stream
    ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// What every world begins with: the table, of which nothing is written yet.
struct Template {
    _keeper: Mutex<Connection>,
    /// Where the stream begins.
    place: String,
}

static EMPTY: LazyLock<Template> = LazyLock::new(Template::make);

impl Template {
    fn make() -> Self {
        let keeper = Connection::open(TEMPLATE).unwrap();
        let database = database();
        let created = ask(&table(), |request| database.create_table(request));
        let stream = created.pointer("/TableDescription/LatestStreamArn").unwrap().clone();
        let described = ask(&json!({ "StreamArn": stream }), |request| database.describe_stream(request));
        let shard = described.pointer("/StreamDescription/Shards/0/ShardId").unwrap();
        let start = json!({ "StreamArn": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON" });
        let iterator = ask(&start, |request| database.get_shard_iterator(request));
        let place = iterator.get("ShardIterator").and_then(Value::as_str).unwrap().to_owned();
        database.vacuum_into(TEMPLATE).unwrap();
        keeper.execute_batch(STREAM_INDEX).unwrap();
        Self { _keeper: Mutex::new(keeper), place }
    }
}

fn database() -> Database {
    Database::memory_with_clock(ManualClock::new(1_000_000_000).arc()).unwrap()
}

/// One table, with its index and its stream.
pub(crate) struct Engine {
    database: Database,
    /// From where the stream is read on.
    place: Mutex<String>,
    /// Whether anything may have been written since.
    is_stale: AtomicBool,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Engine(..)")
    }
}

impl Engine {
    pub(crate) fn start() -> Self {
        let place = EMPTY.place.clone();
        let database = database();
        database.restore_from(TEMPLATE).unwrap();
        Self { database, place: Mutex::new(place), is_stale: AtomicBool::new(false) }
    }

    /// Does what a request asks for. Status and body, as DynamoDB would answer.
    pub(crate) fn perform(&self, operation: &str, body: &[u8]) -> (u16, String) {
        let db = &self.database;
        if is_write(operation) {
            self.is_stale.store(true, Ordering::Relaxed);
        }
        let done = match operation {
            "GetItem" => answer(body, |request| db.get_item(request)),
            "PutItem" => answer(body, |request| db.put_item(request)),
            "UpdateItem" => answer(body, |request| db.update_item(request)),
            "DeleteItem" => answer(body, |request| db.delete_item(request)),
            "Query" => answer(body, |request| db.query(request)),
            "Scan" => answer(body, |request| db.scan(request)),
            "BatchGetItem" => answer(body, |request| db.batch_get_item(request)),
            "TransactWriteItems" => answer(body, |request| db.transact_write_items(request)),
            "TransactGetItems" => answer(body, |request| db.transact_get_items(request)),
            other => panic!("the store asks for something new: {other}"),
        };
        match done {
            Ok(body) => (200, body),
            Err(error) => (error.status_code(), error.to_json()),
        }
    }

    /// What was written since the last time, item by item, as the table's stream tells it.
    pub(crate) fn written(&self) -> Vec<Value> {
        let mut place = self.place.lock().unwrap();
        let mut all = Vec::new();
        if !self.is_stale.swap(false, Ordering::Relaxed) {
            return all;
        }
        loop {
            let asked = json!({ "ShardIterator": *place, "Limit": STREAM_PAGE });
            let mut page = ask(&asked, |request| self.database.get_records(request));
            page.get("NextShardIterator").and_then(Value::as_str).unwrap().clone_into(&mut place);
            let Value::Array(records) = page["Records"].take() else { panic!("a page without records") };
            let is_last = records.len() < STREAM_PAGE;
            all.extend(records);
            if is_last {
                return all;
            }
        }
    }
}

pub(crate) fn is_write(operation: &str) -> bool {
    matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem" | "TransactWriteItems")
}

fn answer<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    perform: impl FnOnce(Q) -> dynoxide::Result<A>,
) -> dynoxide::Result<String> {
    let request = serde_json::from_slice(body)
        .map_err(|error| DynoxideError::SerializationException(error.to_string()))?;
    let answer = perform(request)?;
    serde_json::to_string(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

fn ask<Q: DeserializeOwned, A: Serialize>(
    body: &Value,
    perform: impl FnOnce(Q) -> dynoxide::Result<A>,
) -> Value {
    let answer = perform(Q::deserialize(body).unwrap()).unwrap();
    serde_json::to_value(answer).unwrap()
}

/// The template's table.
fn table() -> Value {
    let keys = |hash: &str, range: &str| json!([{ "AttributeName": hash, "KeyType": "HASH" }, { "AttributeName": range, "KeyType": "RANGE" }]);
    let attributes =
        ["PK", "SK", "WP", "WS"].map(|name| json!({ "AttributeName": name, "AttributeType": "S" }));
    json!({
        "TableName": TABLE,
        "AttributeDefinitions": attributes,
        "KeySchema": keys("PK", "SK"),
        "GlobalSecondaryIndexes": [{
            "IndexName": WORK_INDEX,
            "KeySchema": keys("WP", "WS"),
            "Projection": { "ProjectionType": "KEYS_ONLY" },
        }],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
    })
}
