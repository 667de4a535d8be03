//! The sandbox's books.

use super::wire::{Movement as Told, Movements};
use super::{Sandbox, succeeded};
use crate::trouble::Trouble;
use fatura_domain::Timestamp;
use fatura_domain::gateway::{Movement, MovementKind, MovementPage};
use fatura_domain::money::Money;
use std::ops::Range;

impl Sandbox {
    pub(super) async fn find_movements(
        &self,
        window: Range<Timestamp>,
        after: Option<&str>,
    ) -> Result<MovementPage, Trouble> {
        let mut url = self.base_url.at(&["movements"]);
        url.query_pairs_mut()
            .append_pair("from", &first_second(window.start).to_string())
            .append_pair("to", &first_second(window.end).to_string())
            .extend_pairs(after.map(|after| ("cursor", after)));
        let answer = self.call(self.http.get(url)).await?;
        let told: Movements = succeeded(&answer)?.json()?;
        // Whoever pages to the end would never get there.
        if after.is_some() && told.next_cursor.as_deref() == after {
            return Err(Trouble::unknown("contradictory_answer", "the page is followed by itself"));
        }
        // One that can't be read spoils the page: without it the books would seem to differ.
        let data = told.data.into_iter().map(|entry| movement(entry, &window)).collect::<Result<_, _>>()?;
        Ok(MovementPage { data, next: told.next_cursor })
    }
}

/// The first whole second that isn't before this instant. The sandbox knows seconds only; with both ends rounded up,
/// windows that meet have each movement once.
fn first_second(at: Timestamp) -> i64 {
    at.as_second().saturating_add(i64::from(at.subsec_nanosecond() > 0))
}

fn movement(told: Told, window: &Range<Timestamp>) -> Result<Movement, Trouble> {
    let of_no_use = |what: &str| {
        let message = format!("the movement {} is {what}", told.id.as_str());
        Trouble::unknown("contradictory_answer", message)
    };
    let kind = match told.kind.as_str() {
        "capture" => MovementKind::Capture,
        "refund" => MovementKind::Refund,
        _ => return Err(of_no_use("of a kind that we don't know")),
    };
    let currency = told.currency.parse().map_err(|_| of_no_use("in a currency that we don't know"))?;
    let amount = Money::try_new(told.amount_minor, currency).ok().filter(|amount| amount.is_positive());
    let amount = amount.ok_or_else(|| of_no_use("no amount of money"))?;
    let at = Timestamp::from_second(told.at).ok().filter(|at| window.contains(at));
    let at = at.ok_or_else(|| of_no_use("not of the time that was asked for"))?;
    Ok(Movement {
        kind,
        reference: told.id.into_reference(),
        charge: told.charge_id.into_reference(),
        ours: told.reference,
        amount,
        at,
    })
}
