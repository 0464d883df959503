//! `gristmill bootstrap`: the account's own stack.

use anyhow::{Context as _, bail};
use serde_json::json;
use std::collections::BTreeMap;

use crate::aws;
use crate::cli::{BootstrapArgs, Output};
use crate::confirm::{self, Answer};
use crate::deploy;
use crate::edge::{Done, Misuse, escape};
use crate::stack::{self, Applied, Request, Standing, TemplateText};
use crate::template::{self, ACCOUNT_STACK};

/// Runs `gristmill bootstrap`.
///
/// # Errors
///
/// * the user says no, or the stack is broken;
/// * AWS refuses.
pub fn bootstrap(args: &BootstrapArgs) -> anyhow::Result<Done> {
    deploy::runtime()?.block_on(async {
        let aws = aws::connect(&args.aws).await?;
        let found = stack::find(&aws, ACCOUNT_STACK).await?;
        let exists = match stack::standing(found.as_ref()) {
            Standing::New => false,
            Standing::Ready => true,
            Standing::Busy(why) => return Err(Misuse::new(format!("{}; wait, and do it again", why.what)).into()),
            Standing::Broken(why) => {
                // What is said of a project's stack would not delete this one.
                let next = format!("`aws cloudformation delete-stack --stack-name {ACCOUNT_STACK}`, then this again");
                return Err(Misuse::new(format!("{}; {next}", why.what)).into());
            }
        };
        let question = match exists {
            true => format!("Bring the stack {ACCOUNT_STACK} in {} of the account {} up to date?", aws.region, aws.account),
            false => format!(
                "Make a bucket for packages in {} of the account {}, by the stack {ACCOUNT_STACK}?",
                aws.region, aws.account
            ),
        };
        if confirm::ask(args.yes, &question)? == Answer::No {
            bail!("nothing was made");
        }
        let text = template::account().compact();
        let request = Request {
            name: ACCOUNT_STACK,
            template: TemplateText::Inline(&text),
            parameters: BTreeMap::new(),
            tags: BTreeMap::new(),
            role: None,
            exists,
            description: format!("gristmill {}", env!("CARGO_PKG_VERSION")),
            quiet: args.output == Output::Json,
        };
        let applied = stack::apply(&aws, &request).await?;
        let changed = matches!(applied, Applied::Changed(_));
        let stack = match applied {
            Applied::Changed(stack) => stack,
            Applied::Nothing => found.context("CloudFormation sees no change in a stack that is not there")?,
        };
        let bucket = stack.outputs.get("PackageBucketName").context("the stack names its bucket")?;
        Ok(Done::printing(match args.output {
            Output::Json => {
                json!({ "stack": ACCOUNT_STACK, "bucket": bucket, "region": aws.region, "account": aws.account, "changed": changed }).to_string() + "\n"
            }
            Output::Text => {
                let what = if changed { "is made" } else { "is there already" };
                escape(&format!("the bucket for packages {what}: {bucket}\n\nNext: `gristmill deploy` in a project\n"))
            }
        }))
    })
}
