use fatura_bootstrap::{Bootstrap, init_telemetry, time_left};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use retry_sweep::{Scheduled, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry();
    let bootstrap = Bootstrap::from_environment()?;
    let app = bootstrap.app(Bootstrap::gateway_names()?)?;
    let app = &app;
    run(service_fn(async move |event: LambdaEvent<Scheduled>| {
        let time_left = time_left(event.context.deadline());
        handle(app, event.payload.task, time_left).await.map_err(Error::from)
    }))
    .await
}
