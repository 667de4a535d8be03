use super::*;
use std::net::IpAddr;

#[test]
fn a_message_that_arrives_is_over() {
    let endpoint = endpoint();
    let new = delivery("evt_1", &endpoint, start());
    assert_eq!(new.due(), Some(start()), "at once");
    let Claim::Send(claimed) = new.claimed(Some(&endpoint), start()) else { panic!("it is due") };
    assert_eq!(claimed.claimed(Some(&endpoint), start()), Claim::NotDue, "one has it to itself");
    let reported = report(Some(&endpoint), &claimed, attempt(status(204), start()), start());
    assert_eq!(reported.delivery.state, DeliveryState::Delivered { at: start() });
    assert_eq!((reported.delivery.version, reported.endpoint), (3, None), "nothing to write on the endpoint");
    assert_eq!(reported.delivery.claimed(Some(&endpoint), start() + HOUR), Claim::NotDue);
}

#[test]
fn whoever_dies_with_a_message_leaves_it_due_again() {
    let endpoint = endpoint();
    let Claim::Send(claimed) = delivery("evt_1", &endpoint, start()).claimed(Some(&endpoint), start()) else {
        panic!("it is due")
    };
    let lease_ends = start() + SignedDuration::from_mins(1);
    assert_eq!(claimed.due(), Some(lease_ends));
    let Claim::Send(again) = claimed.claimed(Some(&endpoint), lease_ends) else { panic!("it is due again") };
    assert_eq!((again.id, &again.fact), (claimed.id, &claimed.fact), "the same message, byte by byte");
}

#[test]
fn a_message_that_kills_whoever_sends_it_is_given_up_like_any_other() {
    let endpoint = endpoint();
    let mut delivery = delivery("evt_1", &endpoint, start());
    for _ in 0..schedule::MOST_TRIES {
        let Claim::Send(next) = delivery.claimed(Some(&endpoint), delivery.due().unwrap()) else {
            panic!("it is due")
        };
        delivery = next;
    }
    let Claim::Over(ended) = delivery.claimed(Some(&endpoint), delivery.due().unwrap()) else {
        panic!("it never ends")
    };
    assert!(matches!(ended.state, DeliveryState::Failed { why: GivenUp::Exhausted, .. }));
    assert!(ended.updated_at > start() + 60 * HOUR, "with the same patience: {}", ended.updated_at);
}

#[test]
fn a_late_word_of_the_round_before_takes_no_try_from_a_replay() {
    let (endpoint, failed, ended) =
        exhausted(endpoint(), delivery("evt_1", &endpoint(), start()), status(500));
    let replayed = failed.replayed(&endpoint, ended).unwrap();
    let reported = report(Some(&endpoint), &replayed, attempt(status(500), ended), ended).delivery;
    assert_eq!(reported.state, replayed.state);
}

#[test]
fn a_server_that_fails_is_tried_ten_times_in_three_days() {
    let (endpoint, delivery, ended) =
        exhausted(endpoint(), delivery("evt_1", &endpoint(), start()), status(500));
    assert_eq!(delivery.state, DeliveryState::Failed { at: ended, why: GivenUp::Exhausted });
    let tries: Vec<_> = delivery.log.iter().map(|attempt| attempt.at.duration_since(start())).collect();
    assert_eq!(tries.len(), 10);
    assert!(
        tries[1] <= SignedDuration::from_secs(5) && tries[9] <= SignedDuration::from_hours(72),
        "{tries:?}"
    );
    assert!(tries[9] > SignedDuration::from_hours(60), "{tries:?}");
    assert_eq!(endpoint.state, EndpointState::Enabled { failing_since: Some(start()) });
}

#[test]
fn a_server_that_comes_back_is_forgiven() {
    let first = delivery("evt_1", &endpoint(), start());
    let (failing, first) = told(&endpoint(), &first, Answer::Nothing(NoAnswer::TimedOut), start());
    assert_eq!(failing.state, EndpointState::Enabled { failing_since: Some(start()) });
    let later = start() + HOUR;
    let untouched = report(Some(&failing), &first, attempt(status(500), later), later);
    assert_eq!(untouched.endpoint, None, "it is written when its fortune turns, not with every failure");
    let (mended, delivered) = told(&failing, &untouched.delivery, status(200), later);
    assert_eq!(mended.state, EndpointState::Enabled { failing_since: None });
    assert!(failing.is_failing() && !mended.is_failing());
    assert_eq!(delivered.state, DeliveryState::Delivered { at: later });
    assert_eq!(delivered.log.iter().len(), 3);
}

