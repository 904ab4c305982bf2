use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, ServeArgs};
use crate::host::{Host, HostOptions};
use crate::terminal::say;

/// A host that answers requests and works between them.
#[derive(Debug)]
pub struct Serving {
    /// Where it listens.
    pub address: SocketAddr,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Serving {
    /// Starts to answer on a listener and to work.
    ///
    /// # Errors
    /// The listener is not usable.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the host's tasks start"
    )]
    pub fn start(host: Arc<Host>, listener: TcpListener) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let router = qiao_web::router(host.app.clone());
        let ending = stop.clone();
        let worker = host.worker().run(stop.clone());
        let doors = async move {
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            let served = axum::serve(listener, service)
                .with_graceful_shutdown(async move { ending.cancelled().await })
                .await;
            if let Err(error) = served {
                tracing::error!(%error, "the doors closed");
            }
        };
        let tasks = vec![tokio::spawn(doors), tokio::spawn(worker)];
        Ok(Self {
            address,
            stop,
            tasks,
        })
    }

    /// Finishes the requests in hand and stops.
    pub async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the host ended badly");
            }
        }
    }
}

/// Runs a host until it is told to stop.
pub(crate) async fn serve(args: ServeArgs) -> anyhow::Result<()> {
    let config = Config::read(&args)?;
    let listener = listen(config.server.listen).await?;
    let host = Host::open(HostOptions::of_this_binary(config)?).await?;
    let host = Arc::new(host);
    let serving = Serving::start(host.clone(), listener)?;
    say(&format!(
        "Qiao serves {} ({}{})\ndata in {}; no operator yet? qiao admin operator add --login ops --data {}",
        host.config.public_url(),
        if host.config.data.database_url.is_empty() {
            "SQLite"
        } else {
            "PostgreSQL"
        },
        if host.config.sandbox.enabled {
            ", sandbox: play money"
        } else {
            ""
        },
        host.config.data.folder.display(),
        host.config.data.folder.display(),
    ));
    interrupted().await?;
    say("stopping: requests in hand are finished");
    serving.stop().await;
    host.close().await;
    Ok(())
}

/// Listens, or says who to ask.
pub(crate) async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}; choose another with --listen"))
}

/// Waits for Ctrl-C or a polite kill.
pub(crate) async fn interrupted() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        done = tokio::signal::ctrl_c() => done.context("waiting for Ctrl-C"),
        _ = terminate.recv() => Ok(()),
    }
}
