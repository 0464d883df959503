//! What a deploy would do: one template with its parameters against another.
//! Which property makes a resource anew is CloudFormation's rule, here for the
//! types that gristmill uses; a test holds it against AWS's own schemas. Pure.

mod schema;
mod show;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

pub use schema::CREATE_ONLY;
pub use show::text;

/// A template and what its parameters are.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The template.
    pub template: &'a Value,
    /// The parameters' values.
    pub parameters: &'a BTreeMap<String, String>,
}

/// What is done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is made.
    Add,
    /// It is changed where it stands.
    Change,
    /// Another is made in its place.
    Replace,
    /// It is deleted.
    Remove,
    /// It is no longer the stack's, and stays.
    Leave,
}

/// What happens to one resource.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Change {
    /// What is done.
    pub action: Action,
    /// Its logical id.
    pub id: String,
    /// `AWS::Lambda::Function`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which properties differ, and how.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<Difference>,
    /// What is lost by it, or what else a user should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One property that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// `MemorySize`, `LoggingConfig.LogFormat`.
    pub path: String,
    /// As it is; absent when it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// As it will be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
    /// Whether it makes the resource anew.
    pub replaces: bool,
}

/// What leads from one side to the other, in the order of the logical ids. Without
/// an old side everything is added.
pub fn changes(old: Option<Side<'_>>, new: Side<'_>) -> Vec<Change> {
    let empty = Map::new();
    let before = old.map_or_else(Map::new, |old| resolved(old));
    let after = resolved(new);
    let mut changes = Vec::new();
    let ids: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for id in ids {
        match (before.get(id), after.get(id)) {
            (None, Some(after)) => changes.push(Change {
                action: Action::Add,
                id: id.clone(),
                kind: kind(after),
                properties: Vec::new(),
                note: None,
            }),
            (Some(before), None) => changes.push(removal(id, before)),
            (Some(before), Some(after)) => changes.extend(change(id, before, after, &empty)),
            (None, None) => {}
        }
    }
    follow(&mut changes, &after);
    changes.sort_by(|a, b| a.id.cmp(&b.id));
    changes
}

/// The resources, with parameters' values in the place of references to them.
fn resolved(side: Side<'_>) -> Map<String, Value> {
    let mut resources = side.template["Resources"].as_object().cloned().unwrap_or_default();
    resources.values_mut().for_each(|resource| put_values(resource, side.parameters));
    resources
}

