//! What all adapters must do alike, put to each of them with nothing but a script for a gateway. What needs a counterpart
//! that remembers is in `contract`, for those that have one.

mod deliveries;
mod orders;
mod questions;

use crate::bench::{API_KEY, request};
use crate::brazil::{Make, Told, told};
use crate::scripted::{Act, Received, Scripted};
use fatura_application::ports::{Gateway, GatewaySecrets, Secrets, WebhookDelivery};
use fatura_domain::Timestamp;
use fatura_domain::gateway::{ChargeOutcome, ChargeRequest, Means};
use fatura_domain::money::Money;
use fatura_gateways::Timeouts;
use std::sync::Arc;
use std::time::Duration;

/// One adapter, as this list has to know it.
#[derive(Clone, Copy)]
pub(crate) struct Common {
    pub(crate) make: Make,
    /// What else than the API key it has to be told.
    pub(crate) more: &'static [(&'static str, &'static str)],
    /// A card that it has stored.
    pub(crate) means: fn() -> Means,
    /// The header of the idempotency key. None: there is none, and every order is looked for before it is sent.
    pub(crate) key: Option<&'static str>,
    /// What is done to a call that isn't the one that charges this order. None: it is that one.
    pub(crate) aside: fn(&Received, &ChargeRequest) -> Option<Act>,
    /// The body of a success that answers the order.
    pub(crate) captured: fn(&ChargeRequest) -> String,
    /// How often an order goes out that is answered 401 each time: twice where that may mean an access token that ended
    /// early, and once where it is the key that is refused.
    pub(crate) sent_at_401: usize,
    /// What the order's body says of an amount, literally. None: it is refused, because the gateway doesn't take it.
    pub(crate) amount: fn(Money) -> Option<String>,
    /// A charge, as the gateway calls it.
    pub(crate) reference: &'static str,
    /// The current secret of its webhooks, the one before, and one of another account.
    pub(crate) webhook_secrets: [&'static str; 3],
    /// When deliveries are judged: any time will do, but for those whose certificates are of today.
    pub(crate) now: fn() -> Timestamp,
    /// A genuine delivery, made with this secret at this time.
    pub(crate) delivery: fn(&str, i64) -> WebhookDelivery,
    pub(crate) covered: Covered,
}

/// What of a delivery cannot be changed unnoticed.
#[derive(Clone, Copy)]
pub(crate) struct Covered {
    pub(crate) body: bool,
    /// None: it isn't covered. The seconds that a delivery may be behind and ahead of us.
    pub(crate) time: Option<Window>,
    /// The headers and query parameters that anybody can change.
    pub(crate) not: &'static [&'static str],
}

#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub(crate) behind: i64,
    pub(crate) ahead: i64,
}

impl Window {
    pub(crate) const FIVE_MINUTES: Self = Self { behind: 300, ahead: 300 };
}

impl Covered {
    pub(crate) const BODY_AND_TIME: Self = Self { body: true, time: Some(Window::FIVE_MINUTES), not: &[] };
    /// A secret that is shown, and nothing signed with it.
    pub(crate) const NOTHING: Self = Self { body: false, time: None, not: &[] };
}

/// The adapters, one a line, by their modules in this directory; each of which has a `common()`.
macro_rules! adapters {
    ($($name:ident)*) => {
        $(mod $name {
            behaviours! { $name:
                orders {
                    what_cannot_connect_was_not_sent
                    too_many_requests_were_not_sent
                    what_breaks_after_sending_is_unknown
                    a_server_error_is_unknown
                    an_unreadable_success_is_unknown
                    a_redirect_is_not_followed
                    what_fails_before_the_order_declines_nothing
                    a_key_that_is_refused_is_ours_to_mend
                    what_is_not_definite_is_unknown
                    without_secrets_nothing_is_sent
                    the_same_order_is_the_same_call
                    the_amount_is_exact_on_the_wire
                    an_answer_about_another_order_is_not_believed
                }
                questions {
                    a_question_that_fails_says_nothing
                    a_refund_that_fails_is_unclear
                    without_secrets_nothing_is_asked
                    what_it_says_of_itself_makes_sense
                }
                deliveries {
                    a_genuine_delivery_is_verified
                    a_forged_delivery_is_refused
                    a_stale_or_future_delivery_is_refused
                    without_secrets_no_delivery_is_genuine
                    what_is_kept_is_read_the_same_way_twice
                    what_is_no_event_is_malformed
                }
            }
        })*
    };
}

