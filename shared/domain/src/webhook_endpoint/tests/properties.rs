use super::*;
use proptest::prelude::*;

/// What may happen to a message, after a while.
#[derive(Debug, Clone, Copy)]
enum Input {
    Woken,
    Told(Answer),
    Replayed,
    Disabled,
    Enabled,
    Rotated,
}

fn answers() -> impl Strategy<Value = Answer> {
    let code = prop_oneof![Just(200_u16), Just(410), Just(429), Just(503), Just(500), 100..600_u16];
    prop_oneof![
        (code, proptest::option::of(any::<u32>()))
            .prop_map(|(code, retry_after)| Answer::Status { code, retry_after }),
        Just(Answer::Nothing(NoAnswer::TimedOut)),
        Just(Answer::Nothing(NoAnswer::AddressRefused)),
    ]
}

fn inputs() -> impl Strategy<Value = Vec<(i64, Input)>> {
    let input = prop_oneof![
        4 => Just(Input::Woken),
        8 => answers().prop_map(Input::Told),
        1 => Just(Input::Replayed),
        1 => Just(Input::Disabled),
        1 => Just(Input::Enabled),
        1 => Just(Input::Rotated),
    ];
    proptest::collection::vec((0_i64..2 * 86_400, input), 0..60)
}

struct World {
    now: Timestamp,
    endpoint: Endpoint,
    delivery: Delivery,
    /// Tries since the round began.
    tried: u8,
}

impl World {
    fn new() -> Self {
        let endpoint = endpoint();
        let delivery = delivery("evt_1", &endpoint, start());
        Self { now: start(), endpoint, delivery, tried: 0 }
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Woken => match self.delivery.claimed(Some(&self.endpoint), self.now) {
                Claim::Send(next) => {
                    self.tried += 1;
                    assert!(next.due().unwrap() > self.now && self.endpoint.is_enabled());
                    self.write(next);
                }
                Claim::Over(next) => {
                    assert!(!self.endpoint.is_enabled() || self.tried == schedule::MOST_TRIES);
                    self.write(next);
                }
                Claim::NotDue => assert!(self.delivery.due().is_none_or(|due| due > self.now)),
            },
            Input::Told(answer) => self.told(answer),
            Input::Replayed => match self.delivery.replayed(&self.endpoint, self.now) {
                Ok(next) => {
                    self.tried = if self.delivery.due().is_some() { self.tried } else { 0 };
                    assert!(next.due().unwrap() <= self.now);
                    self.write(next);
                }
                Err(ReplayError) => assert!(!self.endpoint.is_enabled()),
            },
            Input::Disabled => {
                if let Some(next) = self.endpoint.disabled(DisabledBy::Failure, self.now) {
                    self.endpoint = next;
                }
            }
            Input::Enabled => {
                if let Some(next) = self.endpoint.enabled(self.now) {
                    self.endpoint = next;
                }
            }
            Input::Rotated => {
                self.endpoint = self.endpoint.rotated(Secret::new([9; 32]), HOUR, self.now);
            }
        }
    }

    fn told(&mut self, answer: Answer) {
        let was_pending = self.delivery.due().is_some();
        let Reported { delivery, endpoint } =
            report(Some(&self.endpoint), &self.delivery, attempt(answer, self.now), self.now);
        let verdict = answer.verdict();
        match &delivery.state {
            DeliveryState::Pending { due, begun, tried } => {
                assert!(was_pending && matches!(verdict, Verdict::Again { .. }));
                assert!(*tried == 0 || (*due > self.now && *due <= *begun + schedule::LASTS));
                assert!(*tried == self.tried && *tried < schedule::MOST_TRIES);
            }
            DeliveryState::Delivered { .. } => {
                let was = matches!(self.delivery.state, DeliveryState::Delivered { .. });
                assert!(was || verdict == Verdict::Delivered);
            }
            DeliveryState::Failed { why: GivenUp::Exhausted, .. } if was_pending => {
                let DeliveryState::Pending { begun, .. } = self.delivery.state else { panic!("was pending") };
                assert!(self.tried >= schedule::MOST_TRIES || self.now >= begun + schedule::LASTS);
            }
            DeliveryState::Failed { why: GivenUp::Gone, .. } if was_pending => {
                assert_eq!(verdict, Verdict::Gone);
            }
            DeliveryState::Failed { .. } | DeliveryState::Canceled { .. } => assert!(!was_pending),
        }
        if let Some(next) = endpoint {
            self.endpoint_moves(next, verdict);
        }
        self.write(delivery);
    }

    fn endpoint_moves(&mut self, next: Endpoint, verdict: Verdict) {
        assert_eq!(next.version, self.endpoint.version + 1);
        let EndpointState::Enabled { failing_since } = self.endpoint.state else {
            panic!("only a person enables")
        };
        match &next.state {
            EndpointState::Enabled { failing_since: None } => assert_eq!(verdict, Verdict::Delivered),
            EndpointState::Enabled { failing_since: Some(since) } => assert_eq!(*since, self.now),
            EndpointState::Disabled { by: DisabledBy::Gone, .. } => assert_eq!(verdict, Verdict::Gone),
            EndpointState::Disabled { by: DisabledBy::Failure, .. } => {
                assert!(self.now.duration_since(failing_since.unwrap()) >= FAILING_FOR);
            }
            EndpointState::Disabled { by: DisabledBy::Somebody(_), .. } => panic!("nobody did"),
        }
        self.endpoint = next;
    }

    fn write(&mut self, next: Delivery) {
        assert_eq!(next.version, self.delivery.version + 1);
        assert_eq!((next.id, &next.fact), (self.delivery.id, &self.delivery.fact));
        assert!(next.log.iter().len() <= AttemptLog::LONGEST);
        self.delivery = next;
    }
}

proptest! {
    #[test]
    fn whatever_happens_a_message_takes_legal_steps_only(inputs in inputs()) {
        let mut world = World::new();
        for (seconds, input) in inputs {
            world.now += SignedDuration::from_secs(seconds);
            world.take(input);
        }
    }

    /// Left alone with any server, it ends, in bounded tries and time.
    #[test]
    fn every_message_ends(answers in proptest::collection::vec(answers(), 12), lateness in 0_i64..3_600) {
        let mut world = World::new();
        for answer in answers {
            let Some(due) = world.delivery.due() else { break };
            world.now = world.now.max(due + SignedDuration::from_secs(lateness));
            world.take(Input::Woken);
            if world.delivery.due().is_some() {
                world.take(Input::Told(answer));
            }
        }
        prop_assert_eq!(world.delivery.due(), None);
        prop_assert!(world.now <= start() + schedule::LASTS + SignedDuration::from_secs(lateness));
    }
}
