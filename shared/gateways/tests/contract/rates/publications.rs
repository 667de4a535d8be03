//! What they publish, digit by digit, and what is no publication.

use super::*;
use fatura_domain::exchange::RateSource;
use fatura_domain::money::Currency;
use proptest::prelude::*;
use rates_server::{Config, RatesServer};

fn rate(rates: &ExchangeRates, code: &str) -> Option<String> {
    rates.rate(code.parse().unwrap()).map(|rate| rate.to_string())
}

fn codes(rates: &ExchangeRates) -> Vec<&'static str> {
    rates.currencies().map(Currency::code).collect()
}

fn reason(refused: Result<ExchangeRates, RatesError>) -> String {
    match refused {
        Err(RatesError::Unusable(reason)) => reason,
        other => panic!("not unusable: {other:?}"),
    }
}

#[tokio::test]
async fn open_exchange_rates_are_asked_for_with_the_app_id_and_read_digit_by_digit() {
    let rates = r#""AED":3.672975,"BTC":0.000010123,"GEL":2.73,"IRR":1.0e6,"JPY":151.370000000000001,"USD":1,"XAG":0.02,"XAU":0.00024,"ZZZ":-1"#;
    let body = latest_json("USD", r#""timestamp":1795172400,"#, rates);
    let mut server = Scripted::answering("200 OK", "content-type: application/json\r\n", &body).await;
    let rates = open_exchange_rates(&server.url).latest().await.unwrap();
    assert_eq!((rates.source(), rates.base()), (RateSource::OpenExchangeRates, Currency::USD));
    assert_eq!(rates.published_at().to_string(), "2026-11-20T11:00:00Z");
    assert_eq!(codes(&rates), ["AED", "GEL", "IRR", "JPY", "USD"], "coins and metals are no money here");
    for (code, exactly) in
        [("AED", "3.672975"), ("IRR", "1000000"), ("JPY", "151.370000000000001"), ("USD", "1")]
    {
        assert_eq!(rate(&rates, code).as_deref(), Some(exactly));
    }
    let asked = server.next().await;
    assert_eq!((asked.method.as_str(), asked.target), ("GET", format!("/api/latest.json?app_id={APP_ID}")));
}

#[tokio::test]
async fn the_bank_is_asked_for_its_file_and_read_digit_by_digit() {
    let cubes = cube("USD", "1.1594") + &cube("JPY", "175.50") + &cube("HRK", "7.5365") + &cube("XYZ", "abc");
    let mut server =
        Scripted::answering("200 OK", "content-type: text/xml\r\n", &daily_xml(" time='2026-11-20'", &cubes))
            .await;
    let rates = european_central_bank(&server.url).latest().await.unwrap();
    assert_eq!((rates.source(), rates.base()), (RateSource::EuropeanCentralBank, Currency::EUR));
    assert_eq!(rates.published_at().to_string(), "2026-11-20T00:00:00Z", "when that day began");
    assert_eq!(rate(&rates, "USD").as_deref(), Some("1.1594"));
    assert_eq!(rate(&rates, "JPY").as_deref(), Some("175.5"));
    assert_eq!(rate(&rates, "EUR").as_deref(), Some("1"));
    let asked = server.next().await;
    assert_eq!(
        (asked.method.as_str(), asked.target.as_str()),
        ("GET", "/stats/eurofxref/eurofxref-daily.xml")
    );
}

#[tokio::test]
async fn a_date_is_what_the_source_says_on_any_day_of_the_week() {
    // A Friday, which is what stands there until Monday; a Saturday; a leap day.
    for day in ["2026-11-20", "2026-11-21", "2028-02-29"] {
        let rates = of_xml(&daily_xml(&format!(" time='{day}'"), &cube("USD", "1.16"))).await.unwrap();
        assert_eq!(rates.published_at().to_string(), format!("{day}T00:00:00Z"));
    }
    for day in [
        "2026-02-29",
        "2026-11-31",
        "20.11.2026",
        "20261120",
        "2026-11-20T10:00:00Z",
        "2026-W47-5",
        "",
        " 2026-11-20",
    ] {
        let refused = of_xml(&daily_xml(&format!(" time='{day}'"), &cube("USD", "1.16"))).await;
        assert_eq!(reason(refused), "there is no date", "{day}");
    }
    assert_eq!(reason(of_xml(&daily_xml("", &cube("USD", "1.16"))).await), "there is no date");
}

#[tokio::test]
async fn rates_in_dollars_that_are_none_are_refused_as_a_whole() {
    let rates = r#""BRL":5.3984,"GEL":2.73"#;
    let stamp = r#""timestamp":1795172400,"#;
    for (body, expected) in [
        (latest_json("EUR", stamp, rates), "the base is not USD"),
        (latest_json("usd", stamp, rates), "the base is not USD"),
        (latest_json("USD", "", rates), "unreadable"),
        (latest_json("USD", r#""timestamp":0,"#, rates), "the timestamp is none"),
        (latest_json("USD", r#""timestamp":-5,"#, rates), "the timestamp is none"),
        (latest_json("USD", r#""timestamp":1795172400000000,"#, rates), "the timestamp is none"),
        (latest_json("USD", r#""timestamp":"2026-11-20","#, rates), "unreadable"),
        (latest_json("USD", stamp, r#""BRL":5.3984,"BRL":5.3985"#), "BRL has two rates"),
        (latest_json("USD", stamp, r#""BRL":5.3984,"BRL":5.3984"#), "BRL has two rates"),
        (latest_json("USD", stamp, r#""BRL":5.3984,"USD":1.01"#), "the base USD has a rate other than 1"),
        (latest_json("USD", stamp, r#""BRL":0"#), "the rate of BRL must be greater than 0"),
        (latest_json("USD", stamp, r#""BRL":-5.3984,"GEL":2.73"#), "the rate of BRL must be greater than 0"),
        (latest_json("USD", stamp, r#""BRL":1e400"#), "the rate of BRL has more digits"),
        (latest_json("USD", stamp, r#""BRL":1e20"#), "the rate of BRL is beyond"),
        (latest_json("USD", stamp, r#""BRL":"5.3984""#), "unreadable"),
        (latest_json("USD", stamp, r#""BRL":null"#), "unreadable"),
        (latest_json("USD", stamp, r#""BRL":NaN"#), "unreadable"),
        (latest_json("USD", stamp, ""), "there are no rates"),
        (latest_json("USD", stamp, r#""XAU":0.00024"#), "there are no rates"),
        (latest_json("USD", stamp, rates).replace(r#"{"BRL":5.3984,"GEL":2.73}"#, "[]"), "unreadable"),
        ("{}".to_owned(), "unreadable"),
        ("null".to_owned(), "unreadable"),
        (String::new(), "unreadable"),
        ("<html>Sorry</html>".to_owned(), "unreadable"),
        (sound_json()[..90].to_owned(), "unreadable"),
        ("[".repeat(200_000), "unreadable"),
    ] {
        let reason = reason(of_json(&body).await);
        assert!(reason.contains(expected), "{reason}: {body:.200}");
    }
    assert!(of_json(&sound_json()).await.is_ok(), "what these were made of is sound");
}

#[tokio::test]
async fn rates_in_euros_that_are_none_are_refused_as_a_whole() {
    let day = " time='2026-11-20'";
    let usd = cube("USD", "1.1594");
    let two_days =
        sound_xml().replace("</Cube>\n</Cube>", "</Cube>\n<Cube time='2026-11-19'></Cube>\n</Cube>");
    let doctype = "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"1\"><!ENTITY b \"&a;&a;&a;&a;\">]>";
    let expanding = sound_xml().replace("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", doctype);
    for (body, expected) in [
        (daily_xml(day, &(usd.clone() + &cube("USD", "1.16"))), "USD has two rates"),
        (daily_xml(day, &(usd.clone() + &cube("EUR", "1.1"))), "the base EUR has a rate other than 1"),
        (daily_xml(day, &cube("USD", "0")), "the rate of USD must be greater than 0"),
        (daily_xml(day, &(usd.clone() + &cube("BRL", "-6.1"))), "the rate of BRL must be greater than 0"),
        (daily_xml(day, &cube("USD", "1,1594")), "the rate of USD must be a decimal number"),
        (daily_xml(day, &cube("USD", "N/A")), "the rate of USD must be a decimal number"),
        (daily_xml(day, &cube("USD", "")), "the rate of USD must be a decimal number"),
        (daily_xml(day, "<Cube currency='USD'/>"), "a rate without its currency"),
        (daily_xml(day, "<Cube rate='1.1'/>"), "a rate without its currency"),
        (daily_xml(day, ""), "there are no rates"),
        (two_days, "not the rates of one day"),
        (
            daily_xml(day, &usd).replace("2002-08-01/eurofxref", "2042-01-01/other"),
            "not the rates of one day",
        ),
        ("<html><body>Sorry</body></html>".to_owned(), "not the rates of one day"),
        ("<!doctype html><p>Sorry<br>".to_owned(), "not the XML that is expected"),
        (String::new(), "not the XML that is expected"),
        ("{}".to_owned(), "not the XML that is expected"),
        (sound_xml()[..300].to_owned(), "not the XML that is expected"),
        (expanding, "not the XML that is expected"),
        (daily_xml(day, &usd.repeat(5_000)), "not the XML that is expected"),
        ("<a>".repeat(300_000), "not the XML that is expected"),
    ] {
        let reason = reason(of_xml(&body).await);
        assert!(reason.contains(expected), "{reason}: {body:.300}");
    }
    assert!(of_xml(&sound_xml()).await.is_ok(), "what these were made of is sound");
}

#[tokio::test]
async fn the_local_server_is_understood_by_both() {
    let server = RatesServer::start(Config { app_id: APP_ID.to_owned(), clock_file: None }).await.unwrap();
    let [dollars, euros] = both(server.url());
    let (dollars, euros) = (dollars.latest().await.unwrap(), euros.latest().await.unwrap());
    assert_eq!(rate(&dollars, "GEL").as_deref(), Some("2.73"));
    assert_eq!(rate(&euros, "GEL").as_deref(), Some("3.16522"));
    assert_eq!(codes(&dollars).len(), codes(&euros).len());
    let other = OpenExchangeRates::new(http(), server.url().parse().unwrap(), Arc::new(told("another")));
    let refused = other.latest().await.unwrap_err();
    assert_eq!(refused.to_string(), "the source of rates refuses: answered 401 Unauthorized, invalid_app_id");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is cut off or written over: sound rates, or an error, and never a panic.
    #[test]
    fn a_damaged_publication_is_refused_or_says_what_it_says(place in 0_usize..400, byte in 32_u8..127, cut in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for is_json in [true, false] {
            let mut body = if is_json { sound_json() } else { sound_xml() };
            let place = place % body.len();
            if cut {
                body.truncate(place);
            } else {
                body.replace_range(place..=place, std::str::from_utf8(&[byte]).unwrap());
            }
            let read = runtime.block_on(async { if is_json { of_json(&body).await } else { of_xml(&body).await } });
            match read {
                Ok(rates) => prop_assert!(rates.currencies().count() >= 2),
                Err(error) => prop_assert!(matches!(error, RatesError::Unusable(_)), "{}", error),
            }
        }
    }
}
