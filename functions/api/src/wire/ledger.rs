use super::common::{Instant, MoneyBody};
use super::fields::Fields;
use super::values::{id, money, one_of, text};
use crate::problem::Problem;
use fatura_application::StatementPage;
use fatura_application::access::{Caller, Role};
use fatura_domain::Timestamp;
use fatura_domain::id::{CustomerId, InvoiceId, TransactionId};
use fatura_domain::ledger::{
    Account, Balances, Direction, Entry, Link, MOST_ENTRIES, MovedBy, Posting, Transaction,
};
use fatura_domain::money::Money;
use fatura_domain::text::{Description, Text};
use serde::Serialize;
use std::collections::HashMap;

/// A journal of one's own, or the reversal of one that there is.
pub(crate) enum PostingInput {
    Posting(Posting),
    Reversal { reverses: TransactionId, description: Description },
}

pub(crate) fn read_posting(mut fields: Fields) -> Result<PostingInput, Problem> {
    let description = fields.required("description", text(Description::parse));
    if fields.says("reverses") {
        let reverses = fields.optional("reverses", id::<TransactionId>);
        if fields.says("entries") {
            fields.fault("entries", "follow from what is reversed");
        }
        fields.ignore(&["entries"]);
        return fields
            .finish(|| Some(PostingInput::Reversal { reverses: reverses?, description: description? }));
    }
    fields.ignore(&["reverses"]);
    if !fields.has("entries") {
        fields.fault("entries", "is required");
    }
    let entries = fields.objects("entries", MOST_ENTRIES, read_entry);
    let posting = description.zip(entries).and_then(|(description, entries)| {
        let posting = Posting::try_new(description, entries);
        posting.map_err(|error| fields.fault("entries", format!("don't make one: {error}"))).ok()
    });
    fields.finish(|| posting.map(PostingInput::Posting))
}

fn read_entry(entry: &mut Fields) -> Option<Entry> {
    let account = entry.required("account", text(Account::parse));
    let directions = Direction::ALL.into_iter().map(|direction| (direction.as_str(), direction));
    let direction = entry.required("direction", one_of(directions));
    let amount = entry.required("amount", |value| {
        let amount = money(value)?;
        if amount.is_positive() { Ok(amount) } else { Err("must be greater than zero".to_owned()) }
    });
    Some(Entry { account: account?, direction: direction?, amount: amount? })
}

#[derive(Debug, Serialize)]
pub(crate) struct JournalBody<'a> {
    id: String,
    r#type: &'static str,
    by: Option<&'a str>,
    description: Option<&'a str>,
    reference: Option<&'a str>,
    reverses: Option<String>,
    mirrors: Option<String>,
    invoice_id: Option<String>,
    gateway: Option<&'a str>,
    gateway_reference: Option<&'a str>,
    entries: Vec<EntryBody>,
    created_at: Instant,
}

#[derive(Debug, Serialize)]
struct EntryBody {
    account: String,
    direction: &'static str,
    amount: MoneyBody,
}

impl EntryBody {
    fn of(entry: &Entry, viewer: Viewer) -> Self {
        Self {
            account: viewer.account(&entry.account),
            direction: entry.direction.as_str(),
            amount: entry.amount.into(),
        }
    }
}

/// Who looks. Operators and services see everything; a customer sees of others no more than that they are others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Viewer(Option<CustomerId>);

impl Viewer {
    pub(crate) const ANY: Self = Self(None);

    pub(crate) const fn of(caller: &Caller) -> Self {
        match caller.role {
            Role::Customer(customer) => Self(Some(customer)),
            Role::Operator | Role::Service => Self::ANY,
        }
    }

    fn sees(self, customer: CustomerId) -> bool {
        self.0.is_none_or(|viewer| viewer == customer)
    }

    fn account(self, account: &Account) -> String {
        match account.customer() {
            Some(customer) if !self.sees(customer) => account.general().to_string(),
            _ => account.to_string(),
        }
    }

    /// Its first characters are its owner's.
    pub(super) fn invoice(self, id: InvoiceId) -> Option<String> {
        self.sees(id.owner()).then(|| id.to_string())
    }

    fn journal(self, id: TransactionId) -> Option<String> {
        self.sees(id.owner()).then(|| id.to_string())
    }

