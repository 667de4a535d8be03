use aws_lambda_events::event::dynamodb::Event;
use event_relay::{EventBridgeBus, Relay, handle};
use fatura_bootstrap::{Bootstrap, event_bus, init_telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry();
    let (client, name) = event_bus()?;
    let store = Bootstrap::from_environment()?.store;
    let bus = Arc::new(EventBridgeBus::new(client, name));
    let relay = Relay { bus, store: store.clone(), journals: store };
    let relay = &relay;
    run(service_fn(async move |event: LambdaEvent<Event>| {
        handle(relay, event.payload).await.map_err(Error::from)
    }))
    .await
}
