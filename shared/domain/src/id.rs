//! Ids that are addresses: whatever a customer owns carries the customer's own twelve characters, so that an id alone
//! says where its item lies, without an index and without a look-up.
//!
//! `inv_` + customer (12) + milliseconds (10) + random (6), in Crockford's base 32: sortable by creation within a customer.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;
use thiserror::Error;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const OWNER_LENGTH: usize = 12;
const TIME_LENGTH: usize = 10;
const RANDOM_LENGTH: usize = 6;
const OWNED_LENGTH: usize = OWNER_LENGTH + TIME_LENGTH + RANDOM_LENGTH;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("is not an id of this kind")]
pub struct InvalidId;

/// A customer: `cus_` and twelve random characters (60 bits; a clash is refused when the customer is written).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CustomerId([u8; OWNER_LENGTH]);

impl CustomerId {
    pub const PREFIX: &str = "cus_";

    /// No customer: whose the platform's own journals are, which concern nobody else.
    pub const PLATFORM: Self = Self([b'Z'; OWNER_LENGTH]);

    pub fn new(entropy: u64) -> Self {
        Self(encode(entropy))
    }

    /// The twelve characters that every id of this customer's things carries.
    pub fn code(&self) -> &str {
        ascii(&self.0)
    }
}

impl FromStr for CustomerId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        text.strip_prefix(Self::PREFIX).and_then(code_characters).map(Self).ok_or(InvalidId)
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, self.code())
    }
}

/// What a kind of id is called at its front.
pub trait Kind {
    const PREFIX: &'static str;
}

/// An id of something that a customer owns.
pub struct OwnedId<K> {
    characters: [u8; OWNED_LENGTH],
    kind: PhantomData<fn() -> K>,
}

macro_rules! owned_ids {
    ($($(#[$doc:meta])* $id:ident = $kind:ident $prefix:literal;)*) => {
        /// The kinds of owned ids: types only, never values.
        pub mod kind {
            $(#[derive(Debug)] pub enum $kind {}
            impl super::Kind for $kind { const PREFIX: &'static str = $prefix; })*
        }
        $($(#[$doc])* pub type $id = OwnedId<kind::$kind>;)*
    };
}

owned_ids! {
    InvoiceId = Invoice "inv_";
    PaymentMethodId = PaymentMethod "pm_";
    TransactionId = Transaction "txn_";
    RefundId = Refund "rfd_";
    DisputeId = Dispute "dsp_";
    BillId = Bill "bill_";
    LineItemId = LineItem "li_";
    SessionId = Session "ses_";
    OrderId = Order "ord_";
    /// A payment is an invoice of its buyer's, with the same characters: either leads to the other.
    PaymentId = Payment "pay_";
}

impl From<PaymentId> for InvoiceId {
    fn from(payment: PaymentId) -> Self {
        payment.as_kind()
    }
}

impl From<InvoiceId> for PaymentId {
    fn from(invoice: InvoiceId) -> Self {
        invoice.as_kind()
    }
}

impl<K: Kind> OwnedId<K> {
    pub const PREFIX: &str = K::PREFIX;

    pub fn new(owner: CustomerId, at: Timestamp, entropy: u64) -> Self {
        Self::of(owner, u64::try_from(at.as_millisecond()).unwrap_or_default(), entropy)
    }

    /// An id that follows from something else, by 80 bits of its digest: the same thing has the same id, whenever it is
    /// made. It says nothing of time, and is for what nobody lists by time.
    pub fn derived(owner: CustomerId, digest: [u8; 16]) -> Self {
        let bits = u128::from_be_bytes(digest);
        let low = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
        Self::of(owner, low(bits >> 64), low(bits))
    }

    fn of(owner: CustomerId, time: u64, random: u64) -> Self {
        let mut characters = [b'0'; OWNED_LENGTH];
        let time: [u8; TIME_LENGTH] = encode(time);
        let random: [u8; RANDOM_LENGTH] = encode(random);
        for (slot, byte) in characters.iter_mut().zip(owner.0.into_iter().chain(time).chain(random)) {
            *slot = byte;
        }
        Self { characters, kind: PhantomData }
    }

    const fn as_kind<Other>(self) -> OwnedId<Other> {
        OwnedId { characters: self.characters, kind: PhantomData }
    }

    /// The same time and chance, as somebody else's.
    #[must_use]
    pub fn owned_by(&self, owner: CustomerId) -> Self {
        let mut characters = self.characters;
        for (slot, byte) in characters.iter_mut().zip(owner.0) {
            *slot = byte;
        }
        Self { characters, kind: PhantomData }
    }

    pub fn owner(&self) -> CustomerId {
        CustomerId(std::array::from_fn(|index| self.characters.get(index).copied().unwrap_or(b'0')))
    }

    /// The id without its prefix: what ids derived from this one are built on.
    pub fn code(&self) -> &str {
        ascii(&self.characters)
    }
}

impl<K: Kind> FromStr for OwnedId<K> {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let characters = text.strip_prefix(K::PREFIX).and_then(code_characters).ok_or(InvalidId)?;
        Ok(Self { characters, kind: PhantomData })
    }
}

impl<K: Kind> fmt::Display for OwnedId<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", K::PREFIX, self.code())
    }
}

/// The number of an attempt to collect one invoice, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptNumber(pub u8);

impl AttemptNumber {
    /// What two digits can say.
    pub const LAST: Self = Self(99);

    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// An attempt: its invoice's characters and its number, so that the invoice can always be found from it. It is the
/// idempotency key at the gateway too: one attempt, one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AttemptId {
    pub invoice: InvoiceId,
    pub number: AttemptNumber,
}

impl AttemptId {
    pub const PREFIX: &str = "att_";
}

impl FromStr for AttemptId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let code = text.strip_prefix(Self::PREFIX).ok_or(InvalidId)?;
        let (invoice, number) = code.split_at_checked(OWNED_LENGTH).ok_or(InvalidId)?;
        let characters = code_characters(invoice).ok_or(InvalidId)?;
        if number.len() != 2 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidId);
        }
        let number = AttemptNumber(number.parse().map_err(|_| InvalidId)?);
        Ok(Self { invoice: OwnedId { characters, kind: PhantomData }, number })
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{:02}", Self::PREFIX, self.invoice.code(), self.number.0)
    }
}

