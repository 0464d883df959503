//! The HTTP front: sockets, limits of size, number and time, and who may ask.
//! What is asked goes to the endpoint as a target and a body, and comes back as
//! a status and a body. Must not know what an operation means.
//!
//! It stands on a developer's machine, where every web page can make the browser
//! send requests: so it answers only on loopback, only to a Host that is
//! loopback (a name that was rebound to 127.0.0.1 is none), to nothing with an
//! `Origin`, and never sends a CORS header.

mod front;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::Endpoint;
use front::Front;

/// Connections at once. An SDK keeps 10 to 50; who wants more waits for a place.
const MOST_CONNECTIONS: usize = 256;

/// The time that a request's head may take, and that an idle connection is kept.
const HEAD: Duration = Duration::from_secs(60);

/// The largest head. An SDK's has one to two KB, temporary credentials included.
const MOST_HEAD_BYTES: usize = 64 << 10;

/// Headers of a request. An SDK sends about fifteen.
const MOST_HEADERS: usize = 64;

/// The time that requests have to end in after a shutdown.
const GRACE: Duration = Duration::from_secs(5);

/// Why an endpoint is not served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Others than this machine could reach it.
    #[error("the endpoint serves only on 127.0.0.1, and the listener is on {0}; bind 127.0.0.1")]
    NotLoopback(
        /// The listener's address.
        SocketAddr,
    ),
    /// The listener cannot be used.
    #[error("the listener cannot be used: {0}")]
    Listener(
        /// What the system said.
        #[from]
        io::Error,
    ),
}

pub(crate) async fn serve(
    endpoint: &Endpoint,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
    sweep_every: Duration,
) -> Result<(), ServeError> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback(address));
    }
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let front = Arc::new(Front::new(endpoint.clone(), address.port()));
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let (ending, _) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut sweeping = pin!(sweep(endpoint, sweep_every));
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            never = &mut sweeping => match never {},
            Some(_) = connections.join_next() => {}
            (place, accepted) = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (place, listener.accept().await)
            } => {
                let Ok((stream, _)) = accepted else {
                    // Out of file descriptors, for example: they come back.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                };
                let connection = connection(stream, Arc::clone(&front), ending.subscribe());
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
        }
    }
    drop(listener);
    ending.send_replace(true);
    let _ = tokio::time::timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
    connections.shutdown().await;
    Ok(())
}

/// Looks now and then for items whose time to live is over. A sweep that failed
/// is one that the next makes good: each of its deletions stands with its record
/// or not at all.
async fn sweep(endpoint: &Endpoint, every: Duration) -> Infallible {
    let mut sweeps = tokio::time::interval(every.max(Duration::from_millis(10)));
    sweeps.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        sweeps.tick().await;
        let _ = endpoint.sweep().await;
    }
}

async fn connection(stream: TcpStream, front: Arc<Front>, mut ending: watch::Receiver<bool>) {
    // Requests and answers are small and wait for each other.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let front = Arc::clone(&front);
        async move { Ok::<_, Infallible>(front.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MOST_HEAD_BYTES)
        .max_headers(MOST_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        // An error is the client's: it went away, or sent what is not HTTP.
        _ = connection.as_mut() => return,
        _ = ending.wait_for(|ending| *ending) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
