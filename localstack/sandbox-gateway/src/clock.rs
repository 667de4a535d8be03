//! The sandbox's time: the machine's, shifted as a test wants it.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// A century: more than any test needs, and far from where seconds overflow.
pub(crate) const LONGEST_SHIFT_S: i64 = 3_155_760_000;

/// The part of the shift that other processes share: a file with the seconds to add, so that whoever writes it moves all
/// of them at once.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    file: Option<PathBuf>,
}

impl Clock {
    pub(crate) const fn new(file: Option<PathBuf>) -> Self {
        Self { file }
    }

    /// `offset_s` comes on top of the file's shift.
    pub(crate) fn unix_now(&self, offset_s: i64) -> i64 {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let real = i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX);
        let shift = self.shift_s().saturating_add(offset_s);
        real.saturating_add(shift.clamp(-LONGEST_SHIFT_S, LONGEST_SHIFT_S))
    }

    /// Read at each call. No file, or none that can be read: no shift.
    fn shift_s(&self) -> i64 {
        let text = self.file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
        text.and_then(|text| text.trim().parse().ok()).unwrap_or_default()
    }
}
