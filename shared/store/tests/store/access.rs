//! How customers sign in: passwords, sessions and tries, each at its version and apart from all else.

use crate::world::*;
use aws_sdk_dynamodb::types::AttributeValue;
use fatura_application::Change;
use fatura_application::ports::*;
use fatura_application::sign_in::{AccessChange, TriesOf};
use fatura_domain::id::SessionId;
use fatura_domain::sign_in::{Against, Credentials, PasswordHash, RefreshSecret, Salt, Session, Tries};
use fatura_domain::text::Email;
use fatura_testkit::{Fault, TestTable};

fn credentials(number: u64) -> Credentials {
    Credentials::new(customer_id(number), PasswordHash::of_phc(format!("$argon2id${number}")), at(0))
}

fn session(number: u64, seconds: i64) -> (Session, RefreshSecret) {
    let secret = RefreshSecret::new([number, 1, 2, 3]);
    let id = SessionId::new(customer_id(number), at(seconds), 7);
    (Session::opened(id, 1, secret, at(seconds)), secret)
}

fn is_stale(refusals: &[Refusal]) -> bool {
    matches!(refusals, [Refusal::Stale])
}

#[tokio::test]
async fn a_password_and_sessions_come_back_together_and_only_to_their_customer() {
    let table = TestTable::start().await;
    let nobody = table.store.access(customer_id(ANA)).await.unwrap();
    assert!(nobody.credentials.is_none() && nobody.sessions.is_empty());
    let (first, secret) = session(ANA, 0);
    let (second, _) = session(ANA, 5);
    let (stranger, _) = session(BEA, 0);
    write(
        &table.store,
        [
            Change::Access(AccessChange::CredentialsSet(credentials(ANA))),
            Change::Access(AccessChange::SessionOpened(first.clone())),
            Change::Access(AccessChange::SessionOpened(second.clone())),
            Change::Access(AccessChange::SessionOpened(stranger)),
        ],
    )
    .await;
    let (rotated, _) = first.rotated(secret, Salt::new([8, 9]), at(9));
    write(&table.store, [Change::Access(AccessChange::SessionChanged(rotated.clone()))]).await;
    let access = table.store.access(customer_id(ANA)).await.unwrap();
    assert_eq!(access.credentials, Some(credentials(ANA)));
    assert_eq!(access.sessions, [rotated, second.clone()]);
    for _ in 0..2 {
        write(&table.store, [Change::Access(AccessChange::SessionEnded(first.id))]).await;
    }
    assert_eq!(table.store.access(customer_id(ANA)).await.unwrap().sessions, [second]);
}

#[tokio::test]
async fn each_is_changed_at_its_version_only() {
    let table = TestTable::start().await;
    let first = credentials(ANA);
    write(&table.store, [Change::Access(AccessChange::CredentialsSet(first.clone()))]).await;
    assert!(is_stale(
        &refusals(&table.store, [Change::Access(AccessChange::CredentialsSet(first.clone()))]).await
    ));
    let next = first.changed(PasswordHash::of_phc("$2".to_owned()), at(1));
    write(&table.store, [Change::Access(AccessChange::CredentialsSet(next.clone()))]).await;
    assert!(
        is_stale(&refusals(&table.store, [Change::Access(AccessChange::CredentialsSet(next))]).await),
        "two at once"
    );

    let (opened, secret) = session(ANA, 0);
    let (rotated, _) = opened.rotated(secret, Salt::new([1, 1]), at(1));
    let (other, _) = opened.rotated(secret, Salt::new([2, 2]), at(1));
    assert!(
        is_stale(
            &refusals(&table.store, [Change::Access(AccessChange::SessionChanged(rotated.clone()))]).await
        ),
        "none there"
    );
    write(&table.store, [Change::Access(AccessChange::SessionOpened(opened.clone()))]).await;
    assert!(is_stale(&refusals(&table.store, [Change::Access(AccessChange::SessionOpened(opened))]).await));
    table.faults.next([Fault::AnswerLost]);
    write(&table.store, [Change::Access(AccessChange::SessionChanged(rotated))]).await;
    assert!(
        is_stale(&refusals(&table.store, [Change::Access(AccessChange::SessionChanged(other))]).await),
        "one of two wins"
    );
}

