use aws_lambda_events::event::sqs::SqsEvent;
use fatura_bootstrap::{Bootstrap, init_telemetry, time_left};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use notifier::handle;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry();
    let notifier = Bootstrap::from_environment()?.notifier()?;
    let notifier = &notifier;
    run(service_fn(async move |event: LambdaEvent<SqsEvent>| {
        let time_left = time_left(event.context.deadline());
        Ok::<_, Error>(handle(notifier, event.payload, time_left).await)
    }))
    .await
}
