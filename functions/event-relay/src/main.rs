use aws_lambda_events::event::dynamodb::Event;
use event_relay::{EventBridgeBus, Relay, handle};
use fatura_bootstrap::{Bootstrap, Symptom, event_bus, init_telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry();
    let (client, name) = event_bus()?;
    let bootstrap = Bootstrap::from_environment()?;
    let watched = &bootstrap.watched("event-relay", env!("CARGO_PKG_VERSION"))?;
    let store = bootstrap.store;
    let bus = Arc::new(EventBridgeBus::new(client, name));
    let relay = Relay { bus, store: store.clone(), journals: store };
    let relay = &relay;
    run(service_fn(async move |event: LambdaEvent<Event>| {
        let told = watched.run(handle(relay, event.payload), |told| match told {
            Ok(told) => Symptom::of_batch(told.batch_item_failures.len()),
            failed => Symptom::of_invocation(failed),
        });
        told.await.map_err(Error::from)
    }))
    .await
}
