//! The platform's own books: what was posted to each account over all customers.

use crate::access::{Caller, Operation, Scope};
use crate::app::App;
use crate::error::Error;
use fatura_domain::ledger::{GeneralAccount, Totals, Turnover};
use fatura_domain::money::Currency;

/// An account of one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountBalance {
    pub account: GeneralAccount,
    pub currency: Currency,
    pub turnover: Turnover,
}

#[derive(Debug, Clone)]
pub struct TrialBalance {
    pub accounts: Vec<AccountBalance>,
    /// Debits less credits by currency: nothing in each, or the books are wrong.
    pub differences: Vec<(Currency, i128)>,
}

impl App {
    /// One a currency. None: nothing was ever posted to it.
    pub async fn ledger_account(
        &self,
        caller: &Caller,
        account: &GeneralAccount,
    ) -> Result<Vec<AccountBalance>, Error> {
        caller.may_in(Scope::LedgerRead, Operation::Operate)?;
        let mut balances = balances(&self.records.journals.totals().await?);
        balances.retain(|balance| balance.account == *account);
        Ok(balances)
    }

    pub async fn trial_balance(&self, caller: &Caller) -> Result<TrialBalance, Error> {
        caller.may_in(Scope::LedgerRead, Operation::Operate)?;
        let totals = self.records.journals.totals().await?;
        let differences = totals.trial_balance().into_iter().collect();
        Ok(TrialBalance { accounts: balances(&totals), differences })
    }
}

fn balances(totals: &Totals) -> Vec<AccountBalance> {
    let balance = |(account, currency, turnover): (&GeneralAccount, Currency, Turnover)| AccountBalance {
        account: account.clone(),
        currency,
        turnover,
    };
    totals.each().map(balance).collect()
}
