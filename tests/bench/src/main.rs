//! `make bench`: what the design promises, measured, beside its goals.

mod bills;
mod costs;
mod crowds;
mod payments;
mod sign_in;
mod start_up;
mod table;
mod wallets;

use anyhow::Result;

#[tokio::main]
async fn main() -> Result<()> {
    let mut report = table::Report::default();
    Box::pin(costs::measure(&mut report)).await?;
    crowds::measure(&mut report).await?;
    bills::measure(&mut report).await?;
    wallets::measure(&mut report).await?;
    payments::measure(&mut report).await?;
    sign_in::measure(&mut report).await?;
    start_up::measure(&mut report)?;
    print!("{report}");
    Ok(())
}
