//! Those who are told: servers that answer, fail, stall or are gone, and mailboxes. What truly reached them is on record here,
//! whatever the notifier was told about it.

use crate::chance::Chance;
use crate::clock::Clock;
use crate::control::{Control, Verdict, Whom};
use async_trait::async_trait;
use fatura_application::ports::{Mail, Mailer, OutgoingWebhook, TellError, Texter, WebhookSender};
use fatura_domain::notice::{Phone, PushTarget};
use fatura_domain::webhook_endpoint::{Answer, Attempt, NoAnswer, Took};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// What a server does is in its name.
pub(crate) const WELL: &str = "https://well.example.com/hooks";
pub(crate) const SERVERS: [&str; 5] = [
    WELL,
    "https://ill.example.com/hooks",
    "https://slow.example.com/hooks",
    "https://gone.example.com/hooks",
    "https://moody.example.com/hooks",
];

#[derive(Debug, Default)]
pub(crate) struct Mailbag {
    /// How often each message reached its server.
    pub(crate) came: BTreeMap<String, u64>,
    /// Those that a server has taken.
    pub(crate) taken: BTreeSet<String>,
    pub(crate) mails: u64,
    /// Whoever was ill or gone is there again.
    pub(crate) are_well: bool,
    bodies: BTreeMap<String, String>,
    pub(crate) violations: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Receivers {
    pub(crate) control: Control,
    pub(crate) clock: Clock,
    pub(crate) chance: Arc<Chance>,
    pub(crate) bag: Arc<Mutex<Mailbag>>,
}

impl Receivers {
    fn receive(&self, webhook: &OutgoingWebhook<'_>) -> Answer {
        let (id, url) = (webhook.id.to_string(), webhook.to.as_str().to_owned());
        let are_well = self.bag.lock().unwrap().are_well;
        let answer = self.answer(if are_well { WELL } else { &url });
        let mut bag = self.bag.lock().unwrap();
        *bag.came.entry(id.clone()).or_default() += 1;
        if webhook.secrets.is_empty() {
            bag.violations.push(format!("{id} comes unsigned"));
        }
        let first = bag.bodies.entry(id.clone()).or_insert_with(|| webhook.body.to_owned());
        if first != webhook.body {
            bag.violations.push(format!("{id} says something else when it comes again"));
        }
        if matches!(answer, Answer::Status { code: 200..=299, .. }) {
            bag.taken.insert(id);
        }
        answer
    }

    fn answer(&self, url: &str) -> Answer {
        let chance = &self.chance;
        let status = |code| Answer::Status { code, retry_after: None };
        match url {
            WELL => status(204),
            _ if url.contains("ill.") => status(500),
            _ if url.contains("gone.") => status(410),
            _ if url.contains("slow.") => Answer::Nothing(NoAnswer::TimedOut),
            _ => chance.weighed(&[
                (3, status(200)),
                (1, status(500)),
                (1, Answer::Status { code: 503, retry_after: Some(120) }),
                (1, Answer::Nothing(NoAnswer::Unreachable)),
            ]),
        }
    }

    async fn tell(&self) -> Result<(), TellError> {
        let verdict = self.control.call(Whom::Receiver, "mail").await;
        if matches!(verdict, Verdict::Done | Verdict::Unheard | Verdict::Late | Verdict::DiesAfter) {
            self.bag.lock().unwrap().mails += 1;
        }
        match verdict {
            Verdict::Done if self.chance.happens(20) => {
                Err(TellError::Refused("nobody lives there".to_owned()))
            }
            Verdict::Done => Ok(()),
            Verdict::DiesBefore | Verdict::DiesAfter => futures::future::pending().await,
            Verdict::Refused | Verdict::Throttled => Err(TellError::NotSent("no connection".to_owned())),
            _ => Err(TellError::Unknown("no answer in time".to_owned())),
        }
    }
}

#[async_trait]
impl WebhookSender for Receivers {
    async fn send(&self, webhook: OutgoingWebhook<'_>) -> Attempt {
        let answer = match self.control.call(Whom::Receiver, "webhook").await {
            Verdict::Done => self.receive(&webhook),
            Verdict::Unheard | Verdict::Late => {
                self.receive(&webhook);
                Answer::Nothing(NoAnswer::Broken)
            }
            Verdict::DiesAfter => {
                self.receive(&webhook);
                futures::future::pending().await
            }
            Verdict::DiesBefore => futures::future::pending().await,
            _ => Answer::Nothing(NoAnswer::Unreachable),
        };
        let at = fatura_application::ports::Clock::now(&self.clock);
        Attempt { at, answer, took: Took::UnderASecond }
    }
}

#[async_trait]
impl Mailer for Receivers {
    async fn mail(&self, _: Mail<'_>) -> Result<(), TellError> {
        self.tell().await
    }
}

#[async_trait]
impl Texter for Receivers {
    async fn sms(&self, _: &Phone, _: &str) -> Result<(), TellError> {
        self.tell().await
    }

    async fn push(&self, _: &PushTarget, _: &str) -> Result<(), TellError> {
        self.tell().await
    }
}
