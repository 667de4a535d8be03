use fatura_bootstrap::{Bootstrap, Symptom, init_telemetry, time_left};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use retry_sweep::{Scheduled, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry();
    let bootstrap = Bootstrap::from_environment()?;
    let app = bootstrap.app(Bootstrap::gateway_names()?)?;
    let app = &app;
    let watched = &bootstrap.watched("retry-sweep", env!("CARGO_PKG_VERSION"))?;
    run(service_fn(async move |event: LambdaEvent<Scheduled>| {
        let time_left = time_left(event.context.deadline());
        let done = handle(app, event.payload.task, time_left);
        watched.run(done, Symptom::of_invocation).await.map_err(Error::from)
    }))
    .await
}
