use crate::world::*;
use fatura_application::Change;
use fatura_application::ports::*;
use fatura_domain::Timestamp;
use fatura_domain::charge::{FailureClass, LiveAttempt};
use fatura_domain::gateway::ChargeOutcome;
use fatura_domain::invoice::Invoice;
use fatura_testkit::{Fault, TestTable};

async fn claim(
    table: &TestTable,
    invoice: &Invoice,
    version: u64,
    live: &LiveAttempt,
    now: Timestamp,
) -> Claim {
    table.store.claim(invoice.id, version, live.clone(), now).await.unwrap()
}

async fn pending_in(table: &TestTable) -> Invoice {
    let invoice = pending(ANA, 0, 1);
    write(&table.store, [Change::InvoiceCreated(invoice.clone())]).await;
    invoice
}

#[tokio::test]
async fn a_claim_is_what_the_domain_would_have_written() {
    let table = TestTable::start().await;
    let invoice = pending_in(&table).await;
    let Claim::Claimed(claimed) = claim(&table, &invoice, invoice.version, &begun(1, 3), at(3)).await else {
        panic!("not claimed")
    };
    assert_eq!(*claimed, in_flight(&invoice, at(3)));
    assert_eq!(stored(&table.store, invoice.id).await, *claimed);
}

#[tokio::test]
async fn one_of_two_gets_it_though_they_ask_the_same() {
    let table = TestTable::start().await;
    let invoice = pending_in(&table).await;
    // Same message, same millisecond, same lease: twins in everything.
    let live = begun(1, 3);
    let first = claim(&table, &invoice, invoice.version, &live, at(3)).await;
    let second = claim(&table, &invoice, invoice.version, &live, at(3)).await;
    assert!(matches!(first, Claim::Claimed(_)));
    let Claim::Refused(Some(found)) = second else { panic!("{second:?}") };
    assert_eq!(found.version, invoice.version + 1);
    assert_eq!(found.state.live_attempt(), Some(&live));
}

#[tokio::test]
async fn twenty_at_once_are_one_claim() {
    let table = TestTable::start().await;
    let invoice = pending_in(&table).await;
    let mut claims = Vec::new();
    for _ in 0..20 {
        let (store, id, version) = (table.store.clone(), invoice.id, invoice.version);
        claims.push(tokio::spawn(async move { store.claim(id, version, begun(1, 3), at(3)).await.unwrap() }));
    }
    let mut won = 0;
    for claim in claims {
        won += usize::from(matches!(claim.await.unwrap(), Claim::Claimed(_)));
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn what_moved_on_or_is_no_longer_pending_is_not_claimed() {
    let table = TestTable::start().await;
    let invoice = pending_in(&table).await;
    let refused = claim(&table, &invoice, invoice.version + 1, &begun(1, 3), at(3)).await;
    assert!(matches!(refused, Claim::Refused(Some(found)) if *found == invoice));

    let draft = draft(ANA, 50, 5);
    write(&table.store, [Change::InvoiceCreated(draft.clone())]).await;
    let refused = claim(&table, &draft, draft.version, &begun(1, 3), at(3)).await;
    assert!(matches!(refused, Claim::Refused(Some(found)) if *found == draft));

    let unknown = pending(BEA, 0, 1);
    assert!(matches!(claim(&table, &unknown, 2, &begun(1, 3), at(3)).await, Claim::Refused(None)));
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_still_ours() {
    let table = TestTable::start().await;
    let invoice = pending_in(&table).await;
    table.faults.next([Fault::AnswerLost, Fault::AnswerLost]);
    let claimed = claim(&table, &invoice, invoice.version, &begun(1, 3), at(3)).await;
    assert!(matches!(claimed, Claim::Claimed(found) if *found == in_flight(&invoice, at(3))));
    assert_eq!(stored(&table.store, invoice.id).await.version, invoice.version + 1);
}

/// The twin's first try finds the claim of another whose answer was lost: that one holds it.
#[tokio::test]
async fn a_lost_answer_is_not_taken_for_a_twins() {
    let table = TestTable::start().await;
    let invoice = pending_in(&table).await;
    let live = begun(1, 3);
    assert!(matches!(claim(&table, &invoice, invoice.version, &live, at(3)).await, Claim::Claimed(_)));
    table.faults.next([Fault::ServerError]);
    assert!(matches!(claim(&table, &invoice, invoice.version, &live, at(3)).await, Claim::Refused(Some(_))));
}

#[tokio::test]
async fn a_claim_is_tried_again_and_not_for_ever() {
    let table = TestTable::start().await;
    let invoice = pending_in(&table).await;
    table.faults.next([Fault::Throttled, Fault::Conflict]);
    assert!(matches!(claim(&table, &invoice, invoice.version, &begun(1, 3), at(3)).await, Claim::Claimed(_)));
    table.faults.next_times(50, &Fault::Throttled);
    let failed = table.store.claim(invoice.id, invoice.version, begun(1, 3), at(3)).await;
    assert!(matches!(failed, Err(StoreError::Contended(_))));
    assert_eq!(table.faults.left(), 44);
}

/// The model of the protocol (tests/model) claims by the domain's word, so the condition has to say the same.
#[tokio::test]
async fn the_condition_says_what_the_domain_says() {
    let table = TestTable::start().await;
    let sending = in_flight(&pending(ANA, 0, 2), at(1));
    let ended = |entropy, outcome: fn(&Invoice) -> ChargeOutcome| {
        let sending = in_flight(&pending(ANA, 0, entropy), at(1));
        observed(&sending, outcome(&sending), at(2)).invoice
    };
    let invoices = [
        draft(ANA, 0, 1),
        pending(ANA, 0, 3),
        woken(&pending(ANA, 0, 4), at(600)).unwrap(),
        ended(5, approved),
        ended(6, |_| declined(FailureClass::InsufficientFunds)),
        ended(7, |_| declined(FailureClass::Unknown)),
        sending,
    ];
    let mut claimed = 0;
    for invoice in invoices {
        write(&table.store, [Change::InvoiceCreated(invoice.clone())]).await;
        for version in [invoice.version - 1, invoice.version + 1, invoice.version] {
            let live = LiveAttempt::begun(invoice.attempts.next(), at(700));
            let expected = invoice.claimed(version, live.clone(), at(700));
            match claim(&table, &invoice, version, &live, at(700)).await {
                Claim::Claimed(found) => {
                    assert_eq!(Some(*found), expected);
                    claimed += 1;
                }
                Claim::Refused(found) => {
                    assert_eq!((found.as_deref(), expected), (Some(&invoice), None), "{:?}", invoice.state);
                }
            }
        }
    }
    assert_eq!(claimed, 2, "what is pending and nobody's");
}
