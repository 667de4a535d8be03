use super::*;
use crate::ports::StoreError;
use async_trait::async_trait;
use fatura_domain::exchange::{Rate, RateSource};
use fatura_domain::money::Currency;
use futures::future::{FutureExt, join_all};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::Semaphore;

const START: i64 = 1_793_620_800;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).unwrap()
}

fn rates(published: i64, real: &str) -> ExchangeRates {
    let quoted = [(Currency::BRL, Rate::parse(real).unwrap())];
    ExchangeRates::try_new(RateSource::OpenExchangeRates, Currency::USD, at(published), quoted).unwrap()
}

fn unavailable() -> RatesError {
    RatesError::Unavailable("no answer in time".to_owned())
}

/// Time, a source and a table that do what a test says, and count what they were asked.
struct World {
    now: Mutex<Timestamp>,
    answer: Mutex<Result<ExchangeRates, RatesError>>,
    asked: AtomicUsize,
    /// A permit for each answer that the source gives.
    answers: Semaphore,
    kept: Mutex<Option<Publication>>,
    is_store_down: AtomicBool,
    reads: AtomicUsize,
}

impl World {
    fn new(answer: Result<ExchangeRates, RatesError>) -> Arc<Self> {
        Arc::new(Self {
            now: Mutex::new(at(0)),
            answer: Mutex::new(answer),
            asked: AtomicUsize::new(0),
            answers: Semaphore::new(100),
            kept: Mutex::new(None),
            is_store_down: AtomicBool::new(false),
            reads: AtomicUsize::new(0),
        })
    }

    /// Fresh for an hour, usable for three days.
    fn desk(self: &Arc<Self>) -> RateDesk {
        let limits = AgeLimits::try_new(SignedDuration::from_hours(1), SignedDuration::from_hours(72));
        RateDesk::new(self.clone(), self.clone(), self.clone(), limits.unwrap())
    }

    fn set(&self, seconds: i64) {
        *self.now.lock().unwrap() = at(seconds);
    }

    fn answers(&self, answer: Result<ExchangeRates, RatesError>) {
        *self.answer.lock().unwrap() = answer;
    }

    fn keeps(&self, rates: ExchangeRates, confirmed: i64) {
        *self.kept.lock().unwrap() = Some(Publication { rates, confirmed_at: at(confirmed) });
    }

    fn store(&self) -> Result<(), StoreError> {
        if self.is_store_down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("throttled".to_owned()));
        }
        Ok(())
    }

    /// Until permits are added.
    fn holds_its_answers(&self) {
        self.answers.forget_permits(usize::MAX);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }
}

#[async_trait]
impl Rates for World {
    fn source(&self) -> RateSource {
        RateSource::OpenExchangeRates
    }

    async fn latest(&self) -> Result<ExchangeRates, RatesError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.answers.acquire().await.unwrap().forget();
        self.answer.lock().unwrap().clone()
    }
}

#[async_trait]
impl RateStore for World {
    async fn rates(&self, _: RateSource) -> Result<Option<Publication>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.store()?;
        Ok(self.kept.lock().unwrap().clone())
    }

    async fn keep_rates(&self, publication: &Publication) -> Result<KeptRates, StoreError> {
        self.store()?;
        let mut kept = self.kept.lock().unwrap();
        if let Some(newer) = kept.as_ref().filter(|kept| !publication.supersedes(kept)) {
            return Ok(KeptRates::Superseded(Box::new(newer.clone())));
        }
        *kept = Some(publication.clone());
        Ok(KeptRates::Kept)
    }
}

/// The real, how old it is in seconds, and whether that is stale.
type Shown = (String, i64, bool);

fn shown(current: Option<RatesInForce>) -> Option<Shown> {
    let current = current?;
    let real = current.rates().rate(Currency::BRL).unwrap().to_string();
    Some((real, current.age.as_secs(), current.is_stale))
}

fn fresh(real: &str, age: i64) -> Shown {
    (real.to_owned(), age, false)
}

fn stale(real: &str, age: i64) -> Shown {
    (real.to_owned(), age, true)
}

#[tokio::test]
async fn within_their_time_to_live_nobody_is_asked_again() {
    let world = World::new(Ok(rates(-60, "5.40")));
    let desk = world.desk();
    assert_eq!(shown(desk.current().await), Some(fresh("5.4", 60)));
    world.answers(Ok(rates(1_800, "5.50")));
    world.set(3_599);
    assert_eq!(shown(desk.current().await), Some(fresh("5.4", 3_659)));
    assert_eq!((world.asked(), world.reads.load(Ordering::SeqCst)), (1, 1));
    world.set(3_600);
    assert_eq!(shown(desk.current().await), Some(fresh("5.5", 1_800)));
    assert_eq!(world.asked(), 2);
    assert_eq!(world.kept.lock().unwrap().as_ref().unwrap().confirmed_at, at(3_600));
}

