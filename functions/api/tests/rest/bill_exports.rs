use crate::bills::{START, fee, month};
use crate::world::{Answer, World};
use serde_json::{Value, json};

const HEADER: &str = "id,bill_id,kind,description,quantity,unit_price,currency,total,reference,carried_from,occurred_at,appended_at";

/// Appends a line item and says its id.
async fn append(world: &World, bill: &str, line: Value) -> String {
    let appended = world.append(bill, line).await.expect(201);
    appended["line_item"]["id"].as_str().unwrap().to_owned()
}

async fn export(world: &World, path: &str) -> Answer {
    let answer = world.get(path).await;
    assert_eq!((answer.status, answer.media_type()), (200, "text/csv; charset=utf-8"), "{}", answer.text);
    answer
}

fn next(answer: &Answer) -> Option<String> {
    let link = answer.header("link").strip_prefix('<')?;
    Some(link.strip_suffix(">; rel=\"next\"").unwrap().to_owned())
}

#[tokio::test]
async fn a_bill_is_a_table() {
    let world = World::new().await;
    let bill = world.bill(month(&world.customer().await)).await;
    let named = |reference: &str, description: &str, price: &str| {
        let kind = if price.starts_with('-') { "credit" } else { "fee" };
        json!({
            "description": description, "quantity": "2", "unit_price": price, "currency": "KWD", "kind": kind,
            "reference": reference,
        })
    };
    let plain = append(&world, &bill, fee("1.5", "JPY")).await;
    let a = append(&world, &bill, named("a", "Tea, \"green\"; à", "1.0015")).await;
    let b = append(&world, &bill, named("b", "=HYPERLINK(\"http://x\")", "-0.5")).await;
    let c = append(&world, &bill, named("@c", "-1+1", "0")).await;
    let answer = export(&world, &format!("/v1/bills/{bill}/export")).await;
    assert_eq!(answer.header("content-disposition"), format!("attachment; filename=\"{bill}.csv\""));
    assert_eq!(next(&answer), None);
    let rows = [
        HEADER.to_owned(),
        format!("{plain},{bill},fee,Fee,1,1.5,JPY,2,,,{START},{START}"),
        format!("{c},{bill},fee,'-1+1,2,0,KWD,0.000,'@c,,{START},{START}"),
        format!("{a},{bill},fee,\"Tea, \"\"green\"\"; à\",2,1.0015,KWD,2.003,a,,{START},{START}"),
        format!("{b},{bill},credit,\"'=HYPERLINK(\"\"http://x\"\")\",2,-0.5,KWD,-1.000,b,,{START},{START}"),
        String::new(),
    ];
    assert_eq!(answer.text, rows.join("\r\n"));
}

#[tokio::test]
async fn a_long_table_comes_in_parts() {
    let world = World::new().await;
    let bill = world.bill(month(&world.customer().await)).await;
    let empty = export(&world, &format!("/v1/bills/{bill}/export")).await;
    assert_eq!((empty.text.as_str(), next(&empty)), (&*format!("{HEADER}\r\n"), None));
    for reference in ["c", "a", "e", "b", "d"] {
        let mut line = fee("1", "USD");
        line["reference"] = json!(reference);
        append(&world, &bill, line).await;
    }
    let mut path = Some(format!("/v1/bills/{bill}/export?limit=2"));
    let mut parts = Vec::new();
    while let Some(place) = path {
        let answer = export(&world, &place).await;
        path = next(&answer);
        parts.push(answer.text);
    }
    let sizes: Vec<usize> = parts.iter().map(|part| part.lines().count()).collect();
    assert_eq!(sizes, [3, 2, 1], "the names of the columns come once");
    let whole = export(&world, &format!("/v1/bills/{bill}/export")).await;
    assert_eq!(parts.concat(), whole.text);
}

#[tokio::test]
async fn what_is_no_export_is_said_as_ever() {
    let world = World::new().await;
    let bill = world.bill(month(&world.customer().await)).await;
    let path = format!("/v1/bills/{bill}/export");
    assert_eq!(world.get(&format!("{path}?limit=5001")).await.faults(), ["limit must be 1 to 5000"]);
    assert_eq!(
        world.get(&format!("{path}?format=xls")).await.faults(),
        ["format is not a parameter of this request"]
    );
    assert_eq!(world.get(&format!("{path}?cursor=AAAA")).await.code(), (400, "invalid_cursor"));
    let gone = world.get("/v1/bills/bill_0000000000000000000000000000/export").await;
    assert_eq!(gone.code(), (404, "not_found"));
}

#[tokio::test]
async fn an_answer_is_no_larger_than_it_may_be() {
    let world = World::new().await;
    let bill = world.bill(month(&world.customer().await)).await;
    // Of four bytes each: a thousand are more than two MiB, and fit once.
    let description = "\u{1F375}".repeat(500);
    let line = |place: usize| {
        let reference = format!("r{place:04}");
        json!({
            "description": description, "quantity": 1, "unit_price": "1", "currency": "USD",
            "reference": reference,
        })
    };
    for batch in 0..13 {
        let lines: Vec<Value> = (0..80).map(|place| line(batch * 80 + place)).collect();
        let path = format!("/v1/bills/{bill}/line-items:batch");
        world.post(&path, json!({"line_items": lines})).await.expect(201);
    }
    let first = export(&world, &format!("/v1/bills/{bill}/export")).await;
    assert_eq!(first.text.lines().count(), 1 + 1_000);
    let rest = export(&world, &next(&first).unwrap()).await;
    assert_eq!((rest.text.lines().count(), next(&rest)), (40, None));
    assert!(first.text.ends_with("\r\n") && rest.text.contains(",r1039,"));
}
