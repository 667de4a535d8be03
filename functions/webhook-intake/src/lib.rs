//! `POST /webhooks/{gateway}`: verified, kept and queued before it is answered.

mod wire;

use fatura_application::ports::{Recorded, WebhookRefusal};
use fatura_application::{Intake, IntakeError};
use lambda_http::{Body, Request, Response};
use wire::{answer, delivery, gateway, problem};

/// Larger than any gateway's event, small enough to keep in one item.
const MAX_BODY: usize = 256 * 1024;

pub async fn handle(intake: &Intake, request: Request) -> Response<Body> {
    if request.method() != "POST" {
        return problem(405, "method_not_allowed", "webhooks are posted");
    }
    let Some(gateway) = gateway(request.uri().path()) else {
        return problem(404, "not_found", "not found");
    };
    let delivery = delivery(request);
    if delivery.body.len() > MAX_BODY {
        return problem(413, "payload_too_large", "the body is larger than 256 KiB");
    }
    match intake.record(&gateway, &delivery).await {
        Ok(recorded) => {
            tracing::info!(%gateway, known = matches!(recorded, Recorded::Known { .. }), "webhook taken in");
            answer(200, "application/json", r#"{"received":true}"#.to_owned())
        }
        Err(error) => refusal(&error, gateway.as_str()),
    }
}

/// Whatever is our own trouble is 503, so that the gateway sends it again.
fn refusal(error: &IntakeError, gateway: &str) -> Response<Body> {
    tracing::warn!(gateway, %error, "webhook refused");
    match error {
        IntakeError::UnknownGateway => problem(404, "not_found", "not found"),
        IntakeError::Refused(
            WebhookRefusal::BadSignature | WebhookRefusal::Stale | WebhookRefusal::NoSecret,
        ) => problem(401, "unauthenticated", "the signature is missing, wrong or too old"),
        IntakeError::Refused(WebhookRefusal::Unavailable(_))
        | IntakeError::Store(_)
        | IntakeError::Queue(_) => problem(503, "unavailable", "try again"),
    }
}
