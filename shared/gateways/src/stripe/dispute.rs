//! Whether Stripe has a case about a charge.

use super::amount::positive;
use super::outcome::ours;
use super::wire::{Dispute, Id, Page};
use super::{Stripe, succeeded, webhook};
use crate::form::Form;
use crate::trouble::Trouble;
use fatura_application::ports::{ChargeLookup, WebhookSubject};
use fatura_domain::gateway::{DisputeOutcome, DisputeStanding, DisputeVerdict, GatewayReference};

const PAGE: u8 = 100;

impl Stripe {
    pub(super) async fn find_dispute(&self, lookup: &ChargeLookup) -> Result<DisputeOutcome, Trouble> {
        let intents = self.look_up(lookup).await?;
        let Some(intent) = ours(&intents, lookup.attempt)? else {
            return Ok(DisputeOutcome::Uncharged);
        };
        let query = Form::new().with("payment_intent", intent.id.as_str()).with("limit", &PAGE);
        let answer = self.get(&["disputes"], &query).await?;
        let page: Page<Dispute> = succeeded(&answer)?.json()?;
        if page.has_more {
            return Err(Trouble::unknown("contradictory_answer", "more cases than a charge can have"));
        }
        let standings = page.data.iter().map(|dispute| standing(dispute, &intent.id));
        standings.collect::<Result<_, _>>().map(DisputeOutcome::Told)
    }

    /// Events about disputes name Stripe's id of the payment only; whose it is, the payment tells.
    pub(super) async fn whose_dispute(
        &self,
        subject: &GatewayReference,
    ) -> Result<Option<WebhookSubject>, Trouble> {
        let Some(id) = webhook::disputed(subject) else { return Ok(None) };
        let Some(intent) = self.intent(&id).await? else { return Ok(None) };
        let attempt = intent.metadata.get("attempt").and_then(|attempt| attempt.parse().ok());
        Ok(attempt.map(|attempt| {
            WebhookSubject::Dispute(ChargeLookup { attempt, reference: Some(id.to_reference()) })
        }))
    }
}

fn standing(dispute: &Dispute, intent: &Id) -> Result<DisputeStanding, Trouble> {
    if dispute.payment_intent.as_deref() != Some(intent.as_str()) {
        return Err(Trouble::unknown("reference_mismatch", "the gateway told of another charge's dispute"));
    }
    let status = match dispute.status.as_str() {
        // `warning_…` is an inquiry: no money has been taken, but it may become a case. `appeal_…` is a case taken further.
        "needs_response"
        | "under_review"
        | "warning_needs_response"
        | "warning_under_review"
        | "appeal_needs_response"
        | "appeal_under_review" => DisputeVerdict::Open,
        // `prevented`: settled before it became a case. That nothing is then taken but by a refund, which shows by itself,
        // is our reading and uncertain.
        "won" | "warning_closed" | "prevented" => DisputeVerdict::Won,
        "lost" => DisputeVerdict::Lost,
        _ => return Err(Trouble::unknown("unreadable_answer", "the dispute's status is none that we know")),
    };
    let amount = positive(dispute.amount, &dispute.currency)
        .ok_or_else(|| Trouble::unknown("contradictory_answer", "disputed, but no amount of money"))?;
    Ok(DisputeStanding { reference: dispute.id.to_reference(), status, amount: Some(amount) })
}