    fn actor(self, by: &str) -> Option<&str> {
        self.0.is_none_or(|viewer| viewer.to_string() == by).then_some(by)
    }
}

impl<'a> JournalBody<'a> {
    pub(crate) fn of(journal: &'a Transaction, viewer: Viewer) -> Self {
        let (by, description, reference) = match &journal.moved_by {
            MovedBy::Gateway(_) => (None, None, None),
            MovedBy::Wallet(by) => {
                (viewer.actor(by.by.as_str()), None, by.reference.as_ref().map(Text::as_str))
            }
            MovedBy::Operator(posted) => {
                (viewer.actor(posted.by.as_str()), Some(posted.description.as_str()), None)
            }
        };
        // Whose charge it is has the rest of it.
        let at = journal.moved_by.at_gateway().filter(|at| viewer.sees(at.invoice.owner()));
        Self {
            id: journal.id.to_string(),
            r#type: journal.kind.as_str(),
            by,
            description,
            reference,
            reverses: journal.reverses().and_then(|id| viewer.journal(id)),
            mirrors: journal.mirrors.and_then(|id| viewer.journal(id)),
            invoice_id: journal.moved_by.invoice().and_then(|id| viewer.invoice(id)),
            gateway: at.map(|at| at.gateway.as_str()),
            gateway_reference: at.map(|at| at.reference.0.as_str()),
            entries: journal.journal.entries().iter().map(|entry| EntryBody::of(entry, viewer)).collect(),
            created_at: Instant(journal.at),
        }
    }
}

/// A journal in a statement: with what each entry's account had after it, and its place in the chain.
#[derive(Debug, Serialize)]
pub(crate) struct StatementLineBody<'a> {
    journal: JournalBody<'a>,
    balances: Vec<AccountBody>,
    seal: Option<SealBody>,
}

#[derive(Debug, Serialize)]
struct SealBody {
    number: u64,
    previous_hash: String,
    hash: String,
}

#[derive(Debug, Serialize)]
struct AccountBody {
    account: String,
    balance: MoneyBody,
}

impl AccountBody {
    fn of(account: String, balance: Money) -> Self {
        Self { account, balance: balance.into() }
    }

    fn each(balances: &Balances, viewer: Viewer) -> Result<Vec<Self>, Problem> {
        let balances = balances.each().map_err(|error| Problem::internal(&error.to_string()))?;
        let body = |(account, balance): (&Account, Money)| Self::of(viewer.account(account), balance);
        Ok(balances.into_iter().map(body).collect())
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct StatementBody<'a> {
    customer_id: String,
    start: Option<Instant>,
    end: Option<Instant>,
    opening: Vec<AccountBody>,
    data: Vec<StatementLineBody<'a>>,
    closing: Vec<AccountBody>,
    next_cursor: Option<String>,
}

impl<'a> StatementBody<'a> {
    pub(crate) fn of(
        customer: CustomerId,
        (start, end): (Option<Timestamp>, Option<Timestamp>),
        page: &'a StatementPage,
        next_cursor: Option<String>,
        viewer: Viewer,
    ) -> Result<Self, Problem> {
        let links: HashMap<TransactionId, &Link> =
            page.links.iter().map(|link| (link.transaction, link)).collect();
        let data = page.statement.movements.iter().map(|line| {
            let entries = line.transaction.journal.entries().iter();
            let balances = entries.zip(&line.balances);
            StatementLineBody {
                journal: JournalBody::of(&line.transaction, viewer),
                balances: balances
                    .map(|(entry, balance)| AccountBody::of(viewer.account(&entry.account), *balance))
                    .collect(),
                seal: links.get(&line.transaction.id).map(|link| SealBody {
                    number: link.number,
                    previous_hash: link.previous.to_hex(),
                    hash: link.hash.to_hex(),
                }),
            }
        });
        Ok(Self {
            customer_id: customer.to_string(),
            start: start.map(Instant),
            end: end.map(Instant),
            opening: AccountBody::each(&page.statement.opening, viewer)?,
            data: data.collect(),
            closing: AccountBody::each(&page.statement.closing, viewer)?,
            next_cursor,
        })
    }
}
