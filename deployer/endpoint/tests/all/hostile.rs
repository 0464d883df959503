//! What a web page, a broken client or an attacker sends.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use gristmill_endpoint::ServeError;
use serde_json::{Value, json};

use crate::support::{AUTHORIZATION, Client, InProcess, Served};

const LIST: &str = "DynamoDB_20120810.ListTables";

fn body_of(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}")).1
}

fn status(answer: &str) -> u16 {
    answer.get(9..12).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

fn kind(answer: &str) -> String {
    let body: Value = serde_json::from_str(body_of(answer)).unwrap();
    body["__type"].as_str().unwrap().rsplit('#').next().unwrap().to_owned()
}

/// A good request but for what `change` makes of it; the connection ends with it.
fn changed(served: &Served, body: &str, change: impl FnOnce(String) -> String) -> String {
    let request = format!("{}Connection: close\r\n\r\n{body}", served.head(LIST, body.len()));
    served.raw(change(request).as_bytes())
}

#[test]
fn a_good_request_is_answered_with_dynamodbs_headers() {
    let served = Served::new();
    let answer = changed(&served, "{}", |request| request);
    assert_eq!(status(&answer), 200, "{answer}");
    assert_eq!(body_of(&answer), r#"{"TableNames":[]}"#);
    let head = answer.to_ascii_lowercase();
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name).map(|v| v.trim().to_owned()));
    assert_eq!(header("content-type:").unwrap(), "application/x-amz-json-1.0");
    assert_eq!(header("x-amz-crc32:").unwrap(), crc32(body_of(&answer).as_bytes()).to_string());
    let id = header("x-amzn-requestid:").unwrap();
    assert!(id.len() == 52 && id.bytes().all(|b| b.is_ascii_alphanumeric()), "{id}");
    let plain = changed(&served, "{}", |request| request.replace("x-amz-json-1.0", "json; charset=utf-8"));
    assert!(
        status(&plain) == 200 && plain.to_ascii_lowercase().contains("content-type: application/json\r\n"),
        "{plain}"
    );
}

/// The checksum bit by bit, as its definition has it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

#[test]
fn a_web_page_is_refused() {
    let served = Served::new();
    served.inside.create("a-table", None);
    let mut answers = Vec::new();
    for origin in ["https://evil.example", "null", "http://localhost:3000", &served.url(), ""] {
        answers.push(changed(&served, "{}", |r| r.replace("Connection:", &format!("Origin: {origin}\r\nConnection:"))));
    }
    // What a browser asks before it sends such a request.
    let preflight = format!(
        "OPTIONS / HTTP/1.1\r\nHost: {}\r\nOrigin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n\
         Access-Control-Request-Headers: x-amz-target\r\nAccess-Control-Request-Private-Network: true\r\n\r\n",
        served.address
    );
    answers.push(served.raw(preflight.as_bytes()));
    answers.push(served.raw(format!("GET / HTTP/1.1\r\nHost: {}\r\nOrigin: x\r\n\r\n", served.address).as_bytes()));
    for answer in answers {
        assert_eq!(status(&answer), 403, "{answer}");
        assert!(body_of(&answer).contains("Origin") && !answer.contains("a-table"), "{answer}");
    }
}

#[test]
fn no_answer_has_a_cors_header() {
    let served = Served::new();
    let address = served.address;
    for request in [
        format!("{}Connection: close\r\n\r\n{{}}", served.head(LIST, 2)),
        format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"),
        format!("OPTIONS / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"),
        format!("OPTIONS / HTTP/1.1\r\nHost: {address}\r\nOrigin: x\r\nConnection: close\r\n\r\n"),
        format!("DELETE /x HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"),
    ] {
        let answer = served.raw(request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 "), "{answer:?}");
        assert!(!answer.to_ascii_lowercase().contains("access-control"), "{answer}");
    }
}

#[test]
fn only_a_loopback_host_with_the_port_is_answered() {
    let served = Served::new();
    let port = served.address.port();
    let with = |host: &str| {
        let old = format!("Host: {}\r\n", served.address);
        changed(&served, "{}", |r| {
            r.replace(&old, &if host.is_empty() { String::new() } else { format!("Host: {host}\r\n") })
        })
    };
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}")] {
        assert_eq!(status(&with(&host)), 200, "{host}");
    }
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        format!("127.0.0.1.nip.io:{port}"),
        "localhost".to_owned(),
        "127.0.0.1:1".to_owned(),
        format!("localhost:{port}\r\nHost: localhost:{port}"),
        String::new(),
    ] {
        let answer = with(&host);
        assert!([400, 403].contains(&status(&answer)), "{host}: {answer}");
    }
    assert!(body_of(&with("evil.example")).contains("127.0.0.1, localhost or [::1]"));
    // The form that a proxy gets names a host of its own; the header decides.
    let absolute = changed(&served, "{}", |r| {
        r.replace("POST / ", "POST http://evil.example/ ")
            .replace(&format!("Host: {}", served.address), "Host: evil.example")
    });
    assert_eq!(status(&absolute), 403, "{absolute}");
}

