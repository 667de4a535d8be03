//! Refunds at gateways that keep none of our names for them.

use crate::trouble::Trouble;
use fatura_domain::Timestamp;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{RefundOutcome, RefundRequest};
use fatura_domain::id::RefundId;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME: std::ops::Range<usize> = 12..22;
/// How far the gateway's clock may be behind ours.
const SKEW_MS: i64 = 120_000;

/// When a refund was ordered from us: its id says so.
fn ordered_at_ms(refund: RefundId) -> Option<i64> {
    let digits = refund.code().as_bytes().get(TIME)?;
    digits.iter().try_fold(0_i64, |time, digit| {
        let value = ALPHABET.iter().position(|known| known == digit)?;
        time.checked_mul(32)?.checked_add(i64::try_from(value).ok()?)
    })
}

/// Whether one that the gateway made then can be this one: it is no older than our order.
pub(crate) fn can_be(refund: RefundId, made_at: Option<&str>) -> bool {
    let made_at = made_at.and_then(|text| text.parse::<Timestamp>().ok());
    let (Some(made_at), Some(ordered)) = (made_at, ordered_at_ms(refund)) else { return true };
    made_at.as_millisecond() + SKEW_MS >= ordered
}

/// Of several that could be it nobody can tell which one is, and either guess costs somebody the amount.
pub(crate) fn ambiguous() -> Trouble {
    Trouble::unknown("refund_ambiguous", "the gateway has refunds of this charge, and none says whose it is")
}

/// What nobody says isn't nothing: an order that may have arrived would go out again.
pub(crate) fn untold() -> Trouble {
    Trouble::unknown("refund_untold", "the gateway does not say how much went back")
}

/// Read and refused as it stands: nothing went back, and nothing will.
pub(crate) fn refused(raw_code: Option<&str>) -> RefundOutcome {
    let failure = Failure::new(FailureClass::Generic, "refund_refused", "the gateway refused the refund");
    RefundOutcome::Failed { failure: raw_code.map_or(failure.clone(), |code| failure.with_raw_code(code)) }
}

/// What a charge's own total of refunds says about one of them.
pub(crate) fn by_total(
    request: &RefundRequest,
    charged_minor: i64,
    refunded_minor: i64,
) -> Result<Option<RefundOutcome>, Trouble> {
    let amount = request.amount;
    if refunded_minor < amount.minor() {
        return Ok(None);
    }
    // The whole of it is one refund: no other has room beside it.
    if amount.minor() == charged_minor {
        return Ok(Some(RefundOutcome::Succeeded { reference: request.charge.clone(), amount }));
    }
    Err(ambiguous())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fatura_domain::id::CustomerId;

    #[test]
    fn a_refund_is_no_older_than_its_order() {
        let at: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let refund = RefundId::new(CustomerId::new(7), at, 9);
        assert_eq!(ordered_at_ms(refund), Some(at.as_millisecond()));
        for (made_at, expected) in [
            (Some("2026-11-21T09:00:01-03:00"), true),
            (Some("2026-11-21T11:58:00Z"), true),
            (Some("2026-11-21T11:57:59Z"), false),
            (Some("soon"), true),
            (None, true),
        ] {
            assert_eq!(can_be(refund, made_at), expected, "{made_at:?}");
        }
    }
}
