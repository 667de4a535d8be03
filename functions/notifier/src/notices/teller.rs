use super::matter::{About, about, is_told};
use crate::wire::event::Event;
use fatura_application::notices::{Told, told_once};
use fatura_application::ports::{
    Clock, Customers, Invoices, Mail, Mailer, Notices, Payer, Store, StoreError, TellError, Texter,
};
use fatura_application::{Error, ToldEvent};
use fatura_domain::customer::TimeZoneName;
use fatura_domain::gateway::{MeansType, PendingAction};
use fatura_domain::id::InvoiceId;
use fatura_domain::invoice::Invoice;
use fatura_domain::notice::{Channel, Language, Preferences};
use fatura_domain::text::Name;
use fatura_notices::{Addressee, Matter, Notice, PaidWith, RenderError, Renderer, Texts};
use jiff::tz::TimeZone;
use std::fmt;
use std::sync::Arc;
use thiserror::Error as ThisError;

/// What customers are told with.
#[derive(Clone)]
pub struct TellerParts {
    pub store: Arc<dyn Store>,
    pub notices: Arc<dyn Notices>,
    pub customers: Arc<dyn Customers>,
    pub invoices: Arc<dyn Invoices>,
    /// None: the deployment has no address to send from, and sends no mail.
    pub mailer: Option<Arc<dyn Mailer>>,
    pub texter: Arc<dyn Texter>,
    pub clock: Arc<dyn Clock>,
    /// Who it comes from, as customers know it.
    pub issuer: Name,
    /// Of customers who haven't said theirs.
    pub language: Language,
}

pub struct Teller {
    parts: TellerParts,
    renderer: Renderer,
}

#[derive(Debug, ThisError)]
pub enum TellingError {
    /// Not the parser's words: they would quote what may be anything.
    #[error("the event lacks what it has to say")]
    Malformed,
    /// The record goes back and comes again.
    #[error("somebody was not told: {0}")]
    NotYet(String),
    #[error(transparent)]
    Failed(#[from] Error),
    #[error(transparent)]
    Wording(#[from] RenderError),
}

impl From<StoreError> for TellingError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Teller {
    pub fn try_new(parts: TellerParts) -> Result<Self, RenderError> {
        Ok(Self { parts, renderer: Renderer::try_new()? })
    }

    /// Once by each channel that the customer wants it by, however often the event comes.
    pub(crate) async fn tell(&self, event: &ToldEvent) -> Result<(), TellingError> {
        if !is_told(event.kind) {
            return Ok(());
        }
        let read: Event = serde_json::from_str(&event.body).map_err(|_| TellingError::Malformed)?;
        let Some(about) = about(event.kind, &read) else { return Ok(()) };
        let customer = event.customer;
        let preferences = self.parts.notices.preferences(customer).await?;
        let channels: Vec<Channel> =
            preferences.channels(about.kind()).filter(|channel| self.has(*channel)).collect();
        if channels.is_empty() {
            return Ok(());
        }
        let Some(payer) = self.parts.customers.payer(customer).await? else { return Ok(()) };
        let Some(matter) = self.matter(about, &payer).await? else { return Ok(()) };
        let texts = self.renderer.render(&self.notice(matter, &payer, &preferences))?;
        let mut waiting = None;
        for channel in channels {
            // One channel's trouble is none of the others'.
            match self.send(event, channel, &texts, &payer, &preferences).await? {
                Told::Done => {}
                Told::NotYet(why) => waiting = Some(why),
            }
        }
        waiting.map_or(Ok(()), |why| Err(TellingError::NotYet(why)))
    }

    fn has(&self, channel: Channel) -> bool {
        channel != Channel::Email || self.parts.mailer.is_some()
    }

    /// None: it isn't so any more.
    async fn matter(&self, about: About, payer: &Payer) -> Result<Option<Matter>, TellingError> {
        Ok(match about {
            About::Whole(matter) => Some(matter),
            About::Paid { invoice, amount, at } => {
                let with = self.paid_with(invoice, payer).await?;
                Some(Matter::Receipt { invoice, amount, at, with })
            }
            About::Returned { invoice, amount, at } => {
                let with = self.paid_with(invoice, payer).await?;
                Some(Matter::Refund { invoice, amount, at, with })
            }
            About::Pix { invoice } => {
                let invoice = self.parts.invoices.invoice(invoice).await?;
                invoice.as_ref().and_then(pix)
            }
        })
    }

    /// With as much of it as is on record still.
    async fn paid_with(&self, invoice: InvoiceId, payer: &Payer) -> Result<PaidWith, TellingError> {
        let invoice = self.parts.invoices.invoice(invoice).await?;
        if invoice.as_ref().is_some_and(Invoice::is_paid_from_wallet) {
            return Ok(PaidWith::Wallet);
        }
        let tried = invoice.and_then(|invoice| invoice.state.tried());
        let attached = |id| payer.methods.iter().find(|method| method.id == id);
        Ok(match tried {
            Some((method, _)) if let Some(method) = attached(method) => PaidWith::of(method),
            Some((_, MeansType::Pix)) => PaidWith::Pix,
            _ => PaidWith::Card { brand: None, last4: None },
        })
    }

    fn notice(&self, matter: Matter, payer: &Payer, preferences: &Preferences) -> Notice {
        let profile = &payer.customer.profile;
        let to = Addressee {
            name: profile.name.clone(),
            language: preferences.wanted.language.unwrap_or(self.parts.language),
            zone: profile.time_zone.as_ref().map_or(TimeZone::UTC, TimeZoneName::zone),
        };
        Notice { to, from: self.parts.issuer.clone(), matter }
    }

    async fn send(
        &self,
        event: &ToldEvent,
        channel: Channel,
        texts: &Texts,
        payer: &Payer,
        preferences: &Preferences,
    ) -> Result<Told, TellingError> {
        let TellerParts { store, notices, clock, mailer, texter, .. } = &self.parts;
        let wanted = &preferences.wanted;
        let send = async || -> Result<(), TellError> {
            match channel {
                Channel::Email => {
                    let Some(mailer) = mailer else { return Ok(()) };
                    let Texts { subject, text, html, .. } = texts;
                    mailer.mail(Mail { to: &payer.customer.profile.email, subject, text, html }).await
                }
                Channel::Sms => match &wanted.phone {
                    Some(phone) => texter.sms(phone, &texts.sms).await,
                    None => Ok(()),
                },
                Channel::Push => match &wanted.push_target {
                    Some(target) => texter.push(target, &texts.sms).await,
                    None => Ok(()),
                },
            }
        };
        Ok(told_once((&**store, &**notices, &**clock), &event.id, channel, send).await?)
    }
}

/// A code that can be paid still.
fn pix(invoice: &Invoice) -> Option<Matter> {
    let PendingAction::Pix { emv, expires_at } = invoice.awaited_of_payer()? else { return None };
    Some(Matter::PixQr {
        invoice: invoice.id,
        amount: invoice.total,
        emv: emv.clone(),
        expires_at: *expires_at,
    })
}

impl fmt::Debug for TellerParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TellerParts").field("has_mail", &self.mailer.is_some()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Teller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Teller(..)")
    }
}
