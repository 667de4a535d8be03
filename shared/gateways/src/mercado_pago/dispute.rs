//! Chargebacks. The path is D; the search by payment and the reading of the coverage are K, and only here.

use super::outcome::ours;
use super::wire::{Chargeback, Found};
use super::{Id, MercadoPago};
use crate::brazil::{reais, succeeded};
use crate::trouble::Trouble;
use fatura_application::ports::ChargeLookup;
use fatura_domain::gateway::{DisputeOutcome, DisputeStanding, DisputeVerdict};

impl MercadoPago {
    pub(super) async fn find_dispute(&self, lookup: &ChargeLookup) -> Result<DisputeOutcome, Trouble> {
        let payments = self.look_up(lookup).await?;
        if payments.is_empty() {
            return Ok(DisputeOutcome::Uncharged);
        }
        let mut standings = Vec::new();
        // Several payments under one reference have their cases each.
        for payment in ours(payments, lookup.attempt)? {
            for case in self.chargebacks_of(&payment.id).await? {
                standings.push(standing(case)?);
            }
        }
        Ok(DisputeOutcome::Told(standings))
    }

    async fn chargebacks_of(&self, payment: &Id) -> Result<Vec<Chargeback>, Trouble> {
        let mut url = self.desk.at(&["v1", "chargebacks", "search"]);
        url.query_pairs_mut().append_pair("payment_id", &payment.0);
        let answer = self.desk.call(self.desk.http.get(url)).await?;
        let found: Found<Chargeback> = succeeded(&answer)?.json()?;
        if found.paging.total > found.results.len() {
            return Err(Trouble::unknown("contradictory_answer", "more cases than a payment can have"));
        }
        // One that names other payments only is not believed.
        let is_of = |case: &Chargeback| case.payments.is_empty() || case.payments.contains(payment);
        Ok(found.results.into_iter().filter(is_of).collect())
    }
}

fn standing(case: Chargeback) -> Result<DisputeStanding, Trouble> {
    let status = match case.coverage_applied {
        None => DisputeVerdict::Open,
        Some(true) => DisputeVerdict::Won,
        Some(false) => DisputeVerdict::Lost,
    };
    let amount = match (case.amount, case.currency) {
        (Some(amount), Some(currency)) => Some(reais::money(&amount.to_string(), &currency)?),
        _ => None,
    };
    Ok(DisputeStanding { reference: case.id.into_reference(), status, amount })
}