/// Work that goes over many invoices: `run_` and plain characters. A run that there is once for a period and scope is
/// called after them, any other after its time and a random number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    pub const PREFIX: &str = "run_";
    const LONGEST: usize = 64;

    /// `name` is of plain characters, and short.
    pub fn named(name: &str) -> Result<Self, InvalidId> {
        format!("{}{name}", Self::PREFIX).parse()
    }

    pub fn new(at: Timestamp, entropy: u64) -> Self {
        let time: [u8; TIME_LENGTH] = encode(u64::try_from(at.as_millisecond()).unwrap_or_default());
        let random: [u8; RANDOM_LENGTH] = encode(entropy);
        Self(format!("{}{}{}", Self::PREFIX, ascii(&time), ascii(&random)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RunId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let is_one = text.len() > Self::PREFIX.len()
            && text.len() <= Self::LONGEST
            && text.starts_with(Self::PREFIX)
            && text.bytes().all(plain);
        if is_one { Ok(Self(text.to_owned())) } else { Err(InvalidId) }
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// `derive` would ask the same of the kind, which is never a value.
impl<K> Clone for OwnedId<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for OwnedId<K> {}
impl<K> PartialEq for OwnedId<K> {
    fn eq(&self, other: &Self) -> bool {
        self.characters == other.characters
    }
}
impl<K> Eq for OwnedId<K> {}
impl<K> PartialOrd for OwnedId<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for OwnedId<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.characters.cmp(&other.characters)
    }
}
impl<K> Hash for OwnedId<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.characters.hash(state);
    }
}
impl<K: Kind> fmt::Debug for OwnedId<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl fmt::Debug for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl<K: Kind> Serialize for OwnedId<K> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de, K: Kind> Deserialize<'de> for OwnedId<K> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

