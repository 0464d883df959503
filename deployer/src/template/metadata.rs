//! What a deploy leaves in the template for the next one: nothing about a project
//! is kept anywhere else.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{FORMAT, Generation, Generations, mapping};
use crate::manifest::{Manifest, Stream};

pub(super) fn write(manifest: &Manifest, generations: &Generations) -> Value {
    let of_stream = |stream: &Stream| {
        let numbers: Vec<_> = generations
            .of(&stream.name)
            .iter()
            .map(|each| {
                let begins = mapping::starting_position(stream, each);
                json!({ "Number": each.number, "Enabled": each.enabled, "StartingPosition": begins })
            })
            .collect();
        (stream.name.clone(), Value::Array(numbers))
    };
    json!({
        "Format": FORMAT,
        "Version": env!("CARGO_PKG_VERSION"),
        "Project": manifest.project,
        "Environment": manifest.env,
        "Streams": manifest.streams.iter().map(of_stream).collect::<Map<_, _>>(),
    })
}

/// What an earlier deploy has left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployed {
    /// The version of the command.
    pub version: String,
    /// By stream, its generations with their ARNs, oldest first.
    pub streams: BTreeMap<String, Vec<(Generation, String)>>,
}

/// Why a stack is not to be touched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOurs {
    /// Nothing of gristmill's is in it.
    #[error("it was not made by gristmill")]
    Foreign,
    /// Another project's or environment's.
    #[error("it is of the project {project} in {env}")]
    OtherProject {
        /// The project.
        project: String,
        /// The environment.
        env: String,
    },
    /// A later gristmill has made it.
    #[error("it was made by gristmill {version}, which this one ({own}) does not know; use that version or a later one", own = env!("CARGO_PKG_VERSION"))]
    Newer {
        /// Which.
        version: String,
    },
}

/// Reads what was left in a template with these parameters.
///
/// # Errors
///
/// [`NotOurs`].
pub fn read(manifest: &Manifest, template: &Value, parameters: &BTreeMap<String, String>) -> Result<Deployed, NotOurs> {
    let left = &template["Metadata"]["Gristmill"];
    let text = |key: &str| left[key].as_str().unwrap_or_default().to_owned();
    let format = left["Format"].as_u64().ok_or(NotOurs::Foreign)?;
    let version = text("Version");
    if format > FORMAT {
        return Err(NotOurs::Newer { version });
    }
    let (project, env) = (text("Project"), text("Environment"));
    if project != manifest.project || env != manifest.env {
        return Err(NotOurs::OtherProject { project, env });
    }
    let mut streams = BTreeMap::new();
    for (name, written) in left["Streams"].as_object().into_iter().flatten() {
        let mut generations = Vec::new();
        for each in written.as_array().into_iter().flatten() {
            let Some(number) = each["Number"].as_u64().and_then(|number| u32::try_from(number).ok()) else { continue };
            let generation = Generation {
                number,
                enabled: each["Enabled"] == json!(true),
                starting_position: each["StartingPosition"].as_str().map(str::to_owned),
            };
            // One that no handler was on has no mapping and no parameter.
            if let Some(arn) = parameters.get(&generation.arn_parameter(name)) {
                generations.push((generation, arn.clone()));
            }
        }
        if !generations.is_empty() {
            streams.insert(name.clone(), generations);
        }
    }
    Ok(Deployed { version, streams })
}
