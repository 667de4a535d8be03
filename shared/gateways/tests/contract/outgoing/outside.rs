//! What we sign, judged by Standard Webhooks' own package for Python. `tests/gateways-outside/run.py` runs these.

use super::{BODY, LONG, local, message, secret, url};
use crate::scripted::{Received, Scripted};
use fatura_application::ports::{OutgoingWebhook, WebhookSender};
use fatura_domain::webhook_endpoint::Secret;
use fatura_domain::{SignedDuration, Timestamp};
use std::io::Write as _;
use std::process::{Command, Stdio};

fn outside(name: &str) -> String {
    std::env::var(name).expect("runs under tests/gateways-outside/run.py")
}

async fn received(secrets: &[&Secret], at: Timestamp) -> Received {
    let mut server = Scripted::answering("200 OK", "", "").await;
    let to = url(&server.url);
    local(LONG).send(OutgoingWebhook { to: &to, id: message(), secrets, body: BODY, at }).await;
    server.next().await
}

/// Whether a receiver with this secret believes it.
fn believes(secret: &Secret, received: &Received, body: &[u8]) -> bool {
    let header = |name| received.header(name).join(",");
    let mut child = Command::new(outside("ORACLE_PYTHON"))
        .arg(outside("STANDARD_WEBHOOKS_ORACLE"))
        .args([
            secret.exposed(),
            header("webhook-id"),
            header("webhook-timestamp"),
            header("webhook-signature"),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(body).unwrap();
    let output = child.wait_with_output().unwrap();
    let verdict = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "the judge itself failed");
    verdict.trim() == "genuine"
}

#[tokio::test]
#[ignore = "needs the package standardwebhooks: make gateways-outside"]
async fn what_we_send_is_genuine_to_standard_webhooks_and_nothing_else() {
    let (ours, other) = (secret(1), secret(2));
    let received = received(&[&ours], Timestamp::now()).await;
    assert!(believes(&ours, &received, &received.body));
    assert!(!believes(&other, &received, &received.body));
    assert!(!believes(&ours, &received, BODY.replace("paid", "Paid").as_bytes()));
    let again = format!("{BODY} ");
    assert!(!believes(&ours, &received, again.as_bytes()), "the very bytes, not the same JSON");
}

#[tokio::test]
#[ignore = "needs the package standardwebhooks: make gateways-outside"]
async fn during_a_rotation_both_secrets_are_believed() {
    let [old, new, other] = [1, 2, 3].map(secret);
    let received = received(&[&new, &old], Timestamp::now()).await;
    assert!(believes(&old, &received, &received.body));
    assert!(believes(&new, &received, &received.body));
    assert!(!believes(&other, &received, &received.body));
}

#[tokio::test]
#[ignore = "needs the package standardwebhooks: make gateways-outside"]
async fn what_is_sent_again_much_later_by_somebody_else_is_refused() {
    let ours = secret(1);
    let old = received(&[&ours], Timestamp::now() - SignedDuration::from_mins(6)).await;
    assert!(!believes(&ours, &old, &old.body));
}
