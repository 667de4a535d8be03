//! Line items over all shards, a page at a time.

use super::*;

/// Whatever a reference may have in it: what sorts before and after the keys' own characters, too.
fn lines_of_every_kind(bill: &Bill, count: u64) -> Vec<BillLine> {
    let odd = ["~", "~~", "$", "#", "é", "💶 1", "a b", " a", "a", "a ", "A", "R#a", "SUM"];
    let mut lines: Vec<BillLine> =
        odd.iter().map(|reference| line_of(bill, reference, "0.10", Currency::USD)).collect();
    for n in 0..count {
        lines.push(line_of(bill, &format!("call-{n:05}"), &format!("{n}.01"), Currency::BRL));
        lines.push(taken(bill, content(None, "1.00", Currency::USD), n).0);
    }
    lines
}

async fn written(table: &TestTable, bill: &Bill, lines: &[BillLine]) {
    for lines in lines.chunks(30) {
        write(&table.store, lines.iter().map(|line| appended(bill, line))).await;
    }
}

#[tokio::test]
async fn each_line_item_is_shown_once_in_the_order_of_keys_and_in_full_pages() {
    let sizes: [(u8, &[usize]); 3] = [(1, &[7, 53]), (8, &[1, 7, 52, 53, 54, 100]), (64, &[20, 100])];
    for (shards, limits) in sizes {
        let table = TestTable::start().await;
        let bill = bill_with(ANA, 0, 1, shards);
        let mut lines = lines_of_every_kind(&bill, 20);
        written(&table, &bill, &lines).await;
        // Neighbours that are none of its.
        let other = bill_with(ANA, 0, 2, shards);
        written(&table, &other, &lines_of_every_kind(&other, 2)).await;
        lines.sort_by_key(|line| line.key().to_string());
        for limit in limits {
            assert_eq!(
                all_lines(&table, &bill, *limit).await,
                lines,
                "pages of {limit} over {shards} shards"
            );
        }
        let exactly = table.store.lines_of(&bill, PageRequest { limit: lines.len(), after: None }).await;
        assert!(exactly.unwrap().next.is_none(), "the last page is known to be the last");
    }
}

#[tokio::test]
async fn a_bill_without_line_items_is_one_empty_page() {
    let table = TestTable::start().await;
    let bill = bill();
    opened(&table, &bill).await;
    table.store.close_shards(&bill).await.unwrap();
    assert!(all_lines(&table, &bill, 10).await.is_empty());
}

#[tokio::test]
async fn a_position_is_one_of_this_bill() {
    let table = TestTable::start().await;
    let (bill, other) = (bill(), bill_with(ANA, 0, 2, 8));
    for bill in [&bill, &other] {
        opened(&table, bill).await;
        written(&table, bill, &lines_of_every_kind(bill, 5)).await;
    }
    let page = |after| PageRequest { limit: 3, after };
    let first = table.store.lines_of(&bill, page(None)).await.unwrap().next.unwrap();
    assert!(table.store.lines_of(&bill, page(Some(first.clone()))).await.is_ok());
    let bad = |text: String| {
        let (store, bill) = (table.store.clone(), bill.clone());
        async move {
            let page = store.lines_of(&bill, page(Some(Position(text.clone())))).await;
            assert!(matches!(page, Err(ListError::BadPosition)), "{text}: {page:?}");
        }
    };
    bad(table.store.lines_of(&other, page(None)).await.unwrap().next.unwrap().0).await;
    let bills =
        table.store.bills_of(customer_id(ANA), BillFilter::default(), PageRequest { limit: 1, after: None });
    bad(bills.await.unwrap().next.unwrap().0).await;
    let code = bill.id.code();
    let stranger = LineItemId::new(customer_id(BEA), at(0), 1);
    for text in [
        String::new(),
        "~".to_owned(),
        code.to_owned(),
        format!("{code}#"),
        format!("{code}#SUM"),
        format!("{code}#L#"),
        format!("{code}#L#R#"),
        format!("{code}#L#X#a"),
        format!("{code}#L#I#{stranger}"),
        format!("{code}#L#C#{}#XXX", bill.id),
        format!("{code}#L#R#{}", "x".repeat(201)),
        format!("{}\u{0}", first.0),
        first.0.to_lowercase(),
    ] {
        bad(text).await;
    }
    let carried = format!("{code}#L#C#{}#USD", other.id);
    assert!(table.store.lines_of(&bill, page(Some(Position(carried)))).await.is_ok());
}

/// What a page costs follows from the page: the same in the middle of five thousand as in a bill of a hundred.
#[tokio::test]
async fn a_page_of_a_large_bill_costs_what_it_shows() {
    let table = TestTable::start().await;
    let bill = bill();
    let line = |n| line_of(&bill, &format!("call-{n:06}"), "0.99", Currency::USD);
    let lines: Vec<BillLine> = (0..5_000).map(line).collect();
    for lines in lines.chunks(88) {
        write(&table.store, lines.iter().map(|line| appended(&bill, line))).await;
    }
    let (mut after, mut shown) = (None, 0);
    loop {
        let before = table.store.meter().reading();
        let page = table.store.lines_of(&bill, PageRequest { limit: 100, after }).await.unwrap();
        let spent = table.store.meter().reading().since(before);
        // 160 items of 300 bytes are 12 units of 4 KB, and each query rounds up.
        assert!(spent.calls <= 16 && spent.read_tenths <= 280, "{spent:?}");
        for (line, expected) in page.data.iter().zip(&lines[shown..]) {
            assert_eq!(line, expected);
        }
        shown += page.data.len();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(shown, 5_000);
    assert_eq!(sums(&table, &bill).await.totals.get(Currency::USD), money("4950.00", Currency::USD));
}
