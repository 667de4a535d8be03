//! What customers want to be told, and that each of them is told once.

mod once;
mod preferences;

pub use once::{Told, told_once};

use fatura_domain::notice::{Preferences, Telling};

/// What changes of notices.
#[derive(Debug, Clone)]
pub enum NoticeChange {
    /// Refused unless the stored ones have the version just before these.
    PreferencesPut(Preferences),
    /// Refused unless the stored one has the version just before this one's.
    Telling(Telling),
}
