//! What customers want to be told, and what they were.

use crate::world::*;
use fatura_application::Change;
use fatura_application::notices::NoticeChange;
use fatura_application::ports::*;
use fatura_domain::SignedDuration;
use fatura_domain::customer::{Instrument, PaymentMethod};
use fatura_domain::gateway::PixKey;
use fatura_domain::id::PaymentMethodId;
use fatura_domain::notice::{Channel, Claim, Phone, Preferences, Telling, TellingState, Wanted};
use fatura_testkit::TestTable;

fn put(preferences: &Preferences) -> Change {
    Change::Notice(NoticeChange::PreferencesPut(preferences.clone()))
}

fn telling(telling: &Telling) -> Change {
    Change::Notice(NoticeChange::Telling(telling.clone()))
}

#[tokio::test]
async fn preferences_are_put_at_their_version_and_are_nobody_elses() {
    let table = TestTable::start().await;
    let unsaid = table.store.preferences(customer_id(ANA)).await.unwrap();
    assert_eq!(unsaid, Preferences::unsaid(customer_id(ANA)));
    let phone = Some(Phone::parse("+5511987654321").unwrap());
    let first = unsaid.put(Wanted { phone, ..Wanted::default() }, at(1));
    write(&table.store, [put(&first)]).await;
    assert!(matches!(refusals(&table.store, [put(&first)]).await[..], [Refusal::Stale]));
    let second = first.put(Wanted::default(), at(2));
    write(&table.store, [put(&second)]).await;
    assert_eq!(table.store.preferences(customer_id(ANA)).await.unwrap(), second);
    assert_eq!(table.store.preferences(customer_id(BEA)).await.unwrap().version, 0);
}

/// They lie in the customer's partition, and must not be taken for what is read with the customer.
#[tokio::test]
async fn a_payer_is_read_without_them() {
    let table = TestTable::start().await;
    let customer = customer(ANA, "ana@example.com", None);
    let method = PaymentMethod {
        id: PaymentMethodId::new(customer.id, at(0), 1),
        instrument: Instrument::Pix(PixKey("ana@example.com".to_owned())),
        created_at: at(0),
    };
    write(&table.store, [Change::CustomerCreated(customer.clone())]).await;
    write(&table.store, [Change::PaymentMethodAdded(method.clone())]).await;
    write(&table.store, [put(&Preferences::unsaid(customer.id).put(Wanted::default(), at(1)))]).await;
    let payer = table.store.payer(customer.id).await.unwrap().unwrap();
    assert_eq!((payer.customer, payer.methods), (customer, vec![method]));
}

#[tokio::test]
async fn an_event_is_told_by_one_at_a_time_and_by_each_channel() {
    let table = TestTable::start().await;
    let claim = async |channel, seconds| {
        let before = table.store.telling("evt_1", channel).await.unwrap();
        Telling::claimed(before.as_ref(), "evt_1", channel, at(seconds))
    };
    let Claim::Send(first) = claim(Channel::Email, 0).await else { panic!("nobody is at it") };
    write(&table.store, [telling(&first)]).await;
    assert!(matches!(refusals(&table.store, [telling(&first)]).await[..], [Refusal::Stale]));
    assert_eq!(claim(Channel::Email, 1).await, Claim::Busy);
    assert!(matches!(claim(Channel::Sms, 1).await, Claim::Send(_)));
    let Claim::Send(second) = claim(Channel::Email, 60).await else { panic!("the first has died") };
    write(&table.store, [telling(&second)]).await;
    let late = first.ended(TellingState::Sent, at(61));
    assert!(matches!(refusals(&table.store, [telling(&late)]).await[..], [Refusal::Stale]));
    write(&table.store, [telling(&second.ended(TellingState::Sent, at(61)))]).await;
    assert_eq!(claim(Channel::Email, 1_000).await, Claim::Done);
    let stored = table.store.telling("evt_1", Channel::Email).await.unwrap().unwrap();
    assert_eq!(stored.expires_at(), at(61) + SignedDuration::from_hours(24 * 30));
}
