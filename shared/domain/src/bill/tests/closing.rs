//! How a bill is closed or canceled, and which one follows.

use super::*;

#[test]
fn it_closes_by_itself_at_its_end_and_by_hand_at_any_time() {
    let bill = bill(None);
    let ended = |now| bill.begin_closing(CloseCause::PeriodEnded, now);
    assert_eq!(ended(end() - MILLISECOND), Err(CloseRefusal::NotDue(end())));
    assert_eq!(causes(&applied(ended(end()))), ["created", "period_ended"]);

    let by_hand = closing(&bill);
    assert_eq!((by_hand.status(), by_hand.version), (BillStatus::Closing, 2));
    assert_eq!(by_hand.history.last().unwrap().by, Some(operator()));
    assert_eq!(by_hand.begin_closing(CloseCause::PeriodEnded, start()), Ok(Change::AlreadyApplied));
    assert_eq!(
        closed_with(None, &[], None)
            .begin_closing(CloseCause::Requested { by: operator(), is_last: false }, end()),
        Ok(Change::AlreadyApplied)
    );
}

#[test]
fn it_is_closed_with_what_its_shards_come_to() {
    let closed = closed_with(
        None,
        &[
            money("10.00", "USD"),
            money("20.00", "GEL"),
            money("7.30", "GEL"),
            money("1", "JPY"),
            money("-1", "JPY"),
        ],
        None,
    );
    let Closed { sums, by, at, .. } = closed.state.closed().unwrap();
    let totals: Vec<String> =
        sums.totals.iter().map(|total| format!("{total} {}", total.currency())).collect();
    assert_eq!(totals, ["27.30 GEL", "0 JPY", "10.00 USD"]);
    assert_eq!((sums.count, by.as_ref(), *at), (5, Some(&operator()), end()));
    assert_eq!(closed.since(), end());
}

#[test]
fn a_shard_that_is_open_missing_or_strange_closes_nothing() {
    let bill = bill(None);
    let closing = closing(&bill);
    let shards: Vec<Shard> = shards_with(&bill, &[]).iter().map(Shard::closed).collect();
    let finish = |shards: &[Shard]| closing.finish_closing(shards, None, end()).err();
    assert_eq!(finish(&shards), None);
    let mut open = shards.clone();
    open[1].closed = false;
    assert_eq!(finish(&open), Some(SumError::StillOpen(1).into()));
    assert_eq!(finish(&shards[..2]), Some(SumError::NotEachOnce(2).into()));
    assert_eq!(
        finish(&[shards.clone(), vec![shards[0].clone()]].concat()),
        Some(SumError::NotEachOnce(0).into())
    );
    assert_eq!(
        finish(&[shards.clone(), vec![Shard::new(3)]].concat()),
        Some(SumError::NotEachOnce(3).into())
    );
    assert_eq!(
        bill.finish_closing(&shards, None, end()),
        Err(FinishError::NotClosing(BillStatus::Open)),
        "an open bill is never closed in one step: an append might come between"
    );
    assert_eq!(closed_with(None, &[], None).finish_closing(&shards, None, end()), Ok(Change::AlreadyApplied));
}

#[test]
fn only_an_empty_bill_is_canceled() {
    let bill = bill_of(ANA, None, Recurs::Monthly);
    let cancel = |bill: &Bill, count| bill.cancel(&Sums { count, ..Sums::default() }, &operator(), start());
    assert_eq!(cancel(&bill, 1), Err(CancelRefusal::NotEmpty));
    assert_eq!(cancel(&closing(&bill), 0), Err(CancelRefusal::NotOpen(BillStatus::Closing)));
    let canceled = applied(cancel(&bill, 0));
    assert_eq!(cancel(&canceled, 0), Ok(Change::AlreadyApplied));
    assert_eq!(canceled.due(), None);
    assert_eq!(
        canceled.begin_closing(CloseCause::Requested { by: operator(), is_last: false }, end()),
        Err(CloseRefusal::Canceled)
    );
    assert_eq!(causes(&canceled), ["created", "canceled"]);
}

