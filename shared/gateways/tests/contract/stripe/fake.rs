//! A Stripe that remembers what it was asked to do, as far as the contract needs one. It is written from Stripe's
//! documents, as the adapter is: that both agree proves less than the tests in `tests/gateways-outside`.

use crate::bench::API_KEY;
use crate::scripted::{Act, Received, Scripted, answer};
use fatura_domain::Timestamp;
use fatura_domain::gateway::DisputeVerdict;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

pub(crate) type Fields = BTreeMap<String, String>;

#[derive(Default)]
pub(crate) struct Books {
    pub(crate) intents: Vec<Value>,
    refunds: Vec<Value>,
    disputes: Vec<Value>,
    /// Oldest first.
    transactions: Vec<Value>,
    /// By idempotency key: what was asked, and what was answered.
    answers: HashMap<String, (String, String)>,
}

pub(crate) struct Fake {
    pub(crate) server: Scripted,
    pub(crate) books: Arc<Mutex<Books>>,
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let books = Arc::new(Mutex::new(Books::default()));
        let shared = books.clone();
        let server = Scripted::routed(move |received| shared.lock().unwrap().act(received)).await;
        Self { server, books }
    }

    pub(crate) fn dispute(&self, intent: &str, verdict: DisputeVerdict) {
        let status = match verdict {
            DisputeVerdict::Open => "needs_response",
            DisputeVerdict::Won => "won",
            DisputeVerdict::Lost => "lost",
        };
        let mut books = self.books.lock().unwrap();
        let amount = books.intents.iter().find(|known| known["id"] == intent).unwrap()["amount"].clone();
        books.disputes.retain(|dispute| dispute["payment_intent"] != intent);
        books.disputes.push(json!({
            "id": format!("du_{intent}"), "object": "dispute", "amount": amount, "currency": "brl",
            "status": status, "payment_intent": intent, "metadata": {},
        }));
    }
}

pub(crate) fn pairs(encoded: &str) -> Fields {
    let url = reqwest::Url::parse(&format!("http://localhost/?{encoded}")).unwrap();
    url.query_pairs().into_owned().collect()
}

fn ok(body: &Value) -> String {
    answer("200 OK", "", &body.to_string())
}

pub(crate) fn refusal(status: &str, kind: &str, code: &str) -> String {
    let error = json!({ "type": kind, "code": code, "message": "No." });
    answer(status, "", &json!({ "error": error }).to_string())
}

fn page(newest_first: Vec<Value>, query: &Fields) -> String {
    let skipped = query.get("starting_after").map_or(0, |after| {
        newest_first.iter().position(|entry| entry["id"] == *after).expect("a cursor of this list") + 1
    });
    let limit: usize = query["limit"].parse().unwrap();
    assert!((1..=100).contains(&limit));
    let mut rest = newest_first.into_iter().skip(skipped);
    let data: Vec<Value> = rest.by_ref().take(limit).collect();
    ok(&json!({ "object": "list", "data": data, "has_more": rest.next().is_some() }))
}

fn is_created_within(entry: &Value, query: &Fields) -> bool {
    let created = entry["created"].as_i64().unwrap();
    let bound = |name: &str| query.get(name).map(|bound| bound.parse::<i64>().unwrap());
    bound("created[gte]").is_none_or(|from| created >= from)
        && bound("created[lt]").is_none_or(|to| created < to)
}

impl Books {
    fn act(&mut self, received: &Received) -> Act {
        if received.header("authorization") != [format!("Bearer {API_KEY}")] {
            return Act::Say(refusal("401 Unauthorized", "invalid_request_error", "api_key_invalid"));
        }
        assert_eq!(received.header("stripe-version").len(), 1);
        let (path, query) = received.target.split_once('?').unwrap_or((&received.target, ""));
        let query = pairs(query);
        let body = String::from_utf8(received.body.clone()).unwrap();
        let path: Vec<&str> = path.split('/').skip(1).collect();
        Act::Say(match (received.method.as_str(), path.as_slice()) {
            ("POST", ["v1", "payment_intents"]) => return self.order(received, &body),
            ("GET", ["v1", "payment_intents"]) => {
                page(self.listed(&self.intents, |intent| is_created_within(intent, &query)), &query)
            }
            // It lags behind for ever: what is found is found in the list.
            ("GET", ["v1", "payment_intents", "search"]) => ok(&json!({ "data": [], "has_more": false })),
            ("GET", ["v1", "payment_intents", id]) => {
                self.intents.iter().find(|intent| intent["id"] == *id).map_or_else(missing, ok)
            }
            ("POST", ["v1", "payment_intents", id, "cancel"]) => self.cancel(id),
            ("POST", ["v1", "refunds"]) => self.refund(received, &body),
            ("GET", ["v1", "refunds"]) => {
                let of = |refund: &Value| refund["payment_intent"] == query["payment_intent"];
                page(self.listed(&self.refunds, of), &query)
            }
            ("GET", ["v1", "disputes"]) => {
                let of = |dispute: &Value| dispute["payment_intent"] == query["payment_intent"];
                page(self.listed(&self.disputes, of), &query)
            }
            ("GET", ["v1", "balance_transactions"]) => {
                assert_eq!(query["expand[]"], "data.source");
                page(self.listed(&self.transactions, |entry| is_created_within(entry, &query)), &query)
            }
            other => panic!("Stripe is not asked for {other:?}"),
        })
    }

    /// Newest first, as everything is listed.
    #[expect(clippy::unused_self, reason = "reads better among its like")]
    fn listed(&self, entries: &[Value], wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        entries.iter().rev().filter(|entry| wanted(entry)).cloned().collect()
    }

