//! Starting and stopping, in process and as a binary.

use crate::app::App;
use crate::config::Config;
use crate::{charges, control, disputes, movements, outside, refunds, webhooks};
use axum::Router;
use axum::routing::get;
use std::future::Future;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A sandbox running in this process on a random loopback port. Dropping it stops it: no new connections, held answers
/// and deliveries end.
#[derive(Debug)]
pub struct Sandbox {
    url: String,
    // Never sent to: its going away is the signal.
    _open: watch::Sender<()>,
}

impl Sandbox {
    pub async fn start(config: Config) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (open, closing) = watch::channel(());
        let app = App::try_new(config, closing).map_err(io::Error::other)?;
        tokio::spawn(async move {
            if let Err(error) = run(listener, app).await {
                tracing::error!(%error, "the sandbox gateway stopped");
            }
        });
        Ok(Self { url, _open: open })
    }

    /// `http://127.0.0.1:port`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// Serves on a listener of the caller's until `shutdown` completes.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (open, closing) = watch::channel(());
    let app = App::try_new(config, closing).map_err(io::Error::other)?;
    tokio::spawn(async move {
        shutdown.await;
        drop(open);
    });
    run(listener, app).await
}

async fn run(listener: TcpListener, app: Arc<App>) -> io::Result<()> {
    let merchant = charges::routes()
        .merge(refunds::routes())
        .merge(movements::routes())
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&app), control::gate));
    let router = Router::new()
        .merge(merchant)
        .merge(outside::routes())
        .merge(disputes::routes())
        .merge(webhooks::routes())
        .merge(control::routes())
        .route("/health", get(|| async { "ok" }))
        .with_state(Arc::clone(&app));
    axum::serve(listener, router).with_graceful_shutdown(async move { app.closed().await }).await
}
