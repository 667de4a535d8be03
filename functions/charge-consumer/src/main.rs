use aws_lambda_events::event::sqs::SqsEvent;
use charge_consumer::handle;
use fatura_bootstrap::{Bootstrap, init_telemetry, time_left};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry();
    let bootstrap = Bootstrap::from_environment()?;
    let app = bootstrap.app(bootstrap.gateways()?)?;
    let app = &app;
    run(service_fn(async move |event: LambdaEvent<SqsEvent>| {
        let time_left = time_left(event.context.deadline());
        Ok::<_, Error>(handle(app, event.payload, time_left).await)
    }))
    .await
}