    fn order(&mut self, received: &Received, body: &str) -> Act {
        let [key] = received.header("idempotency-key")[..] else { panic!("one key") };
        if let Some((asked, answered)) = self.answers.get(key) {
            return Act::Say(if asked == body {
                answered.clone()
            } else {
                refusal("400 Bad Request", "idempotency_error", "")
            });
        }
        let form = pairs(body);
        let wanted = form.get("payment_method").map_or("pix", |method| method.trim_start_matches("pm_"));
        match wanted {
            "not_charged_no_answer" => return Act::Silence,
            "not_charged_500" => return Act::Say(refusal("500 Oops", "api_error", "")),
            "429" => return Act::Say(refusal("429 Slow Down", "invalid_request_error", "rate_limit")),
            _ => {}
        }
        let intent = self.intent(&form, wanted);
        let is_declined = !intent["last_payment_error"].is_null();
        self.intents.push(intent.clone());
        let told = if is_declined {
            let mut error = intent["last_payment_error"].clone();
            error["payment_intent"] = intent;
            answer("402 Payment Required", "", &json!({ "error": error }).to_string())
        } else {
            ok(&intent)
        };
        self.answers.insert(key.to_owned(), (body.to_owned(), told.clone()));
        match wanted {
            "charged_no_answer" => Act::Silence,
            "charged_500" => Act::Say(refusal("500 Oops", "api_error", "")),
            "charged_html" => Act::Say(answer("200 OK", "", "<!doctype html>")),
            "charged_truncated" => Act::Say(told[..told.len() - 100].to_owned()),
            _ => Act::Say(told),
        }
    }

    fn intent(&mut self, form: &Fields, wanted: &str) -> Value {
        let number = self.intents.len();
        let now = Timestamp::now().as_second();
        let amount: i64 = form["amount"].parse().unwrap();
        let metadata: Fields = form
            .iter()
            .filter_map(|(key, value)| {
                let name = key.strip_prefix("metadata[")?.strip_suffix(']')?;
                Some((name.to_owned(), value.clone()))
            })
            .collect();
        let mut intent = json!({
            "id": format!("pi_{number}"), "object": "payment_intent", "amount": amount, "amount_received": 0,
            "currency": form["currency"], "created": now, "metadata": metadata, "status": "succeeded",
            "last_payment_error": null, "next_action": null, "latest_charge": null,
        });
        if let Some(code) = wanted.strip_prefix("decline_") {
            intent["status"] = json!("requires_payment_method");
            intent["last_payment_error"] = json!({
                "type": "card_error", "code": "card_declined", "decline_code": code, "message": "Declined.",
            });
        } else if wanted == "pix" {
            intent["status"] = json!("requires_action");
            let seconds: i64 = form["payment_method_options[pix][expires_after_seconds]"].parse().unwrap();
            let code = json!({ "data": "00020126BR.GOV.BCB.PIX", "expires_at": now + seconds });
            intent["next_action"] = json!({ "type": "pix_display_qr_code", "pix_display_qr_code": code });
        } else {
            intent["amount_received"] = json!(amount);
            let source = json!({
                "id": format!("ch_{number}"), "object": "charge", "amount": amount, "amount_captured": amount,
                "currency": intent["currency"], "payment_intent": intent["id"], "metadata": intent["metadata"],
            });
            self.moved("charge", &source);
        }
        intent
    }

    fn moved(&mut self, kind: &str, source: &Value) {
        let number = self.transactions.len();
        // What Stripe settles is in another currency, less its fee: none of our business.
        self.transactions.push(json!({
            "id": format!("txn_{number}"), "type": kind, "created": Timestamp::now().as_second(),
            "amount": 1, "currency": "usd", "source": source,
        }));
        self.transactions.push(json!({
            "id": format!("txn_fee_{number}"), "type": "stripe_fee",
            "created": Timestamp::now().as_second(), "amount": -1, "currency": "usd", "source": null,
        }));
    }

    fn cancel(&mut self, id: &str) -> String {
        let Some(intent) = self.intents.iter_mut().find(|intent| intent["id"] == id) else {
            return missing();
        };
        if intent["status"] == "succeeded" || intent["status"] == "canceled" {
            return refusal("400 Bad Request", "invalid_request_error", "payment_intent_unexpected_state");
        }
        intent["status"] = json!("canceled");
        ok(intent)
    }

    fn refund(&mut self, received: &Received, body: &str) -> String {
        let [key] = received.header("idempotency-key")[..] else { panic!("one key") };
        if let Some((asked, answered)) = self.answers.get(key) {
            assert_eq!(asked, body);
            return answered.clone();
        }
        let form = pairs(body);
        let intent = self.intents.iter().find(|intent| intent["id"] == form["payment_intent"]);
        let Some(intent) = intent else { return missing() };
        let number = self.refunds.len();
        let refund = json!({
            "id": format!("re_{number}"), "object": "refund", "charge": "ch_1", "payment_intent": intent["id"],
            "amount": form["amount"].parse::<i64>().unwrap(), "currency": intent["currency"],
            "status": "succeeded", "metadata": { "refund": form["metadata[refund]"] },
        });
        self.refunds.push(refund.clone());
        self.moved("refund", &refund);
        let told = ok(&refund);
        self.answers.insert(key.to_owned(), (body.to_owned(), told.clone()));
        told
    }
}

fn missing() -> String {
    refusal("404 Not Found", "invalid_request_error", "resource_missing")
}
