//! What goes out: each message is sent no more often than it was claimed, nothing that arrived goes out again unless somebody
//! asked for it, and everything that was begun ends.

use super::items::number;
use super::{Books, Key};
use crate::receivers::{Mailbag, WELL};
use fatura_domain::event::{Event, EventKind, Subject, Written};
use fatura_domain::invoice::Cause;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

const MESSAGE: &str = "MSG#";
const SAID: &str = "SAID#";
const ENDPOINT: &str = "WE";

#[derive(Debug, Default)]
pub(super) struct Tellings {
    /// How often each message was claimed.
    claims: BTreeMap<String, u64>,
    /// How often some notice was.
    claimed_notices: u64,
    /// What is to be told by what was written.
    happened: BTreeMap<String, Notice>,
    /// Messages that had been delivered, and are to go out again.
    reopened: BTreeSet<String>,
}

/// Whether its customer has a mail of what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notice {
    Sure,
    /// As long as it is so: a code may have expired before it could be sent.
    Perhaps,
    /// That depends on what no event says.
    Unknown,
}

impl Notice {
    const fn of(event: &Event) -> Self {
        let Subject::Invoice { step, .. } = &event.subject else { return Self::Unknown };
        match event.kind {
            EventKind::InvoicePaid
                if matches!(step.cause, Cause::ChargeSucceeded | Cause::PaidFromWallet) =>
            {
                Self::Sure
            }
            EventKind::InvoiceInProtest if matches!(step.cause, Cause::Contested | Cause::DisputeOpened) => {
                Self::Sure
            }
            EventKind::InvoiceActionRequired => Self::Perhaps,
            _ => Self::Unknown,
        }
    }
}

impl Tellings {
    /// The events of what was written.
    pub(super) fn expect(&mut self, written: &Written) {
        let happened = written.events().into_iter().map(|event| (event.id.clone(), Notice::of(&event)));
        self.happened.extend(happened);
    }
}

impl Books {
    /// A message or a notice that is about to be written.
    pub(super) fn tell(&mut self, key: &Key, image: &Value, wrong: &mut Vec<String>) {
        let (pk, sk) = key;
        let before = self.items.get(key);
        if let Some(message) = pk.strip_prefix(MESSAGE) {
            let was = before.map_or(0, |before| number(before, "/v/N"));
            let is = number(image, "/v/N");
            // It may be claimed in the same write that begins it.
            if is != was + 1 && (was, is) != (0, 2) {
                wrong.push(format!("{pk}: version {is} follows version {was}"));
            }
            let tried = |item: &Value| number(item, "/st/M/pending/M/n/N");
            let tried_before = before.filter(|item| is_pending(item)).map_or(0, tried);
            if is_pending(image) && tried(image) > tried_before {
                *self.tellings.claims.entry(message.to_owned()).or_default() += 1;
                if before.is_some_and(|before| !is_pending(before)) {
                    wrong.push(format!("{pk} was over, and goes out again"));
                }
            }
            if is_pending(image) && before.is_some_and(is_delivered) {
                self.tellings.reopened.insert(message.to_owned());
            }
        }
        if pk.starts_with(SAID) {
            if before.is_some_and(|before| before.pointer("/st/S").is_some()) {
                wrong.push(format!("{pk} {sk} was said, and is changed"));
            }
            self.tellings.claimed_notices += u64::from(image.pointer("/st/M/sending").is_some());
        }
    }

    /// Nothing reaches anybody that was not claimed for it.
    pub(crate) fn are_claimed(&self, bag: &Mailbag, wrong: &mut Vec<String>) {
        for (message, came) in &bag.came {
            let claims = self.tellings.claims.get(message).copied().unwrap_or_default();
            if *came > claims {
                wrong.push(format!("{message} came {came} times, and was claimed {claims} times"));
            }
        }
        if bag.mails > self.tellings.claimed_notices {
            wrong.push(format!("{} notices came of {}", bag.mails, self.tellings.claimed_notices));
        }
    }

