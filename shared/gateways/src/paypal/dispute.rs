//! Whether PayPal has a case about a charge. The list names the cases of a transaction, and each one has to be asked for:
//! only then it says whose it is and how it ended.

use super::amount::positive;
use super::id::{Id, Named};
use super::wire::{Dispute, Disputes};
use super::{PayPal, order, outcome, succeeded, webhook};
use crate::trouble::Trouble;
use fatura_application::ports::{ChargeLookup, WebhookSubject};
use fatura_domain::gateway::{
    ChargeOutcome, DisputeOutcome, DisputeStanding, DisputeVerdict, GatewayReference,
};

const PAGE: &str = "50";
/// More cases about one charge than there can be.
const MAX_CASES: usize = 10;

impl PayPal {
    pub(super) async fn find_dispute(&self, lookup: &ChargeLookup) -> Result<DisputeOutcome, Trouble> {
        // Declined ones too: what PayPal has cases about is PayPal's to say.
        let (ChargeOutcome::Approved { reference, .. }
        | ChargeOutcome::Pending { reference, .. }
        | ChargeOutcome::Declined { reference: Some(reference), .. }) = self.find(lookup).await?
        else {
            return Ok(DisputeOutcome::Uncharged);
        };
        let Some(Named::Capture(capture)) = Named::of(&reference) else {
            return Ok(DisputeOutcome::Uncharged);
        };
        let mut url = self.url(&["v1", "customer", "disputes"]);
        url.query_pairs_mut()
            .append_pair("disputed_transaction_id", capture.as_str())
            .append_pair("page_size", PAGE);
        let answer = self.call(self.http.get(url)).await?;
        let found: Disputes = succeeded(&answer)?.json()?;
        if found.items.len() > MAX_CASES || found.links.iter().any(|link| link.rel == "next") {
            return Err(Trouble::unknown("contradictory_answer", "more cases than a charge can have"));
        }
        let mut standings = Vec::new();
        for named in &found.items {
            let gone = || Trouble::unknown("contradictory_answer", "what was found is not there");
            let case = self.case(&named.dispute_id).await?.ok_or_else(gone)?;
            standings.push(standing(&case, &capture)?);
        }
        Ok(DisputeOutcome::Told(standings))
    }

    async fn case(&self, id: &Id) -> Result<Option<Dispute>, Trouble> {
        let found = self.ask(self.url(&["v1", "customer", "disputes", id.as_str()])).await?;
        let case: Option<Dispute> = found.map(|answer| answer.json()).transpose()?;
        order::same(case, |case| case.id == *id)
    }

    /// A notice of a dispute is about a case. Whose it is, PayPal says: the case names the capture, and the capture what we
    /// called it.
    pub(super) async fn whose_dispute(
        &self,
        subject: &GatewayReference,
    ) -> Result<Option<WebhookSubject>, Trouble> {
        let Some(id) = webhook::disputed(subject) else { return Ok(None) };
        let Some(case) = self.case(&id).await? else { return Ok(None) };
        for disputed in case.disputed_transactions {
            let Some(transaction) = disputed.seller_transaction_id else { continue };
            let Some(capture) = self.capture(&transaction).await? else { continue };
            if let Some(attempt) = capture.custom_id.as_deref().and_then(|told| told.parse().ok())
                && outcome::of_capture(&capture, None, attempt).is_ok()
            {
                let reference = Some(capture.id.to_reference());
                return Ok(Some(WebhookSubject::Dispute(ChargeLookup { attempt, reference })));
            }
        }
        Ok(None)
    }
}

fn standing(case: &Dispute, capture: &Id) -> Result<DisputeStanding, Trouble> {
    let is_about_it =
        case.disputed_transactions.iter().any(|told| told.seller_transaction_id.as_ref() == Some(capture));
    if !is_about_it {
        return Err(Trouble::unknown("reference_mismatch", "the gateway told of another charge's dispute"));
    }
    let end = &case.outcome;
    let status = match (case.status.as_str(), end.outcome_code.as_deref()) {
        (
            "OPEN" | "WAITING_FOR_BUYER_RESPONSE" | "WAITING_FOR_SELLER_RESPONSE" | "UNDER_REVIEW" | "OTHER",
            _,
        ) => DisputeVerdict::Open,
        // With a payout PayPal pays the buyer itself. ACCEPTED and DENIED are PayPal's words about the claim (from others).
        (
            "RESOLVED",
            Some("RESOLVED_SELLER_FAVOUR" | "RESOLVED_WITH_PAYOUT" | "CANCELED_BY_BUYER" | "DENIED"),
        ) => DisputeVerdict::Won,
        ("RESOLVED", Some("RESOLVED_BUYER_FAVOUR" | "ACCEPTED")) => DisputeVerdict::Lost,
        _ => return Err(Trouble::unknown("unreadable_answer", "the dispute's status is none that we know")),
    };
    // What was taken in the end may be less than what was asked for.
    let taken = end.amount_refunded.as_ref().filter(|_| status == DisputeVerdict::Lost);
    let amount = taken.or(case.amount.as_ref()).and_then(positive);
    Ok(DisputeStanding { reference: case.id.to_reference(), status, amount })
}
