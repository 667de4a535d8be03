use async_trait::async_trait;
use fatura_application::ports::{
    ChargeQueue, Deliver, DeliveryQueue, Message, SendError, WebhookMessage, WebhookQueue,
};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A queue that keeps what was sent until a test takes it, and refuses while it is told to be down.
#[derive(Debug)]
pub struct RecordingQueue<M> {
    messages: Mutex<Vec<M>>,
    is_down: AtomicBool,
}

impl<M> Default for RecordingQueue<M> {
    fn default() -> Self {
        Self { messages: Mutex::default(), is_down: AtomicBool::new(false) }
    }
}

impl<M> RecordingQueue<M> {
    pub fn take(&self) -> Vec<M> {
        std::mem::take(&mut self.messages.lock().unwrap())
    }

    pub fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    fn push(&self, messages: impl IntoIterator<Item = M>) -> Result<(), SendError> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(SendError("the queue is down".to_owned()));
        }
        self.messages.lock().unwrap().extend(messages);
        Ok(())
    }
}

#[async_trait]
impl ChargeQueue for RecordingQueue<Message> {
    async fn send(&self, messages: &[Message]) -> Result<(), SendError> {
        self.push(messages.iter().cloned())
    }

    /// A test's queue doesn't wait: what is sent later comes as soon as somebody takes it.
    async fn send_later(&self, message: &Message, _: Duration) -> Result<(), SendError> {
        self.push([message.clone()])
    }
}

#[async_trait]
impl WebhookQueue for RecordingQueue<WebhookMessage> {
    async fn send(&self, message: &WebhookMessage) -> Result<(), SendError> {
        self.push([message.clone()])
    }
}

#[async_trait]
impl DeliveryQueue for RecordingQueue<Deliver> {
    async fn send(&self, messages: &[Deliver]) -> Result<(), SendError> {
        self.push(messages.iter().copied())
    }

    /// As it is: what comes too early finds nothing to do.
    async fn send_later(&self, message: Deliver, _: Duration) -> Result<(), SendError> {
        self.push([message])
    }
}
