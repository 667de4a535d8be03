//! What bills cost: an append, many of them at once, and a close by how much there is in it.

use crate::costs::{Bench, operator};
use crate::table::Report;
use anyhow::{Context, Result};
use fatura_application::ports::PageRequest;
use fatura_application::{Answer, BillView, CreateBill};
use fatura_domain::SignedDuration;
use fatura_domain::bill::{
    BillLine, BillTerms, LineContent, LineDraft, LineKind, Price, Recurs, Reference, TermsDraft,
};
use fatura_domain::id::BillId;
use fatura_domain::invoice::Quantity;
use fatura_domain::money::Currency;
use fatura_domain::text::Description;
use futures::stream::{self, StreamExt, TryStreamExt};
use std::time::Instant;

/// What the design asks for.
const APPEND_GOAL: u64 = 4;
const APPENDS: u64 = 5_000;
const BILLS: u64 = 50;
const AT_ONCE: usize = 32;
const BATCH: u64 = 100;
const SIZES: [u64; 3] = [1_000, 10_000, 100_000];

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let bench = Bench::start().await?;
    let bill = bench.bill().await?;
    bench.append(bill, 0).await?;
    let ((), cost) = bench.metered(bench.append(bill, 1)).await?;
    report.add("append to a bill: round trips", cost.round_trips, "", Some(2));
    report.add("append to a bill: write units", cost.write_units(), "", Some(APPEND_GOAL));
    let ((), cost) = bench.metered(bench.append_batch(bill, 1)).await?;
    report.add("append a batch of 100: write units", cost.write_units(), "", Some(APPEND_GOAL * BATCH));

    let one = bench.bill().await?;
    report.add("appends to one bill", bench.appends(&[one]).await?, "a second", None);
    let many = stream::iter(0..BILLS).then(|_| bench.bill()).try_collect::<Vec<_>>().await?;
    report.add(format!("appends to {BILLS} bills"), bench.appends(&many).await?, "a second", None);
    for size in SIZES {
        bench.close(report, size).await?;
    }
    Ok(())
}

impl Bench {
    async fn bill(&self) -> Result<BillId> {
        let now = self.app.clock.now();
        let terms = BillTerms::try_new(TermsDraft {
            period_start: now,
            period_end: now + SignedDuration::from_hours(24 * 30),
            time_zone: None,
            settlement_currency: None,
            recurs: Recurs::Never,
        });
        let terms = terms.map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
        let command = CreateBill { customer: self.customer, terms };
        let shown = |view: &BillView| Self::answer(&view.bill.id.to_string());
        let reply = self.app.create_bill(&operator(), command, &self.once(), &shown).await?;
        reply.answer.body.parse().context("a bill's id")
    }

    fn fee(number: u64) -> Result<LineContent> {
        let draft = LineDraft {
            kind: LineKind::Fee,
            description: Description::parse("Transfer within the country")?,
            quantity: Quantity::parse("3")?,
            unit_price: Price::parse("0.07")?,
            currency: Currency::BRL,
            reference: Some(Reference::parse(&format!("transfer-{number:08}"))?),
            occurred_at: None,
        };
        LineContent::try_new(draft).map_err(|faults| anyhow::anyhow!("{faults:?}"))
    }

    async fn append(&self, bill: BillId, number: u64) -> Result<()> {
        self.app.append_line(&operator(), bill, Self::fee(number)?, None, &nothing).await?;
        Ok(())
    }

    async fn append_batch(&self, bill: BillId, batch: u64) -> Result<()> {
        let fees = (batch * BATCH..(batch + 1) * BATCH).map(Self::fee).collect::<Result<Vec<_>>>()?;
        self.app.append_lines(&operator(), bill, fees, &nothing).await?;
        Ok(())
    }

    async fn appends(&self, bills: &[BillId]) -> Result<u64> {
        let began = Instant::now();
        stream::iter(0..APPENDS)
            .zip(stream::iter(bills.iter().cycle()))
            .map(|(number, bill)| self.append(*bill, number))
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
        Ok(u64::try_from(u128::from(APPENDS) * 1_000 / began.elapsed().as_millis().max(1))?)
    }

    async fn close(&self, report: &mut Report, size: u64) -> Result<()> {
        let bill = self.bill().await?;
        let batches = stream::iter(0..size / BATCH).map(|batch| self.append_batch(bill, batch));
        batches.buffer_unordered(8).try_collect::<()>().await?;
        let began = Instant::now();
        let shown = |view: &BillView| Self::answer(&view.sums.count.to_string());
        let (reply, cost) =
            self.metered(self.app.close_bill(&operator(), bill, false, &self.once(), &shown)).await?;
        let took = began.elapsed();
        anyhow::ensure!(reply.answer.body == size.to_string(), "{} of {size}", reply.answer.body);
        report.add(format!("close a bill of {size}"), u64::try_from(took.as_micros())?, "µs", None);
        report.add(format!("close a bill of {size}: round trips"), cost.round_trips, "", None);

        let began = Instant::now();
        let mut page = PageRequest { limit: 100, after: None };
        let mut seen = 0;
        loop {
            let lines = self.app.bill_lines(&operator(), bill, page).await?;
            seen += u64::try_from(lines.data.len())?;
            let Some(next) = lines.next else { break };
            page = PageRequest { limit: 100, after: Some(next) };
        }
        anyhow::ensure!(seen == size, "{seen} of {size} line items");
        let took = u64::try_from(began.elapsed().as_millis())?;
        report.add(format!("page through {size} line items"), took, "ms", None);
        Ok(())
    }
}

fn nothing(_: &BillView, _: &[BillLine]) -> Answer {
    Bench::answer("")
}
