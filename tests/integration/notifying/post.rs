//! Where mail, SMS and push go, in a test.

use async_trait::async_trait;
use fatura_application::ports::{Mail, Mailer, TellError, Texter};
use fatura_domain::notice::{Channel, Phone, PushTarget};
use std::collections::VecDeque;
use std::sync::Mutex;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) by: Channel,
    pub(crate) to: String,
    /// Of mail.
    pub(crate) subject: String,
    pub(crate) text: String,
}

/// Takes everything, but for what it is told to answer next.
#[derive(Default)]
pub(crate) struct PostOffice {
    sent: Mutex<Vec<Sent>>,
    troubles: Mutex<VecDeque<TellError>>,
}

impl PostOffice {
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    pub(crate) fn fail(&self, trouble: TellError) {
        self.troubles.lock().unwrap().push_back(trouble);
    }

    fn take(&self, by: Channel, to: &str, subject: &str, text: &str) -> Result<(), TellError> {
        if let Some(trouble) = self.troubles.lock().unwrap().pop_front() {
            return Err(trouble);
        }
        let (to, subject, text) = (to.to_owned(), subject.to_owned(), text.to_owned());
        self.sent.lock().unwrap().push(Sent { by, to, subject, text });
        Ok(())
    }
}

#[async_trait]
impl Mailer for PostOffice {
    async fn mail(&self, mail: Mail<'_>) -> Result<(), TellError> {
        assert!(mail.html.contains("<html"), "{}", mail.html);
        self.take(Channel::Email, mail.to.as_str(), mail.subject, mail.text)
    }
}

#[async_trait]
impl Texter for PostOffice {
    async fn sms(&self, to: &Phone, text: &str) -> Result<(), TellError> {
        self.take(Channel::Sms, to.as_str(), "", text)
    }

    async fn push(&self, to: &PushTarget, text: &str) -> Result<(), TellError> {
        self.take(Channel::Push, to.as_str(), "", text)
    }
}
