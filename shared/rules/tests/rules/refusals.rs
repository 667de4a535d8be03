//! What is refused when a rule is put, so that it doesn't fail when a charge is judged.

use crate::{compile, question, rule, set};
use fatura_domain::risk::{Effect, RuleSet};

fn is_taken(expression: &str) {
    assert_eq!(compile(&question(expression)).err(), None, "{expression}");
}

fn is_refused(expression: &str, reason: &str) {
    let said = compile(&question(expression)).err().unwrap_or_default();
    assert_eq!(said, [format!("rules[0].expression: {reason}")], "{expression}");
}

#[test]
fn every_fault_of_every_rule_is_told_at_once() {
    let rules = vec![
        rule("fine", "true", Effect::Score(1)),
        rule("two", "amount.major > 1 && customer.age > 1 || amount.minor == true", Effect::Score(0)),
        rule("two", "customer.country in ['BR']", Effect::Score(1)),
        rule("last", "1 +", Effect::Score(1)),
    ];
    let said = compile(&set(rules)).unwrap_err();
    let fields: Vec<&str> = said.iter().map(|fault| fault.split(": ").next().unwrap()).collect();
    assert_eq!(
        fields,
        [
            "rules[1].score",
            "rules[2].name",
            "rules[1].expression",
            "rules[1].expression",
            "rules[1].expression",
            "rules[2].expression",
            "rules[3].expression"
        ]
    );
}

#[test]
fn a_set_of_too_many_rules_is_refused() {
    let rules = |count: usize| {
        set((0..count).map(|n| rule(&format!("rule_{n}"), "true", Effect::Score(1))).collect())
    };
    assert_eq!(compile(&rules(RuleSet::MOST_RULES)).err(), None);
    assert_eq!(compile(&rules(101)).unwrap_err(), ["rules: must have at most 100 entries"]);
}

#[test]
fn a_fact_that_may_be_absent_is_read_only_where_it_is_asked_for() {
    for expression in [
        "has(customer.country) && customer.country == 'BR'",
        "customer.country == 'BR' && has(customer.country)",
        "!has(customer.country) || customer.country == 'BR'",
        "!(!has(customer.country) || customer.country == 'BR')",
        "has(customer.country) ? customer.country == 'BR' : false",
        "!has(customer.country) ? false : customer.country.startsWith('B')",
        "has(customer.country) && (amount.minor > 1 || size(customer.country) == 2)",
        "has(customer.country) && has(payment_method.country) && customer.country == payment_method.country",
        "(has(customer.country) && amount.minor > 1 || has(customer.country)) && customer.country in ['BR']",
    ] {
        is_taken(expression);
    }
    for expression in [
        "customer.country == 'BR'",
        "amount.currency == 'USD' && customer.country == 'BR'",
        "has(customer.country) || customer.country == 'BR'",
        "!has(customer.country) && customer.country == 'BR'",
        "has(payment_method.country) && customer.country == 'BR'",
        "(has(customer.country) || amount.minor > 1) && customer.country == 'BR'",
        "has(customer.country) ? true : customer.country == 'BR'",
        "has(customer.country) == true && customer.country == 'BR'",
        "size([customer.country]) == 1",
    ] {
        is_refused(expression, "customer.country may be absent: ask has(customer.country) && … first");
    }
}

#[test]
fn what_would_fail_on_some_charge_is_refused() {
    is_refused("100 / customer.disputes > 1", "fails where all numbers are 0: it divides by 0");
    is_refused("100 % (customer.disputes - 1) > 1", "fails where all numbers are 1: it divides by 0");
    let overflow = "fails where all numbers are as large as can be: a number grows too large";
    is_refused("amount.minor * 1100 > 1", overflow);
    is_taken("amount.minor * 1000 > 1");
    is_taken("customer.disputes > 0 && 100 / customer.disputes > 1");
}

#[test]
fn what_rules_do_not_need_is_refused_by_name() {
    for (expression, reason) in [
        ("nothing", "there is no fact nothing"),
        ("has(customer.name)", "there is no fact customer.name"),
        ("customer.email.size == 3", "there is nothing to take .size of"),
        (
            "customer['email'] == 'x'",
            "customer is a group of facts: customer.id, customer.email, customer.age_hours, customer.age_days, customer.country, customer.payments, customer.disputes",
        ),
        ("[true][0]", "there is no function _[_]"),
        ("1u < 2u", "integers are written without u"),
        ("null == null", "there is no null: ask has(…) for what may be absent"),
        ("b'a' == b'a'", "there are no bytes"),
        ("{'a': 1} == {'a': 1}", "there are no maps and no messages"),
        ("1 in []", "an empty list holds nothing"),
        ("1 in [1, 'a']", "a list must not hold both int and string"),
        ("[1] in [[1]]", "there are no lists of lists"),
        ("'a' in [1]", "in has no meaning for string and list(int)"),
        ("[1] == [1]", "== has no meaning for list(int) and list(int)"),
        ("'9.00' < '10.00'", "< has no meaning for string and string"),
        ("'a' + 'b' == 'ab'", "+ has no meaning for string and string"),
        ("true ? 1 : 'a'", "? : has no meaning for bool and int and string"),
        ("!1", "! has no meaning for int"),
        ("-true", "- has no meaning for bool"),
        ("customer.email.startsWith(1)", "startsWith has no meaning for string and int"),
        ("type(1) == int", "there is no fact int"),
        ("int('1') == 1", "there is no function int"),
        ("[1].map(n, n) == [1]", "there are no loops (all, exists, map, filter): use in"),
    ] {
        let said = compile(&question(expression)).unwrap_err();
        assert_eq!(said.last().unwrap(), &format!("rules[0].expression: {reason}"), "{expression}");
    }
}

#[test]
fn what_is_too_deep_or_too_long_is_refused_before_it_is_walked() {
    let nested = |open: &str, times: usize, middle: &str, close: &str| {
        format!("{}{middle}{}", open.repeat(times), close.repeat(times))
    };
    is_taken(&nested("(", 100, "true", ")"));
    is_taken(&vec!["true"; 120].join(" && "));
    let deep = "must nest at most 24 deep";
    let many = "must have at most 100 brackets and signs such as ! - ?";
    is_refused(&vec!["1"; 60].join(" + "), deep);
    is_refused(&nested("true?true:", 90, "true", ""), deep);
    is_refused(&nested("(", 101, "true", ")"), many);
    is_refused(&"!".repeat(1_000), many);
    is_refused(&"-".repeat(1_000), many);
    is_refused(&nested("a?a:", 240, "a", ""), many);
    let exceeded = "expression recursion limit exceeded: 24";
    is_refused(&nested("[", 40, "1", "]"), exceeded);
    is_refused(&nested("size([", 40, "1", "])"), exceeded);
    is_refused(&format!("{}a", "a.".repeat(400)), deep);
}
