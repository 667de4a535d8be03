use crate::environment::optional;
use tracing_subscriber::filter::LevelFilter;

/// JSON lines at `RUST_LOG`'s level, never below info: underneath, libraries log what they send.
pub fn init() {
    let level = optional("RUST_LOG").and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_max_level(level.min(LevelFilter::INFO))
        .without_time()
        .init();
}
