//! The bus, which hands each event on to the notifier's queue at least once.

use crate::chance::Chance;
use crate::control::{Control, Verdict, Whom};
use crate::queue::Queue;
use async_trait::async_trait;
use event_relay::detail;
use fatura_application::ports::{EventBus, SendError};
use fatura_domain::event::Event;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

#[derive(Debug, Clone)]
pub(crate) struct Bus {
    pub(crate) control: Control,
    pub(crate) notices: Queue,
    pub(crate) chance: Arc<Chance>,
    /// The ids of all that it has taken.
    pub(crate) taken: Arc<Mutex<BTreeSet<String>>>,
}

impl Bus {
    fn take(&self, events: &[Event]) {
        for event in events {
            self.taken.lock().unwrap().insert(event.id.clone());
            for _ in 0..self.chance.weighed(&[(20, 1), (1, 2)]) {
                self.notices.put(detail(event), 0);
            }
        }
    }
}

#[async_trait]
impl EventBus for Bus {
    async fn publish(&self, events: &[Event]) -> Result<Vec<usize>, SendError> {
        let (first, rest) = events.split_at(events.len() / 2);
        match self.control.call(Whom::Bus, "publish").await {
            Verdict::Done => {
                self.take(events);
                Ok(Vec::new())
            }
            Verdict::DiesBefore => futures::future::pending().await,
            Verdict::DiesAfter => {
                self.take(events);
                futures::future::pending().await
            }
            // A part of it was taken.
            Verdict::Late => {
                self.take(first);
                Ok((first.len()..first.len() + rest.len()).collect())
            }
            Verdict::Unheard => {
                self.take(events);
                Err(SendError("the bus does not answer".to_owned()))
            }
            _ => Err(SendError("the bus does not answer".to_owned())),
        }
    }
}
