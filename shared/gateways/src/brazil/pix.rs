//! When a Pix code ends, and who is said to pay it.

use crate::trouble::Trouble;
use fatura_application::ports::GatewaySecrets;
use fatura_domain::Timestamp;
use fatura_domain::gateway::{PendingAction, PixKey};

const DAY: i64 = 86_400;
/// Brazil's capital keeps the same three hours behind UTC all year, since 2019.
const BEHIND_UTC: i64 = 3 * 3_600;

/// The last second of tomorrow in Brasília, as `2026-11-22T23:59:59.000-03:00`. From when
/// the order's attempt began, so that an order which goes out again is the same bytes.
pub(crate) fn expiry(begun_at: Timestamp) -> String {
    let local = last_of_tomorrow(begun_at).to_string();
    format!("{}.000-03:00", local.trim_end_matches('Z'))
}

/// The same as a date.
pub(crate) fn due_date(begun_at: Timestamp) -> String {
    last_of_tomorrow(begun_at).to_string().chars().take(10).collect()
}

/// As if Brasília's clock showed UTC.
fn last_of_tomorrow(now: Timestamp) -> Timestamp {
    let today = (now.as_second() - BEHIND_UTC).div_euclid(DAY);
    Timestamp::from_second((today + 2) * DAY - 1).unwrap_or(now)
}

pub(crate) fn scan(emv: &str, expires_at: &str) -> Result<PendingAction, Trouble> {
    let expires_at = expires_at
        .parse::<Timestamp>()
        .map_err(|_| Trouble::unknown("unreadable_answer", "the expiry is no time"))?;
    if emv.is_empty() {
        return Err(Trouble::unknown("unreadable_answer", "the code to scan is empty"));
    }
    Ok(PendingAction::Pix { emv: emv.to_owned(), expires_at })
}

/// Who pays: these gateways want to know before they make a code. An order names the payer's Pix key alone; where that
/// says too little, what is configured stands in: `pix_payer_name`, `pix_payer_email`, `pix_payer_tax_id`.
pub(crate) struct PixPayer {
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) tax_id: Option<String>,
}

impl PixPayer {
    pub(crate) fn of(key: &PixKey, told: &GatewaySecrets) -> Self {
        let configured = |name: &str| told.more.get(name).filter(|value| !value.is_empty()).cloned();
        let email = key.0.contains('@').then(|| key.0.clone());
        // Eleven digits may be a telephone's too: one has no +55 before it only if it isn't a Pix key.
        let is_tax_id = matches!(key.0.len(), 11 | 14) && key.0.bytes().all(|byte| byte.is_ascii_digit());
        let tax_id = is_tax_id.then(|| key.0.clone());
        Self {
            name: configured("pix_payer_name"),
            email: email.or_else(|| configured("pix_payer_email")),
            tax_id: tax_id.or_else(|| configured("pix_payer_tax_id")),
        }
    }

    pub(crate) fn needed(value: Option<&String>, setting: &str) -> Result<String, Trouble> {
        value.cloned().ok_or_else(|| {
            Trouble::configuration(
                "payer_unknown",
                format!("neither the Pix key nor {setting} says who pays"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_ends_with_the_next_day_in_brasilia() {
        for (now, expiry_) in [
            ("2026-11-21T02:59:59Z", "2026-11-21T23:59:59.000-03:00"),
            ("2026-11-21T03:00:00Z", "2026-11-22T23:59:59.000-03:00"),
            ("2026-12-31T23:00:00Z", "2027-01-01T23:59:59.000-03:00"),
        ] {
            let now: Timestamp = now.parse().unwrap();
            assert_eq!(expiry(now), expiry_);
            assert_eq!(due_date(now), expiry_[..10]);
            let left = expiry_.parse::<Timestamp>().unwrap().as_second() - now.as_second();
            assert!((DAY - 1..2 * DAY).contains(&left), "{left}");
        }
    }
}
