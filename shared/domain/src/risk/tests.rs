use super::*;
use crate::actor::Actor;
use crate::customer::KnownCard;
use crate::customer::{Card, Customer, CustomerKind, Instrument, PaymentMethod, PaymentSource, Profile};
use crate::gateway::{GatewayName, MeansType, PixKey, Token};
use crate::id::{AttemptId, AttemptNumber, CustomerId, InvoiceId, PaymentMethodId};
use crate::money::{Currency, Money};
use crate::text::{Email, Metadata, Name, Text};
use crate::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn facts() -> Facts {
    let id = CustomerId::new(7);
    Facts {
        amount: Money::try_new(123_450, Currency::BRL).unwrap(),
        customer: Buyer {
            id,
            person: Some(Person {
                email: Email::parse("Ana@Mail.Example.com").unwrap(),
                age: SignedDuration::from_hours(60),
                country: "br".parse().ok(),
            }),
            record: Record { payments: 3, disputes: 1 },
        },
        method: Some(Method {
            id: PaymentMethodId::new(id, Timestamp::UNIX_EPOCH, 1),
            means: MeansType::CreditCard,
            brand: Some("visa".to_owned()),
            country: "PT".parse().ok(),
        }),
        velocity: Counts { attempts_hour: 1, attempts_day: 2, cards_hour: 3, cards_day: 4 },
    }
}

fn read(name: &str, facts: &Facts, lists: &Blocklists) -> Option<FactValue> {
    Fact::named(name).unwrap().read(facts, lists)
}

#[test]
fn each_fact_is_read_where_its_name_says_and_is_of_its_kind() {
    let lists = Blocklists::default();
    let expected: [FactValue; 20] = [
        123_450_i64.into(),
        "BRL".into(),
        CustomerId::new(7).to_string().as_str().into(),
        "ana@mail.example.com".into(),
        60_i64.into(),
        2_i64.into(),
        "BR".into(),
        3_u32.into(),
        1_u32.into(),
        "credit_card".into(),
        "visa".into(),
        "PT".into(),
        1_u32.into(),
        2_u32.into(),
        3_u32.into(),
        4_u32.into(),
        false.into(),
        false.into(),
        false.into(),
        false.into(),
    ];
    for (fact, expected) in FACTS.iter().zip(expected) {
        assert_eq!(expected.kind(), fact.kind, "{}", fact.name);
        assert_eq!(fact.read(&facts(), &lists), Some(expected), "{}", fact.name);
    }
}

#[test]
fn only_what_may_be_absent_ever_is() {
    let known = facts();
    let person = known.customer.person.clone().map(|person| Person { country: None, ..person });
    let bare = Facts { method: None, customer: Buyer { person, ..known.customer.clone() }, ..known };
    for fact in &FACTS {
        assert_eq!(fact.read(&bare, &Blocklists::default()).is_none(), fact.may_be_absent, "{}", fact.name);
    }
}

#[test]
fn names_have_two_halves_and_are_one_facts_own() {
    let names: BTreeSet<&str> = FACTS.iter().map(|fact| fact.name).collect();
    assert_eq!(names.len(), FACTS.len());
    assert!(FACTS.iter().all(|fact| format!("{}.{}", fact.path().0, fact.path().1) == fact.name));
}

