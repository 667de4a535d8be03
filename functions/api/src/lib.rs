//! The REST API: requests become commands, use cases run them, what comes back becomes JSON.

mod envelope;
mod extract;
pub mod problem;
mod routes;
mod wire;

use axum::Router;
use fatura_application::{App, Authenticator};
use problem::{Code, Problem};
use std::sync::Arc;

/// What handlers work with.
#[derive(Debug, Clone)]
pub struct Api {
    pub app: App,
    pub authenticator: Arc<Authenticator>,
    /// Which build this is, for `/health`.
    pub version: &'static str,
}

impl Api {
    pub const fn new(app: App, authenticator: Arc<Authenticator>) -> Self {
        Self { app, authenticator, version: env!("CARGO_PKG_VERSION") }
    }
}

/// The whole API, as Lambda, tests and the simulation run it.
pub fn router(api: Api) -> Router {
    let entropy = api.app.entropy.clone();
    let mut router = Router::new();
    for route in routes::all() {
        router = router.route(route.path, route.handler);
    }
    router
        .method_not_allowed_fallback(async || {
            Problem::new(Code::MethodNotAllowed, "the Allow header says which methods there are")
        })
        .fallback(async || Problem::not_found())
        .layer(axum::middleware::from_fn_with_state(entropy, envelope::envelope))
        .with_state(api)
}

/// Every operation that the router has, as method (in lower case) and path template.
pub fn operations() -> Vec<(&'static str, &'static str)> {
    routes::all().map(|route| (route.method, route.path)).collect()
}
