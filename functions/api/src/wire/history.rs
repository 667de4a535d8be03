//! Everything that happened to an invoice: its steps with who asked for them, and its attempts with the gateway's words.

use super::attempt::{AttemptBody, finished, live};
use super::common::Instant;
use fatura_application::Attempts;
use fatura_domain::Timestamp;
use fatura_domain::actor::Actor;
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(crate) struct EntryBody<'a> {
    at: Instant,
    /// Who asked, or what part of the system it follows from.
    by: &'a str,
    r#type: &'static str,
    status: Option<&'static str>,
    cause: Option<&'static str>,
    attempt: Option<AttemptBody<'a>>,
}

/// Newest first. An attempt stands where it ended, the live one where it began; at the same instant it stands before the
/// step that it led to.
pub(crate) fn history_body(attempts: &Attempts) -> Vec<EntryBody<'_>> {
    let mut entries: Vec<(Timestamp, u8, EntryBody<'_>)> = Vec::new();
    for step in &attempts.invoice.history {
        let by = step.by.as_ref().map_or_else(|| step.cause.origin(), Actor::as_str);
        let (status, cause) = (Some(step.status.as_str()), Some(step.cause.as_str()));
        let entry =
            EntryBody { at: Instant(step.at), by, r#type: "transition", status, cause, attempt: None };
        entries.push((step.at, 1, entry));
    }
    let over = attempts.finished.iter().map(|attempt| (attempt.finished_at, finished(attempt)));
    let under_way =
        attempts.invoice.state.live_attempt().map(|live| live.started_at).zip(live(&attempts.invoice));
    for (at, attempt) in over.chain(under_way) {
        let by = attempt.gateway;
        let entry = EntryBody {
            at: Instant(at),
            by,
            r#type: "attempt",
            status: None,
            cause: None,
            attempt: Some(attempt),
        };
        entries.push((at, 0, entry));
    }
    // Steps of one instant stay in their order, and all of it is turned round.
    entries.sort_by_key(|(at, rank, _)| (*at, *rank));
    entries.into_iter().rev().map(|(_, _, entry)| entry).collect()
}
