//! Which functions there are and how they fare, as operators see it.

use crate::world::World;
use async_trait::async_trait;
use fatura_application::Reporter;
use fatura_application::ports::{Deployment, Directory, DirectoryError};
use fatura_domain::service::{ServiceName, Symptom};
use serde_json::{Value, json};
use std::sync::Mutex;

/// What a deployment of two functions has published; None: nobody answers.
pub(crate) struct StubDirectory(Mutex<Option<Deployment>>);

impl Default for StubDirectory {
    fn default() -> Self {
        let named = |name: &str| (service(name), format!("fatura-{name}"));
        let endpoints = [("api-url".to_owned(), "https://api.invalid".to_owned())].into();
        let functions = [named("retry-sweep"), named("api")].into();
        Self(Mutex::new(Some(Deployment { endpoints, functions })))
    }
}

#[async_trait]
impl Directory for StubDirectory {
    async fn deployment(&self) -> Result<Deployment, DirectoryError> {
        self.0.lock().unwrap().clone().ok_or_else(|| DirectoryError("silent".to_owned()))
    }
}

fn service(name: &str) -> ServiceName {
    ServiceName::parse(name).unwrap()
}

impl World {
    fn reporter(&self, name: &str) -> Reporter {
        Reporter::new(self.table.store.clone(), self.clock.clone(), service(name), "1.2.3")
    }

    /// What is listed of the sweep, after the API.
    async fn sweep(&self) -> Value {
        let list = self.get("/v1/services").await.expect(200);
        assert_eq!(list["data"][0]["name"], "api");
        list["data"][1].clone()
    }
}

#[tokio::test]
async fn functions_are_listed_with_what_they_say_of_themselves() {
    let world = World::new().await;
    let list = world.get("/v1/services").await.expect(200);
    let silent = |name: &str| {
        json!({
            "name": name, "function": format!("fatura-{name}"), "version": null, "started_at": null,
            "health": "unknown", "failing_since": null, "last_error": null,
        })
    };
    assert_eq!(list["data"], json!([silent("api"), silent("retry-sweep")]));
    assert_eq!(list["endpoints"], json!({"api-url": "https://api.invalid"}));
    assert_eq!(list["next_cursor"], Value::Null);

    world.reporter("retry-sweep").started().await.unwrap();
    let sweep = world.sweep().await;
    assert_eq!((&sweep["health"], &sweep["version"]), (&json!("healthy"), &json!("1.2.3")));
    assert_eq!(sweep["started_at"], "2026-11-02T12:00:00.000Z");
}

#[tokio::test]
async fn one_that_fails_says_since_when_and_is_believed_again_after_five_quiet_minutes() {
    let world = World::new().await;
    let reporter = world.reporter("retry-sweep");
    reporter.started().await.unwrap();
    for _ in 0..3 {
        world.wait(60);
        reporter.troubled(Symptom::of_answer(503).unwrap()).await.unwrap();
    }
    let sweep = world.sweep().await;
    assert_eq!(
        (&sweep["health"], &sweep["failing_since"]),
        (&json!("failing"), &json!("2026-11-02T12:01:00.000Z"))
    );
    let error = json!({
        "class": "server_error", "message": "a request was answered 503", "at": "2026-11-02T12:03:00.000Z",
    });
    assert_eq!(sweep["last_error"], error);
    // Another instance starts: what was wrong was wrong all the same.
    world.reporter("retry-sweep").started().await.unwrap();
    assert_eq!(world.sweep().await["health"], "failing");
    world.wait(5 * 60);
    let sweep = world.sweep().await;
    assert_eq!((&sweep["health"], &sweep["failing_since"]), (&json!("healthy"), &Value::Null));
    assert_eq!(sweep["last_error"], error);
    world.wait(24 * 60 * 60);
    assert_eq!(world.sweep().await["health"], "unknown");
}

#[tokio::test]
async fn what_was_published_serves_on_while_nobody_answers() {
    let world = World::new().await;
    let published = world.directory.0.lock().unwrap().take();
    assert_eq!(world.get("/v1/services").await.code(), (503, "unavailable"));
    *world.directory.0.lock().unwrap() = published;
    world.get("/v1/services").await.expect(200);
    world.directory.0.lock().unwrap().take();
    world.wait(31);
    assert_eq!(world.sweep().await["function"], "fatura-retry-sweep");
}
