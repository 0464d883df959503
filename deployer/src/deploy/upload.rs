//! A package, or a large template, on its way to the bucket: under a name that is
//! its digest, so that what is there already is not sent again, and by a version,
//! so that what was sent is what is read.

use std::path::Path;

use anyhow::Context as _;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use crate::aws::{Aws, Refusal, Refused as _};
use crate::edge::Misuse;
use crate::stack;
use crate::template::ACCOUNT_STACK;

/// A part of an upload. S3 takes no smaller ones than 5 MiB (Amazon S3 multipart
/// upload limits); progress is told after each.
const PART_BYTES: usize = 8 * 1024 * 1024;

/// Where an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) version: String,
}

/// The bucket for packages: the manifest's, or the account's own.
///
/// # Errors
///
/// * [`Misuse`]: there is none;
/// * AWS refuses to say.
pub(super) async fn bucket(aws: &Aws, named: Option<&str>) -> anyhow::Result<String> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let found = stack::find(aws, ACCOUNT_STACK).await?;
    let name = found.and_then(|stack| stack.outputs.get("PackageBucketName").cloned());
    name.ok_or_else(|| {
        Misuse::new(format!(
            "there is no bucket for packages in {} of the account {} yet: `gristmill bootstrap` makes one, or name yours by \
             `bucket` in [deploy]",
            aws.region, aws.account
        ))
        .into()
    })
}

/// Uploads a file, unless it is there. `digest` is its SHA-256 in hexadecimal.
///
/// # Errors
///
/// * the bucket is somebody else's, is not there, or keeps no versions;
/// * the upload fails.
pub(super) async fn upload(aws: &Aws, bucket: &str, key: &str, file: &Path, quiet: bool) -> anyhow::Result<Object> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    put(aws, bucket, key, bytes, quiet).await
}

/// The same, of bytes.
///
/// # Errors
///
/// As [`upload`].
pub(super) async fn put(aws: &Aws, bucket: &str, key: &str, bytes: Vec<u8>, quiet: bool) -> anyhow::Result<Object> {
    let object = |version: &str| Object { bucket: bucket.to_owned(), key: key.to_owned(), version: version.to_owned() };
    let head = aws.s3.head_object().bucket(bucket).key(key).expected_bucket_owner(&aws.account).send().await;
    // Without a body a refusal has no code: whatever it is, the upload says it
    // better.
    if let Ok(head) = head
        && head.content_length().and_then(|length| usize::try_from(length).ok()) == Some(bytes.len())
        && let Some(version) = head.version_id()
    {
        if !quiet {
            eprintln!("  the package is there already: s3://{bucket}/{key}");
        }
        return Ok(object(version));
    }
    let version = match bytes.len() {
        0..=PART_BYTES => {
            let length = bytes.len();
            let put = aws.s3.put_object().bucket(bucket).key(key).expected_bucket_owner(&aws.account);
            let answer = put.body(ByteStream::from(bytes)).send().await.refused("s3:PutObject");
            let answer = answer.map_err(|refusal| told(aws, bucket, refusal))?;
            tell(quiet, length, length);
            answer.version_id().map(str::to_owned)
        }
        _ => in_parts(aws, bucket, key, &bytes, quiet).await?,
    };
    let version = version.filter(|version| version != "null").ok_or_else(|| Misuse::new(no_versions(bucket)))?;
    Ok(object(&version))
}

/// What S3 refuses an upload for, in words that say what to do.
fn told(aws: &Aws, bucket: &str, refusal: Refusal) -> anyhow::Error {
    let message = match refusal.code.as_str() {
        "NoSuchBucket" => format!(
            "there is no bucket {bucket}: `gristmill bootstrap` makes one, or name another by `bucket` in [deploy]"
        ),
        // S3 says no more to who is not the owner, and neither who it is.
        "AccessDenied" => format!(
            "the bucket {bucket} is not of the account {}, or this user may not write to it; nothing was uploaded. `bucket` \
             in [deploy] names another, and `gristmill bootstrap` makes one",
            aws.account
        ),
        "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => format!(
            "the bucket {bucket} is in another Region than {}; Lambda reads packages from its own Region only",
            aws.region
        ),
        _ => return refusal.into(),
    };
    Misuse::new(message).into()
}

fn no_versions(bucket: &str) -> String {
    format!(
        "the bucket {bucket} keeps no versions, and a deploy names the version of what it has uploaded; `aws s3api \
         put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled`"
    )
}

async fn in_parts(aws: &Aws, bucket: &str, key: &str, bytes: &[u8], quiet: bool) -> anyhow::Result<Option<String>> {
    let begin = aws.s3.create_multipart_upload().bucket(bucket).key(key).expected_bucket_owner(&aws.account);
    let begun = begin.send().await.refused("s3:PutObject").map_err(|refusal| told(aws, bucket, refusal))?;
    let id = begun.upload_id().context("S3 names no upload")?.to_owned();
    match parts(aws, bucket, key, &id, bytes, quiet).await {
        Ok(version) => Ok(version),
        Err(error) => {
            // What lies there half would be paid for.
            let abort = aws.s3.abort_multipart_upload().bucket(bucket).key(key).upload_id(&id);
            let _ = abort.expected_bucket_owner(&aws.account).send().await;
            Err(error)
        }
    }
}

async fn parts(
    aws: &Aws,
    bucket: &str,
    key: &str,
    id: &str,
    bytes: &[u8],
    quiet: bool,
) -> anyhow::Result<Option<String>> {
    let mut parts = Vec::new();
    let mut done = 0;
    for (number, part) in (1..).zip(bytes.chunks(PART_BYTES)) {
        let upload = aws.s3.upload_part().bucket(bucket).key(key).upload_id(id).part_number(number);
        let upload = upload.expected_bucket_owner(&aws.account).body(ByteStream::from(part.to_vec()));
        let answer = upload.send().await.refused("s3:PutObject")?;
        parts.push(CompletedPart::builder().part_number(number).set_e_tag(answer.e_tag().map(str::to_owned)).build());
        done += part.len();
        tell(quiet, done, bytes.len());
    }
    let whole = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let complete = aws.s3.complete_multipart_upload().bucket(bucket).key(key).upload_id(id);
    let complete = complete.expected_bucket_owner(&aws.account).multipart_upload(whole);
    let answer = complete.send().await.refused("s3:PutObject")?;
    Ok(answer.version_id().map(str::to_owned))
}

fn tell(quiet: bool, done: usize, of: usize) {
    if !quiet {
        let mib = |bytes: usize| bytes as f64 / (1024.0 * 1024.0);
        eprintln!("  uploaded {:.1} of {:.1} MiB", mib(done), mib(of));
    }
}
