//! What must not stand in the sources.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new("../..").join(folder), &mut found);
    assert!(!found.is_empty(), "nothing in {folder}");
    found
}

fn refuse(folders: &[&str], words: &[&str]) {
    for (path, text) in folders.iter().flat_map(|folder| sources(folder)) {
        for word in words {
            assert!(!text.contains(word), "{} has {word}", path.display());
        }
    }
}

#[test]
fn time_and_chance_come_from_outside() {
    refuse(
        &["shared/domain/src", "shared/application/src", "shared/rules/src", "shared/notices/src"],
        &["SystemTime::now", "Timestamp::now", "Instant::now", "getrandom::", "rand::random", "Uuid::"],
    );
}

#[test]
fn no_floats_near_money() {
    refuse(
        &[
            "shared/domain/src",
            "shared/application/src",
            "shared/rules/src",
            "shared/store/src",
            "shared/notices/src",
        ],
        &["f32", "f64"],
    );
}

#[test]
fn a_main_is_a_few_lines() {
    for (path, text) in sources("functions").into_iter().filter(|(path, _)| path.ends_with("src/main.rs")) {
        assert!(text.lines().count() <= 40, "{} does more than start", path.display());
    }
}

#[test]
fn keys_are_built_in_one_place() {
    let is_place =
        |path: &Path| path.ends_with("keys.rs") || path.parent().is_some_and(|in_| in_.ends_with("keys"));
    for (path, text) in sources("shared/store/src").into_iter().filter(|(path, _)| !is_place(path)) {
        for key in [
            "\"C#", "\"INV#", "\"TXN#", "\"ATT#", "\"IDEM#", "\"WH#", "\"PM#", "\"BILL#", "\"BL#", "\"A#",
            "\"TRY#", "\"MSG#", "\"WEL#", "\"SAID#",
        ] {
            let code = text.split("#[cfg(test)]").next().unwrap();
            assert!(!code.contains(key), "{} builds the key {key}", path.display());
        }
    }
}
