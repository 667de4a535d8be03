//! What those want who are told: endpoints, other secrets, and once more what they have missed.

use super::{Asked, Clients, Kind};
use crate::books::Books;
use crate::chance::Chance;
use crate::receivers::{SERVERS, WELL};
use serde_json::json;

const MOST_ENDPOINTS: usize = 4;

impl Clients {
    /// One that wants to know everything, and takes it.
    pub(crate) fn first_endpoint(&mut self) -> Asked {
        self.endpoint(WELL, "*")
    }

    fn endpoint(&mut self, url: &str, events: &str) -> Asked {
        let body = json!({ "url": url, "events": [events] });
        self.post(Kind::AddEndpoint, "/v1/webhook-endpoints".to_owned(), body)
    }

    pub(super) fn of_tellings(&mut self, books: &Books, chance: &Chance) -> Option<Asked> {
        let all: Vec<&str> = books.endpoints().map(|(id, _)| id).collect();
        // Nobody touches the first one, which has to have been told everything.
        let others: Vec<&str> =
            books.endpoints().filter(|(_, item)| item["url"]["S"] != WELL).map(|(id, _)| id).collect();
        let of = |id: &str, verb: &str| format!("/v1/webhook-endpoints/{id}{verb}");
        match chance.below(10) {
            0..2 if all.len() < MOST_ENDPOINTS => {
                let (_, troubled) = SERVERS.split_first()?;
                let events = chance.pick(&["*", "invoice.*", "invoice.paid", "bill.*"])?;
                let url = chance.pick(troubled)?;
                Some(self.endpoint(url, events))
            }
            2..4 if !others.is_empty() => {
                let body = json!({ "enabled": chance.happens(600) });
                let asked = self.post(Kind::AmendEndpoint, of(chance.pick(&others)?, ""), body);
                Some(Asked { method: "PATCH", ..asked })
            }
            4..6 if !others.is_empty() => {
                let asked = self.post(Kind::RemoveEndpoint, of(chance.pick(&others)?, ""), json!({}));
                Some(Asked { method: "DELETE", ..asked })
            }
            0..7 => {
                let body = json!({ "overlap_seconds": chance.below(600) });
                Some(self.post(Kind::Rotate, of(chance.pick(&all)?, "/rotate-secret"), body))
            }
            7 => Some(self.post(Kind::TryEndpoint, of(chance.pick(&all)?, "/test"), json!({}))),
            8 => {
                let body = json!({ "since": "2026-11-02T00:00:00Z" });
                Some(self.post(Kind::ReplayMissed, of(chance.pick(&all)?, "/replay"), body))
            }
            _ => {
                let messages: Vec<&str> = books.messages().collect();
                let message = chance.pick(&messages)?;
                self.replayed.insert((*message).to_owned());
                let path = format!("/v1/webhook-deliveries/{message}/replay");
                Some(self.post(Kind::Replay, path, json!({})))
            }
        }
    }
}
