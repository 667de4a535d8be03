use crate::world::World;
use http::Method;
use serde_json::json;

#[tokio::test]
async fn a_customer_is_created_shown_and_replaced() {
    let world = World::new().await;
    let body = json!({
        "name": "Ana Souza", "email": "Ana@Example.com", "external_id": "crm/17 ç",
        "time_zone": "america/sao_paulo", "billing_anchor_day": 31, "country": "br", "metadata": {"segment": "smb"},
    });
    let created = world.post("/v1/customers", body).await.expect(201);
    let id = created["id"].as_str().unwrap();
    assert_eq!(
        created,
        json!({
            "id": id, "name": "Ana Souza", "email": "ana@example.com", "external_id": "crm/17 ç", "kind": "buyer",
            "time_zone": "America/Sao_Paulo", "billing_anchor_day": 31, "country": "BR", "metadata": {"segment": "smb"}, "default_payment_method_id": null,
            "created_at": "2026-11-02T12:00:00.000Z", "updated_at": "2026-11-02T12:00:00.000Z", "version": 1,
        })
    );
    let shown = world.get(&format!("/v1/customers/{id}")).await;
    assert_eq!(shown.header("etag"), "\"1\"");
    assert_eq!(shown.expect(200), created);
    assert_eq!(world.get("/v1/customers/external:crm%2F17%20%C3%A7").await.expect(200), created);

    world.wait(1);
    let path = format!("/v1/customers/{id}");
    let merchant = json!({"name": "Ana", "email": "ana@example.com", "kind": "merchant"});
    let replaced = world.change(Method::PUT, &path, Some("\"1\""), merchant.clone()).await.expect(200);
    assert_eq!((&replaced["version"], &replaced["external_id"]), (&json!(2), &json!(null)));
    assert_eq!(replaced["billing_anchor_day"], json!(null));
    assert_eq!(
        (&replaced["kind"], &replaced["updated_at"]),
        (&json!("merchant"), &json!("2026-11-02T12:00:01.000Z"))
    );
    let stale = world.change(Method::PUT, &path, Some("\"1\""), merchant).await;
    assert_eq!(stale.code(), (412, "version_mismatch"));
    assert_eq!(stale.body["details"], json!({"version": 2}));
    assert_eq!(world.get("/v1/customers/external:crm%2F17%20%C3%A7").await.status, 404, "given up");
}

#[tokio::test]
async fn addresses_are_nobody_elses() {
    let world = World::new().await;
    let ana = json!({"name": "Ana", "email": "ana@example.com", "external_id": "1"});
    world.post("/v1/customers", ana).await.expect(201);
    for (body, detail) in [
        (json!({"name": "B", "email": "ANA@example.com"}), "a customer with this email exists"),
        (
            json!({"name": "B", "email": "b@example.com", "external_id": "1"}),
            "a customer with this external_id exists",
        ),
    ] {
        let taken = world.post("/v1/customers", body).await;
        assert_eq!(taken.code(), (409, "conflict"));
        assert_eq!(taken.body["detail"], detail);
    }
}

#[tokio::test]
async fn every_fault_of_a_customer_is_named() {
    let world = World::new().await;
    let many: serde_json::Map<_, _> = (0..21).map(|n| (n.to_string(), json!("x"))).collect();
    let body = json!({
        "email": "ana", "external_id": "", "kind": "both", "time_zone": "Mars/Base", "billing_anchor_day": 32, "metadata": many, "id": "cus_1", "password": 1,
    });
    assert_eq!(
        world.post("/v1/customers", body).await.faults(),
        [
            "password must be text",
            "name is required",
            "email must be an email address",
            "external_id must not be empty",
            "kind must be one of: buyer, merchant",
            "time_zone must be an IANA time zone, such as America/Sao_Paulo",
            "billing_anchor_day must be a day of the month, 1 to 31",
            "metadata must have at most 20 entries",
            "id is not a member of this request",
        ]
    );
    for day in [json!(0), json!(-1), json!(1.5), json!("31"), json!(256)] {
        let body = json!({"name": "A", "email": "a@b.c", "billing_anchor_day": day});
        let faults = world.post("/v1/customers", body).await.faults();
        assert_eq!(faults, ["billing_anchor_day must be a day of the month, 1 to 31"], "{day}");
    }
    let body = json!({
        "name": "a\u{0}b", "email": "a@b.c", "metadata": {"k": 1, "4111 1111 1111 1111": "x".repeat(501), "n": "\u{0}", "": "x"},
    });
    let mut faults = world.post("/v1/customers", body).await.faults();
    faults.sort_unstable();
    assert_eq!(
        faults,
        [
            "metadata. has a key that must not be empty",
            "metadata.(a card number) must have at most 500 characters",
            "metadata.k must be text",
            "metadata.n must not contain control characters",
            "name must not contain control characters",
        ]
    );
}
