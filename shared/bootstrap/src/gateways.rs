//! The gateways of a deployment: the local stack's is in use from the start, others when somebody says so.

use crate::environment::{StartError, optional};
use fatura_application::ports::{Gateway, Gateways, Secrets};
use fatura_domain::gateway::GatewayName;
use fatura_gateways::{
    Adyen, BaseUrl, Http, Iugu, MercadoPago, PagBank, PayPal, Sandbox, Stripe, Timeouts, Vindi,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where the sandbox gateway listens, and after a comma a second one.
const SANDBOX_URL: &str = "SANDBOX_URL";
/// `name=url`, separated by commas: a gateway's test environment instead of its production.
const GATEWAY_URLS: &str = "GATEWAY_URLS";

type Make = fn(Http, BaseUrl, Arc<dyn Secrets>) -> Arc<dyn Gateway>;

/// Every gateway that there is an adapter for, and where its production is. None: at another place for each merchant.
const KNOWN: [(&str, Option<&str>, Make); 7] = [
    ("adyen", None, |http, url, secrets| Arc::new(Adyen::new(http, url, secrets))),
    ("iugu", Some("https://api.iugu.com"), |http, url, secrets| Arc::new(Iugu::new(http, url, secrets))),
    ("mercado-pago", Some("https://api.mercadopago.com"), |http, url, secrets| {
        Arc::new(MercadoPago::new(http, url, secrets))
    }),
    ("pagbank", Some("https://api.pagseguro.com"), |http, url, secrets| {
        Arc::new(PagBank::new(http, url, secrets))
    }),
    ("paypal", Some("https://api-m.paypal.com"), |http, url, secrets| {
        Arc::new(PayPal::new(http, url, secrets))
    }),
    ("stripe", Some("https://api.stripe.com"), |http, url, secrets| {
        Arc::new(Stripe::new(http, url, secrets))
    }),
    ("vindi", Some("https://app.vindi.com.br"), |http, url, secrets| {
        Arc::new(Vindi::new(http, url, secrets))
    }),
];

pub(crate) fn configured(secrets: &Arc<dyn Secrets>) -> Result<Gateways, StartError> {
    let http = Http::try_new(Timeouts::default())?;
    let sandboxes = optional(SANDBOX_URL).unwrap_or_default();
    let sandboxes = sandboxes.split(',').filter(|url| !url.is_empty()).zip(SANDBOXES);
    let mut sandboxes = sandboxes.map(|(url, name)| sandbox(name, url, &http, secrets));
    let first = sandboxes.next().transpose()?;
    let mut idle = sandboxes.collect::<Result<Vec<_>, StartError>>()?;
    let urls = optional(GATEWAY_URLS).unwrap_or_default();
    let mut urls = named(&urls)?;
    for (name, production, make) in KNOWN {
        if let Some(url) = urls.remove(name).or(production) {
            idle.push(make(http.clone(), base(url, GATEWAY_URLS)?, secrets.clone()));
        }
    }
    if let Some(unknown) = urls.keys().next() {
        return Err(StartError::NoSuchGateway((*unknown).to_owned()));
    }
    Ok(Gateways::of(first).and_idle(idle))
}

const SANDBOXES: [&str; 2] = ["sandbox", "sandbox-2"];

fn sandbox(
    name: &str,
    url: &str,
    http: &Http,
    secrets: &Arc<dyn Secrets>,
) -> Result<Arc<dyn Gateway>, StartError> {
    let name = GatewayName::parse(name).map_err(|_| StartError::NoSuchGateway(name.to_owned()))?;
    Ok(Arc::new(Sandbox::named(name, http.clone(), base(url, SANDBOX_URL)?, secrets.clone())))
}

fn named(urls: &str) -> Result<BTreeMap<&str, &str>, StartError> {
    let pairs = urls.split(',').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').ok_or(StartError::NotABaseUrl(GATEWAY_URLS))).collect()
}

fn base(url: &str, variable: &'static str) -> Result<BaseUrl, StartError> {
    url.parse().map_err(|_| StartError::NotABaseUrl(variable))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_called_what_it_calls_itself() {
        let http = Http::try_new(Timeouts::default()).unwrap();
        let secrets: Arc<dyn Secrets> = Arc::new(crate::app::NoSecrets);
        for (name, production, make) in KNOWN {
            let url = production.unwrap_or("https://example.com");
            let gateway = make(http.clone(), url.parse().unwrap(), secrets.clone());
            assert_eq!(gateway.name().as_str(), name);
        }
    }

    #[test]
    fn urls_are_given_by_name() {
        let urls = named("stripe=http://127.0.0.1:1,iugu=http://127.0.0.1:2").unwrap();
        assert_eq!((urls.len(), urls.get("iugu")), (2, Some(&"http://127.0.0.1:2")));
        assert!(named("").unwrap().is_empty());
        assert!(named("http://127.0.0.1:1").is_err());
    }
}
