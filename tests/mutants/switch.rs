//! Which mutant is on, and which code was run: put into the woven crate, and only there.

use std::io::Write;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

static MUTANT: LazyLock<Option<usize>> = LazyLock::new(|| std::env::var("MUTANT").ok()?.parse().ok());
/// A file that is told of each mutant that could have made a difference.
static REACHED: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("REACHED").ok());
static KNOWN: [AtomicBool; 16_384] = [const { AtomicBool::new(false) }; 16_384];

pub fn is_on(id: usize) -> bool {
    if let Some(path) = REACHED.as_ref()
        && !KNOWN[id].swap(true, Ordering::Relaxed)
    {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
        writeln!(file, "{id}").unwrap();
    }
    *MUTANT == Some(id)
}
