//! Where nothing is sent, whoever asks for it.

use super::{LONG, Told, client, send, status, url};
use crate::scripted::Scripted;
use fatura_domain::webhook_endpoint::{Answer, Loopback, NoAnswer};

const REFUSED: Answer = Answer::Nothing(NoAnswer::AddressRefused);

/// `http://127.0.0.1:40000` → `http://HOST:40000`, so that only the guard is in the way.
fn at(server: &Scripted, host: &str) -> String {
    server.url.replace("127.0.0.1", host)
}

#[tokio::test]
async fn a_name_that_leads_to_us_is_refused() {
    for address in [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "169.254.170.2",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fd00:ec2::254",
        "fc00::1",
        "fe80::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::",
    ] {
        let lookup = Told::of([vec![address]]);
        let guarded = client(lookup.clone(), Loopback::Refused, LONG);
        assert_eq!(send(&guarded, "https://innocent.example/").await.answer, REFUSED, "{address}");
        assert_eq!(lookup.asked(), ["innocent.example"]);
    }
}

#[tokio::test]
async fn one_address_of_ours_among_others_is_enough() {
    for found in [vec!["8.8.8.8", "10.0.0.1"], vec!["10.0.0.1", "8.8.8.8"], vec!["2600::1", "::1"]] {
        let guarded = client(Told::of([found.clone()]), Loopback::Refused, LONG);
        assert_eq!(send(&guarded, "https://innocent.example/").await.answer, REFUSED, "{found:?}");
    }
}

/// The endpoint was registered when loopback was allowed, or the table was tampered with.
#[tokio::test]
async fn an_address_in_the_url_is_judged_when_something_is_sent() {
    let server = Scripted::answering("200 OK", "", "").await;
    for host in
        ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "017700000001", "[::1]", "[::ffff:127.0.0.1]"]
    {
        let lookup = Told::of([]);
        let guarded = client(lookup.clone(), Loopback::Refused, LONG);
        assert_eq!(send(&guarded, &at(&server, host)).await.answer, REFUSED, "{host}");
        assert!(lookup.asked().is_empty(), "an address isn't looked up");
    }
    assert_eq!(server.unseen(), 0);
}

#[tokio::test]
async fn a_name_that_lies_reaches_no_server_of_ours() {
    let server = Scripted::answering("200 OK", "", "").await;
    let lookup = Told::of([vec!["127.0.0.1"], vec!["127.0.0.1"]]);
    let guarded = client(lookup.clone(), Loopback::Refused, LONG);
    assert_eq!(send(&guarded, &at(&server, "rebound.localhost")).await.answer, REFUSED);
    assert_eq!(server.unseen(), 0, "the guard stood between");
    // The same answer where it is allowed: so it was the guard, and nothing else.
    let open = client(lookup, Loopback::Allowed, LONG);
    assert_eq!(send(&open, &at(&server, "rebound.localhost")).await.answer, status(200));
    assert_eq!(server.unseen(), 1);
}

/// DNS rebinding: harmless when it is judged, ours when it is called.
#[tokio::test]
async fn a_name_is_looked_up_once_and_what_was_judged_is_called() {
    let server = Scripted::answering("200 OK", "", "").await;
    let lookup = Told::of([vec!["127.0.0.1"], vec!["127.0.0.2"]]);
    let open = client(lookup.clone(), Loopback::Allowed, LONG);
    let to = at(&server, "rebound.localhost");
    assert_eq!(send(&open, &to).await.answer, status(200));
    assert_eq!(lookup.asked(), ["rebound.localhost"], "once");
    // The next message is judged anew, over a connection of its own: there is nobody at that address.
    assert_eq!(send(&open, &to).await.answer, Answer::Nothing(NoAnswer::Unreachable));
    assert_eq!((lookup.asked().len(), server.unseen()), (2, 1));
}

#[tokio::test]
async fn a_switch_for_loopback_opens_nothing_else() {
    for found in
        [vec!["169.254.169.254"], vec!["127.0.0.1", "10.0.0.1"], vec!["0.0.0.0"], vec!["::ffff:10.0.0.1"]]
    {
        let open = client(Told::of([found.clone()]), Loopback::Allowed, LONG);
        assert_eq!(send(&open, "https://innocent.example/").await.answer, REFUSED, "{found:?}");
    }
}

#[tokio::test]
async fn a_name_without_addresses_leads_nowhere() {
    let guarded = client(Told::of([vec![]]), Loopback::Refused, LONG);
    assert_eq!(
        send(&guarded, "https://innocent.example/").await.answer,
        Answer::Nothing(NoAnswer::NameUnknown)
    );
}

/// The system's own resolver, with the one name that it always knows.
#[tokio::test]
async fn the_systems_resolver_is_guarded_too() {
    let server = Scripted::answering("200 OK", "", "").await;
    let to = at(&server, "localhost");
    let guarded = fatura_gateways::WebhookClient::try_new(Loopback::Refused).unwrap();
    assert_eq!(send(&guarded, &to).await.answer, REFUSED);
    let open = fatura_gateways::WebhookClient::try_new(Loopback::Allowed).unwrap();
    assert_eq!(send(&open, &to).await.answer, status(200));
    assert_eq!(url(&to).host(), "localhost");
}
