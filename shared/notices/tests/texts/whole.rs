//! What holds for all texts.

use crate::samples::{at, brl, failed, invoice, notice, of_wallet, sample, texts};
use fatura_domain::charge::FailureClass;
use fatura_domain::id::{BillId, CustomerId};
use fatura_notices::{Kind, Language, Matter, PaidWith, Remedy, Renderer, Texts};
use std::collections::BTreeSet;

/// In strict mode: a name that a template has and a notice hasn't would fail here. All branches of all templates.
#[test]
fn every_template_renders_in_every_language() {
    let renderer = Renderer::try_new().unwrap();
    for language in Language::ALL {
        let remedies =
            Remedy::ALL.into_iter().flat_map(|remedy| [failed(remedy, None), failed(remedy, Some(at()))]);
        let of_wallet = of_wallet().map(|(_, matter)| matter);
        for matter in Kind::ALL.map(sample).into_iter().chain(of_wallet).chain(remedies) {
            let texts = renderer.render(&notice(matter, language)).unwrap();
            for (part, text) in [
                ("subject", &texts.subject),
                ("sms", &texts.sms),
                ("text", &texts.text),
                ("html", &texts.html),
            ] {
                assert!(!text.trim().is_empty(), "{part}");
                assert!(
                    !text.contains("{{") && !text.contains("{%") && !text.contains("\n\n\n"),
                    "{part}: {text}"
                );
            }
            assert!(
                texts.text.starts_with(['H', 'O']) && texts.text.ends_with("Padaria Central\n"),
                "{}",
                texts.text
            );
        }
    }
}

#[test]
fn languages_differ_in_everything() {
    for kind in Kind::ALL {
        let [english, portuguese] = Language::ALL.map(|language| texts(sample(kind), language));
        assert_ne!(english.subject, portuguese.subject);
        assert_ne!(english.sms, portuguese.sms);
        assert_ne!(english.text, portuguese.text);
        assert!(english.html.contains("lang=\"en\"") && portuguese.html.contains("lang=\"pt-BR\""));
    }
}

#[test]
fn each_remedy_says_something_else() {
    for language in Language::ALL {
        let said = Remedy::ALL.map(|remedy| texts(failed(remedy, None), language));
        let mails: BTreeSet<_> = said.iter().map(|texts| &texts.text).collect();
        let messages: BTreeSet<_> = said.iter().map(|texts| &texts.sms).collect();
        assert_eq!((mails.len(), messages.len()), (Remedy::ALL.len(), Remedy::ALL.len()), "{language:?}");
    }
}

/// A duplicate may have been charged: who knows what happened doesn't say that nothing did.
#[test]
fn what_is_not_known_is_not_said() {
    assert_eq!(Remedy::of(FailureClass::Duplicate), Remedy::LeaveItToUs);
    for (language, nothing) in Language::ALL.into_iter().zip(["Nothing was charged.", "Nada foi cobrado."]) {
        assert!(!texts(failed(Remedy::LeaveItToUs, None), language).text.contains(nothing));
        assert!(texts(failed(Remedy::AddFunds, None), language).text.contains(nothing));
    }
}

/// A rule of the shop's is nobody's mistake, and another card is no way around it.
#[test]
fn who_was_declined_for_the_risk_is_told_whom_to_ask() {
    let remedy = Remedy::of(FailureClass::RiskDeclined);
    for (language, [ask, mistake, method]) in Language::ALL.into_iter().zip([
        ["contact us", "mistake", "another payment method"],
        ["Fale conosco", "erro", "outro meio de pagamento"],
    ]) {
        let Texts { text, sms, .. } = texts(failed(remedy, None), language);
        assert!(text.contains(ask) && sms.contains(ask), "{sms} {text}");
        assert!(!text.contains(mistake) && !text.contains(method), "{text}");
    }
}

#[test]
fn nobody_is_told_to_be_suspected() {
    for class in FailureClass::ALL {
        for language in Language::ALL {
            let text = texts(failed(Remedy::of(class), None), language).text.to_lowercase();
            assert!(!text.contains("fraud") && !text.contains("suspe"), "{class:?}: {text}");
        }
    }
}

#[test]
fn the_next_try_is_told_if_there_is_one() {
    for (language, day) in Language::ALL.into_iter().zip(["20 November 2026", "20 de novembro de 2026"]) {
        assert!(texts(failed(Remedy::Wait, Some(at())), language).text.contains(day));
        assert!(!texts(failed(Remedy::Wait, None), language).text.contains("2026"));
    }
}

#[test]
fn a_bill_in_one_currency_says_its_total_once() {
    let bill = BillId::new(CustomerId::new(42), at(), 8);
    let matter =
        |converted| Matter::BillClosed { bill, from: at(), to: at(), totals: vec![brl(5)], converted };
    for converted in [None, Some(brl(5))] {
        let text = texts(matter(converted), Language::BrazilianPortuguese).text;
        assert_eq!(text.matches("R$ 0,05").count(), 1, "{text}");
    }
}

#[test]
fn a_card_is_shown_as_far_as_it_is_known() {
    let paid = |brand: Option<&str>, last4: Option<&str>| {
        let with = PaidWith::Card { brand: brand.map(str::to_owned), last4: last4.map(str::to_owned) };
        texts(Matter::Receipt { invoice: invoice(), amount: brl(1), at: at(), with }, Language::English).text
    };
    assert!(paid(Some("Visa"), None).contains("Paid with: Visa\n"));
    assert!(paid(None, Some("4242")).contains("Paid with: card •••• 4242\n"));
    assert!(paid(None, None).contains("Paid with: card\n"));
}

#[test]
fn what_goes_back_to_the_wallet_waits_for_no_bank() {
    for (language, (bank, wallet)) in
        Language::ALL.into_iter().zip([("bank", "wallet"), ("banco", "carteira")])
    {
        let [(_, _), (_, refund)] = of_wallet();
        let said = texts(refund, language);
        for text in [&said.text, &said.html, &said.sms] {
            assert!(text.contains(wallet) && !text.contains(bank), "{text}");
        }
        assert!(texts(sample(Kind::Refund), language).text.contains(bank));
    }
}