#[tokio::test]
async fn what_one_function_asked_serves_all() {
    let world = World::new(Ok(rates(0, "5.40")));
    let (one, other) = (world.desk(), world.desk());
    one.current().await;
    world.set(1_800);
    assert_eq!(shown(other.current().await), Some(fresh("5.4", 1_800)));
    assert_eq!(world.asked(), 1);
    // And for no longer than for the one that asked.
    world.set(3_600);
    other.current().await;
    assert_eq!(world.asked(), 2);
    one.current().await;
    assert_eq!(world.asked(), 2, "the table had what the other asked for");
}

#[tokio::test]
async fn an_unchanged_publication_is_fresh_again() {
    let world = World::new(Ok(rates(0, "5.40")));
    let desk = world.desk();
    for hour in 0..48 {
        world.set(hour * 3_600);
        assert_eq!(shown(desk.current().await), Some(fresh("5.4", hour * 3_600)));
    }
    assert_eq!(world.asked(), 48);
}

#[tokio::test]
async fn without_an_answer_the_last_serve_on_until_they_are_too_old() {
    let world = World::new(Ok(rates(0, "5.40")));
    let desk = world.desk();
    desk.current().await;
    world.answers(Err(unavailable()));
    world.set(3_600);
    assert_eq!(shown(desk.current().await), Some(stale("5.4", 3_600)));
    // Not asked at every turn, and asked again soon.
    world.set(3_629);
    assert_eq!(shown(desk.current().await), Some(stale("5.4", 3_629)));
    assert_eq!(world.asked(), 2);
    world.set(3_630);
    desk.current().await;
    assert_eq!(world.asked(), 3);
    world.set(72 * 3_600);
    assert_eq!(shown(desk.current().await), Some(stale("5.4", 72 * 3_600)));
    world.set(72 * 3_600 + 1);
    assert_eq!(shown(desk.current().await), None, "too old is none, also within a pause");
    world.set(72 * 3_600 + 40);
    assert_eq!(shown(desk.current().await), None);
    world.answers(Ok(rates(72 * 3_600, "5.60")));
    world.set(72 * 3_600 + 70);
    assert_eq!(shown(desk.current().await), Some(fresh("5.6", 70)), "and it comes back by itself");
}

#[tokio::test]
async fn a_refusal_is_not_asked_about_for_longer() {
    for answer in [RatesError::Refused("401".to_owned()), RatesError::Unusable("HTML".to_owned())] {
        let world = World::new(Err(answer));
        let desk = world.desk();
        for (seconds, asked) in [(0, 1), (30, 1), (299, 1), (300, 2)] {
            world.set(seconds);
            assert_eq!(shown(desk.current().await), None);
            assert_eq!(world.asked(), asked, "after {seconds} s");
        }
    }
}

#[tokio::test]
async fn a_function_that_starts_in_an_outage_has_what_is_kept() {
    let world = World::new(Err(unavailable()));
    world.keeps(rates(-7_200, "5.40"), -7_200);
    assert_eq!(shown(world.desk().current().await), Some(stale("5.4", 7_200)));
    world.keeps(rates(-72 * 3_600 - 1, "5.40"), 0);
    assert_eq!(shown(world.desk().current().await), None, "too old, however lately it was confirmed");
}

#[tokio::test]
async fn without_the_table_the_source_serves() {
    let world = World::new(Ok(rates(0, "5.40")));
    world.is_store_down.store(true, Ordering::SeqCst);
    let desk = world.desk();
    assert_eq!(shown(desk.current().await), Some(fresh("5.4", 0)));
    world.set(10);
    assert_eq!(shown(desk.current().await), Some(fresh("5.4", 10)));
    assert_eq!(world.asked(), 1);
    world.answers(Err(unavailable()));
    assert_eq!(shown(world.desk().current().await), None, "neither of them is no reason to fail");
}

