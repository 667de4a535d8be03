use crate::world::*;
use fatura_application::Change;
use fatura_application::ports::*;
use fatura_domain::actor::Actor;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::customer::PaymentSource;
use fatura_domain::dispute::{ContestReason, Dispute};
use fatura_domain::dunning::Policy;
use fatura_domain::gateway::{
    ChargeOutcome, DisputeStanding, DisputeVerdict, GatewayReference, Means, PendingAction, RefundOutcome,
    Token,
};
use fatura_domain::id::{CustomerId, DisputeId, InvoiceId, PaymentMethodId, RefundId, RunId};
use fatura_domain::invoice::{
    Cancellation, Content, DisputeReduced, Invoice, NextStep, Observation, Reduced, RefundReduced,
    Resolution, Status,
};
use fatura_domain::money::{Currency, Money};
use fatura_domain::refund::Refund;
use fatura_domain::text::{Description, Metadata, Text};
use fatura_domain::{Moment, SignedDuration, Timestamp};
use fatura_store::{StreamImage, invoice_of_image};
use fatura_testkit::TestTable;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Mutex;

fn words() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9ãçé€𝄞#~' -]{0,30}x"
}

fn contents() -> impl Strategy<Value = Content> {
    let line = (words(), 1_u32..9_999, 0_u32..999_999).prop_map(|(text, quantity, cents)| {
        line(&text, &format!("{quantity}.125"), &format!("{}.{:02}", cents / 100, cents % 100))
    });
    let metadata = btree_map("[a-z]{1,8}", ".{0,20}", 0..4).prop_map(|entries| {
        let entries: BTreeMap<Text<40>, String> =
            entries.into_iter().map(|(key, value)| (Text::parse(&key).unwrap(), value)).collect();
        Metadata::parse(entries).unwrap()
    });
    let currency = prop::sample::select(vec![Currency::BRL, Currency::JPY, Currency::KWD]);
    (currency, vec(line, 1..5), prop::option::of(words()), metadata).prop_map(
        |(currency, items, description, metadata)| Content {
            currency,
            items,
            description: description.map(|text| Description::parse(&text).unwrap()),
            metadata,
        },
    )
}

/// An invoice with what came to lie beside it.
#[derive(Debug, Clone)]
struct Walk {
    invoice: Invoice,
    dispute: Option<Dispute>,
    refunds: Vec<Refund>,
}

impl Walk {
    /// What may happen next, if the state lets it.
    fn step(&mut self, choice: u8, now: Timestamp) {
        let next = if choice < 160 {
            step(&self.invoice, choice, now)
        } else {
            self.step_beside(choice, Moment { now, entropy: u64::from(choice) })
        };
        if let Some(next) = next {
            self.invoice = next;
        }
    }

    /// Money that goes back, is disputed, or came for nothing.
    fn step_beside(&mut self, choice: u8, moment: Moment) -> Option<Invoice> {
        let (policy, now) = (Policy::default(), moment.now);
        let id = RefundId::new(self.invoice.customer(), now, moment.entropy);
        match choice % 8 {
            0 => {
                let half = Money::try_new(self.invoice.total.minor() / 2, self.invoice.total.currency()).ok();
                let reason = Text::parse("asked for €").ok();
                let (invoice, refund) = self.invoice.refunding(id, half, reason, &policy, now).ok()?;
                self.refunds.push(refund);
                Some(invoice)
            }
            1 | 2 => {
                let refund = self.refunds.last_mut()?;
                let reference = GatewayReference("re_1".to_owned());
                let failure = Failure::new(FailureClass::Generic, "refused", "no €");
                let outcome = match choice % 3 {
                    0 => RefundOutcome::Succeeded { reference, amount: refund.amount },
                    1 => RefundOutcome::Failed { failure },
                    _ => RefundOutcome::Unclear { failure },
                };
                match self.invoice.observe_refund(refund, &outcome, &policy, moment) {
                    RefundReduced::Applied { refund: next, invoice, .. } => {
                        *refund = *next;
                        invoice.map(|invoice| *invoice)
                    }
                    RefundReduced::AlreadyApplied => None,
                }
            }
            3 => {
                let reason = ContestReason::ALL[usize::from(choice / 8 % 4)];
                let note = Text::parse("never came €").ok().filter(|_| choice % 16 < 8);
                let (invoice, dispute) = self.invoice.contested(reason, note, &policy, moment).ok()?;
                self.dispute = Some(dispute);
                Some(invoice)
            }
            4..=6 => {
                let verdict = [DisputeVerdict::Open, DisputeVerdict::Lost, DisputeVerdict::Won];
                let standing = DisputeStanding {
                    reference: GatewayReference("dp_1".to_owned()),
                    status: verdict[usize::from(choice % 8 - 4)],
                    amount: None,
                };
                match self.invoice.observe_dispute(self.dispute.as_slice(), &standing, &policy, moment) {
                    DisputeReduced::Applied(reduction) => {
                        self.dispute = Some(reduction.dispute);
                        Some(reduction.invoice)
                    }
                    DisputeReduced::AlreadyApplied => None,
                }
            }
            _ => {
                let reference = GatewayReference(format!("ch_late_{choice}"));
                let captured = self.invoice.total;
                let outcome = ChargeOutcome::Approved { reference, captured };
                let observation = Observation { gateway: sandbox(), attempt: self.invoice.attempts, outcome };
                match self.invoice.observe(&observation, &policy, moment) {
                    Reduced::Applied(reduction) => {
                        self.refunds.extend(reduction.refund);
                        Some(reduction.invoice)
                    }
                    Reduced::AlreadyApplied => None,
                }
            }
        }
    }

