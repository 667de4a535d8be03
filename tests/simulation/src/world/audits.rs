//! What the house finds wrong with itself when it is asked: nothing, once everything has come to an end.

use super::World;
use crate::clients::Asked;
use serde_json::{Value, json};

/// More than any world has journals for.
const MOST_PAGES: usize = 1_000;

impl World {
    pub(super) fn audit(&mut self) -> Result<(), Vec<String>> {
        for (customer, journals) in self.books.journals_by_owner() {
            let asked = self.clients.verify(json!({ "customer_id": customer.to_string() }));
            let found = self.answer_to(asked)?;
            let is_well = found["journals"] == journals && found["sealed"] == journals;
            if !is_well || found["findings"] != json!([]) {
                return Err(vec![format!("{customer} has {journals} journals, and is verified as {found}")]);
            }
        }
        self.audit_books()
    }

    fn audit_books(&mut self) -> Result<(), Vec<String>> {
        let mut body = json!({});
        for _ in 0..MOST_PAGES {
            let asked = self.clients.verify(body);
            let found = self.answer_to(asked)?;
            if found["findings"] != json!([]) {
                return Err(vec![format!("the platform's accounts are verified as {found}")]);
            }
            let Some(cursor) = found["next_cursor"].as_str() else { return Ok(()) };
            body = json!({ "cursor": cursor });
        }
        Err(vec!["verifying the platform's accounts never ends".to_owned()])
    }

    /// What is answered while nothing goes wrong.
    pub(super) fn answer_to(&mut self, asked: Asked) -> Result<Value, Vec<String>> {
        self.ask(asked);
        self.finish_all()?;
        Ok(serde_json::from_str(&self.last_answer).unwrap_or_default())
    }
}