#[test]
fn a_server_where_nothing_gets_through_for_five_days_is_disabled() {
    let (endpoint, _, ended) = exhausted(endpoint(), delivery("evt_1", &endpoint(), start()), status(500));
    assert!(endpoint.is_enabled(), "three days are not enough");
    let second = delivery("evt_2", &endpoint, ended);
    let days_later = ended + 40 * HOUR + 20 * HOUR;
    let (endpoint, second) = told(&endpoint, &second, status(500), days_later);
    assert!(endpoint.is_enabled(), "one that can still be tried disables nothing, however late it is");
    let (endpoint, second, ended) = exhausted(endpoint, second, status(500));
    assert!(matches!(second.state, DeliveryState::Failed { .. }));
    assert_eq!(endpoint.state, EndpointState::Disabled { at: ended, by: DisabledBy::Failure });
    assert!(!endpoint.wants(EventKind::InvoicePaid, CustomerId::new(1)));
}

#[test]
fn what_waits_for_a_disabled_endpoint_is_canceled_and_can_be_replayed_after() {
    let now = start();
    let disabled = endpoint().disabled(DisabledBy::Somebody(Actor::new("key_1")), now).unwrap();
    assert_eq!(disabled.disabled(DisabledBy::Failure, now), None, "who did it first stays known");
    let waiting = delivery("evt_1", &endpoint(), now);
    let Claim::Over(canceled) = waiting.claimed(Some(&disabled), now) else { panic!("not for sending") };
    assert_eq!(canceled.state, DeliveryState::Canceled { at: now, why: Cancellation::EndpointDisabled });
    let Claim::Over(removed) = waiting.claimed(None, now) else { panic!("nowhere to send") };
    assert_eq!(removed.state, DeliveryState::Canceled { at: now, why: Cancellation::EndpointRemoved });

    assert_eq!(canceled.replayed(&disabled, now), Err(ReplayError));
    let enabled = disabled.enabled(now).unwrap();
    assert_eq!(enabled.enabled(now), None);
    let replayed = canceled.replayed(&enabled, now + HOUR).unwrap();
    assert_eq!(replayed.state, DeliveryState::Pending { due: now + HOUR, begun: now + HOUR, tried: 0 });
    assert_eq!((replayed.id, &replayed.fact), (waiting.id, &waiting.fact), "the receiver knows it by its id");
}

#[test]
fn enabled_again_an_endpoint_has_its_five_days_anew() {
    let failing = EndpointState::Enabled { failing_since: Some(start() - SignedDuration::from_hours(1_000)) };
    let endpoint = Endpoint { state: failing, ..endpoint() };
    let (disabled, ..) = exhausted(endpoint.clone(), delivery("evt_1", &endpoint, start()), status(500));
    let enabled = disabled.enabled(start() + 100 * HOUR).unwrap();
    let (after, ..) =
        exhausted(enabled.clone(), delivery("evt_2", &enabled, start() + 100 * HOUR), status(500));
    assert!(after.is_enabled());
}

#[test]
fn gone_disables_at_once() {
    let delivery = delivery("evt_1", &endpoint(), start());
    let (endpoint, delivery) = told(&endpoint(), &delivery, status(410), start());
    assert_eq!(endpoint.state, EndpointState::Disabled { at: start(), by: DisabledBy::Gone });
    assert_eq!(delivery.state, DeliveryState::Failed { at: start(), why: GivenUp::Gone });
}

#[test]
fn a_receiver_that_asks_for_time_gets_it() {
    let busy = Answer::Status { code: 503, retry_after: Some(3_600) };
    let (_, delivery) = told(&endpoint(), &delivery("evt_1", &endpoint(), start()), busy, start());
    assert_eq!(delivery.due(), Some(start() + HOUR));
}

