//! What can be looked at afterwards, in a shape that can be compared.

use crate::world::World;
use fatura_application::ports::PageRequest;
use fatura_domain::attention::{Attention, AttentionKind};
use fatura_domain::charge::AttemptOutcome;
use fatura_domain::dispute::Dispute;
use fatura_domain::id::{InvoiceId, RunId};
use fatura_domain::ledger::Direction;
use fatura_domain::refund::Refund;
use fatura_domain::run::Part;
use std::collections::BTreeMap;

pub(crate) const ALL: PageRequest = PageRequest { limit: 100, after: None };

impl World {
    /// Every attempt that is over: its number, the second since the first began at which it ended, and how.
    pub(crate) async fn time_line(&self, invoice: InvoiceId) -> Vec<(u8, i64, &'static str)> {
        let mut attempts = self.attempts(invoice).await;
        attempts.sort_by_key(|attempt| attempt.id.number);
        let began = attempts[0].started_at;
        let told = attempts.iter().map(|attempt| {
            let how = match &attempt.outcome {
                AttemptOutcome::Succeeded => "succeeded",
                AttemptOutcome::Voided => "voided",
                AttemptOutcome::Declined(failure) | AttemptOutcome::NotSent(failure) => {
                    failure.class.as_str()
                }
            };
            (attempt.id.number.0, attempt.finished_at.duration_since(began).as_secs(), how)
        });
        told.collect()
    }

    /// Every step since the draft: the status, and its cause.
    pub(crate) async fn steps(&self, invoice: InvoiceId) -> Vec<(&'static str, &'static str)> {
        let history = self.invoice(invoice).await.history;
        history.iter().skip(1).map(|step| (step.status.as_str(), step.cause.as_str())).collect()
    }

    /// How the customer's transactions move each ledger account, in minor units; accounts that are even are left out.
    pub(crate) async fn balances(&self, invoice: InvoiceId) -> BTreeMap<String, i64> {
        let mut balances: BTreeMap<String, i64> = BTreeMap::new();
        for transaction in self.transactions(invoice).await {
            let mut sum = 0;
            for entry in transaction.journal.entries() {
                let minor = match entry.direction {
                    Direction::Debit => entry.amount.minor(),
                    Direction::Credit => -entry.amount.minor(),
                };
                sum += minor;
                *balances.entry(entry.account.to_string()).or_default() += minor;
            }
            assert_eq!(sum, 0, "{transaction:?}");
        }
        balances.retain(|_, balance| *balance != 0);
        balances
    }

    /// The customer's transactions, oldest first: what they are, and their minor units.
    pub(crate) async fn movements(&self, invoice: InvoiceId) -> Vec<(&'static str, i64)> {
        let mut transactions = self.transactions(invoice).await;
        // Those of one instant are in no order of their own.
        transactions.sort_by_key(|booked| (booked.at, booked.kind.as_str()));
        transactions.iter().map(|booked| (booked.kind.as_str(), booked.amount.minor())).collect()
    }

    /// What a run's steps counted, and what became of its invoices.
    pub(crate) async fn counts(&self, run: &RunId) -> (BTreeMap<String, u64>, BTreeMap<String, u64>) {
        let progress = self.app.run(&Self::operator(), run).await.unwrap();
        let mut walked = BTreeMap::new();
        for (name, count) in progress.parts.iter().flat_map(|part| &part.counts) {
            *walked.entry(name.clone()).or_default() += count;
        }
        (walked, progress.outcomes)
    }

    /// Whether nobody has anything left to do for a run but to collect.
    pub(crate) async fn is_walked(&self, run: &RunId) -> bool {
        self.app.run(&Self::operator(), run).await.unwrap().parts.iter().all(Part::is_done)
    }

    /// Every charge that the gateway captured: how often for each invoice.
    pub(crate) async fn captures(&self) -> BTreeMap<InvoiceId, usize> {
        let mut captures = BTreeMap::new();
        for charge in self.truth("/charges").await {
            let invoice: InvoiceId = charge["invoice_id"].as_str().unwrap().parse().unwrap();
            *captures.entry(invoice).or_default() += usize::from(charge["status"] == "captured");
        }
        captures
    }

    /// What operators are shown.
    pub(crate) async fn matters(&self) -> Vec<Attention> {
        self.app.attention(&Self::operator(), None, ALL).await.unwrap().data
    }

    pub(crate) async fn open_matters(&self) -> Vec<AttentionKind> {
        self.matters().await.into_iter().map(|matter| matter.kind).collect()
    }

    pub(crate) async fn refunds(&self, invoice: InvoiceId) -> Vec<Refund> {
        self.app.refunds(&Self::operator(), invoice, ALL).await.unwrap().data
    }

    pub(crate) async fn disputes(&self, invoice: InvoiceId) -> Vec<Dispute> {
        self.app.disputes(&Self::operator(), invoice, ALL).await.unwrap().data
    }
}

/// Counts as [`World::counts`] tells them.
pub(crate) fn counted<const N: usize>(counts: [(&str, u64); N]) -> BTreeMap<String, u64> {
    counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}

/// Ledger accounts as [`World::balances`] tells them.
pub(crate) fn accounts<const N: usize>(balances: [(&str, i64); N]) -> BTreeMap<String, i64> {
    balances.into_iter().map(|(account, minor)| (account.to_owned(), minor)).collect()
}
