use crate::world::*;
use fatura_application::ports::ServiceVitals;
use fatura_domain::service::{ServiceName, Symptom, Trouble};
use fatura_testkit::TestTable;

fn name(text: &str) -> ServiceName {
    ServiceName::parse(text).unwrap()
}

#[tokio::test]
async fn a_start_and_a_trouble_are_kept_apart_and_neither_forgets_the_other() {
    let table = TestTable::start().await;
    let (api, sweep, silent) = (name("api"), name("retry-sweep"), name("auth"));
    let trouble = Trouble::after(None, Symptom::of_batch(3).unwrap(), at(5));
    table.store.keep_start(&api, "1.2.3", at(1)).await.unwrap();
    table.store.keep_trouble(&api, "1.2.3", &trouble).await.unwrap();
    table.store.keep_start(&api, "1.2.4", at(9)).await.unwrap();
    // One whose start was never written down.
    table.store.keep_trouble(&sweep, "1.2.3", &trouble).await.unwrap();

    let found = table.store.all_vitals(&[api.clone(), sweep.clone(), silent.clone()]).await.unwrap();
    assert_eq!(found.len(), 2);
    let of = |service: &ServiceName| {
        let vitals = &found[service];
        assert_eq!(vitals.trouble, Some(trouble.clone()));
        (vitals.version.as_str(), vitals.started_at)
    };
    assert_eq!((of(&api), of(&sweep)), (("1.2.4", at(9)), ("1.2.3", at(5))));
    assert_eq!(table.store.vitals(&api).await.unwrap().as_ref(), found.get(&api));
    assert_eq!(table.store.vitals(&silent).await.unwrap(), None);
}
