//! How customers sign in lies in partitions of its own: functions that have no business there have no right to them.

use super::{ALONE, Key};
use fatura_application::sign_in::TriesOf;
use fatura_domain::id::{CustomerId, SessionId};
use fatura_domain::sign_in::Against;

const CREDENTIALS: &str = "PASSWORD";
const SESSION: &str = "SES#";

pub(crate) fn access_partition(customer: CustomerId) -> String {
    format!("A#{}", customer.code())
}

/// The password and then the sessions.
pub(crate) fn access_range() -> (String, String) {
    (CREDENTIALS.to_owned(), format!("{SESSION}{}", super::PAST_ALL))
}

pub(crate) fn credentials(customer: CustomerId) -> Key {
    Key { pk: access_partition(customer), sk: CREDENTIALS.to_owned() }
}

pub(crate) fn session(id: SessionId) -> Key {
    Key { pk: access_partition(id.owner()), sk: format!("{SESSION}{}", id.code()) }
}

/// None: it is the password.
pub(crate) fn session_id(sk: &str) -> Option<SessionId> {
    format!("{}{}", SessionId::PREFIX, sk.strip_prefix(SESSION)?).parse().ok()
}

pub(crate) fn tries(of: &TriesOf) -> Key {
    let kind = match of.against {
        Against::Account => "account",
        Against::Address => "address",
    };
    Key { pk: format!("TRY#{kind}#{}", of.digest()), sk: ALONE.to_owned() }
}