macro_rules! behaviours {
    ($name:ident: $($group:ident { $($behaviour:ident)* })*) => {
        $($(
            #[tokio::test]
            async fn $behaviour() {
                crate::common::$group::$behaviour(&crate::$name::common()).await;
            }
        )*)*
    };
}

adapters! {
    sandbox
    stripe
    mercado_pago
    iugu
    vindi
    pagbank
    paypal
    adyen
}

impl Common {
    /// A new order of R$ 123.45.
    fn order(&self) -> ChargeRequest {
        request((self.means)())
    }

    fn secrets(&self) -> Arc<dyn Secrets> {
        let [current, previous, _] = self.webhook_secrets;
        told(&[current, previous], self.more)
    }

    fn gateway(&self, url: &str, timeouts: Timeouts, secrets: Arc<dyn Secrets>) -> Arc<dyn Gateway> {
        (self.make)(fatura_gateways::Http::try_new(timeouts).unwrap(), url.parse().unwrap(), secrets)
    }

    fn at(&self, url: &str) -> Arc<dyn Gateway> {
        self.gateway(url, Timeouts::default(), self.secrets())
    }

    /// For answers that never come.
    fn impatient_at(&self, url: &str) -> Arc<dyn Gateway> {
        let timeouts = Timeouts { connect: Duration::from_millis(300), total: Duration::from_millis(900) };
        self.gateway(url, timeouts, self.secrets())
    }

    /// A server that does this to the order, and answers the other calls about it as if all was well.
    async fn server(&self, order: &ChargeRequest, act: Act) -> Scripted {
        let (aside, order) = (self.aside, order.clone());
        Scripted::routed(move |asked| aside(asked, &order).unwrap_or_else(|| act.clone())).await
    }

    /// What comes of an order that this is done to, and how often it was sent.
    async fn charged(&self, act: Act) -> (ChargeOutcome, usize) {
        let order = self.order();
        let mut server = self.server(&order, act.clone()).await;
        let gateway = match act {
            Act::Begin(_) | Act::Silence => self.impatient_at(&server.url),
            _ => self.at(&server.url),
        };
        let outcome = gateway.charge(&order).await;
        crate::contract::charging::keeps_secrets(&outcome);
        let sent = self.orders(&mut server, &order).await.len();
        (outcome, sent)
    }

    /// What was sent to charge, of all that came.
    async fn orders(&self, server: &mut Scripted, order: &ChargeRequest) -> Vec<Received> {
        let mut orders = Vec::new();
        while server.unseen() > 0 {
            let received = server.next().await;
            if (self.aside)(&received, order).is_none() {
                orders.push(received);
            }
        }
        orders
    }
}

/// Nothing configured; and a key, or its webhooks' secrets, that were forgotten.
fn forgotten() -> [Arc<dyn Secrets>; 3] {
    let with = |api_key: &str, webhook_secrets: Vec<String>| -> Arc<dyn Secrets> {
        let api_key = api_key.to_owned();
        Arc::new(Told(Ok(Some(GatewaySecrets { api_key, webhook_secrets, ..GatewaySecrets::default() }))))
    };
    [Arc::new(Told(Ok(None))), with("", Vec::new()), with("", vec![String::new()])]
}

/// What a gateway that is in trouble may do to any call.
fn troubles() -> Vec<Act> {
    let say =
        |status: &str, headers: &str, body: &str| Act::Say(crate::scripted::answer(status, headers, body));
    vec![
        Act::Reset,
        Act::Say(String::new()),
        say("500 Oops", "", "{}"),
        say("503 Unavailable", "retry-after: 1\r\n", ""),
        say("200 OK", "content-type: text/html\r\n", "<html>Sorry</html>"),
        say("200 OK", "", "{\"id\":"),
        say("302 Found", "location: /\r\n", "{}"),
        say("401 Unauthorized", "", "{}"),
        say("403 Forbidden", "", "{}"),
        say("408 Too Slow", "", "{}"),
        say("429 Slow Down", "retry-after: 7\r\n", "{}"),
    ]
}

/// The key is in one header, and nowhere else.
fn shows_its_key_once(received: &Received) {
    let headers = received.headers.iter().filter(|(_, value)| value.contains(API_KEY)).count();
    assert!(headers <= 1 && !received.target.contains(API_KEY));
    assert!(!String::from_utf8_lossy(&received.body).contains(API_KEY));
}
