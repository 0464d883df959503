//! `gristmill plan` and `gristmill deploy`: from the manifest and the built
//! handlers to a stack.

mod drained;
pub mod moves;
mod note;
mod partial;
mod prepare;
mod show;
mod streams;
mod upload;

use std::path::Path;

use anyhow::{Context as _, bail};

use crate::aws::{self, Aws, Refused as _};
use crate::cli::{ChangeArgs, DeployArgs, Output, PlanArgs};
use crate::confirm::{self, Answer};
use crate::edge::Done;
use crate::manifest::{self, Manifest};
use crate::stack::{self, Applied, Request};
use crate::template::{self, ALIAS};
use prepare::Prepared;

pub(crate) use partial::deaf;

/// Runs `gristmill plan` in the project at `root`.
///
/// # Errors
///
/// * the manifest has problems, or the handlers cannot be built;
/// * AWS cannot be asked.
pub fn plan(root: &Path, args: &PlanArgs) -> anyhow::Result<Done> {
    let manifest = manifest::load_to_run(root, args.env.env.as_deref())?;
    runtime()?.block_on(async {
        let aws = aws::connect(&args.aws).await?;
        planned(&aws, &manifest, &args.change, args.output).await
    })
}

async fn planned(aws: &Aws, manifest: &Manifest, args: &ChangeArgs, output: Output) -> anyhow::Result<Done> {
    let prepared = prepare::prepare(aws, manifest, args).await?;
    let failed = prepared.notes.has_problem();
    let stdout = match output {
        Output::Text => show::text(&prepared),
        Output::Json => show::json(&prepared).to_string() + "\n",
    };
    Ok(Done { stdout, failed })
}

/// Runs `gristmill deploy` in the project at `root`.
///
/// # Errors
///
/// * as [`plan`];
/// * something stands in the way, or the user says no;
/// * the upload or the change fails.
pub fn deploy(root: &Path, args: &DeployArgs) -> anyhow::Result<Done> {
    let manifest = manifest::load_to_run(root, args.env.env.as_deref())?;
    runtime()?.block_on(async {
        let aws = aws::connect(&args.aws).await?;
        if args.dry_run {
            return planned(&aws, &manifest, &args.change, args.output).await;
        }
        deployed(&aws, &manifest, args).await
    })
}

async fn deployed(aws: &Aws, manifest: &Manifest, args: &DeployArgs) -> anyhow::Result<Done> {
    let quiet = args.output == Output::Json;
    let mut prepared = prepare::prepare(aws, manifest, &args.change).await?;
    if prepared.notes.has_problem() {
        let stdout = if quiet { show::json(&prepared).to_string() + "\n" } else { show::text(&prepared) };
        return Ok(Done { stdout, failed: true });
    }
    if prepared.is_unchanged() {
        let stack = prepared.stack.clone().context("an unchanged stack is there")?;
        return Ok(show::done(&prepared, &stack, false, args.output));
    }
    if !quiet {
        eprint!("{}", show::text(&prepared));
    }
    // Before anything is asked or made.
    let bucket = match prepared.has_package() {
        true => None,
        false => Some(upload::bucket(aws, manifest.deploy.bucket.as_deref()).await?),
    };
    if confirm::ask(args.yes, &format!("Deploy {} to {}?", template::stack_name(manifest), aws.region))? == Answer::No {
        bail!("nothing was deployed");
    }
    for stream in prepared.to_enable.clone() {
        let of = manifest.stream(&stream).context("a stream of the manifest")?;
        let arn = streams::enable(aws, manifest, of).await?;
        prepared.found(&stream, arn)?;
    }
    for (uuid, _) in &prepared.deaf {
        partial::make_hear(aws, uuid).await?;
    }
    let bucket_of_template = bucket.clone();
    if let Some(bucket) = bucket {
        let key = format!("{}/{}.zip", template::stack_name(manifest), prepared.packed.sha256_hex());
        let object = upload::upload(aws, &bucket, &key, &prepared.packed.path, quiet).await?;
        let parameters = &mut prepared.laid.parameters;
        parameters.insert("CodeBucket".to_owned(), object.bucket);
        parameters.insert("CodeKey".to_owned(), object.key);
        parameters.insert("CodeVersion".to_owned(), object.version);
    }
    let stack = change(&prepared, bucket_of_template, quiet).await?;
    let stack = match stack {
        Applied::Changed(stack) => stack,
        Applied::Nothing => {
            prepared.stack.clone().context("CloudFormation sees no change in a stack that is not there")?
        }
    };
    go_forward(&prepared).await?;
    check(&prepared).await?;
    Ok(show::done(&prepared, &stack, true, args.output))
}

