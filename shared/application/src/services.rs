//! Which functions there are and how they fare; and how each of them says so.

use crate::access::{Caller, Operation, Scope};
use crate::app::App;
use crate::error::Error;
use crate::ports::{Clock, Deployment, ServiceVitals, StoreError};
use fatura_domain::service::{Health, ServiceName, Symptom, Trouble, Vitals};
use fatura_domain::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A function that the deployment has, and what is known of it.
#[derive(Debug, Clone)]
pub struct Service {
    pub name: ServiceName,
    /// What Lambda calls it.
    pub function: String,
    pub health: Health,
    pub vitals: Option<Vitals>,
}

#[derive(Debug, Clone)]
pub struct Services {
    pub endpoints: BTreeMap<String, String>,
    pub services: Vec<Service>,
}

impl App {
    pub async fn services(&self, caller: &Caller) -> Result<Services, Error> {
        caller.may_in(Scope::ServicesRead, Operation::Operate)?;
        let now = self.clock.now();
        let deployment = self.deployment_published(now).await?;
        let names: Vec<ServiceName> = deployment.functions.keys().cloned().collect();
        let mut known = self.records.vitals.all_vitals(&names).await?;
        let services = deployment.functions.iter().map(|(name, function)| {
            let vitals = known.remove(name);
            let health = Health::of(vitals.as_ref(), now);
            Service { name: name.clone(), function: function.clone(), health, vitals }
        });
        Ok(Services { services: services.collect(), endpoints: deployment.endpoints.clone() })
    }

    async fn deployment_published(&self, now: Timestamp) -> Result<Arc<Deployment>, Error> {
        let nowhere = || Error::Unavailable("this function was given no directory".into());
        let directory = self.directory.as_ref().ok_or_else(nowhere)?;
        let read =
            async { directory.deployment().await.map_err(|error| Error::Unavailable(Box::new(error))) };
        self.deployment.get_from(now, read).await
    }
}

/// How one instance of a function says how it fares. Nothing depends on its being heard.
pub struct Reporter {
    vitals: Arc<dyn ServiceVitals>,
    clock: Arc<dyn Clock>,
    service: ServiceName,
    version: &'static str,
    told_at: Mutex<Option<Timestamp>>,
}

/// Of an instance that fails a hundred times a second the first word in a minute is enough.
const TOLD_EVERY: SignedDuration = SignedDuration::from_mins(1);

impl Reporter {
    pub fn new(
        vitals: Arc<dyn ServiceVitals>,
        clock: Arc<dyn Clock>,
        service: ServiceName,
        version: &'static str,
    ) -> Self {
        Self { vitals, clock, service, version, told_at: Mutex::default() }
    }

    pub async fn started(&self) -> Result<(), StoreError> {
        self.vitals.keep_start(&self.service, self.version, self.clock.now()).await
    }

    pub async fn troubled(&self, symptom: Symptom) -> Result<(), StoreError> {
        let now = self.clock.now();
        if !self.may_tell(now) {
            return Ok(());
        }
        let known = self.vitals.vitals(&self.service).await?;
        let trouble = Trouble::after(known.and_then(|known| known.trouble).as_ref(), symptom, now);
        self.vitals.keep_trouble(&self.service, self.version, &trouble).await
    }

    /// A try counts, whatever becomes of it: when the table is what fails, it isn't asked for more.
    fn may_tell(&self, now: Timestamp) -> bool {
        let mut told_at = self.told_at.lock().unwrap_or_else(PoisonError::into_inner);
        if told_at.is_some_and(|at| now.duration_since(at).abs() < TOLD_EVERY) {
            return false;
        }
        *told_at = Some(now);
        true
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reporter({})", self.service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use fatura_domain::service::TroubleClass;
    use fatura_domain::text::Text;

    /// A row, a clock, and what was asked of the row.
    #[derive(Default)]
    struct World {
        second: Mutex<i64>,
        row: Mutex<Option<Vitals>>,
        is_down: Mutex<bool>,
        asked: Mutex<u32>,
    }

    impl World {
        fn at(&self, second: i64) {
            *self.second.lock().unwrap() = second;
        }

        fn ask(&self) -> Result<(), StoreError> {
            *self.asked.lock().unwrap() += 1;
            if *self.is_down.lock().unwrap() {
                return Err(StoreError::Unavailable("down".to_owned()));
            }
            Ok(())
        }

        fn trouble(&self) -> (i64, i64) {
            let row = self.row.lock().unwrap().clone().unwrap();
            let trouble = row.trouble.unwrap();
            (trouble.since.as_second(), trouble.at.as_second())
        }
    }

    impl Clock for World {
        fn now(&self) -> Timestamp {
            Timestamp::from_second(*self.second.lock().unwrap()).unwrap()
        }
    }

    #[async_trait]
    impl ServiceVitals for World {
        async fn vitals(&self, _: &ServiceName) -> Result<Option<Vitals>, StoreError> {
            self.ask()?;
            Ok(self.row.lock().unwrap().clone())
        }

        async fn all_vitals(&self, _: &[ServiceName]) -> Result<BTreeMap<ServiceName, Vitals>, StoreError> {
            Ok(BTreeMap::new())
        }

        async fn keep_start(&self, _: &ServiceName, version: &str, at: Timestamp) -> Result<(), StoreError> {
            self.ask()?;
            *self.row.lock().unwrap() =
                Some(Vitals { version: version.to_owned(), started_at: at, trouble: None });
            Ok(())
        }

        async fn keep_trouble(&self, _: &ServiceName, _: &str, trouble: &Trouble) -> Result<(), StoreError> {
            self.ask()?;
            self.row.lock().unwrap().as_mut().unwrap().trouble = Some(trouble.clone());
            Ok(())
        }
    }

    fn reporter(world: &Arc<World>) -> Reporter {
        Reporter::new(world.clone(), world.clone(), ServiceName::parse("api").unwrap(), "1.2.3")
    }

    fn symptom() -> Symptom {
        Symptom { class: TroubleClass::ServerError, message: Text::parse("answered 503").unwrap() }
    }

    #[tokio::test]
    async fn trouble_is_told_once_a_minute_and_goes_on_from_what_others_have_told() {
        let world = Arc::new(World::default());
        let (one, other) = (reporter(&world), reporter(&world));
        one.started().await.unwrap();
        world.at(100);
        one.troubled(symptom()).await.unwrap();
        world.at(159);
        one.troubled(symptom()).await.unwrap();
        assert_eq!(world.trouble(), (100, 100));
        other.troubled(symptom()).await.unwrap();
        assert_eq!(world.trouble(), (100, 159));
        world.at(160);
        one.troubled(symptom()).await.unwrap();
        assert_eq!(world.trouble(), (100, 160));
    }

    #[tokio::test]
    async fn a_table_that_fails_is_not_asked_again_within_the_minute() {
        let world = Arc::new(World::default());
        let reporter = reporter(&world);
        *world.is_down.lock().unwrap() = true;
        assert!(reporter.troubled(symptom()).await.is_err());
        for second in 1..60 {
            world.at(second);
            reporter.troubled(symptom()).await.unwrap();
        }
        assert_eq!(*world.asked.lock().unwrap(), 1);
        world.at(60);
        assert!(reporter.troubled(symptom()).await.is_err());
    }
}
