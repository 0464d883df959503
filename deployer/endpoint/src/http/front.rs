//! One request: whether it may ask, what it asks, and the answer with
//! DynamoDB's headers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use dynoxide::auth_material::{self, AuthMaterial};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, DATE, HOST, HeaderMap, HeaderValue, ORIGIN, SERVER};
use hyper::{Method, Request, Response, StatusCode};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use crate::Endpoint;
use crate::database::{Answer, Operation, SERIALIZATION, UNKNOWN_OPERATION};

/// DynamoDB takes bodies of up to 16 MB.
const MOST_BODY_BYTES: usize = 16 << 20;

/// Bodies that are held at once, in bytes: eight of the largest. Who sends more
/// waits.
const MOST_BODIES_BYTES: usize = 8 * MOST_BODY_BYTES;

/// What is read of a body that is too large, so that the client has sent it all
/// and reads the answer. One that sends more is cut off.
const MOST_IGNORED_BYTES: usize = 4 * MOST_BODY_BYTES;

/// What DynamoDB answers to what is no request of its API.
const NOT_FOUND: &str = "<UnknownOperationException/>\n";

const AMZ_JSON: &str = "application/x-amz-json-1.0";
const JSON: &str = "application/json";

/// Answers requests for one listener.
pub(super) struct Front {
    endpoint: Endpoint,
    port: u16,
    bodies: Arc<Semaphore>,
    /// The time that a body may take.
    body_within: Duration,
    ids: RequestIds,
}

/// Why a body did not come.
enum NoBody {
    TooLarge,
    TooSlow,
    Broken,
}

impl Front {
    pub(super) fn new(endpoint: Endpoint, port: u16, body_within: Duration) -> Self {
        Self {
            body_within,
            endpoint,
            port,
            bodies: Arc::new(Semaphore::new(MOST_BODIES_BYTES)),
            ids: RequestIds::new(),
        }
    }

    /// Answers a request, whatever it is.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if let Some(refusal) = self.refuse(request.headers()) {
            // Whose request it was may send no other one on the connection.
            return self.closing(self.plain(StatusCode::FORBIDDEN, refusal));
        }
        match (request.method(), request.uri().path()) {
            (&Method::POST, "/") => self.post(request).await,
            (&Method::GET, "/") => {
                let region = self.endpoint.names().region();
                self.plain(StatusCode::OK, &format!("healthy: dynamodb.{region}.amazonaws.com "))
            }
            _ => self.closing(self.plain(StatusCode::NOT_FOUND, NOT_FOUND)),
        }
    }

    /// Why the request may not ask, if it may not.
    fn refuse(&self, headers: &HeaderMap) -> Option<&'static str> {
        if headers.contains_key(ORIGIN) {
            return Some("The request has an Origin: it comes from a web page, and this endpoint serves none.\n");
        }
        let mut hosts = headers.get_all(HOST).iter();
        let (host, others) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next());
        let ours = host.is_some_and(|host| is_loopback(host, self.port)) && others.is_none();
        (!ours).then_some("The Host must be 127.0.0.1, localhost or [::1] with the port of this endpoint.\n")
    }

    async fn post(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let given = head.headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
        let media = given.map(|value| value.split(';').next().unwrap_or_default().trim());
        let content_type =
            if media.is_some_and(|media| media.eq_ignore_ascii_case(AMZ_JSON)) { AMZ_JSON } else { JSON };
        let known = media.is_none_or(|media| media.eq_ignore_ascii_case(AMZ_JSON) || media.eq_ignore_ascii_case(JSON));
        if !known || given.is_none() && !body.is_end_stream() {
            return self.closing(self.plain(StatusCode::NOT_FOUND, NOT_FOUND));
        }
        let held =
            u32::try_from(body.size_hint().upper().map_or(MOST_BODY_BYTES, |bytes| {
                usize::try_from(bytes).unwrap_or(MOST_BODY_BYTES).min(MOST_BODY_BYTES)
            }));
        // Held until the answer is made. It is never closed.
        let _held = self.bodies.acquire_many(held.unwrap_or(u32::MAX)).await;
        let body = match read(body, self.body_within).await {
            Ok(body) => body,
            Err(NoBody::TooLarge) => {
                let words = "Request body exceeds the limit of 16 MB";
                let answer = Answer::error(413, "com.amazon.coral.service#RequestEntityTooLargeException", words);
                return self.closing(self.json(content_type, answer));
            }
            Err(NoBody::TooSlow) => {
                return self.closing(self.plain(
                    StatusCode::REQUEST_TIMEOUT,
                    &format!(
                        "The body did not come within {:?}.
",
                        self.body_within
                    ),
                ));
            }
            Err(NoBody::Broken) => return self.closing(self.json(content_type, Answer::bare(SERIALIZATION))),
        };
        self.json(content_type, self.operation(&head.headers, head.uri.query(), body).await)
    }

    /// The operation's answer, or why there is none, in DynamoDB's order: the
    /// JSON, the target, the credentials, the body.
    async fn operation(&self, headers: &HeaderMap, query: Option<&str>, body: Bytes) -> Answer {
        let is_object = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        let body = match String::from_utf8(body.into()) {
            Ok(body) if body.is_empty() || is_object(&body) => body,
            Ok(_) | Err(_) => return Answer::bare(SERIALIZATION),
        };
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let Some(target) = text("x-amz-target").filter(|target| Operation::parse(target).is_some()) else {
            return Answer::bare(UNKNOWN_OPERATION);
        };
        let material = AuthMaterial {
            authorization: text(AUTHORIZATION.as_str()),
            query: query.unwrap_or_default(),
            has_date_header: headers.contains_key("x-amz-date") || headers.contains_key(DATE),
        };
        if let Some(body) = auth_material::validate(material) {
            return Answer { status: 400, body };
        }
        if body.is_empty() {
            return Answer::bare(SERIALIZATION);
        }
        self.endpoint.call_known(target.to_owned(), body).await
    }

    fn json(&self, content_type: &'static str, answer: Answer) -> Response<Full<Bytes>> {
        let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = self.respond(status, answer.body);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        response
    }

    fn plain(&self, status: StatusCode, text: &str) -> Response<Full<Bytes>> {
        let mut response = self.respond(status, text.to_owned());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response
    }

    fn respond(&self, status: StatusCode, body: String) -> Response<Full<Bytes>> {
        let checksum = HeaderValue::from(crc32fast::hash(body.as_bytes()));
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert("x-amz-crc32", checksum);
        headers.insert("x-amzn-requestid", self.ids.next());
        headers.insert(SERVER, HeaderValue::from_static("Server"));
        response
    }

    /// An answer after which the connection ends: what is left of the request's
    /// body is nobody's next request.
    fn closing(&self, mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }
}