#[test]
fn what_is_no_request_of_the_api_is_refused_as_dynamodb_does() {
    let served = Served::new();
    let without = |line: &str| changed(&served, "{}", |r| r.replace(line, ""));
    let target = format!("X-Amz-Target: {LIST}\r\n");
    assert_eq!(kind(&without(&target)), "UnknownOperationException");
    for other in [
        "DynamoDB_20120810.Nothing",
        "ListTables",
        "DynamoDB_20111205.ListTables",
        "DynamoDBStreams_20120810.ListTables",
    ] {
        let answer = changed(&served, "{}", |r| r.replace(LIST, other));
        assert_eq!((status(&answer), kind(&answer).as_str()), (400, "UnknownOperationException"), "{other}");
    }
    assert_eq!(kind(&without(AUTHORIZATION)), "MissingAuthenticationTokenException");
    for body in ["", "nonsense", "{", "{} {}", "\u{7f}"] {
        let answer = changed(&served, body, |r| r);
        assert_eq!((status(&answer), kind(&answer).as_str()), (400, "SerializationException"), "{body}");
    }
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(kind(&changed(&served, &deep, |r| r)), "SerializationException");
    let json = format!("{{\"ExclusiveStartTableName\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(kind(&changed(&served, &json, |r| r)), "SerializationException");
    assert_eq!(status(&changed(&served, "{}", |r| r.replace("x-amz-json-1.0", "x-www-form-urlencoded"))), 404);
    assert_eq!(
        status(&changed(&served, "{}", |r| r
            .replace("Content-Type: application/x-amz-json-1.0", "Content-Type: text/plain"))),
        404
    );
    assert_eq!(status(&changed(&served, "{}", |r| r.replace("POST / ", "POST /other "))), 404);
    assert_eq!(status(&changed(&served, "{}", |r| r.replace("POST / ", "PUT / "))), 404);
    let get = served.raw(format!("GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", served.address).as_bytes());
    assert_eq!((status(&get), body_of(&get)), (200, "healthy: dynamodb.us-east-1.amazonaws.com "));
    let not_utf8 = [format!("{}Connection: close\r\n\r\n", served.head(LIST, 4)).as_bytes(), b"{\xff\xfe}"].concat();
    assert_eq!(kind(&served.raw(&not_utf8)), "SerializationException");
}

#[test]
fn a_body_of_17_mb_is_refused_and_one_of_15_is_read() {
    let served = Served::new();
    let padded = |bytes: usize| format!("{{{}}}", " ".repeat(bytes - 2));
    let answer = changed(&served, &padded(15 << 20), |r| r);
    assert_eq!(status(&answer), 200, "{answer}");
    let answer = changed(&served, &padded(17 << 20), |r| r);
    assert_eq!((status(&answer), kind(&answer).as_str()), (413, "RequestEntityTooLargeException"), "{answer}");
    // In chunks, so that nobody says beforehand how much it is.
    let mut stream = served.connect();
    let head = served.head(LIST, 0).replace("Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = format!("100000\r\n{}\r\n", " ".repeat(1 << 20));
    for _ in 0..17 {
        stream.write_all(chunk.as_bytes()).unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(status(&answer), 413, "{answer}");
    // Somebody who says to send a terabyte is not waited for.
    let answer = served.raw(format!("{}\r\n", served.head(LIST, 1 << 40)).as_bytes());
    assert_eq!(status(&answer), 413, "{answer}");
}

#[test]
fn garbage_and_large_heads_are_refused() {
    let served = Served::new();
    let large = format!("POST / HTTP/1.1\r\nHost: {}\r\nX: {}\r\n\r\n", served.address, "x".repeat(200 << 10));
    let many = format!("POST / HTTP/1.1\r\nHost: {}\r\n{}\r\n", served.address, "X: y\r\n".repeat(200));
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        vec![0; 4096],
        b"hello\r\n\r\n".to_vec(),
        large.into(),
        many.into(),
    ] {
        let answer = served.raw(&bytes);
        assert!(answer.is_empty() || [400, 431].contains(&status(&answer)), "{answer}");
    }
    assert_eq!(status(&changed(&served, "{}", |r| r)), 200);
}

#[test]
fn half_a_request_holds_up_nobody_and_does_nothing() {
    let served = Served::new();
    served.inside.create("a-table", Some("KEYS_ONLY"));
    let put = json!({"TableName": "a-table", "Item": {"id": {"S": "a"}}}).to_string();
    let head = format!("{}\r\n", served.head("DynamoDB_20120810.PutItem", put.len()));
    let mut waiting = Vec::new();
    for _ in 0..50 {
        let mut stream = served.connect();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&put.as_bytes()[..put.len() / 2]).unwrap();
        waiting.push(stream);
    }
    for _ in 0..50 {
        let mut stream = served.connect();
        stream.write_all(b"POST / HT").unwrap();
        waiting.push(stream);
    }
    let mut client = Client::connect(served.address).unwrap();
    assert_eq!(client.request(LIST, "{}").unwrap().0, 200);
    drop(waiting);
    let arn = served.inside.arn("a-table");
    assert_eq!(served.inside.records(&arn), Vec::<Value>::new());
}

#[test]
fn a_connection_is_kept_and_a_shutdown_ends_it() {
    let mut served = Served::new();
    let mut client = Client::connect(served.address).unwrap();
    for _ in 0..20 {
        let (status, head, body) = client.request(LIST, "{}").unwrap();
        assert_eq!((status, body.as_str()), (200, r#"{"TableNames":[]}"#), "{head}");
        assert!(!head.to_ascii_lowercase().contains("connection: close"));
    }
    served.stop();
    assert!(client.request(LIST, "{}").is_err());
    assert!(Client::connect(served.address).is_err());
}

#[test]
fn only_loopback_is_served() {
    let inside = InProcess::new();
    let listener = TcpListener::bind(("0.0.0.0", 0)).unwrap();
    let served = inside.runtime.block_on(inside.endpoint.serve(listener, std::future::ready(())));
    assert!(matches!(served, Err(ServeError::NotLoopback(_))), "{served:?}");
}