#[test]
fn a_blocklist_holds_by_id_address_domain_and_country() {
    let facts = facts();
    let domain = |text: &str| EmailDomain::parse(text).unwrap();
    let lists = |kind: &str| {
        let mut lists = Blocklists::default();
        match kind {
            "customer" => drop(lists.customers.insert(facts.customer.id)),
            "payment_method" => drop(lists.payment_methods.insert(facts.method.as_ref().unwrap().id)),
            "email" => drop(lists.emails.insert(facts.customer.person.clone().unwrap().email)),
            "country" => drop(lists.countries.insert("PT".parse().unwrap())),
            other => drop(lists.email_domains.insert(domain(other))),
        }
        lists
    };
    let blocked = |fact: &str, kind: &str| read(fact, &facts, &lists(kind)) == Some(true.into());
    for kind in ["customer", "payment_method", "email", "country"] {
        let by: Vec<&str> = ["customer", "payment_method", "email", "country"]
            .into_iter()
            .filter(|fact| blocked(&format!("blocked.{fact}"), kind))
            .collect();
        assert_eq!(by, [kind], "each list blocks its own kind and no other");
    }
    assert!(blocked("blocked.email", "Example.com"), "and what lies below it");
    assert!(blocked("blocked.email", "mail.example.com"));
    assert!(!blocked("blocked.email", "ample.com"), "but no domain that only ends alike");
    assert!(EmailDomain::parse("localhost").is_err() && EmailDomain::parse("a@b.c").is_err());
    let mut by_own = Blocklists::default();
    by_own.countries.insert("BR".parse().unwrap());
    assert_eq!(read("blocked.country", &facts, &by_own), Some(true.into()), "the customer's own counts too");
}

#[test]
fn who_pays_and_with_what_is_as_the_customer_registered_it() {
    let profile = Profile {
        name: Name::parse("Ana").unwrap(),
        email: Email::parse("ana@example.com").unwrap(),
        external_id: None,
        kind: CustomerKind::Buyer,
        time_zone: None,
        billing_anchor_day: None,
        country: "BR".parse().ok(),
        metadata: Metadata::default(),
    };
    let customer = Customer::new(CustomerId::new(7), profile, at(0));
    let person = Person::of(&customer, at(7_200));
    assert_eq!((person.age.as_hours(), person.country), (2, "BR".parse().ok()));
    assert_eq!(Person::of(&customer, at(-7_200)).age, SignedDuration::ZERO, "clocks differ");
    let mut visa = card("a");
    if let Instrument::CreditCard(card) = &mut visa.instrument {
        card.brand = Text::parse("Visa").ok();
        card.country = "PT".parse().ok();
    }
    let method = Method::from(&visa);
    assert_eq!((method.brand.as_deref(), method.country), (Some("visa"), "PT".parse().ok()));
    assert_eq!((method.id, method.means), (visa.id, MeansType::CreditCard));
    let gateway = GatewayName::parse("sandbox").unwrap();
    let means = visa.means_at(&gateway).unwrap();
    let source = PaymentSource { card: KnownCard::of(&visa), ..PaymentSource::at(visa.id, gateway, means) };
    assert_eq!(Method::of(&source), method, "a charge knows as much of it");
    assert_eq!(source.card.map(|card| card.mark), CardMark::of(&visa));
}

#[test]
fn a_country_is_two_letters() {
    let country: Country = "br".parse().unwrap();
    assert_eq!((country.as_str(), country.to_string().as_str()), ("BR", "BR"));
    for text in ["", "B", "BRA", "B1", "ç"] {
        assert!(text.parse::<Country>().is_err(), "{text}");
    }
}

fn rule(name: &str, effect: Effect) -> Rule {
    let expression = Expression::parse("true").unwrap();
    Rule { name: RuleName::parse(name).unwrap(), expression, effect }
}

fn concluded(findings: &[(Effect, Finding)]) -> (Decision, i32) {
    let rules: Vec<Rule> = findings.iter().map(|(effect, _)| rule("some", *effect)).collect();
    let found = rules.iter().zip(findings.iter().map(|(_, finding)| *finding));
    let assessment = RuleSet::default().conclude(3, found);
    assert_eq!(assessment.edition, 3);
    (assessment.decision, assessment.score)
}

