//! The texts as they are kept in `expected`, a file for each. After a change of words that is meant:
//! `ACCEPT_TEXTS=1 cargo test -p fatura-notices`, and read what `git diff` shows.

use crate::samples::{of_wallet, sample, texts};
use fatura_notices::{Kind, Language, Texts};
use std::path::Path;

fn written(texts: &Texts) -> String {
    let Texts { subject, text, html, sms } = texts;
    format!("--- subject\n{subject}\n--- sms\n{sms}\n--- text\n{text}--- html\n{html}\n")
}

#[test]
fn every_text_is_as_it_was_read_and_accepted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/texts/expected");
    let mut names = Vec::new();
    let samples = Kind::ALL.into_iter().map(|kind| (kind.as_str(), sample(kind))).chain(of_wallet());
    for (what, matter, language) in
        samples.flat_map(|(what, matter)| Language::ALL.map(move |language| (what, matter.clone(), language)))
    {
        let name = format!("{what}.{}.txt", language.tag());
        let path = folder.join(&name);
        let now = written(&texts(matter, language));
        if std::env::var_os("ACCEPT_TEXTS").is_some() {
            std::fs::write(&path, &now).unwrap();
        }
        let accepted = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(now, accepted, "{name}");
        names.push(name);
    }
    let mut kept: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    kept.sort();
    names.sort();
    assert_eq!(kept, names, "nothing is kept that nobody compares");
}
