use aws_lambda_events::event::dynamodb::Event;
use event_relay::{EventBridgeBus, handle};
use fatura_bootstrap::{event_bus, init_telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry();
    let (client, name) = event_bus()?;
    let bus = EventBridgeBus::new(client, name);
    let bus = &bus;
    run(service_fn(async move |event: LambdaEvent<Event>| {
        handle(bus, event.payload).await.map_err(Error::from)
    }))
    .await
}
