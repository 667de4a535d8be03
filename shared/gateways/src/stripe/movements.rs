//! Stripe's books. It lists the newest first, and we are asked for the oldest first: the time is cut into pieces short
//! enough for one page, and each page turned round.

use super::amount::positive;
use super::wire::{BalanceTransaction, Id, Page, Source};
use super::{Stripe, succeeded};
use crate::form::Form;
use crate::trouble::Trouble;
use fatura_domain::Timestamp;
use fatura_domain::gateway::{Movement, MovementKind, MovementPage};
use serde::Deserialize as _;
use std::ops::Range;

const PAGE: u8 = 100;
/// Halving a period of years down to a second takes fewer.
const MAX_CUTS: usize = 40;
/// What one second may hold, in pages: ten times what Stripe lets an account do in it.
const MAX_PAGES: usize = 10;

impl Stripe {
    pub(super) async fn find_movements(
        &self,
        window: Range<Timestamp>,
        after: Option<&str>,
    ) -> Result<MovementPage, Trouble> {
        let (first, end) = (first_second(window.start), first_second(window.end));
        let mut piece = match after {
            None => Piece { start: first, seconds: end.saturating_sub(first).max(1) },
            Some(place) => Piece::read(place)
                .filter(|piece| (first..end).contains(&piece.start))
                .ok_or_else(|| Trouble::configuration("no_such_page", "the page is none of this period"))?,
        };
        for _ in 0..MAX_CUTS {
            let to = piece.start.saturating_add(piece.seconds).min(end);
            let page = self.transactions(piece.start..to, None).await?;
            let told = if !page.has_more {
                page.data
            } else if piece.seconds == 1 {
                self.rest(piece.start..to, page).await?
            } else {
                let oldest = page.data.last().map_or(piece.start, |entry| entry.created);
                // The newest page covers that long: a good guess for the oldest one.
                piece.seconds = to.saturating_sub(oldest).clamp(1, piece.seconds / 2);
                continue;
            };
            let next = piece.after(to, told.len());
            let data: Result<Vec<_>, _> =
                told.into_iter().rev().filter_map(|entry| movement(&entry, &window).transpose()).collect();
            return Ok(MovementPage { data: data?, next: (to < end).then(|| next.write()) });
        }
        Err(Trouble::unknown("contradictory_answer", "the gateway's pages don't end"))
    }

    async fn transactions(
        &self,
        seconds: Range<i64>,
        after: Option<&Id>,
    ) -> Result<Page<BalanceTransaction>, Trouble> {
        let query = Form::new()
            .nested("created", "gte", &seconds.start)
            .nested("created", "lt", &seconds.end)
            .with("limit", &PAGE)
            .with("expand[]", "data.source");
        let query = match after {
            Some(id) => query.with("starting_after", id.as_str()),
            None => query,
        };
        let answer = self.get(&["balance_transactions"], &query).await?;
        succeeded(&answer)?.json()
    }

    /// All of one second, which can't be cut.
    async fn rest(
        &self,
        second: Range<i64>,
        first: Page<BalanceTransaction>,
    ) -> Result<Vec<BalanceTransaction>, Trouble> {
        let mut told = first.data;
        for _ in 1..MAX_PAGES {
            let after = told.last().map(|entry| entry.id.clone());
            let page = self.transactions(second.clone(), after.as_ref()).await?;
            told.extend(page.data);
            if !page.has_more {
                return Ok(told);
            }
        }
        Err(Trouble::unknown("contradictory_answer", "more happened in a second than can have"))
    }
}

/// A cursor: where the next page begins, and how long a piece fitted last.
struct Piece {
    start: i64,
    seconds: i64,
}

impl Piece {
    fn read(place: &str) -> Option<Self> {
        let (start, seconds) = place.split_once('+')?;
        let piece = Self { start: start.parse().ok()?, seconds: seconds.parse().ok()? };
        (piece.seconds > 0).then_some(piece)
    }

    /// The next one, as long as it is likely to fit a page after one with so many entries.
    fn after(&self, start: i64, entries: usize) -> Self {
        let factor = match entries {
            0..25 => 16,
            25..50 => 2,
            _ => 1,
        };
        Self { start, seconds: self.seconds.saturating_mul(factor) }
    }

    fn write(&self) -> String {
        format!("{}+{}", self.start, self.seconds)
    }
}

/// The first whole second that isn't before this instant. Stripe knows seconds only; with both ends rounded up, windows
/// that meet have each movement once.
fn first_second(at: Timestamp) -> i64 {
    at.as_second().saturating_add(i64::from(at.subsec_nanosecond() > 0))
}

/// None: no charge and no refund, such as a fee, a payout or what a dispute took. The amount is the source's own: the
/// transaction's is in the currency that Stripe settles in.
fn movement(told: &BalanceTransaction, window: &Range<Timestamp>) -> Result<Option<Movement>, Trouble> {
    let kind = match told.kind.as_str() {
        "charge" | "payment" => MovementKind::Capture,
        "refund" | "payment_refund" => MovementKind::Refund,
        _ => return Ok(None),
    };
    let of_no_use = |what: &str| {
        Trouble::unknown("contradictory_answer", format!("the movement {} is {what}", told.id.as_str()))
    };
    // Not the error's own text: it may quote the answer.
    let mut source = Source::deserialize(&told.source).map_err(|_| of_no_use("of something unreadable"))?;
    let units = source.amount_captured.unwrap_or(source.amount);
    let amount = positive(units, &source.currency).ok_or_else(|| of_no_use("no amount of money"))?;
    let at = Timestamp::from_second(told.created).ok().filter(|at| window.contains(at));
    let at = at.ok_or_else(|| of_no_use("not of the time that was asked for"))?;
    let charge = source.payment_intent.or(source.charge).unwrap_or_else(|| source.id.clone()).to_reference();
    let (reference, ours) = match kind {
        MovementKind::Capture => (charge.clone(), "attempt"),
        MovementKind::Refund => (source.id.to_reference(), "refund"),
    };
    // Without ours it was made by somebody else: that is what reconciliation looks for.
    let ours = source.metadata.remove(ours).unwrap_or_default();
    Ok(Some(Movement { kind, reference, charge, ours, amount, at }))
}