    /// The same for another customer, so that no two lie in one place.
    fn of(self, customer: CustomerId) -> Self {
        let id = InvoiceId::new(customer, at(0), 0);
        let refunds = self.refunds.into_iter().zip(0..).map(|(refund, number)| Refund {
            id: RefundId::new(customer, refund.created_at, number),
            invoice: id,
            ..refund
        });
        let dispute = self.dispute.map(|dispute| Dispute {
            id: DisputeId::new(customer, dispute.created_at, 1),
            invoice: id,
            ..dispute
        });
        Self { invoice: Invoice { id, ..self.invoice }, dispute, refunds: refunds.collect() }
    }
}

/// What may happen next to an invoice by itself, if its state lets it.
fn step(invoice: &Invoice, choice: u8, now: Timestamp) -> Option<Invoice> {
    let policy = Policy::default();
    let moment = Moment { now, entropy: u64::from(choice) };
    let failure = |class| Failure::new(class, "code", "message €").with_raw_code("raw");
    let reference = GatewayReference(format!("ch_{choice}"));
    let observe = |outcome| {
        let observation = Observation { gateway: sandbox(), attempt: invoice.attempts, outcome };
        match invoice.observe(&observation, &policy, moment) {
            Reduced::Applied(reduction) => Some(reduction.invoice),
            Reduced::AlreadyApplied => None,
        }
    };
    match choice % 19 {
        0 => invoice.charged(Some(source(1)), None, &policy, now).ok(),
        1 => invoice
            .charged(Some(source(1)), now.checked_add(SignedDuration::from_hours(9)).ok(), &policy, now)
            .ok(),
        2 | 3 => match invoice.next_step(now) {
            NextStep::Send(next) => Some(*next),
            _ => None,
        },
        4 => observe(approved(invoice)),
        5 => observe(ChargeOutcome::Declined {
            reference: None,
            failure: failure(FailureClass::ALL[usize::from(choice) % FailureClass::ALL.len()]),
        }),
        6 => observe(ChargeOutcome::NotSent { failure: failure(FailureClass::NotSent) }),
        7 => observe(ChargeOutcome::Unknown { failure: failure(FailureClass::Unknown) }),
        8 => observe(ChargeOutcome::Pending {
            reference,
            action: match choice % 3 {
                0 => PendingAction::Pix { emv: "0002".repeat(20), expires_at: now },
                1 => PendingAction::RequiresAction { url: None },
                _ => PendingAction::RequiresAction { url: Some("https://example.com".to_owned()) },
            },
        }),
        9 => {
            observe(ChargeOutcome::Approved { reference, captured: invoice.total.plus(invoice.total).ok()? })
        }
        10 => match invoice.canceled(now).ok()? {
            Cancellation::Done(reduction) => Some(reduction.invoice),
            Cancellation::Requested(invoice) => Some(*invoice),
            Cancellation::AlreadyRequested => None,
        },
        11 => woken(invoice, now),
        12 => observe(ChargeOutcome::Voided { reference }),
        13 => {
            let requeued = invoice.requeued(source(1), &policy, now).ok()?;
            let run = RunId::named("202611_anchored").ok();
            Some(Invoice { run, ..requeued.by(&Actor::new("key_7"), invoice.history.len()) })
        }
        14 => {
            let method = PaymentMethodId::new(invoice.customer(), now, 1);
            let means = Means::CreditCard(Token(format!("tok_{choice}")));
            let source = PaymentSource { method, means, ..source(1) };
            invoice.charged_by_new_method(source, &policy, now)
        }
        15 => invoice.without_method(now),
        16 => invoice.held_back(failure(FailureClass::NotSent), now, now),
        17 => {
            let resolution = if choice.is_multiple_of(2) {
                Resolution::NotCharged
            } else {
                Resolution::Charged(reference)
            };
            let resolved = invoice.resolved(invoice.attempts, &resolution, &policy, moment).ok()?;
            Some(resolved.invoice.by(&Actor::new("key_7"), invoice.history.len()))
        }
        _ => {
            let id = RefundId::new(invoice.customer(), now, 1);
            let (refunding, refund) = invoice.refunding(id, None, None, &policy, now).ok()?;
            let done = fatura_domain::gateway::RefundOutcome::Succeeded { reference, amount: refund.amount };
            match refunding.observe_refund(&refund, &done, &policy, moment) {
                RefundReduced::Applied { invoice: Some(refunded), .. } if choice < 80 => Some(*refunded),
                _ => Some(refunding),
            }
        }
    }
}

