use super::{Channel, Language, NoticeKind};
use crate::Timestamp;
use crate::id::CustomerId;
use crate::text::holds_card_number;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use thiserror::Error;

/// What a customer wants to be told, and where. Mail goes to the customer's address unless it is switched off; nobody is
/// called on a phone that wasn't given for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    pub customer: CustomerId,
    /// 0: nobody has said anything.
    pub version: u64,
    pub wanted: Wanted,
    pub updated_at: Timestamp,
}

/// As somebody says it, as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// None: the deployment's.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    #[serde(rename = "e", default)]
    pub email: Subscription,
    #[serde(rename = "s", default)]
    pub sms: Subscription,
    #[serde(rename = "ph", default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    #[serde(rename = "p", default)]
    pub push: Subscription,
    #[serde(rename = "pt", default, skip_serializing_if = "Option::is_none")]
    pub push_target: Option<PushTarget>,
}

/// What comes by one channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    #[serde(rename = "off", default)]
    pub is_off: bool,
    #[serde(rename = "x", default, skip_serializing_if = "BTreeSet::is_empty")]
    pub except: BTreeSet<NoticeKind>,
}

impl Subscription {
    fn wants(&self, kind: NoticeKind) -> bool {
        !self.is_off && !self.except.contains(&kind)
    }
}

impl Preferences {
    /// Of somebody who hasn't said anything.
    pub fn unsaid(customer: CustomerId) -> Self {
        Self { customer, version: 0, wanted: Wanted::default(), updated_at: Timestamp::UNIX_EPOCH }
    }

    #[must_use]
    pub fn put(&self, wanted: Wanted, now: Timestamp) -> Self {
        Self { version: self.version + 1, wanted, updated_at: now, ..self.clone() }
    }

    /// By which channels the customer is told of that: where there is an address, and it isn't unwanted.
    pub fn channels(&self, kind: NoticeKind) -> impl Iterator<Item = Channel> {
        let Wanted { email, sms, phone, push, push_target, .. } = &self.wanted;
        let email = email.wants(kind).then_some(Channel::Email);
        let sms = phone.as_ref().filter(|_| sms.wants(kind)).map(|_| Channel::Sms);
        let push = push_target.as_ref().filter(|_| push.wants(kind)).map(|_| Channel::Push);
        [email, sms, push].into_iter().flatten()
    }
}

/// A phone number as ITU-T E.164 has it: `+` and 8 to 15 digits. It is nobody's business in a log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

/// The ARN of an endpoint of Amazon SNS that stands for one app on one device.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PushTarget(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidTarget {
    #[error("must be a phone number with its country, such as +5511987654321")]
    NotAPhone,
    #[error("must be the ARN of an SNS platform endpoint")]
    NotAnEndpoint,
}

impl Phone {
    pub fn parse(text: &str) -> Result<Self, InvalidTarget> {
        let digits = text.strip_prefix('+').ok_or(InvalidTarget::NotAPhone)?;
        let is_one = (8..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0')
            && !holds_card_number(digits);
        if is_one { Ok(Self(text.to_owned())) } else { Err(InvalidTarget::NotAPhone) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PushTarget {
    const LONGEST: usize = 512;

    pub fn parse(text: &str) -> Result<Self, InvalidTarget> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":/_.-".contains(&byte);
        match parts[..] {
            ["arn", _, "sns", _, _, resource]
                if resource.starts_with("endpoint/")
                    && text.len() <= Self::LONGEST
                    && text.bytes().all(plain) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(InvalidTarget::NotAnEndpoint),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! stored_as_text {
    ($($target:ident)*) => { $(
        impl TryFrom<String> for $target {
            type Error = InvalidTarget;

            fn try_from(text: String) -> Result<Self, InvalidTarget> {
                Self::parse(&text)
            }
        }

        impl From<$target> for String {
            fn from(target: $target) -> Self {
                target.0
            }
        }

        impl fmt::Debug for $target {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($target), "(..)"))
            }
        }
    )* };
}

stored_as_text!(Phone PushTarget);

#[cfg(test)]
mod tests {
    use super::*;

    fn channels(preferences: &Preferences, kind: NoticeKind) -> Vec<Channel> {
        preferences.channels(kind).collect()
    }

    #[test]
    fn mail_comes_unless_it_is_unwanted_and_the_rest_only_where_it_was_asked_for() {
        let unsaid = Preferences::unsaid(CustomerId::new(1));
        assert!(NoticeKind::ALL.iter().all(|kind| channels(&unsaid, *kind) == [Channel::Email]));
        let target = "arn:aws:sns:us-east-1:123456789012:endpoint/GCM/shop/0f";
        let wanted = Wanted {
            phone: Some(Phone::parse("+5511987654321").unwrap()),
            push_target: Some(PushTarget::parse(target).unwrap()),
            ..Wanted::default()
        };
        let now = Timestamp::from_second(60).unwrap();
        let all = unsaid.put(wanted.clone(), now);
        assert_eq!((all.wanted.clone(), all.updated_at), (wanted.clone(), now));
        assert_eq!((channels(&all, NoticeKind::PixQr), all.version), (Channel::ALL.to_vec(), 1));
        let but_receipts = Subscription { is_off: false, except: BTreeSet::from([NoticeKind::Receipt]) };
        let off = Subscription { is_off: true, except: BTreeSet::new() };
        let fewer = Wanted { email: off.clone(), sms: but_receipts, push: off, ..wanted };
        let fewer = unsaid.put(fewer, Timestamp::UNIX_EPOCH);
        assert_eq!(channels(&fewer, NoticeKind::Receipt), []);
        assert_eq!(channels(&fewer, NoticeKind::Refund), [Channel::Sms]);
    }

    #[test]
    fn a_phone_is_one_with_its_country_and_is_not_shown() {
        for text in ["+5511987654321", "+12025550100", "+12345678"] {
            assert_eq!(Phone::parse(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            "+",
            "5511987654321",
            "+0511987654",
            "+1234567",
            "+1234567890123456",
            "+55 11 98765",
            "+４４１２３４５６７８",
        ] {
            assert_eq!(Phone::parse(text), Err(InvalidTarget::NotAPhone), "{text}");
        }
        assert_eq!(format!("{:?}", Phone::parse("+12025550100").unwrap()), "Phone(..)");
    }

    #[test]
    fn a_push_target_is_an_endpoint_of_sns_and_no_topic() {
        let endpoint = "arn:aws:sns:us-east-1:123456789012:endpoint/APNS/shop/0f";
        assert_eq!(PushTarget::parse(endpoint).unwrap().as_str(), endpoint);
        for text in [
            "",
            "arn:aws:sns:us-east-1:123456789012:topic",
            "arn:aws:sqs:us-east-1:1:endpoint/x",
            "https://x",
        ] {
            assert_eq!(PushTarget::parse(text), Err(InvalidTarget::NotAnEndpoint), "{text}");
        }
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let stored = r#"{"l":"pt-BR","e":{"x":["receipt"]},"ph":"+12025550100"}"#;
        let wanted: Wanted = serde_json::from_str(stored).unwrap();
        assert_eq!(wanted.language, Some(Language::BrazilianPortuguese));
        let again = serde_json::to_string(&wanted).unwrap();
        assert_eq!(serde_json::from_str::<Wanted>(&again).unwrap(), wanted);
        assert_eq!(serde_json::from_str::<Wanted>("{}").unwrap(), Wanted::default());
    }
}
