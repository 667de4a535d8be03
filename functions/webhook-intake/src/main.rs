use fatura_application::Intake;
use fatura_bootstrap::{Bootstrap, init_telemetry};
use lambda_http::{Error, Request, run, service_fn};
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
    run(service_fn(async move |request: Request| Ok::<_, Error>(handle(intake, request).await))).await
}
