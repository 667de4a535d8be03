//! Journals that operators post by hand, and take back.

use super::money::decimal;
use super::{Asked, Clients, Kind};
use crate::books::Books;
use crate::chance::Chance;
use fatura_domain::ledger::TransactionKind;
use serde_json::{Value, json};

impl Clients {
    /// From a merchant's wallet to what it owes or is owed, the other way round, or into the platform's pocket.
    pub(super) fn post_journal(&mut self, books: &Books, chance: &Chance) -> Option<Asked> {
        if chance.happens(300) {
            return self.reverse_journal(books, chance);
        }
        let merchant = chance.pick(&self.merchants)?;
        let accounts =
            [format!("wallet:{merchant}"), format!("merchant_payable:{merchant}"), "revenue".to_owned()];
        let place = chance.place(accounts.len());
        let (from, to) = (accounts.get(place)?, accounts.get((place + 1) % accounts.len())?);
        let amount = json!({ "amount": decimal(chance.between(1, 20_000)), "currency": "BRL" });
        let entry = |account: &str, direction: &str| json!({ "account": account, "direction": direction, "amount": amount });
        let entries = [entry(from, "debit"), entry(to, "credit")];
        Some(self.journal(&entries))
    }

    pub(super) fn journal(&mut self, entries: &[Value]) -> Asked {
        let body = json!({ "description": self.name("journal"), "entries": entries });
        self.post(Kind::Journal, "/v1/ledger".to_owned(), body)
    }

    pub(super) fn reverse_journal(&mut self, books: &Books, chance: &Chance) -> Option<Asked> {
        let journals = books.transactions.values();
        let by_hand = journals.filter(|one| one.kind == TransactionKind::Journal && one.mirrors.is_none());
        let by_hand: Vec<String> = by_hand.map(|one| one.id.to_string()).collect();
        let name = self.name("reversal");
        let body = json!({ "description": name, "reverses": chance.pick(&by_hand)? });
        Some(self.post(Kind::Reversal, "/v1/ledger".to_owned(), body))
    }
}