#[test]
fn the_score_decides_by_its_thresholds_unless_a_rule_does() {
    use Decision::{Approve, Decline, Review};
    use Finding::{DoesNotHold, Failed, Holds};
    let add = Effect::Score;
    let say = Effect::Decide;
    assert_eq!(concluded(&[]), (Approve, 0));
    assert_eq!(concluded(&[(add(49), Holds)]), (Approve, 49));
    assert_eq!(concluded(&[(add(49), Holds), (add(1), Holds)]), (Review, 50));
    assert_eq!(
        concluded(&[(add(120), Holds), (add(-21), Holds)]),
        (Review, 99),
        "a rule may speak for a charge"
    );
    assert_eq!(concluded(&[(add(100), Holds)]), (Decline, 100));
    assert_eq!(concluded(&[(add(100), DoesNotHold)]), (Approve, 0));
    assert_eq!(concluded(&[(say(Decline), Holds)]), (Decline, 0), "a decision beats a low score");
    assert_eq!(concluded(&[(say(Approve), Holds), (add(900), Holds)]), (Approve, 900), "and a high one");
    assert_eq!(concluded(&[(say(Approve), Holds), (say(Review), Holds)]).0, Review, "the stricter of two");
    assert_eq!(concluded(&[(say(Decline), Holds), (say(Review), Holds)]).0, Decline);
    assert_eq!(concluded(&[(add(1), Failed)]), (Review, 0), "a rule that fails errs towards review");
    assert_eq!(concluded(&[(say(Approve), Failed)]).0, Review);
    assert_eq!(concluded(&[(say(Approve), Holds), (add(1), Failed)]).0, Review, "nobody approves then");
    assert_eq!(concluded(&[(say(Decline), Holds), (add(1), Failed)]).0, Decline, "nor makes it milder");
}

#[test]
fn reasons_say_what_each_rule_weighed() {
    let rules = [
        rule("new_card", Effect::Score(30)),
        rule("old_friend", Effect::Score(-10)),
        rule("listed", Effect::Decide(Decision::Decline)),
        rule("broken", Effect::Score(5)),
        rule("quiet", Effect::Score(5)),
    ];
    let found = [Finding::Holds, Finding::Holds, Finding::Holds, Finding::Failed, Finding::DoesNotHold];
    let assessment = RuleSet::default().conclude(1, rules.iter().zip(found));
    let reasons: Vec<String> = assessment.reasons.iter().map(Reason::to_string).collect();
    assert_eq!(reasons, ["new_card +30", "old_friend -10", "listed:decline", "rule_failed:broken"]);
}

#[test]
fn everything_wrong_with_a_rule_set_is_named() {
    let mut set = RuleSet { rules: vec![rule("same", Effect::Score(0)); 101], ..RuleSet::default() };
    for rule in set.rules.iter_mut().skip(2) {
        rule.effect = Effect::Decide(Decision::Review);
    }
    set.rules[1].effect = Effect::Score(1_001);
    for (index, rule) in set.rules.iter_mut().enumerate().skip(2) {
        rule.name = RuleName::parse(&format!("rule_{index}")).unwrap();
    }
    set.thresholds = Thresholds { review: 0, decline: -1 };
    set.blocklists.emails = (0..501).map(|n| Email::parse(&format!("{n}@example.com")).unwrap()).collect();
    let fields: Vec<String> = set.faults().into_iter().map(|fault| fault.field).collect();
    assert_eq!(
        fields,
        [
            "rules",
            "rules[0].score",
            "rules[1].name",
            "rules[1].score",
            "thresholds.review",
            "thresholds.decline",
            "blocklists.emails"
        ]
    );
    assert_eq!(RuleSet::default().faults(), []);
    assert_eq!(set.faults()[1].reason, "must be -1000 to 1000, and not 0");
}

#[test]
fn the_most_that_a_rule_set_may_be_is_one() {
    let mut set = RuleSet { rules: vec![rule("same", Effect::Score(1_000)); 100], ..RuleSet::default() };
    for (index, rule) in set.rules.iter_mut().enumerate() {
        rule.name = RuleName::parse(&format!("rule_{index}")).unwrap();
    }
    set.rules[0].effect = Effect::Score(-1_000);
    set.thresholds = Thresholds { review: 1, decline: 1 };
    set.blocklists.emails = (0..500).map(|n| Email::parse(&format!("{n}@example.com")).unwrap()).collect();
    assert_eq!(set.faults(), []);
}

