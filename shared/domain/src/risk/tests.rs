use super::*;
use crate::customer::{Card, Customer, CustomerKind, Instrument, PaymentMethod, Profile};
use crate::gateway::{GatewayName, MeansType, PixKey, Token};
use crate::id::{CustomerId, PaymentMethodId};
use crate::money::{Currency, Money};
use crate::text::{Email, Metadata, Name, Text};
use crate::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde::de::value::BytesDeserializer;
use std::collections::BTreeSet;

fn facts() -> Facts {
    let id = CustomerId::new(7);
    Facts {
        amount: Money::try_new(123_450, Currency::BRL).unwrap(),
        customer: Buyer {
            id,
            email: Email::parse("Ana@Mail.Example.com").unwrap(),
            age: SignedDuration::from_hours(50),
            country: "br".parse().ok(),
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
        50_i64.into(),
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
    let bare = Facts { method: None, customer: Buyer { country: None, ..known.customer.clone() }, ..known };
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
            "email" => drop(lists.emails.insert(facts.customer.email.clone())),
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
        metadata: Metadata::default(),
    };
    let customer = Customer::new(CustomerId::new(7), profile, at(0));
    let record = Record { payments: 1, disputes: 2 };
    let buyer = Buyer::of(&customer, None, record, at(7_200));
    assert_eq!((buyer.id, buyer.record, buyer.age.as_hours()), (customer.id, record, 2));
    let before = Buyer::of(&customer, None, record, at(-7_200));
    assert_eq!(before.age, SignedDuration::ZERO, "clocks differ");
    let mut visa = card("a");
    if let Instrument::CreditCard(card) = &mut visa.instrument {
        card.brand = Text::parse("Visa").ok();
    }
    let method = Method::of(&visa, "PT".parse().ok());
    assert_eq!(method.brand.as_deref(), Some("visa"));
    assert_eq!((method.id, method.means), (visa.id, MeansType::CreditCard));
}

#[test]
fn a_country_is_two_letters() {
    assert_eq!("br".parse::<Country>().unwrap().as_str(), "BR");
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
}

#[test]
fn names_and_expressions_are_bounded() {
    for name in ["a", "new_card_2", &"a".repeat(40)] {
        assert!(RuleName::parse(name).is_ok(), "{name}");
    }
    for name in ["", "2nd", "New", "new card", "a:b", "é", &"a".repeat(41)] {
        assert!(RuleName::parse(name).is_err(), "{name}");
    }
    assert!(Expression::parse(&"x".repeat(1_000)).is_ok());
    assert_eq!(Expression::parse(&"x".repeat(1_001)), Err(ExpressionError::TooLong));
    assert_eq!(Expression::parse(" \n"), Err(ExpressionError::Empty));
}

#[test]
fn what_is_stored_is_short_and_comes_back() {
    let mut set =
        RuleSet { rules: vec![rule("listed", Effect::Decide(Decision::Decline))], ..RuleSet::default() };
    set.blocklists.countries.insert("PT".parse().unwrap());
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
        last4: None,
        expiry: None,
    };
    let id = PaymentMethodId::new(CustomerId::new(7), Timestamp::UNIX_EPOCH, 1);
    PaymentMethod { id, instrument: Instrument::CreditCard(card), created_at: Timestamp::UNIX_EPOCH }
}

fn mark(token: &str) -> Option<CardMark> {
    CardMark::of(&card(token))
}

fn counts(velocity: &Velocity, second: i64) -> [u32; 4] {
    let Counts { attempts_hour, attempts_day, cards_hour, cards_day } = velocity.counts(at(second));
    [attempts_hour, attempts_day, cards_hour, cards_day]
}

#[test]
fn velocity_counts_the_last_hour_and_day() {
    let velocity = Velocity::default().with(mark("a"), at(0)).with(mark("b"), at(1)).with(mark("a"), at(2));
    let velocity = velocity.with(None, at(3));
    assert_eq!(counts(&velocity, 3), [4, 4, 2, 2]);
    assert_eq!(counts(&velocity, 3_600), [3, 4, 2, 2], "an hour ago is not within the hour");
    assert_eq!(counts(&velocity, 3_601), [2, 4, 1, 2], "a card counts from when it was last seen");
    assert_eq!(counts(&velocity, 86_402), [0, 1, 0, 0]);
    assert_eq!(counts(&velocity, 86_403), [0, 0, 0, 0]);
    assert_eq!(
        velocity.with(None, at(200_000)),
        Velocity::default().with(None, at(200_000)),
        "the old is forgotten"
    );
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
fn a_velocity_at_its_fullest_is_256_bytes_and_comes_back() {
    let full = (0..40).fold(Velocity::default(), |velocity, n| velocity.with(mark(&n.to_string()), at(n)));
    assert_eq!(counts(&full, 40), [32, 32, 16, 16]);
    let json = serde_json::to_value(&full).unwrap();
    let bytes = |field: &str| json[field].as_array().unwrap().len();
    assert_eq!(bytes("a") + bytes("c"), 256);
    assert_eq!(serde_json::from_value::<Velocity>(json).unwrap(), full);
    assert_eq!(serde_json::from_str::<Velocity>("{}").unwrap(), Velocity::default());
}

#[test]
fn stored_bytes_that_are_no_velocity_are_refused() {
    for (attempts, cards) in [(3, 0), (132, 0), (0, 4), (0, 136)] {
        let json = serde_json::json!({ "a": vec![0; attempts], "c": vec![0; cards] });
        assert!(serde_json::from_value::<Velocity>(json).is_err(), "{attempts} and {cards} bytes");
    }
}

#[test]
fn bytes_of_the_table_are_read_within_their_bounds() {
    let read = |length: usize| {
        let bytes = vec![0; length];
        packed::deserialize::<u32, _>(BytesDeserializer::<serde::de::value::Error>::new(&bytes))
    };
    assert_eq!(read(0), Ok(vec![]));
    assert_eq!(read(128).map(|all| all.len()), Ok(32));
    assert!(read(3).is_err() && read(132).is_err());
}

proptest! {
    /// Whatever comes and in whatever order, a count is the true one or its bound.
    #[test]
    fn counts_are_true_up_to_their_bounds(
        tries in prop::collection::vec((0_i64..200_000, 0_u8..30), 0..80),
        shuffled in any::<bool>(),
    ) {
        let mut tries = tries;
        if !shuffled {
            tries.sort_unstable();
        }
        let now = tries.iter().map(|(second, _)| *second).max().unwrap_or_default();
        let step = |velocity: Velocity, (second, card): &(i64, u8)| velocity.with(mark(&card.to_string()), at(*second));
        let velocity = tries.iter().fold(Velocity::default(), step);
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

    /// No stored velocity and no instant makes it panic.
    #[test]
    fn any_instant_will_do(seconds in prop::collection::vec(-377_705_023_201_i64..=253_402_207_200, 0..10)) {
        let mut velocity = Velocity::default();
        for second in seconds {
            let now = Timestamp::from_second(second).unwrap();
            velocity = velocity.with(mark("a"), now);
            prop_assert!(velocity.counts(now).attempts_hour >= 1);
        }
    }
}
