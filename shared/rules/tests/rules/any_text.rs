//! No text whatever makes the engine panic or hang, and what it takes it can answer.

use crate::charge::usual;
use crate::{compile, found, question};
use fatura_domain::gateway::MeansType;
use fatura_domain::money::{Currency, MAX_MINOR, Money};
use fatura_domain::risk::{Counts, Expression, FACTS, Facts, Finding, Method, Record};
use proptest::prelude::*;

/// Pieces of the language and of what is next to it, in any order: mostly nonsense that a parser has to recover from.
fn pieces() -> impl Strategy<Value = String> {
    let signs = prop::sample::select(vec![
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "!",
        "-",
        "?",
        ":",
        "&&",
        "||",
        "==",
        "!=",
        "<",
        ">=",
        "+",
        "*",
        "/",
        "%",
        ".",
        ",",
        "in",
        "has(",
        "true",
        "null",
        "0",
        "1.5",
        "9223372036854775807",
        "0x1F",
        "1u",
        "'a'",
        "\"",
        "'''",
        "r'\\",
        "b'",
        "`",
        "//",
        "\n",
        "size(",
        ".all(x, ",
        ".map(x, x)",
        "@",
        "\\",
        "\u{0}",
        "ç",
        "if",
        "a",
    ]);
    let facts = prop::sample::select(FACTS.iter().map(|fact| fact.name).collect::<Vec<_>>());
    let blank = prop::sample::select(vec!["", " "]);
    prop::collection::vec((prop_oneof![3 => signs, 1 => facts], blank), 1..60)
        .prop_map(|pieces| pieces.into_iter().flat_map(|(piece, blank)| [piece, blank]).collect())
}

/// A question of sound types, whose arithmetic may still come to anything.
fn sound() -> impl Strategy<Value = String> {
    let ints = FACTS.iter().filter(|fact| fact.kind.as_str() == "int").map(|fact| fact.name.to_owned());
    let number = prop_oneof![
        prop::sample::select(ints.collect::<Vec<_>>()),
        any::<i64>().prop_filter("the least has no literal", |n| *n != i64::MIN).prop_map(|n| n.to_string()),
        (-3_i64..3).prop_map(|n| n.to_string()),
    ];
    let sum = number.prop_recursive(3, 12, 2, |inner| {
        (inner.clone(), prop::sample::select(vec!["+", "-", "*", "/", "%"]), inner)
            .prop_map(|(left, sign, right)| format!("({left} {sign} {right})"))
    });
    let compared = (sum.clone(), prop::sample::select(vec!["==", "<", ">="]), sum)
        .prop_map(|(left, sign, right)| format!("({left} {sign} {right})"));
    let text = prop_oneof![
        Just("has(customer.country) && customer.country != 'BR'".to_owned()),
        Just("customer.email.contains('@')".to_owned()),
        Just("amount.currency in ['BRL', 'USD']".to_owned()),
        Just("!blocked.email".to_owned()),
    ];
    prop_oneof![compared, text].prop_recursive(2, 8, 2, |inner| {
        (inner.clone(), prop::sample::select(vec!["&&", "||"]), inner)
            .prop_map(|(left, sign, right)| format!("({left} {sign} {right})"))
    })
}

fn any_charge() -> impl Strategy<Value = Facts> {
    let numbers = (0..=MAX_MINOR, any::<[u32; 2]>(), any::<[u8; 4]>());
    (numbers, any::<bool>()).prop_map(|((minor, [payments, disputes], counts), known)| {
        let [attempts_hour, attempts_day, cards_hour, cards_day] = counts.map(u32::from);
        let mut facts = usual();
        facts.amount = Money::try_new(minor, Currency::BRL).unwrap();
        facts.customer.record = Record { payments, disputes };
        facts.velocity = Counts { attempts_hour, attempts_day, cards_hour, cards_day };
        if !known {
            facts.customer.person.as_mut().unwrap().country = None;
            let bare = |method| Method { means: MeansType::Pix, brand: None, country: None, ..method };
            facts.method = facts.method.map(bare).filter(|_| minor % 2 == 0);
        }
        facts
    })
}

fn put_and_ask(text: &str, charge: &Facts) {
    if Expression::parse(text).is_ok()
        && let Ok(rules) = compile(&question(text))
    {
        rules.assess(charge);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_taken_or_refused(text in "(?s).{1,200}", charge in any_charge()) {
        put_and_ask(&text, &charge);
    }

    #[test]
    fn any_pieces_are_taken_or_refused(text in pieces(), charge in any_charge()) {
        put_and_ask(&text, &charge);
    }

    /// What is of sound types is refused only for what its samples came to, and answers any charge without a panic.
    #[test]
    fn sound_questions_are_answered(text in sound(), charge in any_charge()) {
        match compile(&question(&text)) {
            Ok(rules) => { rules.assess(&charge); }
            Err(said) => prop_assert!(said[0].contains("fails where all numbers are"), "{:?}: {}", said, text),
        }
    }

    /// A question without arithmetic that was taken never fails, whatever is absent.
    #[test]
    fn what_is_taken_asks_before_it_reads(
        parts in prop::collection::vec(
            (prop::sample::select(vec!["has(A)", "!has(A)", "A == 'x'", "has(B)", "B != 'x'", "true"]), any::<bool>(), any::<bool>()),
            1..6,
        ),
        charge in any_charge(),
    ) {
        let text = parts.iter().fold("true".to_owned(), |left, (right, and, negate)| {
            format!("{}({left} {} {right})", if *negate { "!" } else { "" }, if *and { "&&" } else { "||" })
        });
        let text = text.replace('A', "customer.country").replace('B', "payment_method.brand");
        if let Ok(rules) = compile(&question(&text)) {
            prop_assert_ne!(found(&rules, &charge), Finding::Failed, "{}", text);
        }
    }
}