#[tokio::test]
async fn older_rates_never_take_the_place_of_newer() {
    let world = World::new(Ok(rates(-600, "5.30")));
    world.keeps(rates(-300, "5.40"), -3_600);
    let desk = world.desk();
    assert_eq!(shown(desk.current().await), Some(stale("5.4", 300)));
    desk.current().await;
    assert_eq!(world.asked(), 1, "it isn't asked at every turn because of that");
    assert_eq!(world.kept.lock().unwrap().as_ref().unwrap().rates, rates(-300, "5.40"));

    // Somebody kept a newer one between our reading and our writing.
    let world = World::new(Ok(rates(-600, "5.30")));
    let desk = world.desk();
    world.holds_its_answers();
    let mut asking = Box::pin(desk.current());
    assert!(asking.as_mut().now_or_never().is_none());
    world.keeps(rates(-300, "5.40"), 0);
    world.answers.add_permits(1);
    assert_eq!(shown(asking.await), Some(fresh("5.4", 300)));
}

#[tokio::test]
async fn a_source_that_goes_back_changes_nothing_even_without_the_table() {
    let world = World::new(Ok(rates(-300, "5.40")));
    world.is_store_down.store(true, Ordering::SeqCst);
    let desk = world.desk();
    desk.current().await;
    world.answers(Ok(rates(-600, "5.30")));
    world.set(3_600);
    assert_eq!(shown(desk.current().await), Some(stale("5.4", 3_900)));
}

#[tokio::test]
async fn rates_from_the_future_are_not_believed_and_not_kept() {
    let world = World::new(Ok(rates(3_601, "9.99")));
    let desk = world.desk();
    assert_eq!(shown(desk.current().await), None);
    assert!(world.kept.lock().unwrap().is_none());
    // Nor if the table has them, which is no reason to do without others.
    world.keeps(rates(86_400 * 366, "9.99"), 0);
    world.answers(Ok(rates(300, "5.40")));
    world.set(300);
    assert_eq!(shown(desk.current().await), Some(fresh("5.4", 0)));
}

#[tokio::test]
async fn a_clock_that_is_put_back_loses_no_rates() {
    let world = World::new(Ok(rates(86_400 * 30, "5.40")));
    let desk = world.desk();
    world.set(86_400 * 30);
    assert_eq!(shown(desk.current().await), Some(fresh("5.4", 0)));
    world.answers(Err(unavailable()));
    world.set(86_400 * 30 + 3_600);
    desk.current().await;
    world.set(0);
    world.answers(Ok(rates(0, "5.20")));
    assert_eq!(shown(desk.current().await), Some(fresh("5.2", 0)));
}

#[tokio::test]
async fn of_many_at_once_one_asks() {
    // In vain, too: those that waited don't ask one after the other.
    for (answer, expected) in [(Ok(rates(0, "5.40")), Some(fresh("5.4", 0))), (Err(unavailable()), None)] {
        let world = World::new(answer);
        world.holds_its_answers();
        let desk = world.desk();
        let mut all = join_all((0..50).map(|_| desk.current()));
        assert!((&mut all).now_or_never().is_none(), "all of them wait");
        world.answers.add_permits(50);
        assert!(all.await.into_iter().all(|current| shown(current) == expected));
        assert_eq!((world.asked(), world.reads.load(Ordering::SeqCst)), (1, 1));
    }
}

#[tokio::test]
async fn while_one_asks_others_go_on_with_what_there_is() {
    let world = World::new(Ok(rates(0, "5.40")));
    let desk = world.desk();
    desk.current().await;
    world.set(4_000);
    world.answers(Ok(rates(4_000, "5.50")));
    world.holds_its_answers();
    let mut asking = Box::pin(desk.current());
    assert!(asking.as_mut().now_or_never().is_none(), "waits for the source");
    assert_eq!(shown(desk.current().now_or_never().expect("waits for nobody")), Some(stale("5.4", 4_000)));
    world.answers.add_permits(1);
    assert_eq!(shown(asking.await), Some(fresh("5.5", 0)));
    assert_eq!(world.asked(), 2);
}

#[tokio::test]
async fn whoever_gives_up_asking_leaves_the_turn_to_the_next() {
    let world = World::new(Ok(rates(0, "5.40")));
    world.holds_its_answers();
    let desk = world.desk();
    let mut asking = Box::pin(desk.current());
    assert!(asking.as_mut().now_or_never().is_none());
    let mut waiting = Box::pin(desk.current());
    assert!(waiting.as_mut().now_or_never().is_none());
    drop(asking);
    world.answers.add_permits(1);
    assert_eq!(shown(waiting.await), Some(fresh("5.4", 0)));
    assert_eq!(world.asked(), 2);
}
