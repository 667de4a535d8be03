use aws_lambda_events::event::sqs::SqsEvent;
use fatura_bootstrap::{Bootstrap, Symptom, init_telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use webhook_consumer::handle;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry();
    let bootstrap = Bootstrap::from_environment()?;
    let app = bootstrap.app(bootstrap.gateways()?)?;
    let app = &app;
    let watched = &bootstrap.watched("webhook-consumer", env!("CARGO_PKG_VERSION"))?;
    run(service_fn(async move |event: LambdaEvent<SqsEvent>| {
        let answer = handle(app, event.payload);
        Ok::<_, Error>(
            watched.run(answer, |answer| Symptom::of_batch(answer.batch_item_failures.len())).await,
        )
    }))
    .await
}