#[test]
fn a_replay_has_all_its_tries_before_it() {
    let (endpoint, failed, ended) =
        exhausted(endpoint(), delivery("evt_1", &endpoint(), start()), status(500));
    let replayed = failed.replayed(&endpoint, ended).unwrap();
    assert_eq!((replayed.due(), replayed.log.iter().len()), (Some(ended), 10));
    let (_, delivered) = told(&endpoint, &replayed, status(200), ended);
    assert_eq!(delivered.state, DeliveryState::Delivered { at: ended });
    let again = delivered.replayed(&endpoint, ended + HOUR).unwrap();
    assert_eq!(again.due(), Some(ended + HOUR), "what arrived can be sent again, too");
}

#[test]
fn a_replay_of_what_waits_sends_it_now_without_more_tries() {
    let (endpoint, waiting) =
        told(&endpoint(), &delivery("evt_1", &endpoint(), start()), status(500), start());
    let now = start() + SignedDuration::from_secs(1);
    let hurried = waiting.replayed(&endpoint, now).unwrap();
    assert_eq!(hurried.state, DeliveryState::Pending { due: now, begun: start(), tried: 1 });
}

#[test]
fn what_arrived_after_all_has_arrived() {
    let (endpoint, failed, ended) =
        exhausted(endpoint(), delivery("evt_1", &endpoint(), start()), status(500));
    let (mended, delivered) = told(&endpoint, &failed, status(200), ended);
    assert_eq!(delivered.state, DeliveryState::Delivered { at: ended });
    assert_eq!(mended.state, EndpointState::Enabled { failing_since: None });
    let (_, still) = told(&mended, &delivered, status(500), ended + HOUR);
    assert_eq!(still.state, DeliveryState::Delivered { at: ended }, "a late word of an earlier failure");
}

#[test]
fn an_endpoint_is_told_of_its_owners_events_only() {
    let [ana, bea] = [1, 2].map(CustomerId::new);
    let anas = Endpoint { owner: Owner::Customer(ana), ..endpoint() };
    assert!(anas.wants(EventKind::InvoicePaid, ana));
    assert!(!anas.wants(EventKind::InvoicePaid, bea));
    assert!(endpoint().wants(EventKind::InvoicePaid, bea));
    let refunds = Endpoint { events: EventFilter::parse(&["invoice.refunded"]).unwrap(), ..anas };
    assert!(!refunds.wants(EventKind::InvoicePaid, ana));
}

#[test]
fn a_rotation_is_a_version() {
    let rotated = endpoint().rotated(Secret::new([8; 32]), HOUR, start() + HOUR);
    assert_eq!((rotated.version, rotated.updated_at), (2, start() + HOUR));
    let signs: Vec<&[u8]> = rotated.secrets.in_force(start() + HOUR).into_iter().map(Secret::bytes).collect();
    assert_eq!(signs, [[8; 32], [7; 32]], "the newest first");
    let off = endpoint().disabled(DisabledBy::Failure, start() + HOUR).unwrap();
    assert_eq!((off.version, off.updated_at), (2, start() + HOUR));
}

#[test]
fn an_amended_endpoint_is_told_of_other_things_elsewhere() {
    let url = EndpointUrl::parse("https://example.org/other", Loopback::Refused).unwrap();
    let (why, events) = (Text::parse("accounting").ok(), EventFilter::parse(&["bill.*"]).unwrap());
    let amended = endpoint().amended(url.clone(), why.clone(), events.clone(), start() + HOUR);
    let whole =
        Endpoint { url, description: why, events, version: 2, updated_at: start() + HOUR, ..endpoint() };
    assert_eq!(amended, whole);
}

/// What docs/webhooks-out.md and the API's document promise.
#[test]
fn spans_are_as_long_as_they_are_said_to_be() {
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    assert_eq!([FAILING_FOR, LONGEST_OVERLAP, KEPT_FOR], [5, 7, 30].map(days));
}

#[test]
fn an_endpoint_says_what_it_listens_to_as_it_was_said() {
    let said = ["invoice.*", "bill.closed", "*"];
    assert!(EventFilter::parse(&said).unwrap().patterns().eq(said));
}

#[test]
fn the_same_event_is_the_same_message_in_each_release() {
    let endpoint = EndpointId::new(Timestamp::UNIX_EPOCH, 1);
    assert_eq!(MessageId::of("evt_1", endpoint).to_string(), "msg_E3BVG6KRJ2MNXAWDEKT1X91G9T");
}

