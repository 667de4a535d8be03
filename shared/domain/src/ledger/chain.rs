//! A customer's journals as a chain: each link has the hash of the one before, so that none can be changed, taken out or
//! put in between without all that follow telling.
//!
//! What is hashed is text that anybody can put together from an export: `tools/verify_ledger.py` does.

use super::transaction::{MovedBy, Transaction};
use crate::id::{CustomerId, TransactionId};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write;

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What the first link has before it.
    pub const NONE: Self = Self([0; 32]);

    pub fn to_hex(self) -> String {
        self.0.iter().fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a String can't fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_hex())
    }
}

/// How far a customer's chain has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub customer: CustomerId,
    /// How many links there are.
    pub length: u64,
    pub hash: Hash,
}

/// A journal's place in its customer's chain. Written once, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    pub transaction: TransactionId,
    /// From 1, without a gap.
    pub number: u64,
    pub previous: Hash,
    pub hash: Hash,
}

impl Head {
    pub const fn start(customer: CustomerId) -> Self {
        Self { customer, length: 0, hash: Hash::NONE }
    }

    /// The next link, and how far the chain has come with it.
    #[must_use]
    pub fn link(self, transaction: &Transaction) -> (Link, Self) {
        let number = self.length + 1;
        let hash = hash_of(self.hash, number, transaction);
        let link = Link { transaction: transaction.id, number, previous: self.hash, hash };
        (link, Self { length: number, hash, ..self })
    }
}

impl Link {
    /// Whether it is the link that this journal makes behind the one before it.
    pub fn seals(&self, transaction: &Transaction) -> bool {
        self.transaction == transaction.id && self.hash == hash_of(self.previous, self.number, transaction)
    }
}

/// What is wrong with a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainFault {
    /// The link isn't the one that this journal makes.
    Altered(TransactionId),
    /// The link doesn't follow the one before it.
    Broken(TransactionId),
    /// The chain's end isn't where its head says.
    Cut { links: u64, expected: u64 },
}

/// Everything that is wrong with a customer's chain. Journals without a link aren't: they may not be sealed yet.
pub fn check_chain(journals: &[Transaction], links: &[Link], head: Head) -> Vec<ChainFault> {
    let by_id: HashMap<TransactionId, &Transaction> =
        journals.iter().map(|journal| (journal.id, journal)).collect();
    let mut ordered: Vec<&Link> = links.iter().collect();
    ordered.sort_by_key(|link| link.number);
    let mut end = Head::start(head.customer);
    let mut faults = Vec::new();
    for link in ordered {
        if !by_id.get(&link.transaction).is_some_and(|journal| link.seals(journal)) {
            faults.push(ChainFault::Altered(link.transaction));
        }
        if (link.number, link.previous) != (end.length + 1, end.hash) {
            faults.push(ChainFault::Broken(link.transaction));
        }
        end = Head { length: link.number, hash: link.hash, ..end };
    }
    if end != head {
        faults.push(ChainFault::Cut { links: end.length, expected: head.length });
    }
    faults
}

/// What is hashed: lines, each a word and what it says. Free text has its length in bytes before it, so that no text can
/// pass for another line.
pub fn canonical(transaction: &Transaction) -> String {
    let mut text = String::from("fatura-journal 1\n");
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name} {value}");
    };
    line("id", &transaction.id.to_string());
    line("type", transaction.kind.as_str());
    line("at", &format!("{:.3}", transaction.at));
    if let Some(mirrored) = transaction.mirrors {
        line("mirrors", &mirrored.to_string());
    }
    let free = |text: &str| format!("{} {text}", text.len());
    match &transaction.moved_by {
        MovedBy::Gateway(at) => {
            line("invoice", &at.invoice.to_string());
            line("gateway", at.gateway.as_str());
            line("gateway_reference", &free(&at.reference.0));
        }
        MovedBy::Wallet(by) => {
            if let Some(invoice) = by.invoice {
                line("invoice", &invoice.to_string());
            }
            line("by", &free(by.by.as_str()));
            if let Some(reference) = &by.reference {
                line("reference", &free(reference.as_str()));
            }
        }
        MovedBy::Operator(posted) => {
            line("by", &free(posted.by.as_str()));
            line("description", &free(posted.description.as_str()));
            if let Some(reversed) = posted.reverses {
                line("reverses", &reversed.to_string());
            }
        }
    }
    for entry in transaction.journal.entries() {
        let (direction, amount) = (entry.direction.as_str(), entry.amount);
        line("entry", &format!("{direction} {} {amount} {}", entry.account, amount.currency()));
    }
    text
}

