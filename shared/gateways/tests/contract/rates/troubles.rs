//! What goes wrong on the way, and what is worth asking again soon.

use super::*;

fn is_unavailable(error: &RatesError) -> bool {
    matches!(error, RatesError::Unavailable(_))
}

fn is_refused(error: &RatesError) -> bool {
    matches!(error, RatesError::Refused(_))
}

fn is_unusable(error: &RatesError) -> bool {
    matches!(error, RatesError::Unusable(_))
}

/// It may come to a log, and the log may come to anybody.
fn keeps_its_secret(error: &RatesError, url: &str) {
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!text.contains(APP_ID) && !text.contains("app_id=") && !text.contains(url), "{text}");
    }
}

#[tokio::test]
async fn what_passes_by_itself_is_unavailable() {
    for (n, body) in [sound_json(), sound_xml()].into_iter().enumerate() {
        let whole = answer("200 OK", "", &body);
        let half = whole[..whole.len() - body.len() / 2].to_owned();
        for (act, reason) in [
            (Act::Reset, "connection_lost"),
            (Act::Say(String::new()), "connection_lost"),
            (Act::Say("this is not HTTP\r\n\r\n".to_owned()), "connection_lost"),
            (Act::Say(half.clone()), "the answer broke off"),
            (Act::Begin(half.clone()), "timeout"),
            (Act::Silence, "timeout"),
            (said("500 Oops", "", &body), "answered 500"),
            (said("503 Unavailable", "retry-after: 1\r\n", &body), "answered 503"),
        ] {
            let server = Scripted::always(act.clone()).await;
            let error = both(&server.url)[n].latest().await.unwrap_err();
            assert!(is_unavailable(&error) && error.to_string().contains(reason), "{act:?}: {error}");
            assert_eq!(server.unseen(), 1, "asked once");
            keeps_its_secret(&error, &server.url);
        }
    }
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let gone = Scripted::always(Act::Reset).await.url.clone();
    for url in [gone.as_str(), "http://no-such-host.invalid"] {
        for source in both(url) {
            let error = source.latest().await.unwrap_err();
            assert!(is_unavailable(&error), "{error}");
            keeps_its_secret(&error, url);
        }
    }
}

#[tokio::test]
async fn what_somebody_has_to_mend_is_refused() {
    let refusal = |message: &str| {
        format!(r#"{{"error":true,"status":401,"message":"{message}","description":"Your id {APP_ID} …"}}"#)
    };
    for (status, message, reason) in [
        ("401 Unauthorized", "invalid_app_id", "answered 401 Unauthorized, invalid_app_id"),
        ("401 Unauthorized", "missing_app_id", "answered 401 Unauthorized, missing_app_id"),
        ("400 Bad Request", "invalid_base", "answered 400 Bad Request, invalid_base"),
        ("403 Forbidden", "access_restricted", "answered 403 Forbidden, access_restricted"),
        ("403 Forbidden", APP_ID, "answered 403 Forbidden"),
        ("404 Not Found", "nothing we know", "answered 404 Not Found"),
        ("429 Too Many Requests", "not_allowed", "rate_limited: too many requests, retry after: 7"),
    ] {
        let server = Scripted::always(said(status, "retry-after: 7\r\n", &refusal(message))).await;
        let error = open_exchange_rates(&server.url).latest().await.unwrap_err();
        assert!(is_refused(&error), "{error:?}");
        assert_eq!(error.to_string(), format!("the source of rates refuses: {reason}"));
        keeps_its_secret(&error, &server.url);
    }
    for status in ["403 Forbidden", "404 Not Found", "429 Too Many Requests"] {
        let server = Scripted::always(said(status, "", "<html>No</html>")).await;
        let error = european_central_bank(&server.url).latest().await.unwrap_err();
        assert!(is_refused(&error), "{error:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_takes_no_app_id_along() {
    let elsewhere = Scripted::answering("200 OK", "", &sound_json()).await;
    for status in ["301 Moved", "302 Found", "307 Temporary"] {
        let location = format!("location: {}/api/latest.json\r\n", elsewhere.url);
        let server = Scripted::answering(status, &location, &sound_json()).await;
        for source in both(&server.url) {
            let error = source.latest().await.unwrap_err();
            assert!(is_unusable(&error), "{error:?}");
            keeps_its_secret(&error, &server.url);
        }
    }
    assert_eq!(elsewhere.unseen(), 0);
}

#[tokio::test]
async fn without_an_app_id_nothing_is_asked() {
    let server = Scripted::answering("200 OK", "", &sound_json()).await;
    let ask = async |secrets: Told| {
        let source = OpenExchangeRates::new(http(), server.url.parse().unwrap(), Arc::new(secrets));
        source.latest().await.unwrap_err()
    };
    for secrets in [Told(Ok(None)), told("")] {
        assert!(is_refused(&ask(secrets).await));
    }
    // That it can't be read just now passes.
    assert!(is_unavailable(&ask(Told(Err(SecretsError("throttled".to_owned())))).await));
    assert_eq!(server.unseen(), 0);
}

#[tokio::test]
async fn an_app_id_is_one_parameter_whatever_is_in_it() {
    let mut server = Scripted::answering("200 OK", "", &sound_json()).await;
    let odd = told("a&base=EUR#?/é\n");
    let source = OpenExchangeRates::new(http(), server.url.parse().unwrap(), Arc::new(odd));
    source.latest().await.unwrap();
    assert_eq!(server.next().await.target, "/api/latest.json?app_id=a%26base%3DEUR%23%3F%2F%C3%A9%0A");
}