#[test]
fn names_and_expressions_are_bounded() {
    for name in ["a", "new_card_2", &"a".repeat(40)] {
        assert!(RuleName::parse(name).is_ok(), "{name}");
    }
    for name in ["", "2nd", "New", "new card", "a:b", "é", &"a".repeat(41)] {
        assert!(RuleName::parse(name).is_err(), "{name}");
    }
    assert_eq!(
        RuleName::parse("new_card_2").map(|name| name.as_str().to_owned()),
        Ok("new_card_2".to_owned())
    );
    assert_eq!(
        Expression::parse("amount > 1").map(|rule| rule.as_str().to_owned()),
        Ok("amount > 1".to_owned())
    );
    assert!(Expression::parse(&"x".repeat(1_000)).is_ok());
    assert_eq!(Expression::parse(&"x".repeat(1_001)), Err(ExpressionError::TooLong));
    assert_eq!(Expression::parse(" \n"), Err(ExpressionError::Empty));
}

#[test]
fn what_is_stored_is_short_and_comes_back() {
    let mut set =
        RuleSet { rules: vec![rule("listed", Effect::Decide(Decision::Decline))], ..RuleSet::default() };
    set.blocklists.countries.insert("PT".parse().unwrap());
    let domain = EmailDomain::parse("example.com").unwrap();
    let stored = serde_json::to_string(&domain).unwrap();
    assert_eq!((stored.as_str(), domain.as_str()), (r#""example.com""#, "example.com"));
    let json = serde_json::to_string(&set).unwrap();
    assert_eq!(
        json,
        r#"{"r":[{"n":"listed","x":"true","e":{"d":"decline"}}],"t":{"r":50,"d":100},"b":{"co":["PT"]}}"#
    );
    assert_eq!(serde_json::from_str::<RuleSet>(&json).unwrap(), set);
    assert_eq!(serde_json::from_str::<RuleSet>("{}").unwrap(), RuleSet::default());
    let found = [(&set.rules[0], Finding::Failed)];
    let assessment = set.conclude(9, found);
    let json = serde_json::to_string(&assessment).unwrap();
    assert_eq!(json, r#"{"d":"review","s":0,"r":[{"n":"listed","w":"f"}],"e":9}"#);
    assert_eq!(serde_json::from_str::<Assessment>(&json).unwrap(), assessment);
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn card(token: &str) -> PaymentMethod {
    let card = Card {
        gateway: GatewayName::parse("sandbox").unwrap(),
        token: Token(token.to_owned()),
        others: std::collections::BTreeMap::new(),
        brand: None,
        is_brand_claimed: false,
        last4: None,
        expiry: None,
        country: None,
    };
    let id = PaymentMethodId::new(CustomerId::new(7), Timestamp::UNIX_EPOCH, 1);
    PaymentMethod { id, instrument: Instrument::CreditCard(card), created_at: Timestamp::UNIX_EPOCH }
}

fn mark(token: &str) -> Option<CardMark> {
    CardMark::of(&card(token))
}

/// One attempt, by a number.
fn tried(number: u8, token: Option<&str>, second: i64) -> Try {
    let invoice = InvoiceId::new(CustomerId::new(7), Timestamp::UNIX_EPOCH, number.into());
    Try::new(AttemptId { invoice, number: AttemptNumber(1) }, token.and_then(mark), at(second))
}

/// As the store keeps them: by the hour, so many of each at most.
fn kept(tries: impl IntoIterator<Item = Try>) -> Velocity {
    let mut hours: BTreeMap<Hour, BTreeSet<Try>> = BTreeMap::new();
    for one in tries {
        let hour = hours.entry(one.hour()).or_default();
        if hour.len() < Velocity::MOST_IN_AN_HOUR {
            hour.insert(one);
        }
    }
    hours.into_iter().fold(Velocity::default(), |velocity, (hour, tries)| velocity.with_hour(hour, tries))
}

fn counts(velocity: &Velocity, second: i64) -> [u32; 4] {
    let Counts { attempts_hour, attempts_day, cards_hour, cards_day } = velocity.counts(at(second));
    [attempts_hour, attempts_day, cards_hour, cards_day]
}

#[test]
fn velocity_counts_the_last_hour_and_day() {
    let velocity =
        kept([tried(1, Some("a"), 0), tried(2, Some("b"), 1), tried(3, Some("a"), 2), tried(4, None, 3)]);
    assert_eq!(counts(&velocity, 3), [4, 4, 2, 2]);
    assert_eq!(counts(&velocity, 3_600), [3, 4, 2, 2], "an hour ago is not within the hour");
    assert_eq!(counts(&velocity, 3_601), [2, 4, 1, 2], "a card counts from when it was last tried");
    assert_eq!(counts(&velocity, 86_402), [0, 1, 0, 0]);
    assert_eq!(counts(&velocity, 86_403), [0, 0, 0, 0]);
}

#[test]
fn the_same_attempt_counts_once_and_from_when_it_was_first() {
    let velocity = kept([tried(1, Some("a"), 0), tried(1, Some("a"), 7_000), tried(2, Some("a"), 7_000)]);
    assert_eq!(counts(&velocity, 7_001), [1, 2, 1, 1]);
}

#[test]
fn an_hour_that_is_full_says_so() {
    let hour = 3_600 * 100;
    let flood = (0..100).map(|n| tried(n, Some("a"), hour + i64::from(n)));
    let velocity = kept(flood);
    let full = [32, 32, 16, 16];
    assert_eq!(counts(&velocity, hour + 100), full);
    assert_eq!(
        counts(&velocity, hour + 7_199),
        full,
        "what more came in that hour may have been a moment ago"
    );
    assert_eq!(counts(&velocity, hour + 7_200), [0, 32, 0, 16]);
    assert_eq!(counts(&velocity, hour + 90_000), [0, 0, 0, 0], "a day after its end");
    let nearly = kept((0..63).map(|n| tried(n, Some("a"), hour)));
    assert_eq!(counts(&nearly, hour), [32, 32, 1, 1]);
    assert_eq!(
        counts(&nearly.with(tried(63, Some("b"), hour)), hour),
        [32, 32, 2, 2],
        "nothing is hidden by one more"
    );
}

#[test]
fn the_hours_of_a_day_are_those_that_can_hold_any_of_it() {
    let now = at(1_234);
    let (from, to) = Hour::of_last_day(now);
    assert_eq!(to, tried(1, None, 1_234).hour());
    assert_eq!(from, tried(1, None, 1_234 - 86_400).hour());
    assert_eq!(Hour::of_last_day(Timestamp::UNIX_EPOCH), (Hour(0), Hour(0)));
}

#[test]
fn a_card_is_told_by_its_token_and_a_pix_key_is_none() {
    assert_eq!(mark("a"), mark("a"));
    assert_ne!(mark("a"), mark("b"));
    let pix =
        PaymentMethod { instrument: Instrument::Pix(PixKey("ana@example.com".to_owned())), ..card("a") };
    assert_eq!(CardMark::of(&pix), None);
}

#[test]
fn a_full_hour_stays_below_a_kilobyte() {
    let one = tried(1, Some("a"), 5);
    assert_eq!(one.to_bytes().len(), 12);
    // DynamoDB adds a byte for each element, and the key and the names are about a hundred.
    assert!((one.to_bytes().len() + 1) * Velocity::MOST_IN_AN_HOUR + 100 <= 1_024);
    for one in [one, tried(1, None, 5)] {
        assert_eq!(Try::from_bytes(&one.to_bytes()), Some(one));
    }
    for length in [0, 4, 7, 9, 11, 13, 16] {
        assert_eq!(Try::from_bytes(&vec![1; length]), None, "{length} bytes");
    }
}

/// Whoever looks up what the facts need can read each of them.
#[test]
fn what_a_fact_needs_is_all_that_it_needs() {
    for fact in &FACTS {
        let needs = Needs::of([fact]);
        let person = needs.person.then(|| Person {
            email: Email::parse("ana@example.com").unwrap(),
            age: SignedDuration::ZERO,
            country: "BR".parse().ok(),
        });
        let often = |needed| u32::from(needed);
        let velocity = Counts { attempts_hour: often(needs.velocity), ..Counts::default() };
        let facts = Facts {
            amount: Money::try_new(1, Currency::BRL).unwrap(),
            customer: Buyer {
                id: CustomerId::new(7),
                person,
                record: Record { payments: often(needs.payments), disputes: often(needs.disputes) },
            },
            method: Some(Method {
                brand: Some("visa".to_owned()),
                country: "BR".parse().ok(),
                ..Method::from(&card("a"))
            }),
            velocity,
        };
        let read = fact.read(&facts, &Blocklists::default());
        assert!(read.is_some(), "{}", fact.name);
        if let "customer.payments" | "customer.disputes" | "velocity.attempts_hour" = fact.name {
            assert_eq!(read, Some(FactValue::Integer(1)), "{}", fact.name);
        }
    }
    assert_eq!(Needs::of([]), Needs::default());
    assert_eq!(Needs::of(Fact::named("customer.id")), Needs::default(), "the invoice says whose it is");
}

#[test]
fn a_person_overrides_what_the_rules_say() {
    let rules = RuleSet::default();
    let assessment = |effect| rules.conclude(1, [(&rule("it", effect), Finding::Holds)]);
    let approved = Judgement::from(assessment(Effect::Score(1)));
    assert!(approved.allows());
    let held = Judgement::from(assessment(Effect::Decide(Decision::Review)));
    assert!(!held.allows());
    for (verdict, allows) in [(Verdict::Approve, true), (Verdict::Reject, false)] {
        let review = Some(Review { verdict, by: Actor::new("key_1"), at: at(1) });
        let reviewed = Judgement { review, ..held.clone() };
        assert_eq!(reviewed.allows(), allows);
        let json = serde_json::to_string(&reviewed).unwrap();
        assert_eq!(serde_json::from_str::<Judgement>(&json).unwrap(), reviewed);
    }
    let unreadable = Assessment::unreadable(0);
    assert_eq!(unreadable.decision, Decision::Review);
    assert_eq!(unreadable.reasons[0].to_string(), "rule_failed:rules");
}

proptest! {
    /// Whatever comes and in whatever order, a count is the true one or its bound.
    #[test]
    fn counts_are_true_up_to_their_bounds(
        tries in prop::collection::vec((0_i64..200_000, 0_u8..30), 0..60),
    ) {
        let now = tries.iter().map(|(second, _)| *second).max().unwrap_or_default();
        let one = |(number, (second, card)): (u8, &(i64, u8))| tried(number, Some(&card.to_string()), *second);
        let velocity = kept((0..).zip(&tries).map(one));
        let within = |span: i64| tries.iter().filter(move |(second, _)| *second > now - span);
        let attempts = |span| u32::try_from(within(span).count().min(Velocity::MOST_ATTEMPTS)).unwrap();
        let cards = |span| {
            let cards: BTreeSet<u8> = within(span).map(|(_, card)| *card).collect();
            u32::try_from(cards.len().min(Velocity::MOST_CARDS)).unwrap()
        };
        prop_assert_eq!(
            counts(&velocity, now),
            [attempts(3_600), attempts(86_400), cards(3_600), cards(86_400)]
        );
    }

    /// No instant makes it panic.
    #[test]
    fn any_instant_will_do(seconds in prop::collection::vec(-377_705_023_201_i64..=253_402_207_200, 0..10)) {
        let mut velocity = Velocity::default();
        for second in seconds {
            let now = Timestamp::from_second(second).unwrap();
            let invoice = InvoiceId::new(CustomerId::new(7), Timestamp::UNIX_EPOCH, 1);
            let one = Try::new(AttemptId { invoice, number: AttemptNumber(1) }, mark("a"), now);
            velocity = velocity.with_hour(one.hour(), [one]).with(one);
            prop_assert!(velocity.counts(now).attempts_day <= 1);
            Hour::of_last_day(now);
        }
    }
}