    /// In the end every message is delivered, given up or canceled, and whoever wants to know all knows all.
    pub(crate) fn all_is_told(&self, taken: &BTreeSet<String>, bag: &Mailbag, wrong: &mut Vec<String>) {
        let happened = &self.tellings.happened;
        let untold = happened.keys().filter(|event| !taken.contains(*event));
        wrong.extend(untold.map(|event| format!("{event} happened, and was never told")));
        let untrue = taken.iter().filter(|event| !happened.contains_key(*event));
        wrong.extend(untrue.map(|event| format!("{event} is told, and never happened")));
        self.all_is_mailed(bag, wrong);
        let mut told: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for ((pk, _), item) in self.starting_with(MESSAGE) {
            if is_pending(item) {
                wrong.push(format!("{pk} never comes to an end"));
            }
            let text = |path: &str| item.pointer(path).and_then(Value::as_str).unwrap_or_default();
            if is_delivered(item) && !bag.taken.contains(pk.trim_start_matches(MESSAGE)) {
                wrong.push(format!("{pk} is called delivered, and nobody has taken it"));
            }
            if is_delivered(item) {
                told.entry(text("/to/S")).or_default().insert(text("/f/M/e/S"));
            }
        }
        let Some(first) = self.first_endpoint() else { return };
        let missed = |event: &&String| !told.get(first).is_some_and(|told| told.contains(event.as_str()));
        let becomes = |event: &String| {
            let is_it = |item: &Value| item["to"]["S"] == first && item["f"]["M"]["e"]["S"] == event.as_str();
            self.starting_with(MESSAGE).find(|(_, item)| is_it(item)).map(|((pk, _), item)| (pk, &item["st"]))
        };
        let missed = taken.iter().filter(missed);
        wrong.extend(missed.map(|event| format!("{event} was never told to {first}: {:?}", becomes(event))));
    }

    /// Customers have a notice of all that they are surely told of, and every other that was begun was sent or refused. None is
    /// called sent that never left.
    fn all_is_mailed(&self, bag: &Mailbag, wrong: &mut Vec<String>) {
        let mut sent = 0;
        for (event, notice) in &self.tellings.happened {
            let key = (format!("{SAID}{}", hex::encode(Sha256::digest(event))), "email".to_owned());
            let begun = self.items.get(&key);
            let ended = begun.and_then(|item| item.pointer("/st/S")).and_then(Value::as_str);
            sent += u64::from(ended == Some("sent"));
            let is_due = match notice {
                Notice::Sure => true,
                Notice::Perhaps => false,
                Notice::Unknown => begun.is_some(),
            };
            if is_due && ended.is_none() {
                wrong.push(format!("nobody was mailed of {event}"));
            }
        }
        if sent > bag.mails {
            wrong.push(format!("{sent} notices are called sent, and {} were", bag.mails));
        }
    }

    /// What had arrived goes out again for those only who asked for it.
    pub(crate) fn came_again(&self, asked_for: &BTreeSet<String>, wrong: &mut Vec<String>) {
        let unasked = self.tellings.reopened.difference(asked_for);
        wrong.extend(unasked.map(|message| format!("{message} was delivered, and goes out again")));
    }

    /// The one that is there from the beginning and wants all of it.
    fn first_endpoint(&self) -> Option<&str> {
        let is_well = |item: &Value| item.pointer("/url/S").and_then(Value::as_str) == Some(WELL);
        self.endpoints().find(|(_, item)| is_well(item)).map(|(id, _)| id)
    }

    pub(crate) fn endpoints(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.within(ENDPOINT).map(|((_, sk), item)| (sk.as_str(), item))
    }

    pub(crate) fn messages(&self) -> impl Iterator<Item = &str> {
        self.starting_with(MESSAGE).filter_map(|((pk, _), _)| pk.strip_prefix(MESSAGE))
    }
}

fn is_pending(message: &Value) -> bool {
    message.pointer("/st/M/pending").is_some()
}

fn is_delivered(message: &Value) -> bool {
    message.pointer("/st/M/delivered").is_some()
}
