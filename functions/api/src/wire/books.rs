//! The platform's books, and what verifying them found.

use super::common::MoneyBody;
use super::fields::{Fields, Read};
use super::values::{flag, id, text};
use crate::problem::Problem;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fatura_application::ports::Position;
use fatura_application::{AccountBalance, Finding, TrialBalance, Verification, VerifiedPage};
use fatura_domain::id::CustomerId;
use fatura_domain::ledger::{ChainFault, GeneralAccount, Totals, Turnover, amount};
use fatura_domain::money::Currency;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize)]
pub(crate) struct AccountBalanceBody {
    account: String,
    currency: &'static str,
    debits: String,
    credits: String,
    balance: String,
}

impl AccountBalanceBody {
    fn of(balance: &AccountBalance) -> Result<Self, Problem> {
        let AccountBalance { account, currency, turnover } = balance;
        Ok(Self {
            account: account.to_string(),
            currency: currency.code(),
            debits: major(turnover.debits, *currency)?,
            credits: major(turnover.credits, *currency)?,
            balance: major(turnover.balance(account.normal_side()), *currency)?,
        })
    }
}

/// Sums of many amounts have no bound that an amount has, but those of a sensible table do.
fn major(minor: i128, currency: Currency) -> Result<String, Problem> {
    let sum = amount(minor, currency).map_err(|error| Problem::internal(&error.to_string()))?;
    Ok(sum.to_string())
}

#[derive(Debug, Serialize)]
pub(crate) struct AccountsBody {
    data: Vec<AccountBalanceBody>,
}

impl AccountsBody {
    pub(crate) fn of(balances: &[AccountBalance]) -> Result<Self, Problem> {
        Ok(Self { data: balances.iter().map(AccountBalanceBody::of).collect::<Result<_, _>>()? })
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct TrialBalanceBody {
    accounts: Vec<AccountBalanceBody>,
    /// Debits less credits.
    differences: Vec<MoneyBody>,
    balanced: bool,
}

impl TrialBalanceBody {
    pub(crate) fn of(trial: &TrialBalance) -> Result<Self, Problem> {
        let differences = trial.differences.iter().map(|(currency, minor)| {
            amount(*minor, *currency)
                .map(MoneyBody::from)
                .map_err(|error| Problem::internal(&error.to_string()))
        });
        Ok(Self {
            accounts: AccountsBody::of(&trial.accounts)?.data,
            differences: differences.collect::<Result<_, _>>()?,
            balanced: trial.differences.iter().all(|(_, minor)| *minor == 0),
        })
    }
}

/// What is to be verified.
pub(crate) enum VerifyInput {
    Customer { customer: CustomerId, sealing: bool },
    Books(Progress),
}

/// How far a verification of the books has come: what an earlier part of it answered.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) journals: u64,
    pub(crate) posted: Totals,
    pub(crate) after: Option<Position>,
}

pub(crate) fn read_verify(mut fields: Fields) -> Result<VerifyInput, Problem> {
    let customer = fields.optional("customer_id", id::<CustomerId>);
    let progress = fields.optional("cursor", text(Progress::parse));
    let sealing = fields.optional("seal", flag).unwrap_or_default();
    if sealing && customer.is_none() {
        fields.fault("seal", "needs a customer_id");
    }
    if customer.is_some() && progress.is_some() {
        fields.fault("cursor", "belongs to a verification of all customers' journals");
    }
    fields.finish(|| {
        Some(match customer {
            Some(customer) => VerifyInput::Customer { customer, sealing },
            None => VerifyInput::Books(progress.unwrap_or_default()),
        })
    })
}

/// A cursor's text: where to go on, and the sums until there. It is the operator's own, and wrong sums are only found wrong.
#[derive(Serialize, Deserialize)]
struct Cursor {
    at: String,
    journals: u64,
    posted: Vec<(GeneralAccount, Currency, String, String)>,
}

impl Progress {
    fn parse(text: &str) -> Read<Self> {
        let decoded = || {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
            let Cursor { at, journals, posted } = serde_json::from_slice(&bytes).ok()?;
            let mut totals = Totals::default();
            for (account, currency, debits, credits) in posted {
                let turnover = Turnover { debits: debits.parse().ok()?, credits: credits.parse().ok()? };
                totals.add(account, currency, turnover);
            }
            Some(Self { journals, posted: totals, after: Some(Position(at)) })
        };
        decoded().ok_or_else(|| "is not one of a verification".to_owned())
    }

    fn cursor(page: &VerifiedPage, next: &Position) -> String {
        let posted = page.posted.each().map(|(account, currency, turnover)| {
            (account.clone(), currency, turnover.debits.to_string(), turnover.credits.to_string())
        });
        let cursor = Cursor { at: next.0.clone(), journals: page.journals, posted: posted.collect() };
        // Strings and numbers only: there is nothing in it that could fail.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct VerificationBody {
    journals: u64,
    /// Only of a customer's.
    sealed: Option<u64>,
    findings: Vec<FindingBody>,
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize)]
struct FindingBody {
    kind: &'static str,
    account: Option<String>,
    kept: Option<MoneyBody>,
    posted: Option<MoneyBody>,
    journal_id: Option<String>,
}

impl VerificationBody {
    pub(crate) fn of_customer(customer: CustomerId, found: &Verification) -> Result<Self, Problem> {
        Ok(Self {
            journals: u64::try_from(found.journals).unwrap_or(u64::MAX),
            sealed: Some(u64::try_from(found.sealed).unwrap_or(u64::MAX)),
            findings: findings(Some(customer), &found.findings)?,
            next_cursor: None,
        })
    }

    pub(crate) fn of_books(page: &VerifiedPage) -> Result<Self, Problem> {
        Ok(Self {
            journals: page.journals,
            sealed: None,
            findings: findings(None, &page.findings)?,
            next_cursor: page.next.as_ref().map(|next| Progress::cursor(page, next)),
        })
    }
}

fn findings(customer: Option<CustomerId>, found: &[Finding]) -> Result<Vec<FindingBody>, Problem> {
    found.iter().map(|finding| FindingBody::of(customer, finding)).collect()
}

impl FindingBody {
    fn of(customer: Option<CustomerId>, finding: &Finding) -> Result<Self, Problem> {
        let money = |minor, currency| {
            amount(minor, currency)
                .map(MoneyBody::from)
                .map_err(|error| Problem::internal(&error.to_string()))
        };
        Ok(match finding {
            Finding::Wallet { currency, kept, posted } => Self {
                account: customer.map(|customer| format!("wallet:{customer}")),
                kept: Some(money(*kept, *currency)?),
                posted: Some(money(*posted, *currency)?),
                ..Self::about("wallet", None)
            },
            Finding::Account { account, currency, kept, posted } => {
                let side = account.normal_side();
                Self {
                    account: Some(account.to_string()),
                    kept: Some(money(kept.balance(side), *currency)?),
                    posted: Some(money(posted.balance(side), *currency)?),
                    ..Self::about("account", None)
                }
            }
            Finding::Chain(ChainFault::Altered(id)) => Self::about("altered", Some(id.to_string())),
            Finding::Chain(ChainFault::Broken(id)) => Self::about("broken", Some(id.to_string())),
            Finding::Chain(ChainFault::Cut { .. }) => Self::about("cut", None),
        })
    }

    const fn about(kind: &'static str, journal_id: Option<String>) -> Self {
        Self { kind, account: None, kept: None, posted: None, journal_id }
    }
}
