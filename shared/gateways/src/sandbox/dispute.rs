//! Whether the sandbox has a case about a charge.

use super::Sandbox;
use super::outcome::ours;
use super::wire::{Charge, Dispute, DisputeStatus};
use crate::trouble::Trouble;
use fatura_application::ports::ChargeLookup;
use fatura_domain::gateway::{DisputeOutcome, DisputeStanding, DisputeVerdict};
use fatura_domain::money::Money;
use serde::Deserialize as _;

impl Sandbox {
    pub(super) async fn find_dispute(&self, lookup: &ChargeLookup) -> Result<DisputeOutcome, Trouble> {
        let charges = self.look_up(lookup).await?;
        if charges.is_empty() {
            return Ok(DisputeOutcome::Uncharged);
        }
        // Several charges under one reference have a case each, or none.
        let charges = ours(charges, lookup.attempt)?;
        let standings = charges.iter().filter_map(|charge| standing(charge).transpose());
        standings.collect::<Result<_, _>>().map(DisputeOutcome::Told)
    }
}

fn standing(charge: &Charge) -> Result<Option<DisputeStanding>, Trouble> {
    if charge.dispute.is_null() {
        if charge.disputed == true {
            return Err(Trouble::unknown("contradictory_answer", "disputed, but there is no dispute"));
        }
        return Ok(None);
    }
    // Not the error's own text: it may quote the answer.
    let dispute = Dispute::deserialize(&charge.dispute)
        .map_err(|_| Trouble::unknown("unreadable_answer", "the dispute is not in words that we know"))?;
    let amount = dispute.amount_minor.map(|minor| disputed(minor, &charge.currency)).transpose()?;
    let status = match dispute.status {
        DisputeStatus::Open => DisputeVerdict::Open,
        DisputeStatus::Won => DisputeVerdict::Won,
        DisputeStatus::Lost => DisputeVerdict::Lost,
    };
    Ok(Some(DisputeStanding { reference: dispute.id.into_reference(), status, amount }))
}

fn disputed(minor: i64, currency: &str) -> Result<Money, Trouble> {
    let currency = currency.parse().ok();
    currency
        .and_then(|currency| Money::try_new(minor, currency).ok())
        .filter(|amount| amount.is_positive())
        .ok_or_else(|| Trouble::unknown("contradictory_answer", "disputed, but no amount of money"))
}
