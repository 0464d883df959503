//! `gristmill failed`: batches that Lambda gave up on, as they lie in the failure
//! bucket, and their delivery once more.

mod document;
mod replay;

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use serde_json::json;

use crate::aws::{self, Aws, Refused as _};
use crate::cli::{FailedListArgs, FailedScope, FailedShowArgs, Output};
use crate::deploy;
use crate::edge::{Done, Misuse, escape};
use crate::manifest::{self, Destination, Manifest};
use crate::running::Running;
use crate::template::failure_bucket;

pub use document::Document;
pub use replay::replay;

/// Under which Lambda puts them (AWS-FACTS, Golden traces, the failure document).
const PREFIX: &str = "aws/lambda/";

/// The largest document that is read: an event of 6 MB as an escaped string.
const MOST_BYTES: i64 = 64 * 1024 * 1024;

/// A document and where it lies.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// None when it cannot be read: why.
    pub(crate) document: Result<Document, String>,
}

/// The buckets that the project's mappings give up to, and streams that give up to
/// something else.
fn buckets(running: &Running<'_>, stream: Option<&str>) -> (Vec<String>, Vec<String>) {
    let (mut buckets, mut others) = (Vec::new(), Vec::new());
    for each in running.functions.iter().flat_map(|function| &function.streams) {
        if stream.is_some_and(|stream| stream != each.name) {
            continue;
        }
        let bucket = match &each.mapping.on_failure {
            None => running.resources.get(failure_bucket()).map(|bucket| bucket.physical_id.clone()),
            Some(Destination::S3(arn)) => arn.rsplit(':').next().map(str::to_owned),
            Some(Destination::Sqs(arn) | Destination::Sns(arn)) => {
                others.push(format!(
                    "[stream.{}] gives up to {arn}, which does not get the records themselves",
                    each.name
                ));
                None
            }
        };
        buckets.extend(bucket.filter(|bucket| !buckets.contains(bucket)).into_iter().collect::<Vec<_>>());
    }
    (buckets, others)
}

/// The documents of the project, in the order in which their records were written.
/// Those of a bucket that is shared with others are told apart by their function.
///
/// # Errors
///
/// AWS refuses to say.
pub(crate) async fn find(aws: &Aws, running: &Running<'_>, stream: Option<&str>) -> anyhow::Result<Vec<Kept>> {
    let (buckets, others) = buckets(running, stream);
    for other in others {
        eprintln!("note: {other}");
    }
    let names: Vec<_> = running.functions.iter().map(crate::functions::Function::name).collect();
    let table = stream.and_then(|name| running.manifest.stream(name)).map(|stream| stream.table().to_owned());
    let mut all = Vec::new();
    for bucket in buckets {
        let list = aws.s3.list_objects_v2().bucket(&bucket).prefix(PREFIX).expected_bucket_owner(&aws.account);
        let mut pages = list.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = match page.refused("s3:ListBucket") {
                Err(refusal) if refusal.is("NoSuchBucket") => break,
                other => other?,
            };
            for object in page.contents() {
                let key = object.key().unwrap_or_default().to_owned();
                let document = match object.size().unwrap_or_default() {
                    0..=MOST_BYTES => read(aws, &bucket, &key).await?,
                    bytes => Err(format!("it has {bytes} bytes, and is none of Lambda's")),
                };
                let is_ours = document.as_ref().map_or(true, |document| {
                    names.iter().any(|name| document.is_of(name))
                        && table.as_ref().is_none_or(|table| document.table() == Some(table))
                });
                if is_ours {
                    all.push(Kept { bucket: bucket.clone(), key, document });
                }
            }
        }
    }
    // What cannot be read stands at the end.
    all.sort_by_key(|kept| match &kept.document {
        Ok(document) => (0, document.order(), kept.key.clone()),
        Err(_) => (1, (String::new(), 0, String::new()), kept.key.clone()),
    });
    Ok(all)
}

async fn read(aws: &Aws, bucket: &str, key: &str) -> anyhow::Result<Result<Document, String>> {
    let get = aws.s3.get_object().bucket(bucket).key(key).expected_bucket_owner(&aws.account).send().await;
    let object = match get.refused("s3:GetObject") {
        Err(refusal) if refusal.is("NoSuchKey") => {
            return Ok(Err("it is gone".to_owned()));
        }
        other => other?,
    };
    let bytes = object.body.collect().await.with_context(|| format!("cannot read {key}"))?.into_bytes();
    Ok(Document::parse(&bytes))
}

fn load(root: &Path, scope: &FailedScope) -> anyhow::Result<Manifest> {
    let manifest = manifest::load(root, scope.env.env.as_deref())?;
    if let Some(name) = &scope.stream
        && manifest.stream(name).is_none()
    {
        let known: Vec<_> = manifest.streams.iter().map(|stream| stream.name.as_str()).collect();
        return Err(Misuse::new(format!("there is no [stream.{name}]{}", crate::names::suggest(name, &known))).into());
    }
    Ok(manifest)
}

/// Runs `gristmill failed list` in the project at `root`.
///
/// # Errors
///
/// * the manifest has problems, or there is no such stream;
/// * there is no stack, or AWS refuses to say.
pub fn list(root: &Path, args: &FailedListArgs) -> anyhow::Result<Done> {
    let manifest = load(root, &args.scope)?;
    deploy::runtime()?.block_on(async {
        let aws = aws::connect(&args.scope.aws).await?;
        let running = Running::find(&aws, &manifest).await?;
        let all = find(&aws, &running, args.scope.stream.as_deref()).await?;
        Ok(Done::printing(match args.output {
            Output::Json => {
                let batches: Vec<_> = all
                    .iter()
                    .map(|kept| match &kept.document {
                        Ok(document) => document.summary(&kept.bucket, &kept.key),
                        Err(why) => json!({ "bucket": kept.bucket, "key": kept.key, "unreadable": why }),
                    })
                    .collect();
                json!({ "batches": batches }).to_string() + "\n"
            }
            Output::Text => text(&all),
        }))
    })
}

fn text(all: &[Kept]) -> String {
    if all.is_empty() {
        return "no batch was given up on\n".to_owned();
    }
    let mut text = String::new();
    for kept in all {
        let _ = writeln!(text, "{}", kept.key);
        match &kept.document {
            Ok(document) => {
                let _ = writeln!(text, "  {}", document.words());
            }
            Err(why) => {
                let _ = writeln!(text, "  it cannot be read: {why}");
            }
        }
    }
    let _ = writeln!(
        text,
        "\n{} given up on. Next: `gristmill failed show KEY`, then `gristmill failed replay`",
        if all.len() == 1 { "1 batch was".to_owned() } else { format!("{} batches were", all.len()) }
    );
    escape(&text)
}

/// Runs `gristmill failed show` in the project at `root`.
///
/// # Errors
///
/// * as [`list`];
/// * [`Misuse`]: there is no such document.
pub fn show(root: &Path, args: &FailedShowArgs) -> anyhow::Result<Done> {
    let manifest = load(root, &args.scope)?;
    deploy::runtime()?.block_on(async {
        let aws = aws::connect(&args.scope.aws).await?;
        let running = Running::find(&aws, &manifest).await?;
        let (buckets, _) = buckets(&running, args.scope.stream.as_deref());
        for bucket in buckets {
            if let Ok(document) = read(&aws, &bucket, &args.key).await? {
                return Ok(Done::printing(document.pretty()));
            }
        }
        let message = format!("there is no readable document {}; `gristmill failed list` lists them", args.key);
        Err(Misuse::new(message).into())
    })
}
