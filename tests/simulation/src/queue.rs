//! A queue with what SQS promises: everything at least once, in no order, hidden for a while from whoever comes second,
//! and after five vain tries with the dead letters.

use crate::clock::Clock;
use crate::control::{Control, Verdict, Whom};
use async_trait::async_trait;
use fatura_application::ports::{
    ChargeQueue, Deliver, DeliveryQueue, Message, SendError, WebhookMessage, WebhookQueue,
};
use serde::Serialize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// As the template has it.
const VISIBILITY_MS: i64 = 180_000;
const MOST_RECEIVES: u32 = 5;

#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) id: u64,
    pub(crate) body: String,
    pub(crate) visible_at_ms: i64,
    receives: u32,
}

#[derive(Debug, Default)]
struct Letters {
    next: u64,
    all: Vec<Letter>,
    dead: Vec<Letter>,
}

#[derive(Debug, Clone)]
pub(crate) struct Queue {
    letters: Arc<Mutex<Letters>>,
    control: Control,
    clock: Clock,
}

impl Queue {
    pub(crate) fn new(control: Control, clock: Clock) -> Self {
        Self { letters: Arc::default(), control, clock }
    }

    pub(crate) fn put(&self, body: String, wait_ms: i64) {
        let mut letters = self.letters.lock().unwrap();
        letters.next += 1;
        let id = letters.next;
        letters.all.push(Letter { id, body, visible_at_ms: self.clock.ms() + wait_ms, receives: 0 });
    }

    /// What can be received now.
    pub(crate) fn visible(&self) -> Vec<u64> {
        let now = self.clock.ms();
        let letters = self.letters.lock().unwrap();
        letters.all.iter().filter(|letter| letter.visible_at_ms <= now).map(|letter| letter.id).collect()
    }

    pub(crate) fn next_visible_ms(&self) -> Option<i64> {
        self.letters.lock().unwrap().all.iter().map(|letter| letter.visible_at_ms).min()
    }

    /// Hands these out. What was handed out too often is dead instead.
    pub(crate) fn receive(&self, ids: &[u64]) -> Vec<Letter> {
        let now = self.clock.ms();
        let mut letters = self.letters.lock().unwrap();
        let mut received = Vec::new();
        for id in ids {
            let Some(place) = letters.all.iter().position(|letter| letter.id == *id) else { continue };
            let Some(letter) = letters.all.get_mut(place) else { continue };
            if letter.receives >= MOST_RECEIVES {
                let dead = letters.all.remove(place);
                letters.dead.push(dead);
                continue;
            }
            letter.receives += 1;
            letter.visible_at_ms = now + VISIBILITY_MS;
            received.push(letter.clone());
        }
        received
    }

    pub(crate) fn bodies(&self, ids: &[u64]) -> Vec<String> {
        let letters = self.letters.lock().unwrap();
        let named = letters.all.iter().filter(|letter| ids.contains(&letter.id));
        named.map(|letter| letter.body.clone()).collect()
    }

    /// It is handed out once more although somebody has it: what SQS does now and then.
    pub(crate) fn show_again(&self, id: u64) {
        let now = self.clock.ms();
        let mut letters = self.letters.lock().unwrap();
        if let Some(letter) = letters.all.iter_mut().find(|letter| letter.id == id) {
            letter.visible_at_ms = now;
        }
    }

    pub(crate) fn delete(&self, id: u64) {
        self.letters.lock().unwrap().all.retain(|letter| letter.id != id);
    }

    /// What an operator does with the dead letters, once what killed them is over.
    pub(crate) fn redrive(&self) -> usize {
        let now = self.clock.ms();
        let mut letters = self.letters.lock().unwrap();
        let dead = std::mem::take(&mut letters.dead);
        let count = dead.len();
        letters.all.extend(dead.into_iter().map(|letter| Letter {
            receives: 0,
            visible_at_ms: now,
            ..letter
        }));
        count
    }

    async fn send_all<M: Serialize + Sync>(&self, messages: &[M], wait: Duration) -> Result<(), SendError> {
        if messages.is_empty() {
            return Ok(());
        }
        let verdict = self.control.call(Whom::Queue, "Send").await;
        let wait_ms = i64::try_from(wait.as_millis()).unwrap();
        let taken = match verdict {
            Verdict::Done | Verdict::Unheard | Verdict::DiesAfter => messages.len(),
            // A part of it was taken.
            Verdict::Late => messages.len() / 2,
            _ => 0,
        };
        for message in messages.iter().take(taken) {
            self.put(serde_json::to_string(message).unwrap(), wait_ms);
        }
        match verdict {
            Verdict::Done => Ok(()),
            Verdict::DiesBefore | Verdict::DiesAfter => futures::future::pending().await,
            _ => Err(SendError("the queue does not answer".to_owned())),
        }
    }
}

#[async_trait]
impl ChargeQueue for Queue {
    async fn send(&self, messages: &[Message]) -> Result<(), SendError> {
        self.send_all(messages, Duration::ZERO).await
    }

    async fn send_later(&self, message: &Message, wait: Duration) -> Result<(), SendError> {
        self.send_all(std::slice::from_ref(message), wait).await
    }
}

#[async_trait]
impl WebhookQueue for Queue {
    async fn send(&self, message: &WebhookMessage) -> Result<(), SendError> {
        self.send_all(std::slice::from_ref(message), Duration::ZERO).await
    }
}

#[async_trait]
impl DeliveryQueue for Queue {
    async fn send(&self, messages: &[Deliver]) -> Result<(), SendError> {
        self.send_all(messages, Duration::ZERO).await
    }

    async fn send_later(&self, message: Deliver, wait: Duration) -> Result<(), SendError> {
        self.send_all(std::slice::from_ref(&message), wait).await
    }
}
