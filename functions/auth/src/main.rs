//! Signs customers in, with the memory and the processor that comparing a password takes.

use auth::handle;
use fatura_bootstrap::{Bootstrap, init_telemetry};
use lambda_http::{Error, Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry();
    let sign_in = &Bootstrap::from_environment()?.sign_in()?;
    run(service_fn(async move |request: Request| Ok::<_, Error>(handle(sign_in, request).await))).await
}
