use super::*;
use fatura_domain::bill::ShardRefusal;
use fatura_domain::money::Currency;

const USD: Currency = Currency::USD;

#[tokio::test]
async fn a_line_item_lies_beside_its_bill_and_is_counted() {
    let table = TestTable::start().await;
    let bill = bill();
    opened(&table, &bill).await;
    let (fee, credit) =
        (line_of(&bill, "call-1", "10.55", USD), line_of(&bill, "refund-1", "-3.50", Currency::BRL));
    let (unnamed, _) = taken(&bill, content(None, "1.25", USD), 7);
    for line in [&fee, &credit, &unnamed] {
        write(&table.store, [appended(&bill, line)]).await;
    }
    let seen = sums(&table, &bill).await;
    assert_eq!((seen.count, seen.totals.get(USD)), (3, money("11.80", USD)));
    assert_eq!(seen.totals.get(Currency::BRL).minor(), -350);
    let keys = [fee.key(), credit.key(), unnamed.key(), LineKey::Reference(Reference::parse("x").unwrap())];
    let mut found = table.store.lines(&bill, &keys).await.unwrap();
    found.sort_by_key(|line| line.key().to_string());
    assert_eq!(found, [unnamed, fee.clone(), credit]);
    assert_eq!(table.store.lines(&bill, &[fee.key(), fee.key()]).await.unwrap(), [fee], "asked for twice");
    assert_eq!(
        table.store.bill(bill.id).await.unwrap(),
        Some(bill.clone()),
        "an append changes nothing here"
    );
    let other = bill_with(ANA, 0, 2, 8);
    assert!(table.store.lines(&other, &keys).await.unwrap().is_empty(), "another bill's");
}

#[tokio::test]
async fn one_key_is_one_line_item() {
    let table = TestTable::start().await;
    let bill = bill();
    let first = line_of(&bill, "call-1", "10.00", USD);
    write(&table.store, [appended(&bill, &first)]).await;
    let second = line_of(&bill, "call-1", "99.00", USD);
    let refused = refusals(&table.store, [appended(&bill, &second)]).await;
    let [Refusal::LineTaken(found)] = &refused[..] else { panic!("{refused:?}") };
    assert_eq!(**found, first);
    let seen = sums(&table, &bill).await;
    assert_eq!((seen.count, seen.totals.get(USD)), (1, money("10.00", USD)));
    // The same reference is free in another bill.
    let other = bill_with(ANA, 0, 2, 8);
    write(&table.store, [appended(&other, &line_of(&other, "call-1", "99.00", USD))]).await;
}

#[tokio::test]
async fn a_closed_shard_takes_nothing_and_says_what_it_has() {
    let table = TestTable::start().await;
    let bill = bill();
    let known = line_of(&bill, "call-1", "10.00", USD);
    write(&table.store, [appended(&bill, &known)]).await;
    table.store.close_shards(&bill).await.unwrap();

    let late = line_of(&bill, "call-2", "10.00", USD);
    let refused = refusals(&table.store, [appended(&bill, &late)]).await;
    assert!(matches!(refused[..], [Refusal::ShardRefused(ShardRefusal::Closed)]), "{refused:?}");
    assert!(table.store.lines(&bill, &[late.key()]).await.unwrap().is_empty());
    // Whoever missed the answer of an append learns that it is in.
    let refused = refusals(&table.store, [appended(&bill, &known)]).await;
    assert!(
        matches!(refused[..], [Refusal::LineTaken(_), Refusal::ShardRefused(ShardRefusal::Closed)]),
        "{refused:?}"
    );
    assert_eq!(sums(&table, &bill).await.count, 1);
}

#[tokio::test]
async fn a_shard_is_full_to_the_minor_unit_in_either_direction() {
    for sign in [1, -1] {
        let table = TestTable::start().await;
        let bill = bill();
        let [first, second, back, more] =
            std::array::from_fn(|index| references_of(&bill, 3).nth(index).unwrap());
        let limit = bill.shards.limit() * sign;
        counted(&table, &bill, 3, USD, limit - sign).await;
        let (onwards, backwards) = if sign > 0 { ("0.01", "-0.01") } else { ("-0.01", "0.01") };

        write(&table.store, [appended(&bill, &line_of(&bill, &first, onwards, USD))]).await;
        assert_eq!(sums(&table, &bill).await.totals.get(USD).minor(), limit);
        let over = line_of(&bill, &second, onwards, USD);
        let refused = refusals(&table.store, [appended(&bill, &over)]).await;
        assert!(
            matches!(refused[..], [Refusal::ShardRefused(ShardRefusal::Full(USD))]),
            "{sign}: {refused:?}"
        );
        assert_eq!(sums(&table, &bill).await.totals.get(USD).minor(), limit);
        let shard = shards_in(&table, &bill).await[3].clone();
        assert_eq!(
            shard.with(over.total(), bill.shards),
            Err(ShardRefusal::Full(USD)),
            "as the domain has it"
        );

        // There is room for what goes the other way, and for other currencies.
        write(&table.store, [appended(&bill, &line_of(&bill, &more, onwards, Currency::EUR))]).await;
        write(&table.store, [appended(&bill, &line_of(&bill, &back, backwards, USD))]).await;
        write(&table.store, [appended(&bill, &over)]).await;
        let seen = sums(&table, &bill).await;
        assert_eq!((seen.totals.get(USD).minor(), seen.totals.get(Currency::EUR).minor()), (limit, sign));
    }
}

