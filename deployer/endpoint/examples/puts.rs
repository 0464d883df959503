//! What a stream costs a writer: puts per second over HTTP with the stream off
//! and on, in turns in one run, so that the machine is the same for both.
//!
//! ```text
//! cargo run --release -p gristmill-endpoint --example puts -- [SECONDS-A-TURN]
//! ```

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gristmill_endpoint::{Endpoint, Options};

const TURNS: u32 = 5;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let seconds = std::env::args().nth(1).map_or(Ok(1.0), |text| text.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    println!("puts of 1 KB a second over HTTP, the median of {TURNS} turns of {seconds} s");
    println!("{:<8} {:>11} {:>10} {:>10} {:>8}", "data", "connections", "stream off", "stream on", "on/off");
    for (data, in_folder) in [("memory", false), ("folder", true)] {
        let folder = tempfile::tempdir()?;
        let options = if in_folder { Options::in_folder(folder.path()) } else { Options::in_memory() };
        let endpoint = Endpoint::open(options)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let serving = endpoint.clone();
        runtime.spawn(async move { serving.serve(listener, std::future::pending()).await });
        let on = r#","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}"#;
        for (table, stream) in [("stream-off", ""), ("stream-on", on)] {
            let create = format!(
                r#"{{"TableName":"{table}","BillingMode":"PAY_PER_REQUEST","KeySchema":[{{"AttributeName":"id","KeyType":"HASH"}}],
                "AttributeDefinitions":[{{"AttributeName":"id","AttributeType":"S"}}]{stream}}}"#
            );
            put(&mut TcpStream::connect(address)?, "CreateTable", &create)?;
        }
        for connections in [1, 8] {
            let (mut off, mut on) = (Vec::new(), Vec::new());
            for _ in 0..TURNS {
                off.push(turn(address, "stream-off", connections, seconds)?);
                on.push(turn(address, "stream-on", connections, seconds)?);
            }
            let (off, on) = (median(off), median(on));
            println!("{data:<8} {connections:>11} {off:>10.0} {on:>10.0} {:>8.2}", on / off);
        }
    }
    Ok(())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// Puts from so many connections at once, for so long; each changes its item.
fn turn(address: SocketAddr, table: &str, connections: usize, seconds: f64) -> Result<f64, Failure> {
    static VALUE: AtomicU64 = AtomicU64::new(0);
    let begun = Instant::now();
    let until = Duration::from_secs_f64(seconds);
    let writer = |connection: usize| -> Result<u64, Failure> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let pad = "x".repeat(950);
        let mut count = 0;
        while begun.elapsed() < until {
            let (id, value) = (count % 100, VALUE.fetch_add(1, Ordering::Relaxed));
            let item = format!(r#"{{"id":{{"S":"{connection}-{id}"}},"v":{{"N":"{value}"}},"pad":{{"S":"{pad}"}}}}"#);
            put(&mut stream, "PutItem", &format!(r#"{{"TableName":"{table}","Item":{item}}}"#))?;
            count += 1;
        }
        Ok(count)
    };
    let puts: u64 = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..connections).map(|connection| scope.spawn(move || writer(connection))).collect();
        writers.into_iter().map(|writer| writer.join().map_err(|_| "a writer panicked")?).sum::<Result<u64, Failure>>()
    })?;
    Ok(puts as f64 / begun.elapsed().as_secs_f64())
}

/// A request and its answer, which must be good.
fn put(stream: &mut TcpStream, operation: &str, body: &str) -> Result<(), Failure> {
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {}\r\nX-Amz-Target: DynamoDB_20120810.{operation}\r\nX-Amz-Date: 20261124T000000Z\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=test/20261124/us-east-1/dynamodb/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=0000\r\nContent-Type: application/x-amz-json-1.0\r\n\
         Content-Length: {}\r\n\r\n{body}",
        stream.peer_addr()?,
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        answer.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&answer);
        let Some((head, rest)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).ok_or("no length")?;
        if rest.len() >= length.parse()? {
            return if head.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(rest.into()) };
        }
    }
}
