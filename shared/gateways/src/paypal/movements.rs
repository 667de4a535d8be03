//! PayPal's books, by its transaction search. They are some hours behind ("a maximum of three hours"), and say up to when
//! they go: a time that isn't all there yet is an error, because what comes later would never be asked for.

use super::amount::{Amount, from_paypal};
use super::wire::{Transaction, TransactionInfo, Transactions};
use super::{PayPal, succeeded};
use crate::trouble::Trouble;
use fatura_domain::gateway::{Movement, MovementKind, MovementPage};
use fatura_domain::money::Money;
use fatura_domain::{SignedDuration, Timestamp};
use std::ops::Range;

const PAGE: &str = "500";
/// "The maximum supported range is 31 days."
const LONGEST: SignedDuration = SignedDuration::from_hours(31 * 24);
/// "It takes a maximum of three hours for executed transactions to appear."
const LAG: SignedDuration = SignedDuration::from_hours(3);
/// A payment refund, initiated by the merchant. Its neighbours are reversals, holds and fees: what disputes take is told by
/// disputes.
const REFUND: &str = "T1107";

impl PayPal {
    pub(super) async fn find_movements(
        &self,
        window: Range<Timestamp>,
        after: Option<&str>,
    ) -> Result<MovementPage, Trouble> {
        let place = match after {
            None => Place { start: window.start, page: 1 },
            Some(text) => Place::read(text)
                .filter(|place| (window.start..window.end).contains(&place.start))
                .ok_or_else(|| Trouble::configuration("no_such_page", "the page is none of this period"))?,
        };
        let end = place.start.checked_add(LONGEST).map_or(window.end, |end| end.min(window.end));
        let told = self.transactions(place.start..end, place.page).await?;
        if up_to(&told) < end {
            let message = "the gateway's books do not go so far yet";
            return Err(Trouble::unknown("books_behind", message));
        }
        let mut data = Vec::new();
        for Transaction { transaction_info } in told.transaction_details {
            data.extend(movement(transaction_info, &(place.start..end))?);
        }
        data.sort_by_key(|movement| movement.at);
        let next = if place.page < told.total_pages {
            Some(Place { page: place.page.saturating_add(1), ..place })
        } else {
            (end < window.end).then_some(Place { start: end, page: 1 })
        };
        Ok(MovementPage { data, next: next.map(Place::write) })
    }

    async fn transactions(&self, window: Range<Timestamp>, page: usize) -> Result<Transactions, Trouble> {
        let mut url = self.url(&["v1", "reporting", "transactions"]);
        url.query_pairs_mut()
            .append_pair("start_date", &window.start.to_string())
            .append_pair("end_date", &window.end.to_string())
            .append_pair("fields", "transaction_info")
            .append_pair("page_size", PAGE)
            .append_pair("page", &page.to_string());
        let answer = self.call(self.http.get(url)).await?;
        succeeded(&answer)?.json()
    }
}

/// Up to when the books go. Where PayPal doesn't say, as it promises.
fn up_to(told: &Transactions) -> Timestamp {
    let said = told.last_refreshed_datetime.as_deref().and_then(instant);
    said.or_else(|| Timestamp::now().checked_sub(LAG).ok()).unwrap_or(Timestamp::MIN)
}

/// Offsets come without a colon: `2026-11-21T08:00:00+0000`.
fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// None: no charge and no refund, or none that has moved money, or one of the next period (both ends are included there).
fn movement(told: TransactionInfo, window: &Range<Timestamp>) -> Result<Option<Movement>, Trouble> {
    let is_payment = told.transaction_event_code.starts_with("T00");
    let is_refund = told.transaction_event_code == REFUND;
    // S succeeded. V was reversed later, which is a movement of its own. P waits, D was denied.
    let has_moved = matches!(told.transaction_status.as_deref(), Some("S" | "V"));
    if !(is_payment || is_refund) || !has_moved {
        return Ok(None);
    }
    let of_no_use = |what: &str| {
        let id = told.transaction_id.as_str();
        Trouble::unknown("contradictory_answer", format!("the movement {id} is {what}"))
    };
    let at = instant(&told.transaction_initiation_date).ok_or_else(|| of_no_use("of no time"))?;
    let amount = from_paypal(&told.transaction_amount).ok_or_else(|| of_no_use("no amount of money"))?;
    if !window.contains(&at) {
        return Ok(None);
    }
    let reference = told.transaction_id.to_reference();
    let (kind, charge, amount) = if is_refund {
        // Signed from where we stand: a refund is less for us.
        let amount = turned(&told.transaction_amount).filter(|amount| amount.is_positive());
        let charge = told.paypal_reference_id.as_ref().ok_or_else(|| of_no_use("the refund of no charge"))?;
        let amount = amount.ok_or_else(|| of_no_use("a refund that brings money"))?;
        (MovementKind::Refund, charge.to_reference(), amount)
    } else if amount.is_positive() {
        (MovementKind::Capture, reference.clone(), amount)
    } else {
        // What we paid to somebody.
        return Ok(None);
    };
    // Without ours it was made by somebody else: that is what reconciliation looks for.
    let ours = told.custom_field.or(told.invoice_id).unwrap_or_default();
    Ok(Some(Movement { kind, reference, charge, ours, amount, at }))
}

fn turned(amount: &Amount) -> Option<Money> {
    let value = amount.value.strip_prefix('-')?.to_owned();
    from_paypal(&Amount { value, currency_code: amount.currency_code.clone() })
}

/// A cursor: a piece that is short enough for PayPal, and a page of it.
struct Place {
    start: Timestamp,
    page: usize,
}

impl Place {
    fn read(text: &str) -> Option<Self> {
        let (start, page) = text.split_once('+')?;
        let start = Timestamp::from_millisecond(start.parse().ok()?).ok()?;
        let page = page.parse().ok().filter(|page| *page > 0)?;
        Some(Self { start, page })
    }

    fn write(self) -> String {
        format!("{}+{}", self.start.as_millisecond(), self.page)
    }
}
