//! Finding charges, by Stripe's id or by ours.
//!
//! Stripe has no list by metadata, only a search, and that lags: under a minute as a rule, up to an hour in an outage
//! (docs.stripe.com/search, "Data freshness"; the API reference of `/v1/payment_intents/search`). Lists don't lag. So
//! what the search doesn't find is looked for in the list of all that was made within twice that time, by us or by
//! others: only what is in neither is absent. An account that makes more than [`MAX_PAGES`] pages in that time gets no
//! answer (Unknown, never Absent); asking with the attempt's own time would end that, but the port doesn't tell it.
//! Accounts in India have no search, and so no look-up by our reference: the refusal leaves the charge Unknown.

use super::outcome::{is_of, ours, standing, standing_among};
use super::wire::{Id, Identified, Intent, Page};
use super::{Stripe, succeeded};
use crate::form::Form;
use crate::trouble::Trouble;
use fatura_application::ports::ChargeLookup;
use fatura_domain::Timestamp;
use fatura_domain::gateway::ChargeOutcome;
use fatura_domain::id::AttemptId;
use reqwest::StatusCode;

/// Twice the longest lag that Stripe tells of: our clock and Stripe's may differ by an hour.
const LAG_SECONDS: i64 = 2 * 3_600;
const PAGE: u8 = 100;
const MAX_PAGES: usize = 20;
/// More under one reference than there can be: an attempt is ordered under one key.
const MAX_FOUND: usize = 5;

impl Stripe {
    pub(super) async fn find(&self, lookup: &ChargeLookup) -> Result<ChargeOutcome, Trouble> {
        standing_among(&self.look_up(lookup).await?, lookup.attempt)
    }

    pub(super) async fn void(&self, lookup: &ChargeLookup) -> Result<ChargeOutcome, Trouble> {
        let intents = self.look_up(lookup).await?;
        let Some(intent) = ours(&intents, lookup.attempt)? else { return Ok(ChargeOutcome::Absent) };
        if let Ok(
            settled @ (ChargeOutcome::Approved { .. }
            | ChargeOutcome::Declined { .. }
            | ChargeOutcome::Voided { .. }),
        ) = standing(intent, lookup.attempt)
        {
            return Ok(settled);
        }
        // Without a key: a refusal that is kept for a day would hide what becomes possible later.
        let path = ["payment_intents", intent.id.as_str(), "cancel"];
        let answer = self.post(&path, &Form::new().with("expand[]", "latest_charge"), None).await?;
        if answer.status.is_success() {
            return standing(&answer.json()?, lookup.attempt);
        }
        // Too late: what counts is how it stands.
        self.find(lookup).await
    }

    /// What the gateway finds: one by its own id, or all under our reference. Whose they are is yet to be checked.
    pub(super) async fn look_up(&self, lookup: &ChargeLookup) -> Result<Vec<Intent>, Trouble> {
        // A wrong id says nothing about the attempt: only its own reference can be absent.
        if let Some(id) = known_id(lookup)
            && let Some(intent) = self.intent(&id).await?
        {
            return Ok(vec![intent]);
        }
        let mut found = self.searched(lookup.attempt).await?;
        if found.is_empty() {
            found = self.listed(lookup.attempt).await?;
        }
        let mut intents = Vec::new();
        // Asked for one by one, because the search's copy may be old.
        for id in found.iter().take(MAX_FOUND) {
            let gone = || Trouble::unknown("contradictory_answer", "what was found is not there");
            intents.push(self.intent(id).await?.ok_or_else(gone)?);
        }
        Ok(intents)
    }

    /// None: no such id.
    pub(super) async fn intent(&self, id: &Id) -> Result<Option<Intent>, Trouble> {
        let query = Form::new().with("expand[]", "latest_charge");
        let answer = self.get(&["payment_intents", id.as_str()], &query).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let intent: Intent = succeeded(&answer)?.json()?;
        if intent.id != *id {
            return Err(Trouble::unknown("contradictory_answer", "the gateway told of another charge"));
        }
        Ok(Some(intent))
    }

    async fn searched(&self, attempt: AttemptId) -> Result<Vec<Id>, Trouble> {
        let query =
            Form::new().with("query", &format!("metadata['attempt']:'{attempt}'")).with("limit", &PAGE);
        let answer = self.get(&["payment_intents", "search"], &query).await?;
        let found: Page<Identified> = succeeded(&answer)?.json()?;
        Ok(found.data.into_iter().map(|intent| intent.id).collect())
    }

    async fn listed(&self, attempt: AttemptId) -> Result<Vec<Id>, Trouble> {
        let since = Timestamp::now().as_second().saturating_sub(LAG_SECONDS);
        let query = Form::new().nested("created", "gte", &since).with("limit", &PAGE);
        let mut after: Option<Id> = None;
        for _ in 0..MAX_PAGES {
            let query = match &after {
                Some(id) => query.clone().with("starting_after", id.as_str()),
                None => query.clone(),
            };
            let answer = self.get(&["payment_intents"], &query).await?;
            let page: Page<Intent> = succeeded(&answer)?.json()?;
            let ours: Vec<Id> = page
                .data
                .iter()
                .filter(|intent| is_of(intent, attempt))
                .map(|intent| intent.id.clone())
                .collect();
            if !ours.is_empty() || !page.has_more {
                return Ok(ours);
            }
            after = page.data.last().map(|intent| intent.id.clone());
        }
        Err(Trouble::unknown("too_many_charges", "there are too many charges to look through"))
    }
}

/// The gateway's id of the charge, if it is one that can be asked for.
fn known_id(lookup: &ChargeLookup) -> Option<Id> {
    lookup.reference.as_ref().and_then(|reference| Id::parse(&reference.0, "pi_").ok())
}
