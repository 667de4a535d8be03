//! `POST /webhooks/{gateway}`, as Lambda hands it over. Where the input leaves the signature open, what it sends is genuine, so
//! that it gets past the door and into the table.

use super::{Subject, Target, bytes_of};
use crate::corpus;
use crate::request::Written;
use crate::world::{WEBHOOK_SECRET, World};
use fatura_application::Intake;
use hmac::{Hmac, KeyInit, Mac};
use lambda_http::Body;
use serde_json::Value;
use sha2::Sha256;

pub(super) const TARGET: Target = Target { seeds, ..Target::in_world("intake", 250, words, open) };

/// The sample's own signature has grown old; its body is as good as ever.
fn seeds() -> Vec<Vec<u8>> {
    let event: Value = serde_json::from_slice(&corpus::event("webhook-intake-signed.json")).unwrap();
    let body = event["body"].as_str().unwrap();
    vec![format!("POST /webhooks/sandbox\nsandbox-signature: {{signed}}\n\n{body}").into_bytes()]
}

fn words() -> Vec<Vec<u8>> {
    bytes_of(&[
        "{signed}",
        "sandbox-signature: ",
        "t=",
        ",v1=",
        "v0=",
        "/webhooks/",
        "sandbox",
        "evt_",
        "charge.captured",
    ])
}

fn open() -> Subject {
    let world = World::open();
    let intake = Intake {
        webhooks: world.table.store.clone(),
        queue: world.webhooks.clone(),
        gateways: world.gateways.clone(),
        clock: world.clock.clone(),
    };
    Subject::new(move |input| {
        let mut written = Written::read(input);
        sign(&mut written, intake.clock.now().as_second());
        let is_signed = written.headers.iter().any(|(name, _)| name == "sandbox-signature");
        let Some(request) = written.request() else { return };
        let answer = world.block_on(webhook_intake::handle(&intake, request));
        let status = answer.status().as_u16();
        assert!(status < 500, "{status}");
        assert!(status != 200 || is_signed, "taken in unsigned");
        let queued = world.webhooks.take();
        assert!(status == 200 || queued.is_empty(), "refused and queued");
        let Body::Text(text) = answer.body() else { panic!("an answer that is no text") };
        let shown: Value = serde_json::from_str(text).unwrap();
        assert!(text.len() < 1_000 && shown.is_object(), "{text}");
    })
}

fn sign(written: &mut Written, at: i64) {
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).unwrap();
    mac.update(format!("{at}.").as_bytes());
    mac.update(&written.body);
    let signature = format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes()));
    for (_, value) in &mut written.headers {
        *value = value.replace("{signed}", &signature);
    }
}
