//! Idempotency keys and entity tags, whatever they hold: a request that was taken is answered the same when it comes again, and
//! one with another body under the same key is refused.

use super::{Subject, Target, bytes_of, router};
use crate::request::Written;
use crate::world::World;

pub(super) const TARGET: Target = Target::in_world("idempotency", 60, words, open);

fn words() -> Vec<Vec<u8>> {
    bytes_of(&[
        "idempotency-key: ",
        "if-match: ",
        "W/\"1\"",
        "\"0\"",
        "\"18446744073709551615\"",
        "*",
        "\t",
        ",",
        "k",
    ])
}

/// Lines of headers.
fn open() -> Subject {
    let world = World::open();
    Subject::new(move |input| {
        let headers = String::from_utf8_lossy(input);
        let request = |line: &str, body: &str| {
            let text =
                format!("{line}\ncontent-type: application/json\n{}\n\n{body}", headers.trim_matches('\n'));
            let written = Written::read(&world.filled(text.as_bytes()));
            let answer = world.block_on(world.answer(&written))?;
            router::check(&answer);
            Some(answer)
        };
        let credit = "POST /v1/wallet/{customer}/credit";
        let amount = |amount: &str| format!(r#"{{"amount": {{"amount": "{amount}", "currency": "BRL"}}}}"#);
        let Some(first) = request(credit, &amount("1.00")) else { return };
        if first.status == 201 {
            let again = request(credit, &amount("1.00")).unwrap();
            assert_eq!((again.status, &again.body), (first.status, &first.body));
            assert_eq!(again.headers["idempotent-replayed"], "true");
            assert_eq!(
                request(credit, &amount("2.00")).unwrap().status,
                422,
                "another body under the same key"
            );
        }
        request("PATCH /v1/invoices/{invoice}", r#"{"description": "November"}"#);
    })
}
