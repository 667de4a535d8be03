//! Signs customers in, with the memory and the processor that comparing a password takes.

use auth::handle;
use fatura_bootstrap::http::run;
use fatura_bootstrap::{Bootstrap, Symptom, init_telemetry};
use lambda_http::{Error, Request, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry();
    let bootstrap = Bootstrap::from_environment()?;
    let sign_in = &bootstrap.sign_in()?;
    let watched = &bootstrap.watched("auth", env!("CARGO_PKG_VERSION"))?;
    run(service_fn(async move |request: Request| {
        let answer = handle(sign_in, request);
        Ok::<_, Error>(watched.run(answer, |answer| Symptom::of_answer(answer.status().as_u16())).await)
    }))
    .await
}
