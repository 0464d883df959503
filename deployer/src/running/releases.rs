//! `gristmill releases` and `gristmill rollback`: the versions of a function, and
//! which of them the alias points to.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::bail;
use serde::Serialize;
use serde_json::json;

use super::Running;
use crate::aws::{self, Aws, Refused as _};
use crate::cli::{Output, ReleasesArgs, RollbackArgs};
use crate::confirm::{self, Answer};
use crate::deploy::{self, deaf};
use crate::edge::{Done, Misuse, escape};
use crate::manifest;
use crate::template::ALIAS;

/// A published version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Release {
    version: u64,
    published: Option<String>,
    code_sha256: Option<String>,
    description: Option<String>,
    live: bool,
}

/// Runs `gristmill releases` in the project at `root`.
///
/// # Errors
///
/// * the manifest has problems, or there is no such handler;
/// * there is no stack, or AWS refuses to say.
pub fn releases(root: &Path, args: &ReleasesArgs) -> anyhow::Result<Done> {
    let manifest = manifest::load(root, args.env.env.as_deref())?;
    deploy::runtime()?.block_on(async {
        let aws = aws::connect(&args.aws).await?;
        let running = Running::find(&aws, &manifest).await?;
        let function = running.function(args.name.as_deref())?.name();
        let (releases, _) = list(&aws, &function).await?;
        Ok(Done::printing(match args.output {
            Output::Json => json!({ "function": function, "releases": releases }).to_string() + "\n",
            Output::Text => {
                let mut text = format!("{function}\n");
                for release in releases.iter().rev() {
                    let or = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
                    let _ = writeln!(
                        text,
                        "  {:>5}  {:<30} {:<46} {}{}",
                        release.version,
                        or(&release.published),
                        or(&release.code_sha256),
                        or(&release.description),
                        if release.live { "  LIVE" } else { "" }
                    );
                }
                text += "\nNext: `gristmill rollback` runs the one before, `--to VERSION` another\n";
                escape(&text)
            }
        }))
    })
}

/// The versions, oldest first, and the alias's revision.
async fn list(aws: &Aws, function: &str) -> anyhow::Result<(Vec<Release>, Option<String>)> {
    let alias = aws.lambda.get_alias().function_name(function).name(ALIAS).send().await.refused("lambda:GetAlias")?;
    let mut releases = Vec::new();
    let mut pages = aws.lambda.list_versions_by_function().function_name(function).into_paginator().send();
    while let Some(page) = pages.next().await {
        for each in page.refused("lambda:ListVersionsByFunction")?.versions() {
            // What is not published has no number.
            let Some(version) = each.version().and_then(|version| version.parse().ok()) else { continue };
            releases.push(Release {
                version,
                published: each.last_modified().map(str::to_owned),
                code_sha256: each.code_sha256().map(str::to_owned),
                description: each.description().filter(|text| !text.is_empty()).map(str::to_owned),
                live: alias.function_version() == each.version(),
            });
        }
    }
    releases.sort_by_key(|release| release.version);
    Ok((releases, alias.revision_id().map(str::to_owned)))
}

/// Runs `gristmill rollback` in the project at `root`.
///
/// # Errors
///
/// * as [`releases`];
/// * [`Misuse`]: there is no such version, or none before;
/// * a mapping does not look at what the function answers (R11).
pub fn rollback(root: &Path, args: &RollbackArgs) -> anyhow::Result<Done> {
    let manifest = manifest::load(root, args.env.env.as_deref())?;
    deploy::runtime()?.block_on(async {
        let aws = aws::connect(&args.aws).await?;
        let running = Running::find(&aws, &manifest).await?;
        let function = running.function(args.name.as_deref())?;
        let name = function.name();
        let (releases, revision) = list(&aws, &name).await?;
        let live = releases.iter().find(|release| release.live).map(|release| release.version);
        let to = chosen(&releases, live, args.to)?;
        if let Some((uuid, arn)) = deaf(&aws, std::slice::from_ref(function)).await?.first() {
            bail!(
                "the mapping {uuid} of {arn} has no ReportBatchItemFailures, so that Lambda would take failures for success; \
                 `gristmill deploy` sets it"
            );
        }
        let from = live.map_or_else(|| "none".to_owned(), |live| live.to_string());
        let question = format!("Let {name} run version {to} in the place of {from}?");
        if confirm::ask(args.yes, &question)? == Answer::No {
            bail!("nothing was changed");
        }
        // Only what was looked at is changed: with another revision somebody else
        // was faster.
        let update = aws.lambda.update_alias().function_name(&name).name(ALIAS).function_version(to.to_string());
        update.set_revision_id(revision).send().await.refused("lambda:UpdateAlias")?;
        Ok(Done::printing(match args.output {
            Output::Json => json!({ "function": name, "from": live, "to": to }).to_string() + "\n",
            Output::Text => escape(&format!(
                "{name} runs version {to} now, in the place of {from}\n\nNext: `gristmill status`; `gristmill deploy` goes \
                 forward again\n"
            )),
        }))
    })
}

/// The version to go to: the one that is named, or the newest before the live one.
fn chosen(releases: &[Release], live: Option<u64>, named: Option<u64>) -> anyhow::Result<u64> {
    let known = || releases.iter().map(|release| release.version.to_string()).collect::<Vec<_>>().join(", ");
    match (named, live) {
        (Some(named), live) if Some(named) == live => {
            Err(Misuse::new(format!("version {named} is the one that runs")).into())
        }
        (Some(named), _) if releases.iter().any(|release| release.version == named) => Ok(named),
        (Some(named), _) => Err(Misuse::new(format!("there is no version {named}; there is {}", known())).into()),
        (None, Some(live)) => releases
            .iter()
            .rev()
            .map(|release| release.version)
            .find(|version| *version < live)
            .ok_or_else(|| Misuse::new(format!("there is no version before {live}, which runs")).into()),
        (None, None) => Err(Misuse::new(format!("no version runs; name one of {} by --to", known())).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn releases(versions: &[u64]) -> Vec<Release> {
        let release = |version: &u64| Release {
            version: *version,
            published: None,
            code_sha256: None,
            description: None,
            live: false,
        };
        versions.iter().map(release).collect()
    }

    #[test]
    fn the_version_before_is_taken_or_the_one_that_is_named() {
        let all = releases(&[1, 3, 7]);
        assert_eq!(chosen(&all, Some(7), None).unwrap(), 3);
        assert_eq!(chosen(&all, Some(3), None).unwrap(), 1);
        assert_eq!(chosen(&all, Some(3), Some(7)).unwrap(), 7);
        for (live, named, why) in [
            (Some(1), None, "no version before 1"),
            (Some(7), Some(7), "is the one that runs"),
            (Some(7), Some(2), "there is 1, 3, 7"),
            (None, None, "no version runs"),
        ] {
            let error = chosen(&all, live, named).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
