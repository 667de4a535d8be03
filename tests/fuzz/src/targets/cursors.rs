//! Cursors: what a client sends as one, and what would be in it if somebody forged its checksum, which is no secret. Either is a
//! place in that very list, or refused.

use super::{Subject, Target, bytes_of, router};
use crate::request::Written;
use crate::world::World;
use fatura_application::ports::{BillFilter, InvoiceFilter, ListError, Page, PageRequest, Position};
use fatura_domain::id::CustomerId;
use fatura_domain::invoice::Status;
use fatura_domain::ledger::TransactionFilter;

pub(super) const TARGET: Target = Target::in_world("cursors", 60, words, open);

const LISTS: [&str; 9] = [
    "/v1/invoices?status=paid&",
    "/v1/invoices?customer_id={customer}&",
    "/v1/bills?customer_id={customer}&",
    "/v1/bills/{bill}/line-items?",
    "/v1/customers/{customer}/transactions?",
    "/v1/customers/{customer}/payment-methods?",
    "/v1/invoices/{paid}/refunds?",
    "/v1/attention?",
    "/v1/risk-rules/versions?",
];

fn words() -> Vec<Vec<u8>> {
    bytes_of(&[
        "INV#",
        "TXN#",
        "C#",
        "L#",
        "BL#",
        "paid#",
        "0#",
        "1#",
        "#",
        "inv_",
        "AAAA",
        "_-",
        "{customer}",
    ])
}

fn open() -> Subject {
    let world = World::open();
    Subject::new(move |input| {
        let filled = world.filled(input);
        let text = String::from_utf8_lossy(&filled);
        let encoded = filled.iter().fold(String::new(), |encoded, byte| encoded + &format!("%{byte:02x}"));
        for list in LISTS {
            // A longer one API Gateway would not hand on.
            let request = format!("GET {list}limit=1&cursor={}", &encoded[..encoded.len().min(9_000)]);
            let answer =
                world.block_on(world.answer(&Written::read(&world.filled(request.as_bytes())))).unwrap();
            router::check(&answer);
            let is_first_page = text.is_empty();
            assert!(answer.status == 422 || answer.status == 400 || is_first_page, "{}", answer.status);
        }
        world.block_on(forged(&world, &text));
    })
}

async fn forged(world: &World, text: &str) {
    let page = || PageRequest { limit: 1, after: Some(Position(text.to_owned())) };
    let customer: CustomerId = world.place("customer").parse().unwrap();
    let records = &world.app.records;
    let all = InvoiceFilter::default();
    refused_or_read(records.invoices.of_customer(customer, &all, page()).await);
    refused_or_read(records.invoices.in_status(Status::Paid, &all, page()).await);
    refused_or_read(records.invoices.in_shard(Status::Draft, 0, page()).await);
    refused_or_read(records.transactions.transactions(customer, &TransactionFilter::default(), page()).await);
    refused_or_read(records.bills.bills_of(customer, BillFilter::default(), page()).await);
    refused_or_read(records.attentions.open_attention(None, page()).await);
    refused_or_read(records.rulebook.rule_editions(page()).await);
    refused_or_read(records.plans.plan_editions(page()).await);
    refused_or_read(records.orders.orders_of(customer, page()).await);
    refused_or_read(records.journals.all_journals(page()).await);
    let bill = records.bills.bill(world.place("bill").parse().unwrap()).await.unwrap().unwrap();
    refused_or_read(records.bills.lines_of(&bill, page()).await);
}

fn refused_or_read<T>(page: Result<Page<T>, ListError>) {
    match page {
        Ok(page) => assert!(page.data.len() <= 1),
        Err(ListError::BadPosition) => {}
        Err(ListError::Store(error)) => panic!("{error}"),
    }
}
