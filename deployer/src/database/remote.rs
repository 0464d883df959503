//! An endpoint over HTTP: one on this machine (DynamoDB Local, an emulator,
//! another `gristmill dev`), or AWS. Bodies are JSON text, in and out as they
//! are: what nobody knows passes through, which the typed clients of AWS's SDK
//! would not do. Signatures, profiles and TLS are the SDK's.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{Mutex, watch};
use url::{Host, Url};

use super::api::Api;
use crate::cli::EndpointArgs;
use crate::edge::{Misuse, quoted};

/// How long a connection may take to be made.
const TO_CONNECT: Duration = Duration::from_secs(5);

/// How long an answer may take to begin.
const TO_ANSWER: Duration = Duration::from_secs(30);

/// How long a whole request may take. The connection's own limit ends with the
/// head of the answer.
const TO_END: Duration = Duration::from_secs(45);

/// Credentials are asked for again this long before they expire.
const BEFORE_EXPIRY: Duration = Duration::from_secs(300);

/// Credentials that do not say when they expire are asked for again after this,
/// as the SDK does it.
const KEPT: Duration = Duration::from_secs(900);

/// For an endpoint on this machine where nothing else is set, as for every
/// emulator.
const LOCAL_REGION: &str = "us-east-1";

/// Which endpoint, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// None is AWS's own of the Region.
    url: Option<Url>,
    profile: Option<String>,
    region: Option<String>,
}

impl Target {
    /// What the command line names; none when it names none.
    ///
    /// # Errors
    ///
    /// [`Misuse`] when it is no URL of an endpoint.
    pub(crate) fn of(args: &EndpointArgs) -> Result<Option<Self>, Misuse> {
        let Some(endpoint) = &args.endpoint else { return Ok(None) };
        let url = if endpoint == "aws" { None } else { Some(parsed(endpoint)?) };
        Ok(Some(Self { url, profile: args.profile.clone(), region: args.region.clone() }))
    }

    /// An endpoint on this machine.
    ///
    /// # Errors
    ///
    /// [`Misuse`] when it is no URL.
    pub(crate) fn local(url: &str) -> Result<Self, Misuse> {
        Ok(Self { url: Some(parsed(url)?), profile: None, region: None })
    }

    /// Whether it is on this machine, so that nothing of anybody else's can be
    /// there.
    pub(crate) fn is_loopback(&self) -> bool {
        match self.url.as_ref().and_then(Url::host) {
            Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        }
    }

    /// As it is shown.
    pub(crate) fn shown(&self) -> String {
        self.url.as_ref().map_or_else(|| "AWS".to_owned(), |url| url.as_str().trim_end_matches('/').to_owned())
    }
}

