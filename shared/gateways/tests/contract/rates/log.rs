//! The app id is part of a URL: that is shown by nothing, however much is logged.

use super::*;
use std::io::{self, Write};
use std::sync::Mutex;
use tracing_subscriber::filter::LevelFilter;

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_app_id_comes_into_no_log_and_no_debug() {
    let written = Written::default();
    let writer = written.clone();
    // Of this thread alone, which is where the client's tasks run as well.
    let _guard = tracing::subscriber::set_default(
        tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_writer(move || writer.clone())
            .finish(),
    );
    tracing::info!("the log begins");
    for act in [said("200 OK", "", &sound_json()), said("401 No", "", "{}"), Act::Reset, Act::Silence] {
        let server = Scripted::always(act).await;
        let source = open_exchange_rates(&server.url);
        let latest = source.latest().await;
        tracing::info!(?source, ?latest, "asked");
    }
    let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("the log begins") && log.contains("OpenExchangeRates"), "{log}");
    assert!(!log.contains(APP_ID) && !log.contains("app_id="), "{log}");
    assert_eq!(format!("{:?}", AppId(APP_ID.to_owned())), "AppId(..)");
}
