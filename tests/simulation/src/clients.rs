//! Those who ask: at random, more than once, and again whatever they were not answered.

mod bills;
mod decisions;
mod house;
mod journals;
mod kind;
mod money;
mod risk;
mod settings;
mod shop;
mod tellings;
mod wallets;
mod wishes;

pub(crate) use kind::Kind;

use crate::chance::Chance;
use crate::plan::Plan;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One request, the same however often it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) kind: Kind,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) key: String,
    pub(crate) body: Value,
    pub(crate) tries: u32,
    /// When it was sent first.
    pub(crate) since_ms: Option<i64>,
}

#[derive(Debug, Default)]
pub(crate) struct Clients {
    next_key: u64,
    pub(crate) customers: Vec<String>,
    pub(crate) merchants: Vec<String>,
    /// As the plan says.
    shops: u64,
    risks: u64,
    theme: u64,
    /// Where each payment method is.
    methods: Vec<String>,
    /// What each order may come to, in cents, by its description.
    pub(crate) totals: BTreeMap<String, BTreeSet<i64>>,
    /// Unanswered, or not as one would wish.
    pub(crate) again: Vec<Asked>,
    /// What somebody wants at the same time as what was wanted last.
    meanwhile: Vec<Asked>,
    /// The first good answer to each key.
    answers: BTreeMap<String, String>,
    pub(crate) replays: u64,
    /// Messages that somebody wanted again.
    pub(crate) replayed: BTreeSet<String>,
}

impl Clients {
    const MOST_TRIES: u32 = 8;

    pub(crate) fn of(plan: &Plan) -> Self {
        Self { shops: plan.shops, risks: plan.risks, theme: plan.theme, ..Self::default() }
    }

    pub(crate) fn post(&mut self, kind: Kind, path: String, body: Value) -> Asked {
        self.next_key += 1;
        Asked {
            kind,
            method: "POST",
            path,
            key: format!("key-{}", self.next_key),
            body,
            tries: 0,
            since_ms: None,
        }
    }

    /// A name that nothing else has that is asked for: what bears it was made by that request.
    fn name(&self, what: &str) -> String {
        format!("{what} {}", self.next_key + 1)
    }

    pub(crate) const fn is_in_a_hurry(&self) -> bool {
        !self.meanwhile.is_empty()
    }

    /// An answer came, or none. Says what is wrong with it.
    pub(crate) fn hear(
        &mut self,
        asked: Asked,
        answer: Option<(u16, &str)>,
        is_disturbed: bool,
        chance: &Chance,
    ) -> Option<String> {
        let next = Asked { tries: asked.tries + 1, ..asked };
        match answer {
            Some((status @ 200..300, body)) => {
                // What is put twice is put twice.
                let is_kept = next.method == "POST" && !next.kind.is_a_question();
                let known = self.answers.get(&next.key).filter(|_| is_kept).cloned();
                let is_other = known.as_ref().is_some_and(|known| known != body);
                if known.is_none() {
                    self.remember(&next, body);
                    self.answers.insert(next.key.clone(), body.to_owned());
                } else {
                    self.replays += 1;
                }
                let wrong =
                    is_other.then(|| format!("{} {} is answered {status} in two ways", next.path, next.key));
                if next.tries < Self::MOST_TRIES && chance.happens(150) {
                    self.again.push(next);
                }
                wrong
            }
            Some((400..500, _)) => {
                let is_kept = next.method == "POST" && !next.kind.is_of_its_moment();
                let known = is_kept && self.answers.contains_key(&next.key);
                known.then(|| {
                    format!("{} {} was granted, and is refused when asked again", next.path, next.key)
                })
            }
            // Where nothing went wrong, there is no reason for any other of them either.
            Some((status @ 500.., body)) if status == 500 || !is_disturbed => {
                Some(format!("{} {} is answered {status}: {body}", next.path, next.key))
            }
            _ => {
                if next.tries < Self::MOST_TRIES {
                    self.again.push(next);
                }
                None
            }
        }
    }
}
