//! `gristmill template` and `gristmill policy`: what would be sent, printed. They
//! ask nobody.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::{Output, PolicyArgs, TemplateArgs};
use crate::edge::{Done, Misuse, escape};
use crate::functions;
use crate::manifest::{self, Manifest};
use crate::policy::{self, Statement};
use crate::template::{self, Generations, Template};

/// Runs `gristmill template` in the project at `root`, which the account's own
/// template does not need.
///
/// # Errors
///
/// * the manifest has problems;
/// * [`Misuse`]: AWS would not take what it leads to.
pub fn template(
    root: impl FnOnce() -> anyhow::Result<std::path::PathBuf>,
    args: &TemplateArgs,
) -> anyhow::Result<Done> {
    let template = match args.account {
        true => template::account(),
        false => of(&manifest::load_to_run(&root()?, args.env.env.as_deref())?)?,
    };
    Ok(Done::printing(if args.compact { template.compact() + "\n" } else { template.text() }))
}

/// The template of a stack that is not there yet.
fn of(manifest: &Manifest) -> anyhow::Result<Template> {
    template::project(manifest, &Generations::default()).map_err(|problems| Misuse::new(problems.join("\n")).into())
}

/// Runs `gristmill policy` in the project at `root`.
///
/// # Errors
///
/// As [`template`].
pub fn policy(root: &Path, args: &PolicyArgs) -> anyhow::Result<Done> {
    let manifest = manifest::load_to_run(root, args.env.env.as_deref())?;
    if args.deploying {
        let mut statements = policy::deploying(&manifest);
        statements.iter_mut().for_each(|each| fill(&mut each.statement, args));
        return Ok(Done::printing(match args.output {
            Output::Json => print_json(&json!({ "policy": policy::document(&statements), "statements": statements })),
            Output::Text => text("the user who deploys", &statements),
        }));
    }
    let generations = Generations::default();
    let functions = functions::of(&manifest);
    let of_each: Vec<_> = functions.iter().map(|each| (each, policy::runtime(&manifest, each, &generations))).collect();
    let printed = match args.output {
        Output::Json => print_json(&json!({
            "functions": of_each
                .iter()
                .map(|(function, statements)| json!({
                    "function": function.name(),
                    "policy": policy::document(statements),
                    "statements": statements,
                    "missing": policy::missing(&manifest, function, &generations),
                }))
                .collect::<Vec<_>>(),
        })),
        Output::Text => {
            let mut printed = String::new();
            for (function, statements) in &of_each {
                if !printed.is_empty() {
                    printed.push('\n');
                }
                printed += &text(&format!("the function {}", function.name()), statements);
                for call in policy::missing(&manifest, function, &generations) {
                    let _ = writeln!(
                        printed,
                        "  MISSING {} on {}: {}",
                        call.action,
                        named(&call.resource),
                        escape(&call.why)
                    );
                }
            }
            printed
        }
    };
    Ok(Done::printing(printed))
}

fn print_json(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

fn text(whose: &str, statements: &[Statement]) -> String {
    let mut text = format!("{whose} may:\n");
    for Statement { sid, why, statement } in statements {
        let list = |key: &str| statement[key].as_array().into_iter().flatten().map(named).collect::<Vec<_>>();
        let _ = writeln!(text, "\n  {sid}: {}", escape(why));
        if statement["Effect"] != "Allow" {
            let _ = writeln!(text, "    NOT (effect {})", named(&statement["Effect"]));
        }
        for action in list("Action") {
            let _ = writeln!(text, "    {action}");
        }
        for resource in list("Resource") {
            let _ = writeln!(text, "      on {resource}");
        }
        if let Some(condition) = statement.get("Condition") {
            let _ = writeln!(text, "      if {}", escape(&condition.to_string()));
        }
    }
    text
}

fn named(value: &Value) -> String {
    escape(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// Writes what is known of the account into ARNs.
fn fill(value: &mut Value, args: &PolicyArgs) {
    match value {
        Value::String(text) => {
            let mut filled = text.replace("${AWS::Partition}", &args.partition);
            for (name, known) in [("${AWS::AccountId}", &args.account_id), ("${AWS::Region}", &args.region)] {
                // IAM takes `*` in the place of either.
                filled = filled.replace(name, known.as_deref().unwrap_or("*"));
            }
            *text = filled;
        }
        Value::Array(values) => values.iter_mut().for_each(|each| fill(each, args)),
        Value::Object(fields) => fields.values_mut().for_each(|each| fill(each, args)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
