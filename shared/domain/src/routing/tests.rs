use super::*;
use crate::Timestamp;
use crate::customer::{Card, Instrument};
use crate::gateway::{PixKey, Token};
use crate::id::PaymentMethodId;
use std::collections::BTreeMap;

const ANA: u64 = 1;
const BEA: u64 = 2;

fn name(text: &str) -> GatewayName {
    GatewayName::parse(text).unwrap()
}

fn gateway(text: &str, priority: u16, means: &[MeansType]) -> Settings {
    Settings {
        name: name(text),
        enabled: true,
        priority,
        means: means.to_vec(),
        currencies: Vec::new(),
        secret: None,
    }
}

fn method(customer: u64, instrument: Instrument) -> PaymentMethod {
    let id = PaymentMethodId::new(CustomerId::new(customer), Timestamp::UNIX_EPOCH, 1);
    PaymentMethod { id, instrument, created_at: Timestamp::UNIX_EPOCH }
}

fn card(held_by: &[&str]) -> PaymentMethod {
    let mut holders = held_by.iter();
    let others = |held: &&str| (name(held), Token(format!("tok_{held}")));
    let first = holders.next().unwrap();
    let card = Card {
        gateway: name(first),
        token: Token(format!("tok_{first}")),
        others: holders.map(others).collect::<BTreeMap<_, _>>(),
        brand: None,
        is_brand_claimed: false,
        last4: None,
        expiry: None,
        country: None,
    };
    method(ANA, Instrument::CreditCard(card))
}

fn pix(customer: u64) -> PaymentMethod {
    method(customer, Instrument::Pix(PixKey("ana@example.com".to_owned())))
}

fn brl(minor: i64) -> Money {
    Money::try_new(minor, Currency::BRL).unwrap()
}

fn plan() -> Plan {
    let both = MeansType::ALL;
    let gateways =
        vec![gateway("a", 2, &both), gateway("b", 1, &both), gateway("c", 3, &[MeansType::CreditCard])];
    Plan { gateways, routing: Routing::default() }
}

fn goes(plan: &Plan, method: &PaymentMethod, amount: Money) -> Option<(String, WhyThere)> {
    plan.route(7, method, amount).map(|source| {
        let why = source.why.unwrap();
        assert_eq!(why.edition, 7);
        let others = source.others.iter().map(|other| &other.gateway);
        let names: Vec<&str> = [&source.gateway].into_iter().chain(others).map(GatewayName::as_str).collect();
        (names.join(" else "), why.there)
    })
}

#[expect(clippy::unnecessary_wraps, reason = "reads as what it is compared with")]
fn to(gateways: &str, why: WhyThere) -> Option<(String, WhyThere)> {
    Some((gateways.to_owned(), why))
}

#[test]
fn without_rules_the_priority_decides_among_those_that_hold_the_card() {
    let plan = plan();
    assert_eq!(goes(&plan, &pix(ANA), brl(1)), to("b else a", WhyThere::Priority));
    assert_eq!(goes(&plan, &card(&["a", "c"]), brl(1)), to("a else c", WhyThere::Priority));
    assert_eq!(goes(&plan, &card(&["d"]), brl(1)), None, "nobody here holds it");
    assert_eq!(plan.for_new_card(CustomerId::new(ANA)), Some(&name("b")));
}

#[test]
fn the_first_rule_that_matches_decides_and_then_the_default() {
    let rule =
        |when, gateways: &[&str]| Rule { when, gateways: gateways.iter().map(|text| name(text)).collect() };
    let large = Condition { min_amount: Some(brl(10_000)), ..Condition::default() };
    let beas = Condition {
        customer: Some(CustomerId::new(BEA)),
        means: Some(MeansType::Pix),
        ..Condition::default()
    };
    let dollars = Condition { currency: Some(Currency::USD), ..Condition::default() };
    let routing = Routing {
        rules: vec![rule(large, &["c", "a"]), rule(beas, &["a"]), rule(dollars, &["c", "b"])],
        default: vec![name("a"), name("b")],
    };
    let plan = Plan { routing, ..plan() };
    assert_eq!(plan.faults(), []);
    assert_eq!(
        plan.for_new_card(CustomerId::new(BEA)),
        Some(&name("c")),
        "where the first rule would charge it"
    );
    assert_eq!(goes(&plan, &card(&["a", "b", "c"]), brl(10_000)), to("c else a", WhyThere::Rule(1)));
    assert_eq!(goes(&plan, &pix(ANA), brl(10_000)), to("a", WhyThere::Rule(1)), "c takes no pix");
    assert_eq!(goes(&plan, &card(&["b"]), brl(10_000)), None, "the rule has no place for it");
    assert_eq!(goes(&plan, &card(&["a", "b"]), brl(9_999)), to("a else b", WhyThere::Default));
    assert_eq!(goes(&plan, &pix(BEA), brl(1)), to("a", WhyThere::Rule(2)));
    let dollar = Money::try_new(10_000, Currency::USD).unwrap();
    assert_eq!(
        goes(&plan, &card(&["b", "c"]), dollar),
        to("c else b", WhyThere::Rule(3)),
        "an amount of reais says nothing of dollars"
    );
}

