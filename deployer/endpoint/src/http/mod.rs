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

/// How long a client may take. Tests have less of it.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// For a request's head, and between two requests.
    head: Duration,
    /// For a body.
    body: Duration,
    /// For requests to end in after a shutdown.
    end: Duration,
}

const PATIENCE: Patience =
    Patience { head: Duration::from_secs(60), body: Duration::from_secs(30), end: Duration::from_secs(5) };

/// The largest head. An SDK's has one to two KB, temporary credentials included.
const MOST_HEAD_BYTES: usize = 64 << 10;

/// Headers of a request. An SDK sends about fifteen.
const MOST_HEADERS: usize = 64;

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
    serve_with(endpoint, listener, shutdown, sweep_every, PATIENCE).await
}

async fn serve_with(
    endpoint: &Endpoint,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
    sweep_every: Duration,
    patience: Patience,
) -> Result<(), ServeError> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback(address));
    }
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let front = Arc::new(Front::new(endpoint.clone(), address.port(), patience.body));
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
                let connection = connection(stream, Arc::clone(&front), ending.subscribe(), patience.head);
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
        }
    }
    drop(listener);
    ending.send_replace(true);
    let _ = tokio::time::timeout(patience.end, async { while connections.join_next().await.is_some() {} }).await;
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

async fn connection(stream: TcpStream, front: Arc<Front>, mut ending: watch::Receiver<bool>, head: Duration) {
    // Requests and answers are small and wait for each other.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let front = Arc::clone(&front);
        async move { Ok::<_, Infallible>(front.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
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

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::time::Instant;

    use super::*;
    use crate::Options;

    /// What a client that sends so much and then nothing gets to read. It waits far
    /// longer than `SHORT` and far shorter than `HOUR`, so an answer at all tells
    /// which of the endpoint's patiences ended.
    fn after_sending(bytes: &str, patience: Patience) -> String {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let endpoint = Endpoint::open(Options::in_memory()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // The endpoint can begin to wait at the earliest from here.
        let begun = Instant::now();
        runtime.spawn(async move {
            serve_with(&endpoint, listener, std::future::pending(), HOUR, patience).await.unwrap();
        });
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(CLIENT)).unwrap();
        stream.write_all(bytes.replace("ADDRESS", &address.to_string()).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(begun.elapsed() >= SHORT, "it did not wait at all");
        answer
    }

    const HOUR: Duration = Duration::from_secs(3600);
    const CLIENT: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(100);

    #[test]
    fn a_head_that_does_not_end_is_not_waited_for() {
        let patience = Patience { head: SHORT, body: HOUR, end: HOUR };
        for bytes in ["", "POST / HT", "POST / HTTP/1.1\r\nHost: ADDRESS\r\nX-Amz-Tar"] {
            let answer = after_sending(bytes, patience);
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
        }
    }

    #[test]
    fn an_idle_connection_is_not_kept_for_ever() {
        let patience = Patience { head: SHORT, body: HOUR, end: HOUR };
        let answer = after_sending("GET / HTTP/1.1\r\nHost: ADDRESS\r\n\r\n", patience);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    #[test]
    fn a_body_that_does_not_end_is_not_waited_for() {
        let patience = Patience { head: HOUR, body: SHORT, end: HOUR };
        let head = "POST / HTTP/1.1\r\nHost: ADDRESS\r\nContent-Type: application/json\r\n";
        for rest in ["Content-Length: 5\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n5\r\n{"] {
            let answer = after_sending(&format!("{head}{rest}"), patience);
            assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("within"), "{answer}");
        }
    }

    /// Whether the endpoint ends within a client's patience when it is told to,
    /// with a connection open on which this was sent.
    fn ends_with(sent: &str, patience: Patience) -> bool {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let endpoint = Endpoint::open(Options::in_memory()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(sent.replace("ADDRESS", &address.to_string()).as_bytes()).unwrap();
        let served = async { serve_with(&endpoint, listener, tokio::time::sleep(SHORT), HOUR, patience).await };
        runtime.block_on(async { tokio::time::timeout(CLIENT, served).await }).is_ok_and(|served| served.is_ok())
    }

    #[test]
    fn a_shutdown_does_not_wait_for_half_a_request() {
        let head = "POST / HTTP/1.1\r\nHost: ADDRESS\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n{";
        assert!(ends_with(head, Patience { head: HOUR, body: HOUR, end: SHORT }));
    }

    #[test]
    fn a_shutdown_ends_an_idle_connection_at_once() {
        let patience = Patience { head: HOUR, body: HOUR, end: HOUR };
        assert!(ends_with("GET / HTTP/1.1\r\nHost: ADDRESS\r\n\r\n", patience));
    }
}