#[tokio::test]
async fn line_items_of_one_shard_are_one_change_of_it() {
    let table = TestTable::start().await;
    let bill = bill();
    let mut lines: Vec<BillLine> =
        references_of(&bill, 2).take(4).map(|reference| line_of(&bill, &reference, "2.50", USD)).collect();
    let other = references_of(&bill, 5).next().unwrap();
    lines.push(line_of(&bill, &other, "-0.75", USD));
    lines.push(line_of(&bill, &references_of(&bill, 2).nth(9).unwrap(), "7.00", Currency::EUR));
    lines.push(line_of(&bill, &references_of(&bill, 2).nth(10).unwrap(), "-7.00", Currency::EUR));
    write(&table.store, lines.iter().map(|line| appended(&bill, line))).await;
    let shards = shards_in(&table, &bill).await;
    assert_eq!((shards[2].sums.count, shards[2].sums.totals.get(USD).minor()), (6, 1_000));
    assert_eq!(shards[2].sums.totals.by_currency()[&Currency::EUR].minor(), 0, "what cancels out is shown");
    assert_eq!((shards[5].sums.count, shards[5].sums.totals.get(USD).minor()), (1, -75));
    assert_eq!(sums(&table, &bill).await, sums_of(&lines));

    // One that is taken, and none is written.
    let fresh = line_of(&bill, &references_of(&bill, 2).nth(20).unwrap(), "1.00", USD);
    let refused = refusals(&table.store, [appended(&bill, &fresh), appended(&bill, &lines[1])]).await;
    assert!(matches!(refused[..], [Refusal::LineTaken(_)]), "{refused:?}");
    assert_eq!(sums(&table, &bill).await, sums_of(&lines));
}

#[tokio::test]
async fn together_they_must_not_be_too_much_either() {
    let table = TestTable::start().await;
    let bill = bill_with(ANA, 0, 1, Shards::MOST);
    // Each is within the bounds of a shard, and two are not: neither of an empty one nor of one that has something.
    let most = |price: &str, skip: usize| {
        let references: Vec<String> = references_of(&bill, 7).skip(skip).take(2).collect();
        let draft = |reference: &String| LineDraft {
            kind: if price.starts_with('-') { LineKind::Credit } else { LineKind::Fee },
            description: Description::parse("Traffic").unwrap(),
            quantity: Quantity::parse("1000000").unwrap(),
            unit_price: Price::parse(price).unwrap(),
            currency: USD,
            reference: Some(Reference::parse(reference).unwrap()),
            occurred_at: None,
        };
        let line = |reference| taken(&bill, LineContent::try_new(draft(reference)).unwrap(), 1).0;
        references.iter().map(line).collect::<Vec<_>>()
    };
    for price in ["1000000", "-1000000"] {
        let lines = most(price, 0);
        assert!(lines[0].total().minor().abs() <= bill.shards.limit());
        let both = lines.iter().map(|line| appended(&bill, line));
        let refused = refusals(&table.store, both).await;
        assert!(matches!(refused[..], [Refusal::ShardRefused(ShardRefusal::Full(USD))]), "{refused:?}");
        assert_eq!(sums(&table, &bill).await.count, 0);
    }
    let (fees, credits) = (most("1000000", 0), most("-1000000", 2));
    let all = fees.iter().chain(&credits).map(|line| appended(&bill, line));
    write(&table.store, all).await;
    assert_eq!(sums(&table, &bill).await, sums_of(fees.iter().chain(&credits)));
}

#[tokio::test]
async fn an_answer_on_record_explains_a_refusal() {
    let table = TestTable::start().await;
    let bill = bill();
    let line = line_of(&bill, "call-1", "10.00", USD);
    let first = answer("k1", "{}", at(0));
    let changes = || [appended(&bill, &line), Change::Answered(first.clone())];
    write(&table.store, changes()).await;
    let refused = refusals(&table.store, changes()).await;
    assert!(matches!(refused[..], [Refusal::LineTaken(_), Refusal::Answered(_)]), "{refused:?}");
    assert_eq!(sums(&table, &bill).await.count, 1);
}

/// Two items below a kilobyte, each at the double price of a transaction. The index knows neither.
#[tokio::test]
async fn an_append_is_four_write_units() {
    let table = TestTable::start().await;
    let bill = bill();
    opened(&table, &bill).await;
    for n in 0..20 {
        let before = table.store.meter().reading();
        let line = line_of(&bill, &format!("2026-11-02T12:00:00Z/device-0042/session-{n:06}"), "10.99", USD);
        write(&table.store, [appended(&bill, &line)]).await;
        let spent = table.store.meter().reading().since(before);
        assert_eq!((spent.calls, spent.write_units(), spent.read_tenths), (1, 4, 0), "append {n}");
    }
    let before = table.store.meter().reading();
    let line = line_of(&bill, "with-an-answer", "10.99", USD);
    write(&table.store, [appended(&bill, &line), Change::Answered(answer("k", "{}", at(0)))]).await;
    assert_eq!(table.store.meter().reading().since(before).write_units(), 6);
}
