//! A server for troubles that no well-behaved one can be made to give: it plays a script over a bare socket and keeps
//! what it was sent.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// These very bytes, then the end of the connection.
    Say(String),
    /// These bytes, and the caller is left to wait for more.
    Begin(String),
    /// The request is read, and the connection reset.
    Reset,
    /// The request is read, and nothing comes until the caller has gone.
    Silence,
}

#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) target: String,
    /// Lower-case names.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Scripted {
    pub(crate) url: String,
    received: mpsc::UnboundedReceiver<Received>,
    server: JoinHandle<()>,
}

impl Scripted {
    /// Does the same to every request.
    pub(crate) async fn always(act: Act) -> Self {
        Self::routed(move |_| act.clone()).await
    }

    /// Does to each request what its method and target call for.
    pub(crate) async fn routed(route: impl Fn(&Received) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, received) = mpsc::unbounded_channel();
        let route = Arc::new(route);
        let server = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(play(socket, route.clone(), sender.clone()));
            }
        });
        Self { url, received, server }
    }

    pub(crate) async fn answering(status: &str, headers: &str, body: &str) -> Self {
        Self::always(Act::Say(answer(status, headers, body))).await
    }

    pub(crate) async fn next(&mut self) -> Received {
        tokio::time::timeout(PATIENCE, self.received.recv()).await.expect("a request in time").unwrap()
    }

    /// How many requests came that nobody has looked at.
    pub(crate) fn unseen(&self) -> usize {
        self.received.len()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// An address where nobody listens. The port is kept while this lives: one that was let go may be another test's server
/// by the time it is called.
pub(crate) struct Deserted {
    pub(crate) url: String,
    _port: TcpSocket,
}

impl Deserted {
    pub(crate) fn new() -> Self {
        let port = TcpSocket::new_v4().unwrap();
        port.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        Self { url: format!("http://{}", port.local_addr().unwrap()), _port: port }
    }
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// `headers` are whole lines.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}")
}

async fn play(
    mut socket: TcpStream,
    route: Arc<impl Fn(&Received) -> Act>,
    sender: mpsc::UnboundedSender<Received>,
) {
    let Some(received) = read(&mut socket).await else { return };
    let act = route(&received);
    let _ = sender.send(received);
    match act {
        Act::Say(bytes) => {
            let _ = socket.write_all(bytes.as_bytes()).await;
            let _ = socket.shutdown().await;
        }
        Act::Begin(bytes) => {
            let _ = socket.write_all(bytes.as_bytes()).await;
            let _ = socket.read(&mut [0]).await;
        }
        Act::Reset => socket.set_zero_linger().unwrap(),
        Act::Silence => {
            let _ = socket.read(&mut [0]).await;
        }
    }
}

/// None if it isn't HTTP, or the caller leaves halfway.
async fn read(socket: &mut TcpStream) -> Option<Received> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4_096]);
    let (head, start) = loop {
        let length = socket.read(&mut chunk).await.ok().filter(|length| *length > 0)?;
        bytes.extend_from_slice(chunk.get(..length)?);
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break (String::from_utf8(bytes.get(..end)?.to_vec()).ok()?, end + 4);
        }
    };
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(Some(0), |(_, value)| value.parse().ok())?;
    while bytes.len() < start + length {
        let read = socket.read(&mut chunk).await.ok().filter(|length| *length > 0)?;
        bytes.extend_from_slice(chunk.get(..read)?);
    }
    Some(Received { method, target, headers, body: bytes.get(start..)?.to_vec() })
}