/// Whether a Host names this machine's loopback and the port.
fn is_loopback(host: &str, port: u16) -> bool {
    let Some((name, given)) = host.rsplit_once(':') else { return false };
    given == port.to_string() && (name == "127.0.0.1" || name == "[::1]" || name.eq_ignore_ascii_case("localhost"))
}

/// Reads a body, within its limits.
async fn read(mut body: Incoming, within: Duration) -> Result<Bytes, NoBody> {
    let said = body.size_hint().upper().and_then(|bytes| usize::try_from(bytes).ok());
    let whole = async {
        let mut bytes = Vec::with_capacity(said.unwrap_or(0).min(64 << 10));
        let mut count = 0;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| NoBody::Broken)?.into_data() else { continue };
            count += data.len();
            if count <= MOST_BODY_BYTES {
                bytes.extend_from_slice(&data);
            } else if count > MOST_IGNORED_BYTES {
                return Err(NoBody::TooLarge);
            }
        }
        if count > MOST_BODY_BYTES { Err(NoBody::TooLarge) } else { Ok(Bytes::from(bytes)) }
    };
    if said.is_some_and(|said| said > MOST_IGNORED_BYTES) {
        return Err(NoBody::TooLarge);
    }
    tokio::time::timeout(within, whole).await.unwrap_or(Err(NoBody::TooSlow))
}

/// Ids of requests in DynamoDB's form: 52 capital letters and digits.
struct RequestIds {
    seed: u128,
    count: AtomicU64,
}

impl RequestIds {
    fn new() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { seed: since.as_nanos(), count: AtomicU64::new(0) }
    }

    fn next(&self) -> HeaderValue {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let digest = Sha256::digest(format!("{} {count}", self.seed));
        let id: String = digest.iter().take(26).map(|byte| format!("{byte:02X}")).collect();
        // Hex digits are always a header's value.
        HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("0"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_with_the_port_is_a_host() {
        for host in ["127.0.0.1:8000", "localhost:8000", "LocalHost:8000", "[::1]:8000"] {
            assert!(is_loopback(host, 8000), "{host}");
        }
        for host in [
            "127.0.0.1",
            "localhost",
            "127.0.0.1:80",
            "evil.example:8000",
            "127.0.0.1.evil.example:8000",
            "0.0.0.0:8000",
            "::1:8000",
            "localhost:8000:8000",
            "localhost.:8000",
            "",
            ":8000",
            "127.1:8000",
            "localhost:08000",
        ] {
            assert!(!is_loopback(host, 8000), "{host}");
        }
    }
}
