//! The list that a gateway keeps of its own movements, in the order in which they came about.

use super::SimulatedGateway;
use super::book::{Book, RefundStanding, Standing};
use fatura_domain::Timestamp;
use fatura_domain::gateway::{Movement, MovementKind, MovementPage};

/// Fewer than a world has, so that nobody gets by with the first page.
const PAGE: usize = 5;

impl Book {
    /// What has come about until now is dated.
    pub(crate) fn date(&mut self, now_ms: i64) {
        let captured =
            self.charges.values().filter(|charge| matches!(charge.standing, Standing::Captured(_)));
        let done = self.refunds.values().filter(|refund| refund.state == RefundStanding::Done);
        if self.dates.len() == captured.count() + done.count() {
            return;
        }
        let came = self.captures().into_iter().map(|(reference, _, _)| reference.0);
        let done = self.refunds.values().filter(|refund| refund.state == RefundStanding::Done);
        let all: Vec<String> = came.chain(done.map(|refund| refund.reference.0.clone())).collect();
        for reference in all {
            self.dates.entry(reference).or_insert(now_ms);
        }
    }

    fn at(&self, reference: &str) -> Timestamp {
        let ms = self.dates.get(reference).copied().unwrap_or_default();
        Timestamp::from_millisecond(ms).unwrap()
    }

    /// Oldest first.
    pub(crate) fn movements(&self) -> Vec<Movement> {
        let captures = self.captures().into_iter().map(|(reference, amount, charge)| Movement {
            kind: MovementKind::Capture,
            charge: reference.clone(),
            at: self.at(&reference.0),
            reference,
            ours: charge.attempt.to_string(),
            amount,
        });
        let done = self.refunds.values().filter(|refund| refund.state == RefundStanding::Done);
        let refunds = done.map(|refund| Movement {
            kind: MovementKind::Refund,
            charge: refund.request.charge.clone(),
            at: self.at(&refund.reference.0),
            reference: refund.reference.clone(),
            ours: refund.request.refund.to_string(),
            amount: refund.request.amount,
        });
        let mut all: Vec<Movement> = captures.chain(refunds).collect();
        all.sort_by(|one, other| (one.at, &one.reference.0).cmp(&(other.at, &other.reference.0)));
        all
    }
}

impl SimulatedGateway {
    pub(super) fn page(&self, from: Timestamp, to: Timestamp, after: Option<&str>) -> MovementPage {
        let mut book = self.book.lock().unwrap();
        book.date(self.clock.ms());
        let within = book.movements().into_iter().filter(|movement| movement.at >= from && movement.at < to);
        drop(book);
        let first: usize = after.and_then(|after| after.parse().ok()).unwrap_or_default();
        let mut rest = within.skip(first);
        let data: Vec<Movement> = rest.by_ref().take(PAGE).collect();
        let next = rest.next().map(|_| (first + PAGE).to_string());
        MovementPage { data, next }
    }
}