fn parsed(text: &str) -> Result<Url, Misuse> {
    let wrong = |why: &str| {
        Misuse::new(format!(
            "--endpoint {} {why}; it takes a URL, for example http://127.0.0.1:8000, or `aws`",
            quoted(text)
        ))
    };
    let url = Url::parse(text).map_err(|error| wrong(&format!("is no URL ({error})")))?;
    if !["http", "https"].contains(&url.scheme()) || url.host().is_none() {
        return Err(wrong("is no URL of an endpoint"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("has more than a host and a port"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("has a user in it; credentials come from the environment or a profile"));
    }
    Ok(url)
}

/// An endpoint that answers over HTTP.
pub(crate) struct Remote {
    http: Connector,
    credentials: SharedCredentialsProvider,
    /// Those that were found last, until then: to find them may start a process
    /// or ask a server, and a stream is read four times a second.
    found: Mutex<Option<(Credentials, SystemTime)>>,
    region: String,
    url: Option<Url>,
    /// Nobody tells when something is written: the mapping looks by itself.
    changes: watch::Sender<u64>,
}

impl Remote {
    /// Finds credentials and a Region. Asks the endpoint nothing yet.
    ///
    /// # Errors
    ///
    /// For AWS, when there is no Region or no credentials.
    pub(crate) async fn new(target: &Target) -> anyhow::Result<Self> {
        let tls = Provider::Rustls(CryptoMode::Ring);
        let settings = HttpConnectorSettings::builder().connect_timeout(TO_CONNECT).read_timeout(TO_ANSWER).build();
        let http = Connector::builder()
            .tls_provider(tls.clone())
            .connector_settings(settings)
            .sleep_impl(TokioSleep::new())
            .build();
        // What is on this machine asks for nobody's credentials, and the search
        // for them may take seconds: it would ask an instance's metadata.
        let is_local = target.is_loopback() && target.profile.is_none();
        let (credentials, region) = if is_local {
            let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
            let key = variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY"));
            let (id, secret) = key.unwrap_or_else(|| ("local".to_owned(), "local".to_owned()));
            let credentials = Credentials::new(id, secret, variable("AWS_SESSION_TOKEN"), None, "environment");
            let region = target.region.clone().or_else(|| variable("AWS_REGION"));
            let region = region.or_else(|| variable("AWS_DEFAULT_REGION")).unwrap_or_else(|| LOCAL_REGION.to_owned());
            (SharedCredentialsProvider::new(credentials), region)
        } else {
            let mut loader = aws_config::defaults(BehaviorVersion::latest())
                .http_client(Builder::new().tls_provider(tls).build_https());
            if let Some(profile) = &target.profile {
                loader = loader.profile_name(profile);
            }
            if let Some(region) = &target.region {
                loader = loader.region(aws_config::Region::new(region.clone()));
            }
            let config = loader.load().await;
            let region = config.region().map(ToString::to_string);
            let region = region.or_else(|| std::env::var("AWS_DEFAULT_REGION").ok());
            let region = region.ok_or_else(|| {
                Misuse::new("there is no Region; give --region, or set AWS_REGION or one in the profile")
            })?;
            let credentials = config.credentials_provider().context("there are no credentials")?;
            (credentials, region)
        };
        let (found, changes) = (Mutex::default(), watch::Sender::new(0));
        let remote = Self { http, credentials, found, region, url: target.url.clone(), changes };
        // Now, so that what is wrong with them is told before anything else.
        remote.credentials().await?;
        Ok(remote)
    }

    async fn credentials(&self) -> anyhow::Result<Credentials> {
        // Held while they are looked for: all who ask wait for one answer.
        let mut found = self.found.lock().await;
        if let Some((credentials, _)) = found.as_ref().filter(|(_, until)| SystemTime::now() < *until) {
            return Ok(credentials.clone());
        }
        let new = self.credentials.provide_credentials().await.context("there are no credentials")?;
        let until = match new.expiry() {
            Some(expiry) => expiry.checked_sub(BEFORE_EXPIRY).unwrap_or(expiry),
            None => SystemTime::now() + KEPT,
        };
        *found = Some((new.clone(), until));
        Ok(new)
    }

    /// The Region that requests are signed for.
    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// The event source mappings of a stream, as function and state; none when
    /// they cannot be asked for, as at an endpoint without Lambda.
    pub(crate) async fn mappings_of(&self, stream_arn: &str) -> Option<Vec<(String, String)>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Page {
            event_source_mappings: Vec<Mapping>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Mapping {
            function_arn: String,
            state: String,
        }
        let mut url = Url::parse(&self.url_of("lambda")).ok()?.join("2015-03-31/event-source-mappings/").ok()?;
        url.query_pairs_mut().append_pair("EventSourceArn", stream_arn).append_pair("MaxItems", "100");
        let (status, body) = self.send("GET", url.as_str(), "lambda", &[], String::new()).await.ok()?;
        let page: Page = serde_json::from_str(&body).ok().filter(|_| status == 200)?;
        let name = |arn: String| arn.split(":function:").last().unwrap_or(&arn).to_owned();
        Some(page.event_source_mappings.into_iter().map(|found| (name(found.function_arn), found.state)).collect())
    }

    /// Where a service is: `dynamodb`, `streams.dynamodb`, `lambda`.
    fn url_of(&self, service: &str) -> String {
        match &self.url {
            Some(url) => url.to_string(),
            None => {
                let suffix = if self.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
                format!("https://{service}.{}.{suffix}/", self.region)
            }
        }
    }

    /// Signs a request and sends it; gives the status and the body.
    async fn send(
        &self,
        method: &'static str,
        url: &str,
        service: &str,
        headers: &[(&'static str, &str)],
        body: String,
    ) -> anyhow::Result<(u16, String)> {
        let identity = self.credentials().await?.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let signable =
            SignableRequest::new(method, url, headers.iter().copied(), SignableBody::Bytes(body.as_bytes()))?;
        let (signed, _) = sign(signable, &parameters)?.into_parts();
        let mut request = HttpRequest::new(SdkBody::from(body.into_bytes()));
        request.set_method(method)?;
        request.set_uri(url)?;
        for (name, value) in headers {
            request.headers_mut().try_insert(*name, (*value).to_owned())?;
        }
        for header in signed.into_parts().0 {
            request.headers_mut().try_insert(header.name().to_owned(), header.value().to_owned())?;
        }
        let answer = async {
            let response = self.http.call(request).await?;
            let status = response.status().as_u16();
            anyhow::Ok((status, ByteStream::new(response.into_body()).collect().await?.to_vec()))
        };
        let (status, body) = tokio::time::timeout(TO_END, answer).await.context("the answer does not end")??;
        Ok((status, String::from_utf8(body).context("the answer is not UTF-8")?))
    }
}

impl Api for Remote {
    async fn call(&self, target: &str, body: String) -> (u16, String) {
        let service = if target.starts_with("DynamoDBStreams") { "streams.dynamodb" } else { "dynamodb" };
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target)];
        match self.send("POST", &self.url_of(service), "dynamodb", &headers, body).await {
            Ok(answer) => answer,
            // As an answer that says so: who asks tries again, or tells it.
            Err(error) => (503, json!({ "__type": "EndpointUnreachable", "message": chain(&error) }).to_string()),
        }
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

/// All causes on one line: the outer ones say no more than that it failed.
fn chain(error: &anyhow::Error) -> String {
    let mut words: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        if words.last().is_none_or(|last| !last.contains(&text)) {
            words.push(text);
        }
    }
    words.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(endpoint: &str) -> Result<Target, String> {
        let args = EndpointArgs { endpoint: Some(endpoint.to_owned()), profile: None, region: None };
        Target::of(&args).map(Option::unwrap).map_err(|misuse| misuse.to_string())
    }

    #[test]
    fn loopback_is_what_is_on_this_machine() {
        for (endpoint, loopback) in [
            ("http://127.0.0.1:8000", true),
            ("http://127.9.9.9/", true),
            ("http://localhost:8000", true),
            ("http://LOCALHOST:8000", true),
            ("http://[::1]:8000", true),
            ("http://localhost.example.com", false),
            ("http://127.0.0.1.example.com", false),
            ("http://0x7f000001", true),
            ("http://0.0.0.0:8000", false),
            ("http://10.0.0.1:8000", false),
            ("https://dynamodb.us-east-1.amazonaws.com", false),
            ("aws", false),
        ] {
            assert_eq!(target(endpoint).unwrap().is_loopback(), loopback, "{endpoint}");
        }
    }

    #[test]
    fn what_is_no_endpoint_is_told() {
        for (endpoint, why) in [
            ("8000", "is no URL"),
            ("", "is no URL"),
            ("localhost:8000", "is no URL of an endpoint"),
            ("file:///etc/passwd", "is no URL of an endpoint"),
            ("http://127.0.0.1:8000/path", "has more than a host and a port"),
            ("http://127.0.0.1:8000/?x=1", "has more than a host and a port"),
            ("http://me:secret@127.0.0.1:8000", "has a user in it"),
        ] {
            let error = target(endpoint).unwrap_err();
            assert!(error.contains(why), "{endpoint}: {error}");
        }
    }

    #[tokio::test]
    async fn aws_has_two_hosts_a_region() {
        for (region, table, stream) in [
            (
                "eu-west-1",
                "https://dynamodb.eu-west-1.amazonaws.com/",
                "https://streams.dynamodb.eu-west-1.amazonaws.com/",
            ),
            (
                "cn-north-1",
                "https://dynamodb.cn-north-1.amazonaws.com.cn/",
                "https://streams.dynamodb.cn-north-1.amazonaws.com.cn/",
            ),
        ] {
            let mut local = target("http://127.0.0.1:1").unwrap();
            local.region = Some(region.to_owned());
            let mut remote = Remote::new(&local).await.unwrap();
            remote.url = None;
            assert_eq!(remote.url_of("dynamodb"), table);
            assert_eq!(remote.url_of("streams.dynamodb"), stream);
        }
    }

    #[tokio::test]
    async fn nobody_there_is_an_answer_that_says_so() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let remote = Remote::new(&target(&format!("http://127.0.0.1:{port}")).unwrap()).await.unwrap();
        let (status, body) = remote.call("DynamoDB_20120810.ListTables", "{}".to_owned()).await;
        assert_eq!(status, 503);
        assert!(body.contains("EndpointUnreachable") && body.contains("refused"), "{body}");
    }
}
