//! Answers REST requests that API Gateway sends.

use api::{Api, router};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use fatura_bootstrap::http::run;
use fatura_bootstrap::{Bootstrap, Symptom, init_telemetry};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    init_telemetry();
    let bootstrap = Bootstrap::from_environment()?;
    let app = bootstrap.app(bootstrap.gateways()?)?;
    let watched = Arc::new(bootstrap.watched("api", env!("CARGO_PKG_VERSION"))?);
    let router = router(Api::new(app, bootstrap.authenticator()?));
    let router =
        router.layer(from_fn(move |request: Request, next: Next| {
            let watched = watched.clone();
            async move {
                watched.run(next.run(request), |answer| Symptom::of_answer(answer.status().as_u16())).await
            }
        }));
    run(router).await
}
