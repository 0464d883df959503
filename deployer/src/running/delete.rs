//! `gristmill delete`: the end of a stack, and of data only when it is asked for.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::bail;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use serde_json::json;

use super::Running;
use crate::aws::{self, Aws, Refused as _};
use crate::cli::{DeleteArgs, Output};
use crate::confirm::{self, Answer};
use crate::deploy;
use crate::edge::{Done, Misuse, escape};
use crate::manifest;
use crate::stack::{self, Standing};
use crate::template::failure_bucket;

/// Runs `gristmill delete` in the project at `root`.
///
/// # Errors
///
/// * the manifest has problems, or there is no stack;
/// * the user says no;
/// * AWS refuses.
pub fn delete(root: &Path, args: &DeleteArgs) -> anyhow::Result<Done> {
    let manifest = manifest::load(root, args.env.env.as_deref())?;
    deploy::runtime()?.block_on(async {
        let aws = aws::connect(&args.aws).await?;
        let running = Running::find(&aws, &manifest).await?;
        if let Standing::Busy(why) = stack::standing(Some(&running.stack)) {
            return Err(Misuse::new(why.to_string()).into());
        }
        let bucket = running.resources.get(failure_bucket()).map(|bucket| bucket.physical_id.clone());
        let quiet = args.output == Output::Json;
        if !quiet {
            eprint!("{}", escape(&contents(&running, bucket.as_deref(), args.data)));
        }
        let question =
            format!("Delete the stack {} in {} of the account {}?", running.stack.name, aws.region, aws.account);
        if confirm::ask(args.yes, &question)? == Answer::No {
            bail!("nothing was deleted");
        }
        let role = manifest.deploy.cloudformation_role.as_deref();
        stack::delete(&aws, &running.stack, role, quiet).await?;
        // After the stack: until then Lambda may put something there.
        let deleted = match &bucket {
            Some(bucket) if args.data => Some(delete_bucket(&aws, bucket).await?),
            _ => None,
        };
        Ok(Done::printing(match args.output {
            Output::Json => {
                let kept = bucket.filter(|_| !args.data);
                json!({ "stack": running.stack.name, "deleted": true, "kept-bucket": kept, "deleted-objects": deleted })
                    .to_string()
                    + "\n"
            }
            Output::Text => {
                let mut text = format!("{} is deleted\n", running.stack.name);
                if let (Some(bucket), false) = (&bucket, args.data) {
                    let _ = writeln!(text, "  the bucket {bucket} stays, with the records that were given up on");
                }
                if let Some(objects) = deleted {
                    let _ = writeln!(
                        text,
                        "  the bucket with {objects} documents of records that were given up on is deleted too"
                    );
                }
                escape(&text)
            }
        }))
    })
}

fn contents(running: &Running<'_>, bucket: Option<&str>, data: bool) -> String {
    let mut text = format!("{} has:\n", running.stack.name);
    for (id, resource) in &running.resources {
        let kind = resource.kind.strip_prefix("AWS::").unwrap_or(&resource.kind);
        let _ = writeln!(text, "  {kind:<28} {id}  {}", resource.physical_id);
    }
    text += "\nHow far the mappings have read is lost, and so are the logs.\n";
    if let Some(bucket) = bucket {
        let what = match data {
            true => "is DELETED with what is in it (--data)",
            false => "stays, with the records that were given up on",
        };
        let _ = writeln!(text, "The bucket {bucket} {what}.");
    }
    text
}

/// Deletes a bucket and all that is in it; gives how much that was.
async fn delete_bucket(aws: &Aws, bucket: &str) -> anyhow::Result<usize> {
    let mut deleted = 0;
    loop {
        let list = aws.s3.list_object_versions().bucket(bucket).expected_bucket_owner(&aws.account).send().await;
        let page = match list.refused("s3:ListBucketVersions") {
            Err(refusal) if refusal.is("NoSuchBucket") => return Ok(deleted),
            other => other?,
        };
        let versions = page.versions().iter().map(|each| (each.key(), each.version_id()));
        let markers = page.delete_markers().iter().map(|each| (each.key(), each.version_id()));
        let mut objects = Vec::new();
        for (key, version) in versions.chain(markers) {
            let object = ObjectIdentifier::builder().key(key.unwrap_or_default());
            objects.push(object.set_version_id(version.map(str::to_owned)).build()?);
        }
        if objects.is_empty() {
            break;
        }
        deleted += objects.len();
        let request = Delete::builder().set_objects(Some(objects)).quiet(true).build()?;
        let answer =
            aws.s3.delete_objects().bucket(bucket).expected_bucket_owner(&aws.account).delete(request).send().await;
        if let Some(error) = answer.refused("s3:DeleteObject")?.errors().first() {
            bail!(
                "{} of the bucket {bucket} is not deleted: {}",
                error.key().unwrap_or_default(),
                error.message().unwrap_or_default()
            );
        }
    }
    let delete = aws.s3.delete_bucket().bucket(bucket).expected_bucket_owner(&aws.account);
    delete.send().await.refused("s3:DeleteBucket")?;
    Ok(deleted)
}
