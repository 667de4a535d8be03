use crate::Timestamp;
use crate::id::{InvalidId, ascii, code_characters, encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

const TIME: usize = 10;
const RANDOM: usize = 6;
const HALF: usize = 13;

/// An endpoint: `we_`, its time and a random number. It carries no customer, whoever owns it: every event is held against
/// all endpoints, so that these lie together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EndpointId([u8; TIME + RANDOM]);

/// One event on its way to one endpoint, and the receiver's idempotency key: `msg_` and 128 bits that follow from the two,
/// so that it is the same message however often the event is told. Plain characters: a dot in it would move the border
/// between what is signed as id and as time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageId([u8; 2 * HALF]);

impl EndpointId {
    pub const PREFIX: &str = "we_";

    pub fn new(at: Timestamp, entropy: u64) -> Self {
        let time: [u8; TIME] = encode(u64::try_from(at.as_millisecond()).unwrap_or_default());
        let random: [u8; RANDOM] = encode(entropy);
        Self(joined(time.into_iter().chain(random)))
    }
}

impl MessageId {
    pub const PREFIX: &str = "msg_";

    pub fn of(event: &str, endpoint: EndpointId) -> Self {
        let mut digest = Sha256::new();
        digest.update(endpoint.0);
        digest.update(event.as_bytes());
        let digest = digest.finalize();
        let half = |from| digest.get(from..).and_then(|rest| rest.first_chunk()).copied();
        let [first, second] = [0, 8].map(|from| half(from).map(u64::from_be_bytes).unwrap_or_default());
        let (first, second): ([u8; HALF], [u8; HALF]) = (encode(first), encode(second));
        Self(joined(first.into_iter().chain(second)))
    }
}

fn joined<const N: usize>(from: impl Iterator<Item = u8>) -> [u8; N] {
    let mut characters = [b'0'; N];
    for (slot, byte) in characters.iter_mut().zip(from) {
        *slot = byte;
    }
    characters
}

macro_rules! stored_as_text {
    ($($id:ident)*) => { $(
        impl FromStr for $id {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix(Self::PREFIX).and_then(code_characters).map(Self).ok_or(InvalidId)
            }
        }

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

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", Self::PREFIX, ascii(&self.0))
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )* };
}

stored_as_text!(EndpointId MessageId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_however_often_its_event_is_told() {
        let [here, there] = [1, 2].map(|entropy| EndpointId::new(Timestamp::UNIX_EPOCH, entropy));
        let message = MessageId::of("evt_1", here);
        assert_eq!(message, MessageId::of("evt_1", here));
        assert_ne!(message, MessageId::of("evt_2", here));
        assert_ne!(message, MessageId::of("evt_1", there));
    }

    #[test]
    fn ids_are_read_back_in_their_only_spelling() {
        let endpoint = EndpointId::new(Timestamp::from_millisecond(1_700_000_000_000).unwrap(), 7);
        let message = MessageId::of("evt_1", endpoint);
        assert_eq!((endpoint.to_string().len(), message.to_string().len()), (19, 30));
        assert_eq!(endpoint.to_string().parse(), Ok(endpoint));
        assert_eq!(message.to_string().parse(), Ok(message));
        assert_eq!(message.to_string().parse::<EndpointId>(), Err(InvalidId));
        assert_eq!(message.to_string().to_lowercase().parse::<MessageId>(), Err(InvalidId));
        assert!(message.to_string().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    }
}
