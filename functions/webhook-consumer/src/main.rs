use aws_lambda_events::event::sqs::SqsEvent;
use fatura_bootstrap::{Bootstrap, init_telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use webhook_consumer::handle;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry();
    let bootstrap = Bootstrap::from_environment()?;
    let app = bootstrap.app(bootstrap.gateways()?)?;
    let app = &app;
    run(service_fn(async move |event: LambdaEvent<SqsEvent>| {
        Ok::<_, Error>(handle(app, event.payload).await)
    }))
    .await
}