macro_rules! stored_as_text {
    ($($id:ident)*) => { $(
        impl TryFrom<String> for $id {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$id> for String {
            fn from(id: $id) -> Self {
                id.to_string()
            }
        }
    )* };
}

stored_as_text!(CustomerId AttemptId RunId);

/// The low bits of a number in Crockford's base 32, most significant character first.
pub(crate) fn encode<const N: usize>(mut bits: u64) -> [u8; N] {
    let mut characters = [b'0'; N];
    for slot in characters.iter_mut().rev() {
        let index = usize::try_from(bits & 31).unwrap_or_default();
        *slot = ALPHABET.get(index).copied().unwrap_or(b'0');
        bits >>= 5;
    }
    characters
}

pub(crate) fn code_characters<const N: usize>(text: &str) -> Option<[u8; N]> {
    let characters: [u8; N] = text.as_bytes().try_into().ok()?;
    characters.iter().all(|character| ALPHABET.contains(character)).then_some(characters)
}

pub(crate) fn ascii(characters: &[u8]) -> &str {
    // Only characters of the alphabet get in, and those are ASCII.
    std::str::from_utf8(characters).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(millisecond).unwrap()
    }

    #[test]
    fn an_id_names_its_kind_and_its_owner() {
        let customer = CustomerId::new(42);
        let invoice = InvoiceId::new(customer, at(1_700_000_000_000), 7);
        assert_eq!(invoice.owner(), customer);
        assert_eq!(customer.to_string(), "cus_00000000001A");
        assert!(invoice.to_string().starts_with("inv_00000000001A"));
        assert_eq!(invoice.to_string().len(), 32);
        assert_eq!(invoice.to_string().parse::<PaymentMethodId>(), Err(InvalidId));
    }

    #[test]
    fn an_id_is_anothers_in_its_first_characters_alone() {
        let (ana, bea) = (CustomerId::new(1), CustomerId::new(2));
        let id = TransactionId::new(ana, at(1_700_000_000_000), 7);
        assert_eq!(id.owned_by(bea), TransactionId::new(bea, at(1_700_000_000_000), 7));
        assert_eq!(CustomerId::PLATFORM.to_string().parse(), Ok(CustomerId::PLATFORM));
    }

    #[test]
    fn only_the_canonical_spelling_is_an_id() {
        for text in [
            "",
            "cus_",
            "cus_00000000001a",
            "cus_0000000001A",
            "cus_00000000001AA",
            "cus_0000000000I0",
            "CUS_00000000001A",
            "cus_00000000001Á",
        ] {
            assert_eq!(text.parse::<CustomerId>(), Err(InvalidId), "{text}");
        }
    }

    #[test]
    fn an_attempt_has_two_digits() {
        let attempt =
            AttemptId { invoice: InvoiceId::new(CustomerId::new(42), at(0), 7), number: AttemptNumber(7) };
        let code = attempt.to_string();
        let stem = code.strip_suffix("07").unwrap();
        assert_eq!(format!("{stem}12").parse::<AttemptId>().map(|id| id.number), Ok(AttemptNumber(12)));
        for number in ["", "7", "007", "+7", "7 "] {
            assert_eq!(format!("{stem}{number}").parse::<AttemptId>(), Err(InvalidId), "{number}");
        }
    }

    #[test]
    fn a_run_has_plain_characters_and_a_few() {
        for name in ["202611", "202611_anchored", "a-B_9", &"a".repeat(60)] {
            assert_eq!(RunId::named(name).map(|id| id.to_string()), Ok(format!("run_{name}")), "{name}");
        }
        for text in [
            "",
            "run_",
            "run",
            "rum_202611",
            "run_2026 11",
            "run_2026/11",
            "run_é",
            &format!("run_{}", "a".repeat(61)),
        ] {
            assert_eq!(text.parse::<RunId>(), Err(InvalidId), "{text}");
        }
    }

    #[test]
    fn ids_are_in_the_order_of_their_text() {
        let (ana, bea) = (CustomerId::new(1), CustomerId::new(2));
        let (early, late) = (InvoiceId::new(ana, at(1), 9), InvoiceId::new(ana, at(2), 0));
        assert!(early < late && late < InvoiceId::new(bea, at(0), 0));
    }

    #[test]
    fn a_derived_id_follows_from_all_that_it_can_hold() {
        let customer = CustomerId::new(42);
        let id = LineItemId::derived(customer, [7; 16]);
        assert_eq!(id, LineItemId::derived(customer, [7; 16]));
        assert_eq!((id.owner(), id.to_string().parse()), (customer, Ok(id)));
        for byte in [2, 7, 15] {
            let mut digest = [7; 16];
            digest[byte] = 8;
            assert_ne!(id, LineItemId::derived(customer, digest), "{byte}");
        }
    }

    proptest! {
        #[test]
        fn ids_are_read_back_and_sort_by_time(owner: u64, first in 0_i64..1 << 47, later in 1_i64..1 << 20, a: u64, b: u64) {
            let owner = CustomerId::new(owner);
            let early = InvoiceId::new(owner, at(first), a);
            let late = InvoiceId::new(owner, at(first + later), b);
            prop_assert!(early.to_string() < late.to_string());
            prop_assert_eq!(early.to_string().parse::<InvoiceId>(), Ok(early));
            let attempt = AttemptId { invoice: late, number: AttemptNumber(3) };
            prop_assert_eq!(attempt.to_string().parse::<AttemptId>(), Ok(attempt));
        }

        #[test]
        fn any_text_is_an_id_or_not(text in ".{0,40}") {
            let _ = (text.parse::<CustomerId>(), text.parse::<InvoiceId>(), text.parse::<AttemptId>());
        }
    }
}
