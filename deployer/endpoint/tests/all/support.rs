//! An endpoint to test, in process and over HTTP.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use gristmill_endpoint::{Endpoint, IteratorPosition, ManualClock, Options};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// Some time in November 2026.
pub(crate) const NOW_MS: u64 = 1_795_000_000_123;

/// An endpoint and a runtime that its calls run on.
pub(crate) struct InProcess {
    pub(crate) endpoint: Endpoint,
    pub(crate) clock: ManualClock,
    pub(crate) runtime: Runtime,
}

impl InProcess {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// In memory, with options that `change` makes, and a clock that stands.
    pub(crate) fn with(change: impl FnOnce(&mut Options)) -> Self {
        let clock = ManualClock::at_ms(NOW_MS);
        let mut options = Options { clock: Arc::new(clock.clone()), ..Options::in_memory() };
        change(&mut options);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        Self { endpoint: Endpoint::open(options).unwrap(), clock, runtime }
    }

    pub(crate) fn try_call(&self, operation: &str, body: &Value) -> Result<Value, (u16, String, String)> {
        let streams = ["ListStreams", "DescribeStream", "GetShardIterator", "GetRecords"].contains(&operation);
        let api = if streams { "DynamoDBStreams_20120810" } else { "DynamoDB_20120810" };
        let answer = self.runtime.block_on(self.endpoint.call(&format!("{api}.{operation}"), &body.to_string()));
        let value: Value = serde_json::from_str(&answer.body).unwrap();
        if answer.status == 200 {
            return Ok(value);
        }
        let kind = value["__type"].as_str().unwrap().rsplit('#').next().unwrap().to_owned();
        let message = value.get("message").or_else(|| value.get("Message")).map_or("", |m| m.as_str().unwrap());
        Err((answer.status, kind, message.to_owned()))
    }

    pub(crate) fn call(&self, operation: &str, body: Value) -> Value {
        self.try_call(operation, &body).unwrap_or_else(|error| panic!("{operation} {body}: {error:?}"))
    }

    /// The type and message of a refusal.
    pub(crate) fn refusal(&self, operation: &str, body: Value) -> (String, String) {
        let (status, kind, message) = self.try_call(operation, &body).expect_err("it was done");
        assert_eq!(status, 400, "{kind}: {message}");
        (kind, message)
    }

