//! Mail by Amazon SES, SMS and push by Amazon SNS.

use crate::environment::{StartError, optional};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use aws_sdk_sns::types::MessageAttributeValue;
use fatura_application::ports::{Mail, Mailer, TellError, Texter};
use fatura_domain::notice::{Language, Phone, PushTarget};
use fatura_domain::text::Name;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Whom mail comes from: an address that SES has verified, with a name before it or without. Empty: no mail is sent.
const FROM: &str = "NOTICES_FROM";
/// Who notices come from, as customers know it.
const ISSUER: &str = "NOTICES_ISSUER";
/// The language of customers who haven't said theirs.
const LANGUAGE: &str = "NOTICES_LANGUAGE";

/// How a deployment tells its customers something.
pub struct Telling {
    pub mailer: Option<Arc<dyn Mailer>>,
    pub texter: Arc<dyn Texter>,
    pub issuer: Name,
    pub language: Language,
}

impl fmt::Debug for Telling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telling").field("has_mail", &self.mailer.is_some()).finish_non_exhaustive()
    }
}

pub(crate) fn configured(config: &SdkConfig) -> Result<Telling, StartError> {
    let issuer = optional(ISSUER).unwrap_or_else(|| "Fatura".to_owned());
    let issuer = Name::parse(&issuer).map_err(|_| StartError::Unusable(ISSUER, "a name"))?;
    let language = optional(LANGUAGE).map_or(Some(Language::English), |tag| Language::nearest(&tag));
    let language = language.ok_or(StartError::Unusable(LANGUAGE, "en or pt-BR"))?;
    let mailer = optional(FROM).map(|from| Arc::new(SesMailer::new(config, from)) as Arc<dyn Mailer>);
    if mailer.is_none() {
        tracing::info!("no address to send from is configured: no mail is sent");
    }
    Ok(Telling { mailer, texter: Arc::new(SnsTexter::new(config)), issuer, language })
}

/// Within a function's time, and once: neither service knows a message that comes a second time.
fn patience() -> (TimeoutConfig, RetryConfig) {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(8))
        .build();
    (timeouts, RetryConfig::disabled())
}

struct SesMailer {
    client: aws_sdk_sesv2::Client,
    from: String,
}

impl SesMailer {
    fn new(config: &SdkConfig, from: String) -> Self {
        let (timeouts, retries) = patience();
        let config = aws_sdk_sesv2::config::Builder::from(config);
        let config = config.timeout_config(timeouts).retry_config(retries).build();
        Self { client: aws_sdk_sesv2::Client::from_conf(config), from }
    }
}

#[async_trait]
impl Mailer for SesMailer {
    async fn mail(&self, mail: Mail<'_>) -> Result<(), TellError> {
        let not_built = |error: aws_sdk_sesv2::error::BuildError| TellError::NotSent(error.to_string());
        let content = |text: &str| Content::builder().data(text).charset("UTF-8").build().map_err(not_built);
        let body = Body::builder().text(content(mail.text)?).html(content(mail.html)?).build();
        let message = Message::builder().subject(content(mail.subject)?).body(body).build();
        let sent = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(mail.to.as_str()).build())
            .content(EmailContent::builder().simple(message).build())
            .send()
            .await;
        // What SES rejects of a good address is for a person to mend, such as a sender that isn't verified.
        sent.map(drop).map_err(|error| trouble(&error, &["BadRequestException"]))
    }
}

struct SnsTexter(aws_sdk_sns::Client);

impl SnsTexter {
    fn new(config: &SdkConfig) -> Self {
        let (timeouts, retries) = patience();
        let config = aws_sdk_sns::config::Builder::from(config);
        Self(aws_sdk_sns::Client::from_conf(config.timeout_config(timeouts).retry_config(retries).build()))
    }
}

/// What SNS says of a number or a device that nothing will ever reach.
const NEVER: [&str; 4] = ["InvalidParameter", "InvalidParameterValue", "EndpointDisabled", "NotFound"];
/// What is about money is delivered before what is about nothing.
const KIND_OF_SMS: (&str, &str) = ("AWS.SNS.SMS.SMSType", "Transactional");

#[async_trait]
impl Texter for SnsTexter {
    async fn sms(&self, to: &Phone, text: &str) -> Result<(), TellError> {
        let (name, value) = KIND_OF_SMS;
        let kind = MessageAttributeValue::builder().data_type("String").string_value(value).build();
        let kind = kind.map_err(|error| TellError::NotSent(error.to_string()))?;
        let request = self.0.publish().phone_number(to.as_str()).message(text).message_attributes(name, kind);
        request.send().await.map(drop).map_err(|error| trouble(&error, &NEVER))
    }

    async fn push(&self, to: &PushTarget, text: &str) -> Result<(), TellError> {
        let sent = self.0.publish().target_arn(to.as_str()).message(text).send().await;
        sent.map(drop).map_err(|error| trouble(&error, &NEVER))
    }
}

/// By the code alone: messages may quote an address.
fn trouble<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>, never: &[&str]) -> TellError {
    match error {
        SdkError::ServiceError(refused) => {
            let code = refused.err().code().unwrap_or("a service error").to_owned();
            if never.contains(&code.as_str()) { TellError::Refused(code) } else { TellError::NotSent(code) }
        }
        SdkError::ConstructionFailure(_) => TellError::NotSent("the request cannot be built".to_owned()),
        SdkError::DispatchFailure(failure) if !failure.is_timeout() => {
            TellError::NotSent("the service cannot be reached".to_owned())
        }
        _ => TellError::Unknown("the answer did not come".to_owned()),
    }
}
