//! What becomes of an endpoint that can't be reached, or must not be.

use crate::receiver::{Receiver, nobody};
use crate::world::{World, event};
use async_trait::async_trait;
use fatura_application::ports::{Attentions, Clock};
use fatura_domain::SignedDuration;
use fatura_domain::attention::AttentionId;
use fatura_domain::webhook_endpoint::{
    Answer, Cancellation, DeliveryState, DisabledBy, EndpointState, GivenUp, Loopback, NoAnswer,
};
use fatura_gateways::{Lookup, WebhookClient};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

#[tokio::test]
async fn one_that_fails_for_five_days_is_disabled_and_shown() {
    let world = World::start().await;
    let endpoint = world.endpoint(&nobody().await, &["*"]).await;
    world.wake([event("evt_1", "invoice.paid")]).await;
    let begun = world.clock.now();
    world.exhaust("evt_1", endpoint.id).await;
    let first = world.delivery("evt_1", endpoint.id).await.unwrap();
    assert!(
        matches!(first.state, DeliveryState::Failed { at, why: GivenUp::Exhausted } if at <= begun + HOUR * 73)
    );
    assert!(world.stored(endpoint.id).await.is_enabled(), "three days are no reason");

    world.wake([event("evt_2", "invoice.paid")]).await;
    world.exhaust("evt_2", endpoint.id).await;
    let disabled = world.stored(endpoint.id).await;
    assert!(matches!(disabled.state, EndpointState::Disabled { by: DisabledBy::Failure, .. }));
    let matter = AttentionId::of_endpoint(endpoint.id);
    let open = world.table.store.attention(&matter).await.unwrap().unwrap();
    assert_eq!(open.closed, None);

    // Nothing more is made for it, until somebody enables it.
    world.wake([event("evt_3", "invoice.paid")]).await;
    assert_eq!(world.delivery("evt_3", endpoint.id).await, None);
    world.switch(endpoint.id, true).await;
    assert!(world.table.store.attention(&matter).await.unwrap().unwrap().closed.is_some());
}

#[tokio::test]
async fn one_that_gets_well_again_begins_anew() {
    let world = World::start().await;
    let server = Receiver::start().await;
    let endpoint = world.endpoint(&server.url, &["*"]).await;
    server.answers([500]);
    world.wake([event("evt_1", "invoice.paid")]).await;
    let failing = world.stored(endpoint.id).await;
    assert_eq!(failing.state, EndpointState::Enabled { failing_since: Some(world.clock.now()) });
    world.pass(SignedDuration::from_mins(1)).await;
    assert_eq!(world.stored(endpoint.id).await.state, EndpointState::Enabled { failing_since: None });
}

#[tokio::test]
async fn what_waits_for_a_disabled_endpoint_is_canceled_and_replayed_when_it_is_enabled() {
    let world = World::start().await;
    let server = Receiver::start().await;
    let endpoint = world.endpoint(&server.url, &["*"]).await;
    server.answers([500]);
    world.wake([event("evt_1", "invoice.paid")]).await;
    world.switch(endpoint.id, false).await;
    world.pass(HOUR).await;
    let canceled = world.delivery("evt_1", endpoint.id).await.unwrap();
    assert!(matches!(canceled.state, DeliveryState::Canceled { why: Cancellation::EndpointDisabled, .. }));
    assert_eq!(server.received().len(), 1);
    world.switch(endpoint.id, true).await;
    world.replay(canceled.id).await;
    world.deliver().await;
    assert_eq!(server.received().len(), 2);
}

#[tokio::test]
async fn what_waits_for_an_endpoint_that_is_gone_is_canceled() {
    let world = World::start().await;
    let server = Receiver::start().await;
    let endpoint = world.endpoint(&server.url, &["*"]).await;
    server.answers([500]);
    world.wake([event("evt_1", "invoice.paid")]).await;
    world.app.remove_webhook_endpoint(&World::operator(), endpoint.id).await.unwrap();
    world.pass(HOUR).await;
    let canceled = world.delivery("evt_1", endpoint.id).await.unwrap();
    assert!(matches!(canceled.state, DeliveryState::Canceled { why: Cancellation::EndpointRemoved, .. }));
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn one_that_says_that_it_is_gone_is_told_no_more() {
    let world = World::start().await;
    let server = Receiver::start().await;
    let endpoint = world.endpoint(&server.url, &["*"]).await;
    server.answers([410]);
    world.wake([event("evt_1", "invoice.paid")]).await;
    let state = world.stored(endpoint.id).await.state;
    assert!(matches!(state, EndpointState::Disabled { by: DisabledBy::Gone, .. }));
    let delivery = world.delivery("evt_1", endpoint.id).await.unwrap();
    assert!(matches!(delivery.state, DeliveryState::Failed { why: GivenUp::Gone, .. }));
    // This function has known it for less than half a minute: one more is made, and canceled when it is due.
    world.clock.advance(SignedDuration::from_secs(31));
    world.wake([event("evt_2", "invoice.paid")]).await;
    assert_eq!(server.received().len(), 1);
}

/// Says of every name that it is there.
struct Everywhere(IpAddr);

#[async_trait]
impl Lookup for Everywhere {
    async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![self.0])
    }
}

#[tokio::test]
async fn a_name_that_leads_to_us_is_never_called() {
    let metadata = IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254));
    for loopback in [Loopback::Refused, Loopback::Allowed] {
        let sender = WebhookClient::with(Arc::new(Everywhere(metadata)), loopback, Duration::from_secs(2));
        let world = World::sending(Arc::new(sender.unwrap())).await;
        let endpoint = world.endpoint("https://hooks.example.com/", &["*"]).await;
        assert!(world.wake([event("evt_1", "invoice.paid")]).await.is_empty());
        let delivery = world.delivery("evt_1", endpoint.id).await.unwrap();
        let [refused] = delivery.log.iter().collect::<Vec<_>>()[..] else { panic!("one try") };
        assert_eq!(refused.answer, Answer::Nothing(NoAnswer::AddressRefused));
    }
}

/// What was let in while loopback was allowed isn't called where it isn't.
#[tokio::test]
async fn loopback_is_refused_when_it_is_sent() {
    let server = Receiver::start().await;
    let world = World::sending(Arc::new(WebhookClient::try_new(Loopback::Refused).unwrap())).await;
    world.endpoint(&server.url, &["*"]).await;
    world.wake([event("evt_1", "invoice.paid")]).await;
    assert!(server.received().is_empty());
}