#[test]
fn three_months_of_a_bill_of_the_thirty_first() {
    let mut bill = bill_of(ANA, Some("GEL"), Recurs::Monthly);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let over = bill.terms.period().end();
        assert_eq!(bill.due(), Some(over));
        let closing = bill.woken(over).unwrap();
        let shards: Vec<Shard> = shards_with(&bill, &[]).iter().map(Shard::closed).collect();
        let closure = applied(closing.finish_closing(&shards, None, over));
        let next = closure.next.unwrap();
        assert_eq!(closure.bill.state.closed().unwrap().next, Some(next.id));
        assert_eq!((next.opened_by, next.version), (Some(bill.id), 1));
        assert_eq!(next.terms.settlement_currency(), Some(currency("GEL")));
        assert_eq!(causes(&next), ["recurred"]);
        assert_eq!(next.terms.period().start(), over);
        seen.push(next.terms.period().end().to_string());
        bill = next;
    }
    assert_eq!(seen, ["2026-03-31T00:00:00Z", "2026-04-30T00:00:00Z", "2026-05-31T00:00:00Z"]);
}

#[test]
fn the_next_bill_is_the_same_however_often_the_close_is_tried() {
    let bill = bill_of(ANA, None, Recurs::Monthly);
    let shards: Vec<Shard> = shards_with(&bill, &[]).iter().map(Shard::closed).collect();
    let next = |now| applied(closing(&bill).finish_closing(&shards, None, now)).next.unwrap();
    assert_eq!(next(end()).id, next(end() + MILLISECOND).id);
    let another = Bill { id: BillId::new(CustomerId::new(ANA), start(), 2), ..bill.clone() };
    let others = applied(closing(&another).finish_closing(&shards, None, end())).next.unwrap();
    assert_ne!(next(end()).id, others.id);
    assert_eq!(closure(&bill_of(ANA, None, Recurs::Never), &[], None).next, None);

    let elsewhere = closure(&bill, &[], None).with_other_id(1);
    let id = elsewhere.next.as_ref().unwrap().id;
    assert_ne!(id, next(end()).id);
    assert_eq!(elsewhere.bill.state.closed().unwrap().next, Some(id));
}

#[test]
fn closed_early_it_is_followed_by_the_calendars_next_which_takes_what_comes_before() {
    let bill = bill_of(ANA, None, Recurs::Monthly);
    let shards: Vec<Shard> = shards_with(&bill, &[]).iter().map(Shard::closed).collect();
    let early = start() + SignedDuration::from_hours(24);
    let next = applied(closing(&bill).finish_closing(&shards, None, early)).next.unwrap();
    assert_eq!(next.terms.period().start(), end());
    let Append::New { line, .. } = next.append(content("1", "USD"), line_id(1), None, early).unwrap() else {
        panic!("it is new")
    };
    assert_eq!(line.occurred_at, end());
}

#[test]
fn the_sweep_looks_again_ever_later_at_what_was_left() {
    let bill = bill(None);
    assert_eq!(bill.woken(end() - MILLISECOND), None);
    let mut left = bill.woken(end()).unwrap();
    assert_eq!(left.status(), BillStatus::Closing);
    let mut waits = Vec::new();
    let mut now = end();
    for _ in 0..260 {
        let due = left.due().unwrap();
        waits.push(due.duration_since(now).as_mins());
        now = due;
        left = left.woken(now).unwrap();
    }
    assert_eq!(waits[..8], [1, 2, 4, 8, 16, 32, 60, 60]);
    assert!(waits[8..].iter().all(|minutes| *minutes == 60));
    assert_eq!(left.version, 262);
}

#[test]
fn whoever_closes_a_bill_may_end_its_recurrence() {
    let bill = bill_of(ANA, None, Recurs::Monthly);
    let last = CloseCause::Requested { by: operator(), is_last: true };
    let closing = applied(bill.begin_closing(last, start()));
    let again = CloseCause::Requested { by: operator(), is_last: false };
    assert_eq!(closing.begin_closing(again, start()), Ok(Change::AlreadyApplied), "it was said");
    let woken = closing.woken(closing.due().unwrap()).unwrap();
    let shards: Vec<Shard> = shards_with(&bill, &[]).iter().map(Shard::closed).collect();
    let closure = applied(woken.finish_closing(&shards, None, end()));
    assert_eq!((closure.next, closure.bill.state.closed().unwrap().next), (None, None));
}
