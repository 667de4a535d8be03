//! What many invoices cost: a sweep where few of them are due, and a run that charges them all.

use crate::costs::{Bench, operator};
use crate::table::Report;
use anyhow::{Context, Result};
use fatura_application::ports::Store;
use fatura_application::{BeginBilling, Change, ChangeSet};
use fatura_domain::customer::PaymentSource;
use fatura_domain::dunning::Policy;
use fatura_domain::gateway::{GatewayName, Means, Token};
use fatura_domain::id::{CustomerId, InvoiceId, PaymentMethodId};
use fatura_domain::invoice::Invoice;
use fatura_domain::{SignedDuration, Timestamp};
use futures::stream::{self, StreamExt, TryStreamExt};
use std::time::{Duration, Instant};

const DUE: u64 = 100;
const CROWDS: [u64; 2] = [1_000, 100_000];
const DRAFTS: u64 = 2_000;
const AT_ONCE: usize = 32;

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    // First, so that the peak of memory is its own.
    charge_all(report).await?;
    for crowd in CROWDS {
        let bench = Bench::start().await?;
        bench.fill(crowd).await?;
        let ((), cost) = bench.metered(async { bench.app.sweep_due(|| true).await.map(drop) }).await?;
        let name = format!("sweep, {DUE} due among {crowd}");
        report.add(format!("{name}: read units, in tenths"), cost.read_tenths, "", None);
        report.add(format!("{name}: write units"), cost.write_units(), "", None);
    }
    Ok(())
}

/// From the request for a run until its last invoice is paid, one consumer at work, a batch of ten at a time.
async fn charge_all(report: &mut Report) -> Result<()> {
    let bench = Bench::start().await?;
    for _ in 0..DRAFTS {
        bench.draft().await?;
    }
    let began = Instant::now();
    let command = BeginBilling { period: None, customer: None };
    let shown = |progress: &fatura_application::ports::Progress| Bench::answer(progress.run.id.as_str());
    let reply = bench.app.begin_billing(&operator(), command, &bench.once(), &shown).await?;
    loop {
        let messages = bench.charges.take();
        if messages.is_empty() {
            break;
        }
        stream::iter(messages)
            .map(|message| bench.app.handle_message(message, Duration::from_secs(30)))
            .buffer_unordered(10)
            .try_collect::<()>()
            .await?;
    }
    let milliseconds = began.elapsed().as_millis();
    let run = reply.answer.body.parse().context("a run's id")?;
    let progress = bench.app.run(&operator(), &run).await?;
    let paid = progress.outcomes.get("paid").copied().unwrap_or_default();
    anyhow::ensure!(paid == DRAFTS, "{paid} of {DRAFTS} are paid");
    let per_second = u128::from(DRAFTS) * 1_000 / milliseconds.max(1);
    report.add("monthly run on the in-process engine", u64::try_from(per_second)?, "invoices/s", None);
    report.add("the same: peak memory, engine and all", peak_memory_kib()? / 1_024, "MiB", None);
    Ok(())
}

impl Bench {
    /// Scheduled invoices of many customers, of which the first are due.
    async fn fill(&self, count: u64) -> Result<()> {
        let now = self.app.clock.now();
        stream::iter(0..count)
            .map(|number| async move {
                let charge_at = if number < DUE { 60 } else { 3_600 + i64::try_from(number)? };
                let invoice = Self::scheduled(number, now, now + SignedDuration::from_secs(charge_at))?;
                self.table.store.commit(ChangeSet::of([Change::InvoiceCreated(invoice)])).await?;
                Ok::<_, anyhow::Error>(())
            })
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
        self.clock.advance(SignedDuration::from_secs(60));
        Ok(())
    }

    fn scheduled(number: u64, now: Timestamp, charge_at: Timestamp) -> Result<Invoice> {
        let customer = CustomerId::new(number + 1);
        let draft = Invoice::draft(InvoiceId::new(customer, now, number), Self::content()?, None, now)?;
        let source = PaymentSource::at(
            PaymentMethodId::new(customer, now, number),
            GatewayName::parse("sandbox")?,
            Means::CreditCard(Token::parse("tok_visa")?),
        );
        Ok(Invoice { version: 1, ..draft.charged(Some(source), Some(charge_at), &Policy::default(), now)? })
    }
}

fn peak_memory_kib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).context("no peak in /proc")?;
    line.split_whitespace().nth(1).context("no figure")?.parse().context("not a figure")
}