#[test]
fn invoices_of_every_state_are_read_back_from_the_table_and_from_its_stream() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let table = runtime.block_on(TestTable::start());
    let statuses: Mutex<HashSet<Status>> = Mutex::default();
    let mut owner = 0;
    // Hours mostly, and now and then the months after which nobody tries any more.
    let seconds = prop_oneof![9 => 1_i64..40_000, 1 => Just(6_000_000)];
    let strategy = (contents(), vec((any::<u8>(), seconds), 0..30));
    let strategy = strategy.prop_map(|(content, steps)| {
        let id = InvoiceId::new(CustomerId::new(0), at(0), 0);
        let invoice = Invoice::draft(id, content, None, at(0)).unwrap();
        let mut walk = Walk { invoice, dispute: None, refunds: Vec::new() };
        let mut now = at(0);
        for (choice, seconds) in steps {
            now = now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
            walk.step(choice, now);
        }
        walk
    });
    // The same ones each time, because every status has to be among them.
    let config = Config { cases: 600, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let next = Mutex::new(&mut owner);
    runner
        .run(&strategy, |walk| {
            let number = {
                let mut next = next.lock().unwrap();
                **next += 1;
                **next
            };
            let Walk { invoice, dispute, refunds } = walk.of(CustomerId::new(number));
            statuses.lock().unwrap().insert(invoice.status());
            runtime.block_on(async {
                write(&table.store, [Change::InvoiceCreated(invoice.clone())]).await;
                assert_eq!(stored(&table.store, invoice.id).await, invoice);
                let key = |text: String| aws_sdk_dynamodb::types::AttributeValue::S(text);
                let item = table
                    .client
                    .get_item()
                    .table_name(TestTable::name())
                    .key("PK", key(format!("C#{}", invoice.customer().code())))
                    .key("SK", key(format!("INV#{}", invoice.id.code())))
                    .send()
                    .await
                    .unwrap()
                    .item
                    .unwrap();
                assert_eq!(invoice_of_image(item.into()).unwrap(), Some(invoice));
                for refund in refunds {
                    write(&table.store, [Change::RefundRequested(refund.clone())]).await;
                    assert_eq!(table.store.refund(refund.id).await.unwrap(), Some(refund));
                }
                if let Some(dispute) = dispute {
                    write(&table.store, [Change::DisputeOpened(dispute.clone())]).await;
                    assert_eq!(table.store.dispute(dispute.id).await.unwrap(), Some(dispute));
                }
            });
            Ok(())
        })
        .unwrap();
    let statuses = statuses.into_inner().unwrap();
    for status in Status::ALL {
        assert!(statuses.contains(&status), "no invoice came to be {}", status.as_str());
    }
}

#[tokio::test]
async fn the_stream_tells_of_other_things_too() {
    let table = TestTable::start().await;
    let customer = customer(ANA, "ana@example.com", Some("shop"));
    write(&table.store, [Change::CustomerCreated(customer), Change::Answered(answer("k", "{}", at(0)))])
        .await;
    let all = table.client.scan().table_name(TestTable::name()).send().await.unwrap();
    assert_eq!(all.items().len(), 4);
    for item in all.items.unwrap() {
        assert_eq!(invoice_of_image(item.into()).unwrap(), None);
    }
    assert_eq!(
        invoice_of_image(StreamImage::from(HashMap::<String, serde_dynamo::AttributeValue>::new())).unwrap(),
        None
    );
    let broken = aws_sdk_dynamodb::types::AttributeValue::S(format!("INV#{}", draft(ANA, 0, 1).id.code()));
    let broken = HashMap::from([("SK".to_owned(), broken)]);
    assert!(matches!(invoice_of_image(broken.into()), Err(StoreError::Corrupt(_))));
}
