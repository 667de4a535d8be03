//! Everything that happened to an invoice: its steps with who asked for them, and its attempts with the gateway's words.

use super::attempt::{AttemptBody, finished, live};
use super::common::Instant;
use fatura_application::Attempts;
use fatura_domain::Timestamp;
use fatura_domain::actor::Actor;
use fatura_domain::invoice::{Status, Transition};
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

/// Newest first. An attempt stands where it ended, right before the step that it led to; the live one has led to nothing
/// yet and is the newest of all.
pub(crate) fn history_body(attempts: &Attempts) -> Vec<EntryBody<'_>> {
    let mut entries = Vec::new();
    let mut steps = attempts.invoice.history.iter().peekable();
    for attempt in attempts.finished.iter().rev() {
        let is_before = |step: &&Transition| {
            step.at < attempt.finished_at
                || step.at == attempt.finished_at && matches!(step.status, Status::Draft | Status::Pending)
        };
        while let Some(step) = steps.next_if(is_before) {
            entries.push(transition(step));
        }
        entries.push(tried(attempt.finished_at, finished(attempt)));
        entries.extend(steps.next_if(|step| step.at == attempt.finished_at).map(transition));
    }
    entries.extend(steps.map(transition));
    let begun = attempts.invoice.state.live_attempt().map(|live| live.started_at);
    entries.extend(begun.zip(live(&attempts.invoice)).map(|(at, attempt)| tried(at, attempt)));
    entries.reverse();
    entries
}

fn transition(step: &Transition) -> EntryBody<'_> {
    EntryBody {
        at: Instant(step.at),
        by: step.by.as_ref().map_or_else(|| step.cause.origin(), Actor::as_str),
        r#type: "transition",
        status: Some(step.status.as_str()),
        cause: Some(step.cause.as_str()),
        attempt: None,
    }
}

fn tried(at: Timestamp, attempt: AttemptBody<'_>) -> EntryBody<'_> {
    let (at, by) = (Instant(at), attempt.gateway);
    EntryBody { at, by, r#type: "attempt", status: None, cause: None, attempt: Some(attempt) }
}
