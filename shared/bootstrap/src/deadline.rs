use std::time::{Duration, SystemTime};

/// What cargo-lambda's emulator gets, which sends every function a deadline of 1970.
const WITHOUT_DEADLINE: Duration = Duration::from_secs(30);

/// How much time an invocation has left, asked at any time. A deadline that had passed before the invocation began is none.
pub fn time_left(deadline: SystemTime) -> impl Fn() -> Duration {
    let began = SystemTime::now();
    let deadline = if deadline > began { deadline } else { began + WITHOUT_DEADLINE };
    move || deadline.duration_since(SystemTime::now()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_counted_down_to_unless_it_never_was_one() {
        let soon = time_left(SystemTime::now() + Duration::from_secs(5))();
        assert!(soon > Duration::from_secs(4) && soon <= Duration::from_secs(5));
        assert!(time_left(SystemTime::UNIX_EPOCH)() > Duration::from_secs(29));
    }
}
