//! What people are called can't become more than a name.

use crate::samples::{notice, sample};
use fatura_domain::text::Name;
use fatura_notices::{Addressee, Kind, Language, Matter, Notice, Renderer};

fn called(name: &str, kind: Kind, language: Language) -> Notice {
    let plain = notice(sample(kind), language);
    let name = Name::parse(name).unwrap();
    Notice { from: name.clone(), to: Addressee { name, ..plain.to }, matter: plain.matter }
}

#[test]
fn markup_in_a_name_is_text() {
    let renderer = Renderer::try_new().unwrap();
    for (kind, language) in
        Kind::ALL.into_iter().flat_map(|kind| Language::ALL.map(|language| (kind, language)))
    {
        let texts = renderer.render(&called("<script>\"&'</p>", kind, language)).unwrap();
        assert!(!texts.html.contains("<script") && !texts.html.contains("&'"), "{}", texts.html);
        assert!(texts.html.contains("&lt;script&gt;&quot;&amp;&#x27;&lt;&#x2f;p&gt;"), "{}", texts.html);
        assert_eq!(texts.html.matches("</p>").count(), texts.html.matches("<p ").count());
        assert!(texts.text.contains("<script>\"&'</p>"), "a mail without markup says it as it is");
        assert!(texts.subject.contains("<script>\"&'</p>"), "{}", texts.subject);
    }
}

#[test]
fn a_template_in_a_name_is_text() {
    let renderer = Renderer::try_new().unwrap();
    let texts = renderer.render(&called("{{ invoice }}{% raw %}", Kind::Receipt, Language::English)).unwrap();
    assert!(texts.text.contains("Hello {{ invoice }}{% raw %},"), "{}", texts.text);
    assert!(texts.html.contains("{{ invoice }}{% raw %}"), "{}", texts.html);
}

#[test]
fn a_subject_is_one_line_and_one_header() {
    let renderer = Renderer::try_new().unwrap();
    for separator in ["\u{2028}", "\u{2029}", "   "] {
        let name = format!("Ana{separator}Bcc: everybody");
        let texts = renderer.render(&called(&name, Kind::Receipt, Language::English)).unwrap();
        assert_eq!(texts.subject, "Receipt from Ana Bcc: everybody: 1,234.56 BRL");
    }
}

/// Banks' names have them, and a code with a character less is no code.
#[test]
fn a_pix_code_keeps_its_spaces() {
    let mut notice = notice(sample(Kind::PixQr), Language::English);
    if let Matter::PixQr { emv, .. } = &mut notice.matter {
        *emv = "0002 A  B   C6304".to_owned();
    }
    let texts = Renderer::try_new().unwrap().render(&notice).unwrap();
    assert!(texts.text.contains("\n0002 A  B   C6304\n"), "{}", texts.text);
    let code = "<p style=\"white-space: pre-wrap\">0002 A  B   C6304</p>";
    assert!(texts.html.contains(code), "{}", texts.html);
}
