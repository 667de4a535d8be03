//! What signing in takes of a processor: the function's own handler over records in memory, so that nothing is waited for.

use crate::costs::{Bench, operator};
use crate::table::Report;
use anyhow::{Result, ensure};
use async_trait::async_trait;
use fatura_application::ports::{
    Access, Claim, CommitError, SecretsError, SignIns, Store, StoreError, TokenKeys,
};
use fatura_application::sign_in::TriesOf;
use fatura_application::tokens::{KeyId, KeyRing, TokenKey};
use fatura_application::{ChangeSet, SignIn, Tokens};
use fatura_domain::Timestamp;
use fatura_domain::charge::LiveAttempt;
use fatura_domain::id::{CustomerId, InvoiceId};
use fatura_domain::sign_in::{Password, Tries};
use fatura_domain::text::Email;
use fatura_testkit::{SeededEntropy, VirtualClock};
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request};
use std::sync::Arc;
use std::time::{Duration, Instant};

const TIMES: usize = 20;
/// Lambda gives 1,769 MB a whole processor, and less in proportion: what `AuthFunction` has of it in the template.
const MEMORY_MB: u64 = 1_024;
const MB_OF_A_PROCESSOR: u64 = 1_769;
const PASSWORD: &str = "correct horse";

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let people = Arc::new(Ana { access: kept_access().await? });
    let sign_in = SignIn {
        store: people.clone(),
        people: people.clone(),
        tokens: Arc::new(Tokens::new(people, "https://bench")),
        clock: Arc::new(VirtualClock::default()),
        entropy: Arc::new(SeededEntropy::new(7)),
    };
    let right = quickest(&sign_in, PASSWORD, StatusCode::OK).await?;
    let wrong = quickest(&sign_in, "battery staple", StatusCode::UNAUTHORIZED).await?;
    for (name, time) in [("signing in", right), ("signing in, refused", wrong)] {
        let micros = u64::try_from(time.as_micros())?;
        report.add(format!("{name}: own time, a whole processor"), micros, "µs", None);
        let there = micros * MB_OF_A_PROCESSOR / MEMORY_MB;
        report.add(format!("{name}: reckoned for {MEMORY_MB} MB of Lambda"), there, "µs", None);
    }
    Ok(())
}

/// As the use case keeps it, so that it is compared with as the parameters in force want.
async fn kept_access() -> Result<Access> {
    let bench = Bench::start().await?;
    bench.app.change_password(&operator(), bench.customer, None, &Password::parse(PASSWORD)?).await?;
    Ok(bench.table.store.access(bench.customer).await?)
}

/// The quickest of a few: what others on the same machine took of the processor is not its own.
async fn quickest(sign_in: &SignIn, password: &str, expected: StatusCode) -> Result<Duration> {
    let mut quickest = Duration::MAX;
    for _ in 0..TIMES {
        let body = format!(r#"{{"email": "ana@example.com", "password": "{password}"}}"#);
        let request = lambda_http::http::Request::post("/v1/auth").header("content-type", "application/json");
        let request: Request = request.body(Body::from(body))?;
        let began = Instant::now();
        let response = auth::handle(sign_in, request).await;
        quickest = quickest.min(began.elapsed());
        ensure!(response.status() == expected, "signing in was answered {}", response.status());
    }
    Ok(quickest)
}

/// One customer who was never anywhere else.
struct Ana {
    access: Access,
}

#[async_trait]
impl SignIns for Ana {
    async fn by_email(&self, _: &Email) -> Result<Option<CustomerId>, StoreError> {
        Ok(self.access.credentials.as_ref().map(|kept| kept.customer))
    }

    async fn access(&self, _: CustomerId) -> Result<Access, StoreError> {
        Ok(self.access.clone())
    }

    async fn tries(&self, _: &TriesOf) -> Result<Tries, StoreError> {
        Ok(Tries::NONE)
    }
}

#[async_trait]
impl Store for Ana {
    async fn commit(&self, _: ChangeSet) -> Result<(), CommitError> {
        Ok(())
    }

    async fn claim(&self, _: InvoiceId, _: u64, _: LiveAttempt, _: Timestamp) -> Result<Claim, StoreError> {
        Ok(Claim::Refused(None))
    }
}

#[async_trait]
impl TokenKeys for Ana {
    async fn keys(&self, _: Option<&KeyId>) -> Result<Arc<KeyRing>, SecretsError> {
        let key = TokenKey::of_secret("a secret of the bench alone, which signs nothing");
        let key = key.ok_or_else(|| SecretsError("the secret makes no key".to_owned()))?;
        Ok(Arc::new(KeyRing::new(key, None)))
    }
}