fn hash_of(previous: Hash, number: u64, transaction: &Transaction) -> Hash {
    let text = format!("{}\n{number}\n{}", previous.to_hex(), canonical(transaction));
    Hash(Sha256::digest(text).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Actor;
    use crate::ledger::{Account, Direction, Entry, Posting};
    use crate::money::{Currency, Money};
    use crate::text::Description;
    use crate::{Moment, Timestamp};

    fn journal(second: i64, description: &str, minor: i64) -> Transaction {
        let entry = |account, direction| Entry {
            account,
            direction,
            amount: Money::try_new(minor, Currency::BRL).unwrap(),
        };
        let wallet = Account::Wallet(CustomerId::new(42));
        let entries = vec![entry(Account::Bank, Direction::Debit), entry(wallet, Direction::Credit)];
        let now = Timestamp::from_millisecond(1_793_620_800_000 + second * 1_000).unwrap();
        let posting = Posting::try_new(Description::parse(description).unwrap(), entries).unwrap();
        posting.booked(Actor::new("key_1"), Moment { now, entropy: 7 }).unwrap()
    }

    fn chain(journals: &[Transaction]) -> (Vec<Link>, Head) {
        let mut head = Head::start(CustomerId::new(42));
        let mut links = Vec::new();
        for journal in journals {
            let (link, next) = head.link(journal);
            links.push(link);
            head = next;
        }
        (links, head)
    }

    #[test]
    fn what_is_hashed_can_be_put_together_by_hand() {
        assert_eq!(
            canonical(&journal(0, "gift ção", 700)),
            "fatura-journal 1\n\
             id txn_00000000001A01M6E22WG0000007\n\
             type journal\n\
             at 2026-11-02T12:00:00.000Z\n\
             by 5 key_1\n\
             description 10 gift ção\n\
             entry debit bank 7.00 BRL\n\
             entry credit wallet:cus_00000000001A 7.00 BRL\n"
        );
    }

    #[test]
    fn each_link_has_the_hash_of_the_one_before() {
        let journals = [journal(0, "one", 1), journal(1, "two", 2), journal(2, "three", 3)];
        let (links, head) = chain(&journals);
        assert_eq!(links[0].previous, Hash::NONE);
        assert_eq!((links[1].previous, links[2].previous), (links[0].hash, links[1].hash));
        assert_eq!((head.length, head.hash), (3, links[2].hash));
        assert!(links.iter().zip(&journals).all(|(link, journal)| link.seals(journal)));
    }

    #[test]
    fn what_was_taken_out_or_changed_is_found() {
        let journals = [journal(0, "one", 1), journal(1, "two", 2), journal(2, "three", 3)];
        let (links, head) = chain(&journals);
        assert_eq!(check_chain(&journals, &links, head), []);
        assert_eq!(check_chain(&journals, &[links[2], links[0], links[1]], head), [], "in any order");
        let third = links[2].transaction;
        let without = [journals[0].clone(), journals[2].clone()];
        assert_eq!(check_chain(&without, &[links[0], links[2]], head), [ChainFault::Broken(third)]);
        let cut = ChainFault::Cut { links: 2, expected: 3 };
        assert_eq!(check_chain(&journals[..2], &links[..2], head), [cut]);
        let altered = [journal(0, "one", 9), journals[1].clone(), journals[2].clone()];
        assert_eq!(check_chain(&altered, &links, head), [ChainFault::Altered(links[0].transaction)]);
    }

    #[test]
    fn what_was_changed_afterwards_is_not_sealed() {
        let before = journal(0, "one", 1);
        let (links, _) = chain(std::slice::from_ref(&before));
        assert!(!links[0].seals(&journal(0, "one", 2)), "another amount");
        assert!(!links[0].seals(&journal(0, "once", 1)), "another text");
        assert!(!links[0].seals(&journal(1, "one", 1)), "another time");
        let moved = Link { number: 2, ..links[0] };
        assert!(!moved.seals(&before), "another place");
        let other = Link { previous: links[0].hash, ..links[0] };
        assert!(!other.seals(&before), "another past");
    }
}
