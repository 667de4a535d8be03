//! Mercado Pago's books: payments that changed since, and what of each moved in the time that is asked for. In the order
//! of their making, which a change leaves as it is, so that no page loses any to the next.

use super::MercadoPago;
use super::wire::{Found, Payment};
use crate::brazil::{reais, succeeded};
use crate::trouble::Trouble;
use fatura_domain::Timestamp;
use fatura_domain::gateway::{Movement, MovementKind, MovementPage};
use std::ops::Range;

const PAGE: usize = 50;

impl MercadoPago {
    pub(super) async fn find_movements(
        &self,
        window: Range<Timestamp>,
        after: Option<&str>,
    ) -> Result<MovementPage, Trouble> {
        let offset = after.map_or(Ok(0), str::parse::<usize>);
        let offset = offset.map_err(|_| Trouble::unknown("no_such_page", "is not a page of this gateway"))?;
        let mut url = self.desk.at(&["v1", "payments", "search"]);
        // Without an end: a payment that changed again after the window moved in it all the same.
        url.query_pairs_mut()
            .append_pair("range", "date_last_updated")
            .append_pair("begin_date", &window.start.to_string())
            .append_pair("end_date", "NOW")
            .append_pair("sort", "date_created")
            .append_pair("criteria", "asc")
            .append_pair("limit", &PAGE.to_string())
            .append_pair("offset", &offset.to_string());
        let answer = self.desk.call(self.desk.http.get(url)).await?;
        let found: Found<Payment> = succeeded(&answer)?.json()?;
        let seen = offset + found.results.len();
        let is_last = seen >= found.paging.total;
        if !is_last && found.results.is_empty() {
            return Err(Trouble::unknown("contradictory_answer", "an empty page before the last"));
        }
        let mut data = Vec::new();
        for payment in &found.results {
            data.extend(of(payment, &window)?);
        }
        data.sort_by_key(|movement| movement.at);
        Ok(MovementPage { data, next: (!is_last).then(|| seen.to_string()) })
    }
}

fn of(payment: &Payment, window: &Range<Timestamp>) -> Result<Vec<Movement>, Trouble> {
    let of_no_use =
        || Trouble::unknown("contradictory_answer", format!("the payment {} says no time", payment.id.0));
    let charge = payment.id.clone().into_reference();
    let ours = payment.external_reference.clone().unwrap_or_default();
    let mut moved = Vec::new();
    let captured = payment.date_approved.iter().map(|at| {
        (
            MovementKind::Capture,
            charge.clone(),
            ours.clone(),
            payment.transaction_amount.to_string(),
            Some(at),
        )
    });
    let returned = payment.refunds.iter().map(|refund| {
        // It says nothing of ours, so the refund's own id stands for it.
        let id = refund.id.0.clone();
        let reference = refund.id.clone().into_reference();
        (MovementKind::Refund, reference, id, refund.amount.to_string(), refund.date_created.as_ref())
    });
    for (kind, reference, ours, amount, at) in captured.chain(returned) {
        let at = at.and_then(|at| at.parse::<Timestamp>().ok()).ok_or_else(of_no_use)?;
        if window.contains(&at) {
            let amount = reais::money(&amount, &payment.currency_id)?;
            moved.push(Movement { kind, reference, charge: charge.clone(), ours, amount, at });
        }
    }
    Ok(moved)
}
