use aws_lambda_events::event::sqs::SqsEvent;
use charge_consumer::handle;
use fatura_bootstrap::{Bootstrap, Symptom, init_telemetry, time_left};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry();
    let bootstrap = Bootstrap::from_environment()?;
    let app = bootstrap.app(bootstrap.gateways()?)?;
    let app = &app;
    let watched = &bootstrap.watched("charge-consumer", env!("CARGO_PKG_VERSION"))?;
    run(service_fn(async move |event: LambdaEvent<SqsEvent>| {
        let time_left = time_left(event.context.deadline());
        let answer = handle(app, event.payload, time_left);
        Ok::<_, Error>(
            watched.run(answer, |answer| Symptom::of_batch(answer.batch_item_failures.len())).await,
        )
    }))
    .await
}