async fn change(prepared: &Prepared<'_>, bucket: Option<String>, quiet: bool) -> anyhow::Result<Applied> {
    let (aws, manifest) = (prepared.aws, prepared.manifest);
    let name = template::stack_name(manifest);
    let text = prepared.laid.template.compact();
    let template = if text.len() <= stack::MOST_INLINE_BYTES {
        stack::TemplateText::Inline(&text)
    } else {
        let bucket = match bucket {
            Some(bucket) => bucket,
            None => upload::bucket(aws, manifest.deploy.bucket.as_deref()).await?,
        };
        let key = format!("{name}/{}.template.json", crate::package::digest(text.as_bytes()));
        let object = upload::put(aws, &bucket, &key, text.clone().into_bytes(), true).await?;
        stack::TemplateText::Url(aws.object_url(&object.bucket, &object.key, &object.version))
    };
    let request = Request {
        name: &name,
        template,
        parameters: prepared.laid.parameters.clone(),
        tags: manifest.deploy.tags.clone(),
        role: manifest.deploy.cloudformation_role.as_deref(),
        exists: prepared.old.is_some(),
        description: format!("gristmill {}", env!("CARGO_PKG_VERSION")),
        quiet,
    };
    stack::apply(aws, &request).await
}

/// Lets aliases that were rolled back point to what the stack has: CloudFormation
/// sees no change in them.
async fn go_forward(prepared: &Prepared<'_>) -> anyhow::Result<()> {
    if prepared.behind.is_empty() {
        return Ok(());
    }
    let stack = stack::find(prepared.aws, &template::stack_name(prepared.manifest)).await?;
    let stack = stack.context("the stack is gone")?;
    let resources = stack::resources(prepared.aws, &stack).await?;
    for function in &prepared.functions {
        let name = function.name();
        if !prepared.behind.iter().any(|(behind, _)| *behind == name) {
            continue;
        }
        let id = template::ids::Ids::of(function).version();
        let version = resources.get(&id).and_then(|version| version.physical_id.rsplit(':').next());
        let version = version.context("the stack has a version of each function")?;
        let update = prepared.aws.lambda.update_alias().function_name(&name).name(ALIAS).function_version(version);
        update.send().await.refused("lambda:UpdateAlias")?;
    }
    Ok(())
}

/// Reads back what runs.
async fn check(prepared: &Prepared<'_>) -> anyhow::Result<()> {
    let wanted = prepared.packed.code_sha256();
    for function in &prepared.functions {
        let name = function.name();
        let get = prepared.aws.lambda.get_function_configuration().function_name(&name).qualifier(ALIAS);
        let runs = get.send().await.refused("lambda:GetFunctionConfiguration")?;
        if runs.code_sha256() != Some(wanted.as_str()) {
            bail!(
                "the function {name} runs other code than was uploaded: its CodeSha256 is {}, and that of the package is \
                 {wanted}; someone else has deployed it meanwhile, or what is in the bucket was changed. Deploy again",
                runs.code_sha256().unwrap_or("not told")
            );
        }
    }
    let deaf = partial::deaf(prepared.aws, &prepared.functions).await?;
    if let Some((uuid, arn)) = deaf.first() {
        bail!(
            "the mapping {uuid} of {arn} has no ReportBatchItemFailures, so that Lambda takes failures for success; deploy again"
        );
    }
    Ok(())
}

pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Runtime::new().context("cannot start the runtime")
}
