//! What the OpenAPI document says: a valid request for each operation, the words that mean something, and which answers there
//! are.

use crate::request::Written;
use crate::world::World;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::LazyLock;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let world = World::open();
    let answer = world.block_on(world.answer(&Written::read(b"GET /openapi.json"))).unwrap();
    serde_json::from_slice(&answer.body).unwrap()
});

/// Whether an operation may answer like this; what is no operation isn't found, or not allowed.
pub(super) fn says(method: &str, path: &str, status: u16) -> bool {
    // As it is written: a method is not another one's name in other letters.
    let is_method = |known: &str| known.to_uppercase() == method;
    let mut operations = operations().filter(|(known, template, _)| is_method(known) && fits(template, path));
    match operations.next().map(|(_, _, operation)| operation) {
        Some(operation) => operation["responses"].get(status.to_string()).is_some(),
        // HEAD is GET without its body.
        None => matches!(status, 404 | 405) || method == "HEAD",
    }
}

/// Those of the function `api`: the document has those of `auth` beside them.
fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    api::operations().into_iter().map(|(method, path)| (method, path, &DOCUMENT["paths"][path][method]))
}

fn fits(template: &str, path: &str) -> bool {
    let (parts, given) = (template.split('/'), path.split('/'));
    parts.clone().count() == given.clone().count()
        && parts.zip(given).all(|(part, given)| part.starts_with('{') || part == given)
}

/// A request an operation, by the examples of the document, about what is in the world.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    operations().map(|(method, path, operation)| request(method, path, operation)).collect()
}

fn request(method: &str, path: &str, operation: &Value) -> Vec<u8> {
    let method = method.to_uppercase();
    let body = &operation["requestBody"]["content"]["application/json"]["example"];
    let body = if body.is_null() { String::new() } else { about_this_world(&body.to_string()) };
    let headers = "content-type: application/json\nidempotency-key: k";
    format!("{method} {}\n{headers}\n\n{body}", concrete(path)).into_bytes()
}

fn concrete(path: &str) -> String {
    let id = match path.split('/').nth(2) {
        Some("invoices") if path.ends_with("refunds") => "{paid}",
        Some("invoices") => "{invoice}",
        Some("bills") => "{bill}",
        Some("orders") => "{order}",
        Some("payments" | "refunds") => "{payment}",
        Some("webhook-endpoints") => "{endpoint}",
        Some("api-keys") => "{key}",
        Some("billing-runs" | "requeues" | "reconciliations") => "{run}",
        _ => "{customer}",
    };
    let filled = path.replace("{id}", id).replace("{pm}", "{method}");
    filled.replace("{name}", "sandbox").replace("{gateway}", "sandbox").replace("{account}", "bank")
}

/// An example names whom there is nobody of: the same, of somebody here.
fn about_this_world(example: &str) -> String {
    let (customer, rest) = ("cus_4K2N9QW7XJ0T", "_4K2N9QW7XJ0T01JBPZ4C00A1B2C3");
    let filled =
        example.replace(&format!("ord{rest}"), "{order}").replace(&format!("inv{rest}"), "{invoice}");
    filled.replace(customer, "{customer}").replace("cus_7B1M4ZV0Q8HC", "{merchant}")
}

/// The names of members and parameters, and the words that there is a choice of.
pub(super) fn words() -> Vec<Vec<u8>> {
    let mut words = BTreeSet::new();
    words_of(&DOCUMENT, &mut words);
    let more =
        ["{customer}", "{invoice}", "{paid}", "{bill}", "{method}", "cursor=", "limit=", "pix", "tok_visa"];
    let own =
        ["$serde_json::private::Number", "authorization: Bearer ", "if-match: \"1\"", "idempotency-key: "];
    words.extend(more.into_iter().chain(own).map(str::to_owned));
    words.into_iter().map(String::into_bytes).collect()
}

fn words_of(schema: &Value, words: &mut BTreeSet<String>) {
    let Value::Object(members) = schema else { return };
    if let Some(properties) = members.get("properties").and_then(Value::as_object) {
        words.extend(properties.keys().cloned());
    }
    if members.get("in").is_some_and(|place| place == "query") {
        words.extend(members.get("name").and_then(Value::as_str).map(str::to_owned));
    }
    for choice in members.get("enum").and_then(Value::as_array).into_iter().flatten() {
        words.extend(choice.as_str().map(str::to_owned));
    }
    children(members).for_each(|child| words_of(child, words));
}

fn children(members: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    members.values().flat_map(|value| match value {
        Value::Array(elements) => elements.iter().collect(),
        other => vec![other],
    })
}