fn put_values(value: &mut Value, parameters: &BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            if let (1, Some(name)) = (fields.len(), fields.get("Ref").and_then(Value::as_str))
                && let Some(known) = parameters.get(name)
            {
                *value = Value::String(known.clone());
                return;
            }
            fields.values_mut().for_each(|each| put_values(each, parameters));
        }
        Value::Array(values) => values.iter_mut().for_each(|each| put_values(each, parameters)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn kind(resource: &Value) -> String {
    resource["Type"].as_str().unwrap_or_default().to_owned()
}

fn removal(id: &str, before: &Value) -> Change {
    let kind = kind(before);
    let stays = before["DeletionPolicy"].as_str().is_some_and(|policy| policy.starts_with("Retain"));
    let note = match (kind.as_str(), stays) {
        ("AWS::S3::Bucket", true) => Some("the bucket stays, with what is in it"),
        ("AWS::Lambda::EventSourceMapping", _) => {
            Some("how far it has read is lost with it: records that it has not delivered yet are not delivered")
        }
        ("AWS::Lambda::Function", _) => Some("all of its versions go with it"),
        ("AWS::Logs::LogGroup", false) => Some("the log is lost"),
        _ => None,
    };
    Change {
        action: if stays { Action::Leave } else { Action::Remove },
        id: id.to_owned(),
        kind,
        properties: Vec::new(),
        note: note.map(str::to_owned),
    }
}

fn change(id: &str, before: &Value, after: &Value, empty: &Map<String, Value>) -> Option<Change> {
    let kind = kind(after);
    let properties = |resource: &Value| resource["Properties"].as_object().unwrap_or(empty).clone();
    let mut differences = Vec::new();
    if before["Type"] != after["Type"] {
        // CloudFormation refuses it. No manifest makes it.
        return Some(Change { action: Action::Replace, id: id.to_owned(), kind, properties: differences, note: None });
    }
    compare(&kind, "", &properties(before), &properties(after), &mut differences);
    let other = ["DeletionPolicy", "UpdateReplacePolicy"].iter().any(|key| before[*key] != after[*key]);
    if differences.is_empty() && !other {
        return None;
    }
    let replaces = differences.iter().any(|difference| difference.replaces);
    let note = match kind.as_str() {
        "AWS::Lambda::EventSourceMapping" if replaces => {
            Some("CloudFormation makes another mapping, and how far this one has read is lost".to_owned())
        }
        "AWS::Lambda::Version" if replaces => Some("a new version is published, and the old one stays".to_owned()),
        _ => None,
    };
    let action = if replaces { Action::Replace } else { Action::Change };
    Some(Change { action, id: id.to_owned(), kind, properties: differences, note })
}

fn compare(
    kind: &str,
    path: &str,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    differences: &mut Vec<Difference>,
) {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for key in keys {
        let (from, to) = (before.get(key), after.get(key));
        if from == to {
            continue;
        }
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match (from, to) {
            (Some(Value::Object(from)), Some(Value::Object(to))) if !is_intrinsic(from) && !is_intrinsic(to) => {
                compare(kind, &path, from, to, differences);
            }
            _ => {
                let top = path.split('.').next().unwrap_or_default();
                let replaces = schema::is_create_only(kind, top);
                differences.push(Difference { from: from.cloned(), to: to.cloned(), replaces, path });
            }
        }
    }
}

fn is_intrinsic(fields: &Map<String, Value>) -> bool {
    fields.len() == 1 && fields.keys().all(|key| key == "Ref" || key.starts_with("Fn::"))
}

/// What refers to a resource that is made anew gets another value, and may be made
/// anew for it itself.
fn follow(changes: &mut Vec<Change>, after: &Map<String, Value>) {
    let mut anew: Vec<String> =
        changes.iter().filter(|change| change.action == Action::Replace).map(|change| change.id.clone()).collect();
    while let Some(id) = anew.pop() {
        for (other, resource) in after {
            let mut paths = Vec::new();
            let properties = resource["Properties"].as_object().cloned().unwrap_or_default();
            for (name, value) in &properties {
                if refers(value, &id) {
                    paths.push(name.clone());
                }
            }
            if paths.is_empty() {
                continue;
            }
            let kind = kind(resource);
            let replaces = paths.iter().any(|path| schema::is_create_only(&kind, path));
            let differences = paths.iter().map(|path| Difference {
                path: path.clone(),
                from: None,
                to: properties.get(path).cloned(),
                replaces: schema::is_create_only(&kind, path),
            });
            match changes.iter_mut().find(|change| change.id == *other) {
                Some(known) => {
                    known.properties.extend(
                        differences
                            .filter(|new| !known.properties.iter().any(|old| old.path == new.path))
                            .collect::<Vec<_>>(),
                    );
                    if known.action == Action::Change && replaces {
                        known.action = Action::Replace;
                        anew.push(other.clone());
                    }
                }
                None => {
                    let action = if replaces { Action::Replace } else { Action::Change };
                    if replaces {
                        anew.push(other.clone());
                    }
                    let properties = differences.collect();
                    changes.push(Change { action, id: other.clone(), kind, properties, note: None });
                }
            }
        }
    }
}

/// Whether a value names a resource.
fn refers(value: &Value, id: &str) -> bool {
    match value {
        Value::Object(fields) => {
            let reference = fields.get("Ref").and_then(Value::as_str) == Some(id);
            let attribute = fields.get("Fn::GetAtt").and_then(|at| at.get(0)).and_then(Value::as_str) == Some(id);
            let within = fields
                .get("Fn::Sub")
                .and_then(Value::as_str)
                .is_some_and(|text| text.contains(&format!("${{{id}}}")) || text.contains(&format!("${{{id}.")));
            reference || attribute || within || fields.values().any(|each| refers(each, id))
        }
        Value::Array(values) => values.iter().any(|each| refers(each, id)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
