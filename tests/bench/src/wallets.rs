//! What money in a wallet costs to move, and what sealing a journal costs off its path.

use crate::costs::{Bench, operator};
use crate::table::Report;
use anyhow::{Result, anyhow};
use fatura_application::ports::{JournalRange, Journals, PageRequest};
use fatura_application::{Answer, seal};
use fatura_domain::ledger::Transaction;
use fatura_domain::money::{Currency, Money};
use fatura_domain::wallet::{Amount, Movement, Route};
use fatura_store::Reading;
use futures::stream::{self, StreamExt, TryStreamExt};
use std::time::Instant;

/// A journal, the wallet's balance and the answer.
const MOVEMENT_GOAL: u64 = 6;
const DEBITS: u64 = 2_000;
const AT_ONCE: usize = 32;

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let bench = Bench::start().await?;
    bench.moves(Route::Credit, 1_000_000).await?;
    report.movement("credit of a wallet", bench.moves(Route::Credit, 1_000).await?, MOVEMENT_GOAL);
    report.movement("debit of a wallet", bench.moves(Route::Debit, 1_000).await?, MOVEMENT_GOAL);
    let payment = Route::Payment { merchant: None };
    report.movement("payment by wallet", bench.moves(payment, 1_000).await?, MOVEMENT_GOAL);
    report.movement("sealing a journal, by the relay", bench.seals().await?, 6);

    let began = Instant::now();
    let debits = stream::iter(0..DEBITS).map(|_| bench.moves(Route::Debit, 1));
    debits.buffer_unordered(AT_ONCE).try_for_each(|_| async { Ok(()) }).await?;
    let per_second = u128::from(DEBITS) * 1_000 / began.elapsed().as_millis().max(1);
    report.add("debits of one wallet", u64::try_from(per_second)?, "a second", None);
    Ok(())
}

impl Report {
    fn movement(&mut self, name: &str, cost: Reading, write_units: u64) {
        self.add(format!("{name}: round trips"), cost.round_trips, "", None);
        self.add(format!("{name}: write units"), cost.write_units(), "", Some(write_units));
    }
}

impl Bench {
    async fn moves(&self, route: Route, minor: i64) -> Result<Reading> {
        let amount = Amount::try_new(Money::try_new(minor, Currency::BRL)?)?;
        let movement = Movement { customer: self.customer, route, amount, reference: None };
        let once = self.once();
        Ok(self.metered(self.app.move_in_wallet(&operator(), movement, &once, &shown)).await?.1)
    }

    async fn seals(&self) -> Result<Reading> {
        let store = &*self.table.store;
        let page = PageRequest { limit: 3, after: None };
        let told = store.journals(self.customer, JournalRange::default(), page).await?.data;
        let (last, earlier) = told.split_last().ok_or_else(|| anyhow!("no journals"))?;
        seal(store, store, earlier).await.map_err(|(_, error)| error)?;
        let sealed =
            async { seal(store, store, std::slice::from_ref(last)).await.map_err(|(_, error)| error) };
        Ok(self.metered(sealed).await?.1)
    }
}

/// As long an answer as the API's, which the idempotency record keeps.
fn shown(booked: &Transaction) -> Answer {
    Bench::answer(&format!("{booked:?}"))
}
