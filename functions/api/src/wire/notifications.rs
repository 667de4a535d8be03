use super::common::Instant;
use super::fields::Fields;
use super::values::{flag, one_of, text};
use crate::problem::Problem;
use fatura_domain::notice::{Language, NoticeKind, Phone, Preferences, PushTarget, Subscription, Wanted};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// As a whole: what isn't said is as it is for somebody who has said nothing.
pub(crate) fn read_notifications(mut fields: Fields) -> Result<Wanted, Problem> {
    let languages = Language::ALL.into_iter().map(|language| (language.tag(), language));
    let language = fields.optional("language", one_of(languages));
    let email = fields.optional_object("email", |email| Some(subscription(email))).unwrap_or_default();
    let sms = fields
        .optional_object("sms", |sms| Some((subscription(sms), sms.optional("phone", text(Phone::parse)))));
    let push = fields.optional_object("push", |push| {
        Some((subscription(push), push.optional("target_arn", text(PushTarget::parse))))
    });
    let ((sms, phone), (push, push_target)) = (sms.unwrap_or_default(), push.unwrap_or_default());
    fields.finish(|| Some(Wanted { language, email, sms, phone, push, push_target }))
}

fn subscription(fields: &mut Fields) -> Subscription {
    let is_on = fields.optional("enabled", flag).unwrap_or(true);
    let except = fields.optional("except", kinds).unwrap_or_default();
    Subscription { is_off: !is_on, except }
}

fn kinds(value: &Value) -> Result<BTreeSet<NoticeKind>, String> {
    let names = || NoticeKind::ALL.into_iter().map(|kind| (kind.as_str(), kind));
    let list = value.as_array().ok_or("must be a list of kinds")?;
    list.iter().map(|name| one_of(names())(name)).collect()
}

#[derive(Debug, Serialize)]
pub(crate) struct NotificationsBody<'a> {
    customer_id: String,
    language: Option<&'static str>,
    email: SubscriptionBody,
    sms: SmsBody<'a>,
    push: PushBody<'a>,
    /// None: nobody has said anything.
    updated_at: Option<Instant>,
    version: u64,
}

#[derive(Debug, Serialize)]
struct SubscriptionBody {
    enabled: bool,
    except: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct SmsBody<'a> {
    #[serde(flatten)]
    subscription: SubscriptionBody,
    phone: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct PushBody<'a> {
    #[serde(flatten)]
    subscription: SubscriptionBody,
    target_arn: Option<&'a str>,
}

impl<'a> From<&'a Preferences> for NotificationsBody<'a> {
    fn from(preferences: &'a Preferences) -> Self {
        let wanted = &preferences.wanted;
        Self {
            customer_id: preferences.customer.to_string(),
            language: wanted.language.map(Language::tag),
            email: (&wanted.email).into(),
            sms: SmsBody {
                subscription: (&wanted.sms).into(),
                phone: wanted.phone.as_ref().map(Phone::as_str),
            },
            push: PushBody {
                subscription: (&wanted.push).into(),
                target_arn: wanted.push_target.as_ref().map(PushTarget::as_str),
            },
            updated_at: (preferences.version > 0).then_some(Instant(preferences.updated_at)),
            version: preferences.version,
        }
    }
}

impl From<&Subscription> for SubscriptionBody {
    fn from(subscription: &Subscription) -> Self {
        let except = subscription.except.iter().map(|kind| kind.as_str()).collect();
        Self { enabled: !subscription.is_off, except }
    }
}
