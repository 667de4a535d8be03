//! What is fuzzed, one reader a target.

mod auth;
mod cursors;
mod idempotency;
mod intake;
mod money;
mod queues;
mod router;
mod rules;
mod stream;
mod texts;
mod webhooks;

use std::fmt;

/// A reader of what others send, and how it is tried.
#[derive(Debug)]
pub struct Target {
    pub name: &'static str,
    /// How many changed inputs a test tries: a second or two.
    pub tries: u64,
    /// What one input may cost at once, whatever it is.
    pub most_memory: usize,
    /// After how many inputs the world is made anew: what they left there must not pile up.
    pub inputs_a_subject: u64,
    /// What means something there.
    pub words: fn() -> Vec<Vec<u8>>,
    /// Beside the corpus: what follows from other files.
    pub seeds: fn() -> Vec<Vec<u8>>,
    pub open: fn() -> Subject,
}

/// What looks at inputs, and panics at what must not be.
pub struct Subject(Box<Reader>);

type Reader = dyn FnMut(&[u8]);

impl Subject {
    pub(crate) fn new(look: impl FnMut(&[u8]) + 'static) -> Self {
        Self(Box::new(look))
    }

    pub(crate) fn look_at(&mut self, input: &[u8]) {
        (self.0)(input);
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subject(..)")
    }
}

/// In the order of their kinds: whoever changes one finds its neighbours.
pub static TARGETS: [Target; 20] = [
    auth::TARGET,
    cursors::TARGET,
    idempotency::TARGET,
    intake::TARGET,
    router::TARGET,
    queues::CHARGE,
    queues::NOTIFIER,
    queues::WEBHOOK,
    rules::TARGET,
    stream::TARGET,
    money::TARGET,
    texts::TARGET,
    webhooks::ADYEN,
    webhooks::IUGU,
    webhooks::MERCADO_PAGO,
    webhooks::PAGBANK,
    webhooks::PAYPAL,
    webhooks::SANDBOX,
    webhooks::STRIPE,
    webhooks::VINDI,
];

impl Target {
    /// A reader that remembers nothing and that little memory is enough for.
    const fn pure(name: &'static str, words: fn() -> Vec<Vec<u8>>, open: fn() -> Subject) -> Self {
        Self {
            name,
            tries: 5_000,
            most_memory: 8 << 20,
            inputs_a_subject: u64::MAX,
            words,
            seeds: Vec::new,
            open,
        }
    }

    /// One with a table, which is in the same process and on the same thread.
    const fn in_world(
        name: &'static str,
        tries: u64,
        words: fn() -> Vec<Vec<u8>>,
        open: fn() -> Subject,
    ) -> Self {
        Self { name, tries, most_memory: 32 << 20, inputs_a_subject: 200, words, seeds: Vec::new, open }
    }
}

fn bytes_of(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
