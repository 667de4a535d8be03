//! How a first answer reaches the merchant, or doesn't.

use crate::answer::Answer;
use crate::app::App;
use crate::tokens::{HOLD, Manner, SLOW};
use crate::webhooks::{publish, publish_and_wait};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use tokio::time::sleep;

/// Gives the first answer in the manner of its token.
pub(crate) async fn hand_over(
    app: &Arc<App>,
    answer: Answer,
    manner: Manner,
    event: Option<String>,
) -> Response {
    if manner == Manner::WebhookFirst {
        publish_and_wait(app, event).await;
        return answer.into_response();
    }
    publish(app, event);
    match manner {
        Manner::Plain | Manner::WebhookFirst => answer.into_response(),
        Manner::NoAnswer => {
            // Ends early when the merchant hangs up (this future is dropped) or the sandbox is stopped.
            tokio::select! {
                () = sleep(HOLD) => {}
                () = app.closed() => {}
            }
            Answer::problem(StatusCode::GATEWAY_TIMEOUT, "no_answer", "too late").into_response()
        }
        Manner::ServerError => {
            Answer::problem(StatusCode::INTERNAL_SERVER_ERROR, "internal", "something broke").into_response()
        }
        Manner::Truncated => {
            let mut text = answer.body.to_string();
            // All of it is ASCII but for references of the merchant's; either way it is no JSON any more.
            text.truncate(text.floor_char_boundary(text.len() / 2));
            (answer.status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
        }
        Manner::Html => {
            let page = "<!doctype html><title>Welcome</title><p>We will be back soon.</p>";
            (StatusCode::OK, [(header::CONTENT_TYPE, "text/html")], page).into_response()
        }
        Manner::TooManyRequests => {
            let answer = Answer::problem(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "too many requests");
            ([(header::RETRY_AFTER, "1")], answer).into_response()
        }
        Manner::Slow => {
            sleep(SLOW).await;
            answer.into_response()
        }
    }
}
