//! Exchange rates: one publication a source, and never an older one in the place of a newer.

use crate::world::*;
use aws_sdk_dynamodb::types::AttributeValue;
use fatura_application::ports::*;
use fatura_domain::exchange::{ExchangeRates, Publication, Rate, RateSource};
use fatura_domain::money::Currency;
use fatura_testkit::{Fault, TestTable};

const ECB: RateSource = RateSource::EuropeanCentralBank;
const OXR: RateSource = RateSource::OpenExchangeRates;

fn publication(source: RateSource, published: i64, confirmed: i64, real: &str) -> Publication {
    let quoted = [("BRL", real), ("JPY", "151.370000000001"), ("KWD", "0.3071")];
    let quoted = quoted.map(|(code, rate)| (code.parse().unwrap(), Rate::parse(rate).unwrap()));
    let rates = ExchangeRates::try_new(source, Currency::EUR, at(published), quoted).unwrap();
    Publication { rates, confirmed_at: at(confirmed) }
}

#[tokio::test]
async fn each_source_has_its_own_and_they_come_back_digit_by_digit() {
    let table = TestTable::start().await;
    assert_eq!(table.store.rates(ECB).await.unwrap(), None);
    let (bank, other) = (publication(ECB, 0, 5, "6.2581"), publication(OXR, 1, 6, "6.26"));
    for kept in [&bank, &other] {
        assert_eq!(table.store.keep_rates(kept).await.unwrap(), KeptRates::Kept);
    }
    assert_eq!(table.store.rates(ECB).await.unwrap(), Some(bank));
    assert_eq!(table.store.rates(OXR).await.unwrap(), Some(other));
}

#[tokio::test]
async fn older_never_takes_the_place_of_newer() {
    let table = TestTable::start().await;
    let newest = publication(ECB, 100, 110, "6.30");
    let in_order = [publication(ECB, 0, 5, "6.10"), publication(ECB, 0, 90, "6.10"), newest.clone()];
    for kept in &in_order {
        assert_eq!(table.store.keep_rates(kept).await.unwrap(), KeptRates::Kept);
        assert_eq!(table.store.rates(ECB).await.unwrap().as_ref(), Some(kept));
    }
    // An older publication, however lately it was heard; and the same one, heard earlier.
    for late in [publication(ECB, 99, 500, "6.20"), publication(ECB, 100, 109, "6.30")] {
        let refused = table.store.keep_rates(&late).await.unwrap();
        assert_eq!(refused, KeptRates::Superseded(Box::new(newest.clone())));
        assert!(!late.supersedes(&newest), "as the domain has it");
    }
    assert_eq!(table.store.rates(ECB).await.unwrap().as_ref(), Some(&newest));
    assert_eq!(table.store.keep_rates(&newest).await.unwrap(), KeptRates::Kept, "twice is once");
}

#[tokio::test]
async fn of_many_at_once_the_newest_stays() {
    let table = TestTable::start().await;
    let writers = (0..20_i64).map(|n| {
        let (store, kept) = (table.store.clone(), publication(OXR, n * 7 % 20, 50, "5.40"));
        tokio::spawn(async move { store.keep_rates(&kept).await.unwrap() })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(table.store.rates(OXR).await.unwrap().unwrap().rates.published_at(), at(19));
}

#[tokio::test]
async fn a_lost_answer_and_a_store_in_trouble() {
    let table = TestTable::start().await;
    let kept = publication(ECB, 0, 5, "6.10");
    table.faults.next([Fault::AnswerLost]);
    assert_eq!(table.store.keep_rates(&kept).await.unwrap(), KeptRates::Kept);
    table.faults.next_times(50, &Fault::Throttled);
    assert!(matches!(table.store.rates(ECB).await, Err(StoreError::Contended(_))));
    assert!(matches!(table.store.keep_rates(&kept).await, Err(StoreError::Contended(_))));
    table.faults.clear();
    assert_eq!(table.store.rates(ECB).await.unwrap(), Some(kept));
}

#[tokio::test]
async fn what_is_no_rate_is_corrupt_and_not_a_rate() {
    let table = TestTable::start().await;
    table.store.keep_rates(&publication(ECB, 0, 5, "6.10")).await.unwrap();
    table
        .client
        .update_item()
        .table_name(TestTable::name())
        .key("PK", AttributeValue::S("RATES".to_owned()))
        .key("SK", AttributeValue::S("european_central_bank".to_owned()))
        .update_expression("SET p.r.BRL = :zero")
        .expression_attribute_values(":zero", AttributeValue::S("0".to_owned()))
        .send()
        .await
        .unwrap();
    assert!(matches!(table.store.rates(ECB).await, Err(StoreError::Corrupt(_))));
    let mended = publication(ECB, 0, 6, "6.10");
    assert_eq!(table.store.keep_rates(&mended).await.unwrap(), KeptRates::Kept, "the next ones mend it");
    assert_eq!(table.store.rates(ECB).await.unwrap(), Some(mended));
}

/// Each of the world's currencies, once an hour and function at most.
#[tokio::test]
async fn every_currency_there_is_costs_four_units() {
    let table = TestTable::start().await;
    let letters = || 'A'..='Z';
    let codes =
        letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| format!("{a}{b}{c}"))));
    let all = codes.filter_map(|code| code.parse::<Currency>().ok());
    let quoted: Vec<_> = all
        .filter(|currency| *currency != Currency::USD)
        .map(|currency| (currency, Rate::parse("1234.56789").unwrap()))
        .collect();
    assert!(quoted.len() > 150);
    let rates = ExchangeRates::try_new(OXR, Currency::USD, at(0), quoted).unwrap();
    let before = table.store.meter().reading();
    table.store.keep_rates(&Publication { rates, confirmed_at: at(1) }).await.unwrap();
    assert!(table.store.meter().reading().since(before).write_units() <= 4);
}
