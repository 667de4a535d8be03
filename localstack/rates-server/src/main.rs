use rates_server::{Config, serve};
use std::error::Error;
use std::net::Ipv4Addr;
use tokio::net::TcpListener;

const DEFAULT_PORT: u16 = 4590;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).init();
    let port = std::env::var("RATES_PORT").map_or(Ok(DEFAULT_PORT), |port| port.parse())?;
    // Loopback only: anybody who reaches this decides what money is worth.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    tracing::info!(address = %listener.local_addr()?, "rates server is listening");
    serve(listener, Config::from_env(), interrupted()).await?;
    Ok(())
}

async fn interrupted() {
    // The stop script sends SIGTERM, a terminal Ctrl-C.
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
