//! A server that answers as a test tells it, also wrongly.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Script {
    /// Writes these bytes and closes.
    Answer(Vec<u8>),
    /// Writes the head, then a byte now and then, for ever.
    Drip(&'static str),
    /// Never answers.
    Hang,
}

/// A request as it arrived.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// It runs until it is dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    received: mpsc::UnboundedReceiver<Received>,
    _tasks: JoinSet<()>,
}

impl Server {
    pub(crate) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, received) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let script = Arc::new(script);
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(serve(stream, Arc::clone(&script), sender.clone()));
            }
        });
        Self {
            port,
            received,
            _tasks: tasks,
        }
    }

    pub(crate) fn url(&self, path: &str) -> url::Url {
        format!("http://127.0.0.1:{}{path}", self.port)
            .parse()
            .unwrap()
    }

    /// The next request.
    pub(crate) async fn received(&mut self) -> Received {
        self.received.recv().await.unwrap()
    }

    /// Asserts that no other request has arrived.
    pub(crate) fn assert_quiet(&mut self) {
        let another = self.received.try_recv();
        assert!(another.is_err(), "{another:?}");
    }
}

async fn serve(
    mut stream: TcpStream,
    script: Arc<Script>,
    received: mpsc::UnboundedSender<Received>,
) {
    let Some(request) = read(&mut stream).await else {
        return;
    };
    // The test may have ended.
    drop(received.send(request));
    match &*script {
        Script::Answer(bytes) => {
            // A client that refuses the answer closes in the middle of it.
            drop(stream.write_all(bytes).await);
        }
        Script::Drip(head) => {
            drop(stream.write_all(head.as_bytes()).await);
            while stream.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Script::Hang => std::future::pending().await,
    }
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let mut body = bytes.split_off(end);
    let mut request = Received {
        head: String::from_utf8(bytes).ok()?,
        body: Vec::new(),
    };
    let length = request
        .header("content-length")
        .unwrap_or("0")
        .parse()
        .ok()?;
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    request.body = body;
    Some(request)
}
