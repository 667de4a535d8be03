//! A bill as it is shown, with what it comes to.

use crate::access::{Caller, Operation, Scope};
use crate::app::App;
use crate::error::Error;
use crate::ports::{BillFilter, Page, PageRequest};
use crate::reads::ListFailure;
use fatura_domain::SignedDuration;
use fatura_domain::bill::{Bill, BillLine, BillState, BillStatus, Sums};
use fatura_domain::exchange::{Conversion, ConvertError};
use fatura_domain::id::{BillId, CustomerId};

/// A bill with what it comes to by now.
#[derive(Debug, Clone)]
pub struct BillView {
    pub bill: Bill,
    pub sums: Sums,
    /// None: nobody asked for it, or there are no rates.
    pub converted: Option<Converted>,
}

/// What it comes to in the one currency that it is settled in.
#[derive(Debug, Clone)]
pub struct Converted {
    pub conversion: Conversion,
    /// None: it was frozen when the bill was closed.
    pub indicative: Option<Indicative>,
}

/// A conversion by the rates of just now, which will be others when it counts.
#[derive(Debug, Clone, Copy)]
pub struct Indicative {
    /// Of the rates, by their source's own time.
    pub age: SignedDuration,
    /// Their source should have been heard again since, and wasn't.
    pub is_stale: bool,
}

impl App {
    pub async fn bill(&self, caller: &Caller, id: BillId) -> Result<BillView, Error> {
        caller.may_in(Scope::BillsRead, Operation::OwnedBy(id.owner()))?;
        let (bill, shards) = self.records.bills.bill_with_shards(id).await?.ok_or(Error::NotFound)?;
        let sums = summed(&bill, || Sums::so_far(&shards))?;
        Ok(self.view(bill, sums).await)
    }

    /// In the order of their keys.
    pub async fn bill_lines(
        &self,
        caller: &Caller,
        id: BillId,
        page: PageRequest,
    ) -> Result<Page<BillLine>, ListFailure> {
        caller.may_in(Scope::BillsRead, Operation::OwnedBy(id.owner()))?;
        let bill = self.stored_bill(id).await?;
        Ok(self.records.bills.lines_of(&bill, page).await?)
    }

    pub async fn bills_of(
        &self,
        caller: &Caller,
        customer: CustomerId,
        filter: BillFilter,
        page: PageRequest,
    ) -> Result<Page<BillView>, ListFailure> {
        caller.may_in(Scope::BillsRead, Operation::OwnedBy(customer))?;
        let page = self.records.bills.bills_of(customer, filter, page).await?;
        Ok(self.views(page).await?)
    }

    pub async fn bills_in(
        &self,
        caller: &Caller,
        status: BillStatus,
        page: PageRequest,
    ) -> Result<Page<BillView>, ListFailure> {
        caller.may_in(Scope::BillsRead, Operation::ListOverAll)?;
        let page = self.records.bills.bills_in(status, page).await?;
        Ok(self.views(page).await?)
    }

    async fn views(&self, page: Page<Bill>) -> Result<Page<BillView>, Error> {
        let running: Vec<&Bill> = page.data.iter().filter(|bill| bill.state.closed().is_none()).collect();
        let mut shards = self.records.bills.shards_of(&running).await?.into_iter();
        let mut data = Vec::with_capacity(page.data.len());
        for bill in page.data {
            let sums = summed(&bill, || Sums::so_far(&shards.next().unwrap_or_default()))?;
            data.push(self.view(bill, sums).await);
        }
        Ok(Page { data, next: page.next })
    }

    /// Once more, for whoever has only the bill.
    pub(super) async fn seen(&self, bill: Bill) -> Result<BillView, Error> {
        let shards = match bill.state {
            BillState::Closed(_) | BillState::Canceled => Vec::new(),
            BillState::Open | BillState::Closing(_) => {
                self.records.bills.shards_of(&[&bill]).await?.into_iter().flatten().collect()
            }
        };
        let sums = summed(&bill, || Sums::so_far(&shards))?;
        Ok(self.view(bill, sums).await)
    }

    pub(super) async fn view(&self, bill: Bill, sums: Sums) -> BillView {
        let converted = match bill.state.closed() {
            Some(closed) => {
                let frozen = closed.settlement.conversion().cloned();
                frozen.map(|conversion| Converted { conversion, indicative: None })
            }
            None => self.indicative(&bill, &sums).await,
        };
        BillView { bill, sums, converted }
    }

    async fn indicative(&self, bill: &Bill, sums: &Sums) -> Option<Converted> {
        let currency = bill.terms.settlement_currency()?;
        if let Some(conversion) = sums.totals.without_rates(currency) {
            let indicative = Some(Indicative { age: SignedDuration::ZERO, is_stale: false });
            return Some(Converted { conversion, indicative });
        }
        let rates = self.exchange_rates().await?;
        let conversion = rates.rates().convert(sums.totals.iter(), currency);
        let conversion = conversion.inspect_err(|error| unconverted(bill, error)).ok()?;
        let indicative = Some(Indicative { age: rates.age, is_stale: rates.is_stale });
        Some(Converted { conversion, indicative })
    }

    /// The conversion that a bill is to be settled by, if there are rates for it now.
    pub(super) async fn conversion_of(&self, bill: &Bill, sums: &Sums) -> Option<Conversion> {
        let currency = bill.terms.settlement_currency()?;
        if let Some(conversion) = sums.totals.without_rates(currency) {
            return Some(conversion);
        }
        let rates = self.exchange_rates().await?;
        let conversion = rates.rates().convert(sums.totals.iter(), currency);
        conversion.inspect_err(|error| unconverted(bill, error)).ok()
    }
}

fn unconverted(bill: &Bill, error: &ConvertError) {
    tracing::warn!(bill = %bill.id, %error, "cannot be converted");
}

/// What was counted when it was closed, else what its shards come to.
fn summed<E: std::error::Error + Send + Sync + 'static>(
    bill: &Bill,
    so_far: impl FnOnce() -> Result<Sums, E>,
) -> Result<Sums, Error> {
    match bill.state.closed() {
        Some(closed) => Ok(closed.sums.clone()),
        None => so_far().map_err(|error| Error::Internal(Box::new(error))),
    }
}