    /// Makes a table with the key `id`, and a stream if there is a view type.
    pub(crate) fn create(&self, table: &str, view_type: Option<&str>) -> Value {
        let mut request = json!({
            "TableName": table, "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        });
        if let Some(view_type) = view_type {
            request["StreamSpecification"] = json!({"StreamEnabled": true, "StreamViewType": view_type});
        }
        self.call("CreateTable", request)["TableDescription"].clone()
    }

    pub(crate) fn put(&self, table: &str, item: Value) {
        self.call("PutItem", json!({"TableName": table, "Item": item}));
    }

    pub(crate) fn table(&self, table: &str) -> Value {
        self.call("DescribeTable", json!({"TableName": table}))["Table"].clone()
    }

    pub(crate) fn arn(&self, table: &str) -> String {
        self.table(table)["LatestStreamArn"].as_str().expect("the table has no stream").to_owned()
    }

    pub(crate) fn shards(&self, arn: &str) -> Vec<Value> {
        let description = self.call("DescribeStream", json!({"StreamArn": arn}));
        description["StreamDescription"]["Shards"].as_array().unwrap().clone()
    }

    pub(crate) fn iterator(&self, arn: &str, shard: &Value, kind: &str) -> Value {
        let request = json!({"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": kind});
        self.call("GetShardIterator", request)["ShardIterator"].clone()
    }

    /// All records of a stream, shard by shard, read as a client would.
    pub(crate) fn records(&self, arn: &str) -> Vec<Value> {
        self.shards(arn).iter().flat_map(|shard| self.shard_records(arn, shard)).collect()
    }

    pub(crate) fn shard_records(&self, arn: &str, shard: &Value) -> Vec<Value> {
        let mut iterator = self.iterator(arn, shard, "TRIM_HORIZON");
        let mut records = Vec::new();
        loop {
            let page = self.call("GetRecords", json!({"ShardIterator": iterator, "Limit": 7}));
            let new = page["Records"].as_array().unwrap().clone();
            let done = new.is_empty();
            records.extend(new);
            match page.get("NextShardIterator") {
                Some(next) if !done => iterator = next.clone(),
                _ => return records,
            }
        }
    }

    /// All records of a stream through the reader that a mapping has.
    pub(crate) fn read(&self, arn: &str) -> Vec<Value> {
        self.runtime.block_on(async {
            let reader = self.endpoint.stream(arn);
            let mut records = Vec::new();
            for shard in reader.describe(None).await.unwrap().shards {
                let position = IteratorPosition::TrimHorizon;
                let mut next = Some(reader.shard_iterator(&shard.shard_id, &position).await.unwrap());
                while let Some(iterator) = next {
                    let page = reader.records(&iterator, 1000).await.unwrap();
                    next = page.next_iterator.filter(|_| !page.records.is_empty());
                    records.extend(page.records.iter().map(|text| serde_json::from_str::<Value>(text).unwrap()));
                }
            }
            records
        })
    }
}

/// An endpoint that is served over HTTP, until this is dropped.
pub(crate) struct Served {
    pub(crate) inside: InProcess,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: Option<tokio::task::JoinHandle<()>>,
}

impl Served {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Options)) -> Self {
        let inside = InProcess::with(change);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let endpoint = inside.endpoint.clone();
        let task = inside.runtime.spawn(async move {
            let stopped = async { drop(stopped.await) };
            endpoint.serve(listener, stopped).await.unwrap();
        });
        Self { inside, address, stop: Some(stop), task: Some(task) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Stops as a shutdown does, and waits for the end.
    pub(crate) fn stop(&mut self) {
        if let (Some(stop), Some(task)) = (self.stop.take(), self.task.take()) {
            let _ = stop.send(());
            self.inside.runtime.block_on(task).unwrap();
        }
    }

    /// Sends bytes as they are and reads until the other side closes.
    pub(crate) fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // Who is refused early may find the connection closed.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// The head of a good request, without its end.
    pub(crate) fn head(&self, target: &str, length: usize) -> String {
        format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nX-Amz-Target: {target}\r\nContent-Type: application/x-amz-json-1.0\r\n{AUTHORIZATION}\
             Content-Length: {length}\r\n",
            self.address
        )
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What an SDK sends with every request. Nobody checks the signature.
pub(crate) const AUTHORIZATION: &str = "X-Amz-Date: 20261124T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 \
    Credential=test/20261124/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=0000\r\n";

/// A client that keeps its connection, as SDKs do.
pub(crate) struct Client {
    stream: TcpStream,
    host: String,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(Self { stream, host: address.to_string() })
    }

    /// A request and its answer: status, headers and body.
    pub(crate) fn request(&mut self, target: &str, body: &str) -> std::io::Result<(u16, String, String)> {
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nX-Amz-Target: {target}\r\nContent-Type: application/x-amz-json-1.0\r\n{AUTHORIZATION}\
             Content-Length: {}\r\n\r\n",
            self.host,
            body.len()
        );
        self.stream.write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
        let mut answer = Vec::new();
        let mut buffer = [0; 16384];
        loop {
            let text = String::from_utf8_lossy(&answer);
            if let Some((head, rest)) = text.split_once("\r\n\r\n") {
                let header = |name: &str| {
                    head.lines()
                        .find_map(|line| line.to_ascii_lowercase().strip_prefix(name).map(|v| v.trim().to_owned()))
                };
                let length: usize = header("content-length:").unwrap().parse().unwrap();
                if rest.len() >= length {
                    return Ok((head[9..12].parse().unwrap(), head.to_owned(), rest.to_owned()));
                }
            }
            match self.stream.read(&mut buffer)? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                read => answer.extend_from_slice(&buffer[..read]),
            }
        }
    }
}
