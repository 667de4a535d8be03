//! SMS is paid for by the part: 160 characters of its own alphabet, or 70 as soon as one is outside it.

use crate::samples::{at, failed, sample, texts};
use fatura_notices::{Kind, Language, Remedy};

/// The letters of GSM 03.38 that our texts may have need of, without those that take the room of two.
const ALPHABET: &str = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";

fn fits(text: &str) {
    let foreign: Vec<char> =
        text.chars().filter(|c| !c.is_ascii_alphanumeric() && !ALPHABET.contains(*c)).collect();
    assert!(foreign.is_empty(), "{foreign:?} in {text}");
    assert!(text.chars().count() <= 160, "{} characters: {text}", text.chars().count());
    assert!(!text.contains('\n') && !text.contains("  "), "{text}");
}

#[test]
fn a_message_is_one_part() {
    for language in Language::ALL {
        for matter in Kind::ALL.map(sample) {
            fits(&texts(matter, language).sms);
        }
        for remedy in Remedy::ALL {
            fits(&texts(failed(remedy, Some(at())), language).sms);
        }
    }
}