#[tokio::test]
async fn tries_are_counted_one_by_one_however_many_come_at_once() {
    let table = TestTable::start().await;
    let (account, address) = (TriesOf::account("ana@example.com"), TriesOf::address(None));
    assert_eq!(table.store.tries(&account).await.unwrap(), Tries::NONE);
    let one = Tries::NONE.counted(Against::Account, at(0)).unwrap();
    let both = |tries| {
        [&account, &address].map(|of| Change::Access(AccessChange::TriesChanged { of: of.clone(), tries }))
    };
    write(&table.store, both(one)).await;
    let refused = refusals(&table.store, both(one)).await;
    assert!(matches!(refused[..], [Refusal::Stale, Refusal::Stale]), "{refused:?}");
    let two = one.counted(Against::Account, at(1)).unwrap();
    write(&table.store, both(two)).await;
    assert_eq!(table.store.tries(&account).await.unwrap(), two);
    write(&table.store, [Change::Access(AccessChange::TriesForgotten(account.clone()))]).await;
    assert_eq!(table.store.tries(&account).await.unwrap(), Tries::NONE);
    assert_eq!(table.store.tries(&address).await.unwrap(), two, "the other one's");
}

/// DynamoDB deletes by it; what has ended is refused before that.
#[tokio::test]
async fn what_ends_by_itself_says_when() {
    let table = TestTable::start().await;
    let (opened, _) = session(ANA, 0);
    let (account, address) = (TriesOf::account("ana@example.com"), TriesOf::address(None));
    let tries = Tries::NONE.counted(Against::Account, at(0)).unwrap();
    write(
        &table.store,
        [
            Change::Access(AccessChange::CredentialsSet(credentials(ANA))),
            Change::Access(AccessChange::SessionOpened(opened.clone())),
            Change::Access(AccessChange::TriesChanged { of: account, tries }),
            Change::Access(AccessChange::TriesChanged { of: address, tries }),
        ],
    )
    .await;
    let items = table.client.scan().table_name(TestTable::name()).send().await.unwrap().items.unwrap();
    let mut ends: Vec<(String, Option<i64>)> = items
        .iter()
        .map(|item| {
            let ttl = item.get("ttl").map(|ttl| ttl.as_n().unwrap().parse::<i64>().unwrap());
            let kind = item["SK"].as_s().unwrap().split('#').next().unwrap();
            let kind = if kind == "-" { &item["PK"].as_s().unwrap()[..8] } else { kind };
            (kind.to_owned(), ttl.map(|ttl| ttl - at(0).as_second()))
        })
        .collect();
    ends.sort();
    let (hour, day) = (3_600, 24 * 3_600);
    let expected =
        [("PASSWORD", None), ("SES", Some(30 * day)), ("TRY#acco", Some(day)), ("TRY#addr", Some(hour))];
    assert_eq!(ends, expected.map(|(kind, ttl)| (kind.to_owned(), ttl)));
    // Neither an address nor a secret is to be read there.
    let text = format!("{items:?}");
    assert!(!text.contains("example.com") && !text.contains("0000000000000001"), "{text}");
}

#[tokio::test]
async fn an_address_leads_to_its_customer_and_a_spoilt_item_to_nobody() {
    let table = TestTable::start().await;
    let email = Email::parse("ana@example.com").unwrap();
    assert_eq!(table.store.by_email(&email).await.unwrap(), None);
    let ana = customer(ANA, "ana@example.com", None);
    write(
        &table.store,
        [Change::CustomerCreated(ana), Change::Access(AccessChange::CredentialsSet(credentials(ANA)))],
    )
    .await;
    assert_eq!(table.store.by_email(&email).await.unwrap(), Some(customer_id(ANA)));
    table
        .client
        .put_item()
        .table_name(TestTable::name())
        .item("PK", AttributeValue::S(format!("A#{}", customer_id(ANA).code())))
        .item("SK", AttributeValue::S("PASSWORD".to_owned()))
        .send()
        .await
        .unwrap();
    assert!(matches!(table.store.access(customer_id(ANA)).await, Err(StoreError::Corrupt(_))));
}