#[test]
fn what_ended_without_having_arrived_is_missed() {
    let failed = DeliveryState::Failed { at: start(), why: GivenUp::Gone };
    let canceled = DeliveryState::Canceled { at: start(), why: Cancellation::EndpointRemoved };
    let delivered = DeliveryState::Delivered { at: start() };
    let pending = delivery("evt_1", &endpoint(), start()).state;
    let states = [pending, delivered, failed, canceled];
    assert_eq!(
        [false, false, true, true].as_slice(),
        states.iter().map(DeliveryState::is_missed).collect::<Vec<_>>()
    );
    assert_eq!(DeliveryState::NAMES.as_slice(), states.iter().map(DeliveryState::as_str).collect::<Vec<_>>());
}

#[test]
fn an_endpoint_has_fifty_patterns_at_most() {
    assert!(EventFilter::parse(&["bill.closed"; 50]).is_ok());
    assert_eq!(EventFilter::parse(&["bill.closed"; 51]), Err(FilterError::Count));
    assert_eq!(EventFilter::parse::<&str>(&[]), Err(FilterError::Count));
}

#[test]
fn only_an_url_without_a_name_says_its_address() {
    let address = |url| EndpointUrl::parse(url, Loopback::Allowed).unwrap().literal_address();
    assert_eq!(address("https://example.com/"), None);
    assert_eq!(address("https://8.8.8.8/"), Some(IpAddr::from([8, 8, 8, 8])));
}

#[test]
fn states_are_stored_shortly_and_read_back() {
    let enabled: EndpointState = serde_json::from_str(r#"{"enabled":{}}"#).unwrap();
    assert_eq!(enabled, EndpointState::Enabled { failing_since: None });
    let states = [
        EndpointState::Enabled { failing_since: Some(start()) },
        EndpointState::Disabled { at: start(), by: DisabledBy::Failure },
        EndpointState::Disabled { at: start(), by: DisabledBy::Somebody(Actor::new("key_1")) },
    ];
    for state in states {
        let stored = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<EndpointState>(&stored).unwrap(), state, "{stored}");
    }
    let states = [
        DeliveryState::Pending { due: start() + HOUR, begun: start(), tried: 4 },
        DeliveryState::Delivered { at: start() },
        DeliveryState::Failed { at: start(), why: GivenUp::Gone },
        DeliveryState::Canceled { at: start(), why: Cancellation::EndpointRemoved },
    ];
    for state in states {
        let stored = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<DeliveryState>(&stored).unwrap(), state, "{stored}");
    }
}

#[test]
fn no_secret_and_no_token_of_an_url_is_shown() {
    let url = EndpointUrl::parse("https://example.com/hook?token=tok_1", Loopback::Refused).unwrap();
    let shown = format!("{:?}", Endpoint { url, ..endpoint() });
    assert!(!shown.contains("tok_1") && !shown.contains("whsec_") && !shown.contains("BwcH"), "{shown}");
}

#[test]
fn an_endpoint_that_gave_itself_up_is_for_somebody_to_look_at() {
    let gone = endpoint().disabled(DisabledBy::Gone, start()).unwrap();
    let matter = gone.matter().unwrap();
    assert_eq!((matter.kind, matter.raised_at), (AttentionKind::WebhookEndpointDisabled, start()));
    assert!(!matter.detail.contains("/hook"), "a path may be a secret: {}", matter.detail);
    assert_eq!(gone.enabled(start()).unwrap().matter(), None);
    let by_hand = DisabledBy::Somebody(Actor::new("key_1"));
    assert_eq!(endpoint().disabled(by_hand, start()).unwrap().matter(), None);
    assert_eq!(endpoint().matter(), None);
}

#[test]
fn no_filter_accepts_a_test_message_and_every_try_keeps_it_longer() {
    assert!(EventKind::ALL.iter().all(|kind| kind.as_str() != Fact::TEST));
    let sent = Delivery::of_test("evt_test_1", "{}".to_owned(), endpoint().id, start());
    assert_eq!(sent.expires_at(), start() + KEPT_FOR);
    let replayed = sent.replayed(&endpoint(), start() + HOUR).unwrap();
    assert_eq!(replayed.expires_at(), start() + HOUR + KEPT_FOR);
}
