//! Every target, over its corpus and some hundred inputs made of it: the same in each run.
#![expect(clippy::panic, reason = "a test says what went wrong by failing")]

use fatura_fuzz::{Fuzzer, TARGETS};

const SEED: u64 = 7;

fn holds(name: &str) {
    let Some(target) = TARGETS.iter().find(|target| target.name == name) else { panic!("no target {name}") };
    let mut fuzzer = Fuzzer::new(target, SEED);
    let found = fuzzer.try_seeds().and_then(|()| fuzzer.run(|done| done < target.tries));
    if let Err(found) = found {
        panic!("{found}");
    }
}

macro_rules! targets {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() {
            holds($name);
        })*

        #[test]
        fn every_target_is_tried() {
            assert_eq!(TARGETS.each_ref().map(|target| target.name), [$($name),*]);
        }
    };
}

targets! {
    signing_in_holds: "auth",
    cursors_hold: "cursors",
    idempotency_keys_hold: "idempotency",
    intake_holds: "intake",
    the_router_holds: "router",
    the_charge_queue_holds: "queue-charge",
    the_notifier_queue_holds: "queue-notifier",
    the_webhook_queue_holds: "queue-webhook",
    risk_rules_hold: "rules",
    the_stream_holds: "stream",
    money_holds: "money",
    texts_hold: "texts",
    adyens_webhooks_hold: "webhook-adyen",
    iugus_webhooks_hold: "webhook-iugu",
    mercado_pagos_webhooks_hold: "webhook-mercado-pago",
    pagbanks_webhooks_hold: "webhook-pagbank",
    paypals_webhooks_hold: "webhook-paypal",
    the_sandboxs_webhooks_hold: "webhook-sandbox",
    stripes_webhooks_hold: "webhook-stripe",
    vindis_webhooks_hold: "webhook-vindi",
}
