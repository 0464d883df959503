//! AWS's services, as the commands reach them: whose account, which Region, and
//! what a refusal means. Requests, retries and signatures are the SDK's. Knows
//! nothing of stacks or projects.

mod refusal;

use std::time::Duration;

use anyhow::Context as _;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

pub(crate) use refusal::{Refusal, Refused};

use crate::cli::AwsArgs;
use crate::edge::{Misuse, quoted};

/// How often a request is sent at most, with the SDK's waits between: a busy
/// account answers with throttling for some seconds.
const MOST_ATTEMPTS: u32 = 6;

/// How long a connection may take to be made.
const TO_CONNECT: Duration = Duration::from_secs(10);

/// An account in a Region, and a client for each service.
#[derive(Clone, Debug)]
pub(crate) struct Aws {
    /// The account's number.
    pub(crate) account: String,
    /// The Region's name.
    pub(crate) region: String,
    /// `aws`, `aws-cn`, `aws-us-gov` …
    pub(crate) partition: String,
    pub(crate) cloudformation: aws_sdk_cloudformation::Client,
    pub(crate) cloudwatch: aws_sdk_cloudwatch::Client,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
    pub(crate) logs: aws_sdk_cloudwatchlogs::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) streams: aws_sdk_dynamodbstreams::Client,
}

impl Aws {
    /// Where CloudFormation reads an object from (CreateChangeSet, TemplateURL).
    pub(crate) fn object_url(&self, bucket: &str, key: &str, version: &str) -> String {
        let suffix = if self.partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("https://s3.{}.{suffix}/{bucket}/{key}?versionId={version}", self.region)
    }
}

/// Finds credentials and a Region, and asks AWS who that is.
///
/// # Errors
///
/// * [`Misuse`]: there is no Region, or the endpoint is no URL;
/// * there are no credentials, or AWS does not take them.
pub(crate) async fn connect(args: &AwsArgs) -> anyhow::Result<Aws> {
    let config = config(args).await?;
    let region = config.region().map(ToString::to_string).ok_or_else(|| {
        Misuse::new("there is no Region; give --region, or set AWS_REGION or one in the profile (`aws configure`)")
    })?;
    let identity =
        aws_sdk_sts::Client::new(&config).get_caller_identity().send().await.refused("sts:GetCallerIdentity")?;
    let account = identity.account().context("AWS does not say whose account this is")?.to_owned();
    let partition = identity.arn().and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws").to_owned();
    // A bucket's name in the host's would be looked up, and an emulator has one
    // name.
    let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(config.endpoint_url().is_some()).build();
    Ok(Aws {
        account,
        region,
        partition,
        cloudformation: aws_sdk_cloudformation::Client::new(&config),
        cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        lambda: aws_sdk_lambda::Client::new(&config),
        logs: aws_sdk_cloudwatchlogs::Client::new(&config),
        s3: aws_sdk_s3::Client::from_conf(s3),
        streams: aws_sdk_dynamodbstreams::Client::new(&config),
    })
}

/// How long is waited before the same is asked again.
const AGAIN: Duration = Duration::from_millis(500);

/// Asks until there is an answer; none when there is none after this long.
pub(crate) async fn ask_until<T, E>(
    limit: Duration,
    mut ask: impl AsyncFnMut() -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    let end = tokio::time::Instant::now() + limit;
    loop {
        if let Some(answer) = ask().await? {
            return Ok(Some(answer));
        }
        if tokio::time::Instant::now() > end {
            return Ok(None);
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn config(args: &AwsArgs) -> anyhow::Result<SdkConfig> {
    // On ring: the SDK's own default needs a C library that is built with CMake.
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(RetryConfig::standard().with_max_attempts(MOST_ATTEMPTS))
        .timeout_config(TimeoutConfig::builder().connect_timeout(TO_CONNECT).build());
    if let Some(profile) = &args.profile {
        loader = loader.profile_name(profile);
    }
    // As version 1 of the AWS CLI has it, beside AWS_REGION, which the SDK reads.
    let other = std::env::var("AWS_DEFAULT_REGION").ok().filter(|_| std::env::var_os("AWS_REGION").is_none());
    if let Some(region) = args.region.clone().or_else(|| other.filter(|_| args.profile.is_none())) {
        loader = loader.region(aws_config::Region::new(region));
    }
    if let Some(url) = &args.endpoint_url {
        let wrong = || Misuse::new(format!("--endpoint-url {} is no URL, as http://127.0.0.1:5000", quoted(url)));
        let parsed = url::Url::parse(url).map_err(|_| wrong())?;
        if !["http", "https"].contains(&parsed.scheme()) || parsed.host().is_none() {
            return Err(wrong().into());
        }
        loader = loader.endpoint_url(url);
    }
    Ok(loader.load().await)
}
