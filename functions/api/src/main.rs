//! Answers REST requests that API Gateway sends.

use api::{Api, router};
use fatura_bootstrap::{Bootstrap, init_telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    init_telemetry();
    let bootstrap = Bootstrap::from_environment()?;
    let app = bootstrap.app(bootstrap.gateways()?)?;
    lambda_http::run(router(Api::new(app, bootstrap.authenticator()?))).await
}
