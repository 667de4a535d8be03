//! Webhooks that go out: what a receiver gets, what is made of its answers, and where nothing is sent.

mod guard;
mod outside;

use crate::brazil::now;
use crate::scripted::{Act, Deserted, Scripted};
use async_trait::async_trait;
use fatura_application::ports::{OutgoingWebhook, WebhookSender};
use fatura_domain::Timestamp;
use fatura_domain::webhook_endpoint::{
    Answer, Attempt, EndpointId, EndpointUrl, Loopback, MessageId, NoAnswer, Secret,
};
use fatura_gateways::{Lookup, WebhookClient};
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const BODY: &str = r#"{"id":"evt_1","type":"invoice.paid","data":{"note":"Ção ✓"}}"#;
/// For tests in which nothing answers; in the others nobody waits for it.
const SHORT: Duration = Duration::from_millis(200);
const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(10);

/// Answers what it was told to, once each, and counts.
struct Told {
    answers: Mutex<VecDeque<io::Result<Vec<IpAddr>>>>,
    asked: Mutex<Vec<String>>,
}

impl Told {
    fn of(answers: impl IntoIterator<Item = Vec<&'static str>>) -> Arc<Self> {
        let read = |found: Vec<&str>| Ok(found.iter().map(|address| address.parse().unwrap()).collect());
        let answers = Mutex::new(answers.into_iter().map(read).collect());
        Arc::new(Self { answers, asked: Mutex::default() })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Lookup for Told {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(name.to_owned());
        let answer = self.answers.lock().unwrap().pop_front();
        answer.unwrap_or_else(|| Err(io::Error::other("no such name")))
    }
}

fn client(lookup: Arc<Told>, loopback: Loopback, total: Duration) -> WebhookClient {
    WebhookClient::with(lookup, loopback, total).unwrap()
}

fn local(total: Duration) -> WebhookClient {
    client(Told::of([]), Loopback::Allowed, total)
}

fn url(text: &str) -> EndpointUrl {
    EndpointUrl::parse(text, Loopback::Allowed).unwrap()
}

fn message() -> MessageId {
    MessageId::of("evt_1", EndpointId::new(Timestamp::UNIX_EPOCH, 1))
}

fn secret(byte: u8) -> Secret {
    Secret::new([byte; 32])
}

async fn send(client: &WebhookClient, to: &str) -> Attempt {
    let (to, secret) = (url(to), secret(7));
    let secrets = [&secret];
    client.send(OutgoingWebhook { to: &to, id: message(), secrets: &secrets, body: BODY, at: now() }).await
}

const fn status(code: u16) -> Answer {
    Answer::Status { code, retry_after: None }
}

#[tokio::test]
async fn a_receiver_gets_the_very_bytes_with_their_signature() {
    let mut server = Scripted::answering("200 OK", "", "thanks").await;
    let to = format!("{}/hooks/fatura?token=t", server.url);
    let attempt = send(&local(LONG), &to).await;
    assert_eq!((attempt.answer, attempt.at), (status(200), now()));

    let received = server.next().await;
    assert_eq!((received.method.as_str(), received.target.as_str()), ("POST", "/hooks/fatura?token=t"));
    assert_eq!(received.body, BODY.as_bytes());
    assert_eq!(received.header("content-type"), ["application/json"]);
    assert_eq!(received.header("webhook-id"), [message().to_string()]);
    assert_eq!(received.header("webhook-timestamp"), [now().as_second().to_string()]);
    let [signature] = received.header("webhook-signature")[..] else { panic!("one signature") };
    assert!(signature.starts_with("v1,") && signature.len() == 47, "{signature}");
    assert_eq!(received.header("user-agent"), ["Fatura-Webhooks/1"]);
    let unwanted = ["cookie", "authorization", "referer"];
    assert!(unwanted.iter().all(|name| received.header(name).is_empty()), "{:?}", received.headers);
}

#[tokio::test]
async fn a_status_is_what_came_back_whatever_the_rest_of_the_answer() {
    for (status_line, code) in
        [("204 No Content", 204), ("410 Gone", 410), ("404 Not Found", 404), ("500 Oh", 500)]
    {
        let server = Scripted::answering(status_line, "", "").await;
        assert_eq!(send(&local(LONG), &server.url).await.answer, status(code));
    }
    let broken = Act::Say("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_owned());
    let server = Scripted::always(broken).await;
    assert_eq!(send(&local(LONG), &server.url).await.answer, status(200));
    let endless = Act::Begin("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_owned());
    let server = Scripted::always(endless).await;
    assert_eq!(send(&local(SECOND), &server.url).await.answer, status(200), "and it ends");
}

/// The server goes on speaking for as long as we listen: we hang up.
#[tokio::test]
async fn no_more_is_read_than_a_little() {
    let flood = format!("HTTP/1.1 200 OK\r\ncontent-length: 900000000\r\n\r\n{}", "x".repeat(100_000));
    let server = Scripted::always(Act::Begin(flood)).await;
    let client = local(Duration::from_hours(24));
    let attempt = tokio::time::timeout(LONG, send(&client, &server.url)).await.expect("to hang up");
    assert_eq!(attempt.answer, status(200));
}

#[tokio::test]
async fn a_wish_to_wait_is_heard() {
    for (value, seconds) in [("120", Some(120)), ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)), ("later", None)]
    {
        let server = Scripted::answering("503 Busy", &format!("retry-after: {value}\r\n"), "").await;
        let answer = send(&local(LONG), &server.url).await.answer;
        assert_eq!(answer, Answer::Status { code: 503, retry_after: seconds }, "{value}");
    }
}

#[tokio::test]
async fn nobody_is_followed_elsewhere() {
    let mut elsewhere = Scripted::answering("200 OK", "", "").await;
    for code in [301, 302, 303, 307, 308] {
        let headers = format!("location: {}/\r\nset-cookie: a=b\r\n", elsewhere.url);
        let server = Scripted::answering(&format!("{code} Moved"), &headers, "").await;
        assert_eq!(send(&local(LONG), &server.url).await.answer, status(code));
    }
    assert_eq!(elsewhere.unseen(), 0);
    assert_eq!(send(&local(LONG), &elsewhere.url).await.answer, status(200));
    assert!(elsewhere.next().await.header("cookie").is_empty());
}

#[tokio::test]
async fn no_answer_has_a_reason() {
    let silent = Scripted::always(Act::Silence).await;
    assert_eq!(send(&local(SHORT), &silent.url).await.answer, Answer::Nothing(NoAnswer::TimedOut));
    let reset = Scripted::always(Act::Reset).await;
    assert_eq!(send(&local(LONG), &reset.url).await.answer, Answer::Nothing(NoAnswer::Broken));
    let nonsense = Scripted::always(Act::Say("SSH-2.0-server\r\n".to_owned())).await;
    assert_eq!(send(&local(LONG), &nonsense.url).await.answer, Answer::Nothing(NoAnswer::Broken));
    let deserted = Deserted::new();
    assert_eq!(send(&local(LONG), &deserted.url).await.answer, Answer::Nothing(NoAnswer::Unreachable));
    let unknown = send(&local(LONG), "https://no-such-name.example/").await;
    assert_eq!(unknown.answer, Answer::Nothing(NoAnswer::NameUnknown));
}

/// Whoever speaks plain HTTP where TLS is due can't prove to be who is meant.
#[tokio::test]
async fn nobody_is_told_who_cannot_prove_to_be_the_one_that_is_meant() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let to = format!("https://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut heard = vec![0; 4_096];
        let length = socket.read(&mut heard).await.unwrap();
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        heard.truncate(length);
        heard
    });
    assert_eq!(send(&local(LONG), &to).await.answer, Answer::Nothing(NoAnswer::Unreachable));
    let heard = server.await.unwrap();
    assert!(!heard.windows(11).any(|window| window == b"webhook-id:"), "the message was not for this one");
}
