//! What each magic card token does: what is decided about the charge, and how the answer reaches the merchant (or not).

use std::time::Duration;

pub(crate) struct Behaviour {
    pub(crate) verdict: Verdict,
    pub(crate) manner: Manner,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Capture,
    Decline(Decline),
    /// The first time for an invoice; then it captures.
    DeclineOnce(Decline),
    /// Pending, then captured after `SETTLES_AFTER`.
    Settle,
    /// As if the request had never arrived: nothing is remembered.
    Nothing,
}

/// How the first answer is given. A repeat with the same key gets it plainly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Plain,
    NoAnswer,
    ServerError,
    Truncated,
    Html,
    TooManyRequests,
    Slow,
    WebhookFirst,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decline {
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
}

/// When `tok_webhook_only` settles.
pub(crate) const SETTLES_AFTER: Duration = Duration::from_secs(1);
/// How late `tok_slow_3s` is.
pub(crate) const SLOW: Duration = Duration::from_secs(3);
/// How long an answer that never comes is held.
pub(crate) const HOLD: Duration = Duration::from_mins(1);

const INSUFFICIENT_FUNDS: Decline =
    Decline { code: "insufficient_funds", message: "the account has not enough money" };

pub(crate) fn behaviour(token: &str) -> Behaviour {
    use Manner::{Html, NoAnswer, Plain, ServerError, Slow, TooManyRequests, Truncated, WebhookFirst};
    use Verdict::{Capture, DeclineOnce, Nothing, Settle};
    let (verdict, manner) = match token {
        "tok_visa" => (Capture, Plain),
        "tok_declines_once" => (DeclineOnce(INSUFFICIENT_FUNDS), Plain),
        "tok_webhook_only" => (Settle, Plain),
        "tok_charged_no_answer" => (Capture, NoAnswer),
        "tok_not_charged_no_answer" => (Nothing, NoAnswer),
        "tok_charged_500" => (Capture, ServerError),
        "tok_not_charged_500" => (Nothing, ServerError),
        "tok_charged_truncated" => (Capture, Truncated),
        "tok_charged_html_200" => (Capture, Html),
        "tok_429" => (Nothing, TooManyRequests),
        "tok_slow_3s" => (Capture, Slow),
        "tok_webhook_first" => (Capture, WebhookFirst),
        declining => (Verdict::Decline(decline(declining)), Plain),
    };
    Behaviour { verdict, manner }
}

fn decline(token: &str) -> Decline {
    let (code, message) = match token {
        "tok_insufficient_funds" => return INSUFFICIENT_FUNDS,
        "tok_do_not_honor" => ("do_not_honor", "the bank says no and not why"),
        "tok_issuer_unavailable" => ("issuer_unavailable", "the bank does not answer"),
        "tok_stolen" => ("stolen_card", "the card was reported stolen"),
        "tok_expired_card" => ("expired_card", "the card has expired"),
        "tok_authentication_required" => ("authentication_required", "the cardholder must confirm"),
        "tok_fraud" => ("suspected_fraud", "the payment looks fraudulent"),
        "tok_currency_mismatch" => ("currency_mismatch", "the card does not take this currency"),
        "tok_customer_not_found" => ("customer_not_found", "no such customer at the gateway"),
        _ => ("invalid_card", "no such card"),
    };
    Decline { code, message }
}