#[test]
fn what_is_switched_off_or_takes_another_currency_is_passed_over() {
    let mut plan = plan();
    plan.gateways[1].enabled = false;
    plan.gateways[0].currencies = vec![Currency::USD];
    assert_eq!(goes(&plan, &pix(ANA), brl(1)), None);
    assert_eq!(
        goes(&plan, &pix(ANA), Money::try_new(1, Currency::USD).unwrap()),
        to("a", WhyThere::Priority)
    );
    assert_eq!(goes(&plan, &card(&["b", "c"]), brl(1)), to("c", WhyThere::Priority));
}

#[test]
fn a_plan_that_leaves_somebody_with_nothing_is_refused() {
    let rule =
        |when, gateways: &[&str]| Rule { when, gateways: gateways.iter().map(|text| name(text)).collect() };
    let cards = Condition { means: Some(MeansType::CreditCard), ..Condition::default() };
    let odd = Condition {
        currency: Some(Currency::USD),
        min_amount: Some(brl(1)),
        means: Some(MeansType::CreditCard),
        ..Condition::default()
    };
    let routing = Routing {
        rules: vec![
            rule(Condition::default(), &["c"]),
            rule(cards, &["c"]),
            rule(cards, &[]),
            rule(odd, &["a", "x"]),
        ],
        default: vec![name("c")],
    };
    let faults: Vec<String> = Plan { routing, ..plan() }
        .faults()
        .into_iter()
        .map(|fault| format!("{} {}", fault.field, fault.reason))
        .collect();
    assert_eq!(
        faults,
        [
            "rules[0].gateways leave pix with no gateway that is enabled for it",
            "rules[2].gateways must name at least one gateway",
            "rules[2].gateways leave credit_card with no gateway that is enabled for it",
            "rules[3].gateways x is not a gateway of this deployment",
            "rules[3].match.min_amount must be in the match's currency",
            "default leave pix with no gateway that is enabled for it",
        ]
    );
}

#[test]
fn a_new_card_goes_where_a_rule_for_cards_of_this_customer_would_charge_it() {
    let rule = |when, gateway: &str| Rule { when, gateways: vec![name(gateway)] };
    let of = |means, customer: Option<u64>| Condition {
        means,
        customer: customer.map(CustomerId::new),
        ..Condition::default()
    };
    let rules = vec![
        rule(of(Some(MeansType::Pix), Some(ANA)), "a"),
        rule(of(Some(MeansType::CreditCard), Some(BEA)), "a"),
        rule(of(Some(MeansType::CreditCard), Some(ANA)), "c"),
    ];
    let plan = Plan { routing: Routing { rules, default: vec![] }, ..plan() };
    assert_eq!(plan.for_new_card(CustomerId::new(ANA)), Some(&name("c")));
    assert_eq!(plan.for_new_card(CustomerId::new(BEA)), Some(&name("a")));
    assert_eq!(plan.for_new_card(CustomerId::new(9)), Some(&name("b")), "by priority, where no rule says");
}

#[test]
fn cards_are_taken_where_they_are_enabled() {
    let mut plan = plan();
    plan.gateways[1].enabled = false;
    plan.gateways[2].means = vec![MeansType::Pix];
    let takes = ["a", "b", "c", "x"].map(|gateway| plan.takes_cards(&name(gateway)));
    assert_eq!(takes, [true, false, false, false]);
}

#[test]
fn a_plan_is_asked_for_what_is_enabled_and_has_a_hundred_rules_at_most() {
    let mut plan = plan();
    plan.gateways[0].means = vec![MeansType::CreditCard];
    plan.gateways[1].enabled = false;
    let rule = Rule { when: Condition::default(), gateways: vec![name("a")] };
    plan.routing.rules = vec![rule; 100];
    assert_eq!(plan.faults(), [], "only a gateway that is switched off takes pix");
    plan.routing.rules.extend_from_within(..1);
    let fields: Vec<String> = plan.faults().into_iter().map(|fault| fault.field).collect();
    assert_eq!(fields, ["rules"]);
}

#[test]
fn a_reference_is_no_secret() {
    for good in [
        "fatura/gateways/stripe",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:fatura/gateways/stripe-AbCdEf",
    ] {
        assert_eq!(SecretRef::parse(good).unwrap().as_str(), good);
    }
    for bad in [
        "",
        "fatura/gateways/",
        "/gateways/stripe",
        "not_a_name",
        "fatura/gateways/a b",
        &"a/gateways/".repeat(60),
    ] {
        assert_eq!(SecretRef::parse(bad), Err(InvalidSecretRef), "{bad}");
    }
}
