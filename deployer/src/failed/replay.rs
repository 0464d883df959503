//! `gristmill failed replay`.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::bail;
use serde_json::json;

use super::{Kept, find, load};
use crate::aws::{self, Aws, Refused as _};
use crate::cli::{FailedReplayArgs, Output};
use crate::confirm::{self, Answer};
use crate::deploy;
use crate::edge::{Done, Misuse, escape};
use crate::running::{Running, call};

/// What became of a document.
struct Replayed<'k> {
    kept: &'k Kept,
    /// None when all of its records are done.
    failure: Option<String>,
}

/// Runs `gristmill failed replay` in the project at `root`.
///
/// # Errors
///
/// * as `failed list`;
/// * [`Misuse`]: there is no such document, or one cannot be read;
/// * the user says no.
pub fn replay(root: &Path, args: &FailedReplayArgs) -> anyhow::Result<Done> {
    let manifest = load(root, &args.scope)?;
    deploy::runtime()?.block_on(async {
        let aws = aws::connect(&args.scope.aws).await?;
        let running = Running::find(&aws, &manifest).await?;
        let mut all = find(&aws, &running, args.scope.stream.as_deref()).await?;
        for key in &args.keys {
            if !all.iter().any(|kept| kept.key == *key) {
                return Err(Misuse::new(format!("there is no document {key}; `gristmill failed list` lists them")).into());
            }
        }
        let is_wanted = |kept: &Kept| args.keys.is_empty() || args.keys.contains(&kept.key);
        let left_out = all.iter().filter(|kept| !is_wanted(kept)).count();
        all.retain(is_wanted);
        // Its place in the order is not known, so that all behind it would be a
        // guess.
        if let Some((kept, why)) = all.iter().find_map(|kept| kept.document.as_ref().err().map(|why| (kept, why))) {
            let message = format!(
                "{} cannot be read ({why}), and its place in the order is not known; name the documents to replay, or delete it",
                kept.key
            );
            return Err(Misuse::new(message).into());
        }
        if all.is_empty() {
            return Ok(Done::printing(match args.output {
                Output::Json => json!({ "replayed": [] }).to_string() + "\n",
                Output::Text => "no batch was given up on\n".to_owned(),
            }));
        }
        if args.output == Output::Text {
            eprint!("{}", escape(&announced(&all, left_out)));
        }
        if args.dry_run {
            let keys: Vec<_> = all.iter().map(|kept| &kept.key).collect();
            return Ok(Done::printing(match args.output {
                Output::Json => json!({ "would-replay": keys }).to_string() + "\n",
                Output::Text => "Nothing was delivered (--dry-run).\n".to_owned(),
            }));
        }
        if confirm::ask(args.yes, "Deliver them again?")? == Answer::No {
            bail!("nothing was delivered");
        }
        let replayed = deliver(&aws, &all, args).await?;
        Ok(shown(&all, &replayed, args))
    })
}

fn announced(all: &[Kept], left_out: usize) -> String {
    let mut text = String::new();
    for kept in all {
        let _ = writeln!(text, "{}", kept.key);
        if let Ok(document) = &kept.document {
            let _ = writeln!(text, "  {}", document.words());
        }
    }
    text += "\nwarning: later changes of these items may have run since. A handler that sets what it finds in a record sets \
             values that are old.\n";
    if left_out > 0 {
        let _ = writeln!(
            text,
            "warning: {left_out} other documents are left out; records of the same items may be in them"
        );
    }
    text
}

/// In order, and no further than the first that fails: records of one item may be
/// in several of them.
async fn deliver<'k>(aws: &Aws, all: &'k [Kept], args: &FailedReplayArgs) -> anyhow::Result<Vec<Replayed<'k>>> {
    let mut replayed = Vec::new();
    for kept in all {
        let failure = match &kept.document {
            Err(why) => Some(why.clone()),
            Ok(document) => match (document.function(), document.payload()) {
                (Some(function), Some(payload)) => once(aws, function, payload).await?,
                _ => Some("it has no payload: only a bucket gets the records themselves".to_owned()),
            },
        };
        let is_done = failure.is_none();
        replayed.push(Replayed { kept, failure });
        if !is_done {
            break;
        }
        if !args.keep {
            let delete = aws.s3.delete_object().bucket(&kept.bucket).key(&kept.key).expected_bucket_owner(&aws.account);
            delete.send().await.refused("s3:DeleteObject")?;
        }
        if args.output == Output::Text {
            eprintln!("done: {}", escape(&kept.key));
        }
    }
    Ok(replayed)
}

/// Why it failed; none when all is done.
async fn once(aws: &Aws, function: &str, payload: &str) -> anyhow::Result<Option<String>> {
    let answer = call(aws, function, payload.as_bytes().to_vec()).await?;
    Ok(match answer.failures() {
        None => Some(format!("the function failed, or has answered what is no answer: {}", answer.body)),
        Some(failures) => failures.first().map(|first| format!("the record {first} must come again")),
    })
}

fn shown(all: &[Kept], replayed: &[Replayed<'_>], args: &FailedReplayArgs) -> Done {
    let done = replayed.iter().filter(|each| each.failure.is_none()).count();
    let failure = replayed.iter().find_map(|each| each.failure.as_ref().map(|why| (each.kept, why)));
    let stdout = match args.output {
        Output::Json => {
            let each = |each: &Replayed<'_>| json!({ "key": each.kept.key, "done": each.failure.is_none(), "failure": each.failure });
            let replayed: Vec<_> = replayed.iter().map(each).collect();
            json!({ "replayed": replayed, "left": all.len() - done }).to_string() + "\n"
        }
        Output::Text => {
            let mut text = format!("{done} of {} done\n", all.len());
            if let Some((kept, why)) = failure {
                let _ = writeln!(
                    text,
                    "{}: {why}\nIt and those behind it stay where they are.\n\nNext: `gristmill logs --remote --since 5m` says why",
                    kept.key
                );
            }
            escape(&text)
        }
    };
    Done { stdout, failed: failure.is_some() }
}
