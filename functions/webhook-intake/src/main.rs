use fatura_application::Intake;
use fatura_bootstrap::http::run;
use fatura_bootstrap::{Bootstrap, Symptom, init_telemetry};
use lambda_http::{Error, Request, service_fn};
use webhook_intake::handle;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry();
    let bootstrap = Bootstrap::from_environment()?;
    let intake = Intake {
        webhooks: bootstrap.store.clone(),
        queue: bootstrap.webhook_queue()?,
        gateways: bootstrap.gateways()?,
        clock: bootstrap.clock.clone(),
    };
    let intake = &intake;
    let watched = &bootstrap.watched("webhook-intake", env!("CARGO_PKG_VERSION"))?;
    run(service_fn(async move |request: Request| {
        let answer = handle(intake, request);
        Ok::<_, Error>(watched.run(answer, |answer| Symptom::of_answer(answer.status().as_u16())).await)
    }))
    .await
}
