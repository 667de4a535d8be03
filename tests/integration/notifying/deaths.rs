//! Death between any two steps: what was told arrives all the same, and seldom twice.

use crate::receiver::Receiver;
use crate::world::{World, event};
use fatura_domain::SignedDuration;
use fatura_domain::webhook_endpoint::DeliveryState;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// Written and claimed; reported.
const WRITES: usize = 2;

#[tokio::test]
async fn whoever_dies_at_a_write_leaves_it_to_the_next() {
    for writes in 0..WRITES {
        for is_written in [false, true] {
            let world = World::start().await;
            let server = Receiver::start().await;
            let endpoint = world.endpoint(&server.url, &["*"]).await;
            world.writes.die_after(writes, is_written);
            let told = event("evt_1", "invoice.paid");
            assert_eq!(world.wake([told.clone()]).await, [0], "it died {writes} {is_written}");
            assert!(world.writes.is_dead());
            // The queue delivers it again, and the sweep looks.
            assert!(world.wake([told]).await.is_empty());
            for _ in 0..3 {
                world.pass(MINUTE).await;
            }
            let delivery = world.delivery("evt_1", endpoint.id).await.unwrap();
            assert!(matches!(delivery.state, DeliveryState::Delivered { .. }), "{writes} {is_written}");
            let received = server.received();
            // Only one whose answer was not written down comes twice, and is known by its id.
            let most = if writes == 1 && !is_written { 2 } else { 1 };
            assert_eq!(received.len(), most, "{writes} {is_written}");
            assert!(received.iter().all(|one| one.id == delivery.id.to_string()));
        }
    }
}

#[tokio::test]
async fn the_same_at_a_later_try() {
    for writes in 0..WRITES {
        for is_written in [false, true] {
            let world = World::start().await;
            let server = Receiver::start().await;
            let endpoint = world.endpoint(&server.url, &["*"]).await;
            server.answers([500]);
            world.wake([event("evt_1", "invoice.paid")]).await;
            world.clock.advance(SignedDuration::from_secs(5));
            let message = serde_json::to_string(&world.queue.take()[0]).unwrap();
            world.writes.die_after(writes, is_written);
            assert_eq!(world.wake([message.clone()]).await, [0], "it died {writes} {is_written}");
            assert!(world.wake([message]).await.is_empty());
            for _ in 0..7 {
                world.pass(MINUTE).await;
            }
            let delivery = world.delivery("evt_1", endpoint.id).await.unwrap();
            assert!(matches!(delivery.state, DeliveryState::Delivered { .. }), "{writes} {is_written}");
            let most = if writes == 1 && !is_written { 3 } else { 2 };
            assert_eq!(server.received().len(), most, "{writes} {is_written}");
        }
    }
}
