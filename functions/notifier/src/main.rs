use aws_lambda_events::event::sqs::SqsEvent;
use fatura_bootstrap::{Bootstrap, Symptom, init_telemetry, time_left};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use notifier::{Teller, TellerParts, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry();
    let bootstrap = Bootstrap::from_environment()?;
    let watched = &bootstrap.watched("notifier", env!("CARGO_PKG_VERSION"))?;
    let (notifier, telling) = (bootstrap.notifier()?, bootstrap.telling()?);
    let teller = Teller::try_new(TellerParts {
        store: bootstrap.store.clone(),
        notices: bootstrap.store.clone(),
        customers: bootstrap.store.clone(),
        invoices: bootstrap.store.clone(),
        mailer: telling.mailer,
        texter: telling.texter,
        clock: bootstrap.clock.clone(),
        issuer: telling.issuer,
        language: telling.language,
    })?;
    let (notifier, teller) = (&notifier, &teller);
    run(service_fn(async move |event: LambdaEvent<SqsEvent>| {
        let time_left = time_left(event.context.deadline());
        let answer = handle(notifier, teller, event.payload, time_left);
        Ok::<_, Error>(
            watched.run(answer, |answer| Symptom::of_batch(answer.batch_item_failures.len())).await,
        )
    }))
    .await
}
