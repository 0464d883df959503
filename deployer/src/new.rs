//! `gristmill new`: a project's folder, with all that it needs to be built
//! and nothing that runs yet.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cli::NewArgs;
use crate::edge::{Done, Misuse, escape, quoted};
use crate::files::Changes;
use crate::language::Language;
use crate::manifest::FILE_NAME;
use crate::{names, project, vendor};

/// Makes the project.
///
/// # Errors
///
/// * [`Misuse`]: the folder is not empty, or its name is no project's name;
/// * a file cannot be written.
pub fn run(args: &NewArgs) -> anyhow::Result<Done> {
    let root = folder(&args.path)?;
    let name = name(args, &root)?;
    let mut changes = Changes::new(&root);
    add_cargo_workspace(&mut changes);
    vendor::add_to(&mut changes, Language::Rust);
    changes.write(".gitignore", include_str!("../templates/project/gitignore"));
    changes.write("README.md", filled(include_str!("../templates/project/README.md"), &name));
    // A folder is a project once it has this file.
    changes.write(FILE_NAME, filled(include_str!("../templates/project/gristmill.toml"), &name));
    changes.commit().with_context(|| format!("cannot make the project {}", quoted(&name)))?;

    let shown = project::shown(&root);
    let enter = if shown == "." { String::new() } else { format!("cd {shown}\n  ") };
    Ok(Done::printing(escape(&format!(
        "Made the project `{name}` in {shown}\n\nNext:\n  {enter}gristmill generate event clerk --trigger dynamodb \
         --table test-table --method file\n"
    ))))
}

/// The Cargo workspace that a project's handlers in Rust are members of.
pub(crate) fn add_cargo_workspace(changes: &mut Changes) {
    changes.write("Cargo.toml", include_str!("../templates/project/Cargo.toml"));
    changes.write("handlers/README.md", include_str!("../templates/project/handlers-README.md"));
}

fn filled(template: &str, name: &str) -> String {
    template.replace("@NAME@", name)
}

/// The project's folder, absolute, which is empty or not there.
fn folder(path: &Path) -> anyhow::Result<PathBuf> {
    let shown = quoted(&path.to_string_lossy());
    let root = std::env::current_dir().context("cannot find the current folder")?.join(path);
    match fs::read_dir(&root) {
        Ok(mut entries) => {
            if root.join(FILE_NAME).symlink_metadata().is_ok() {
                return Err(Misuse::new(format!("{shown} is a project already: it has a {FILE_NAME}")).into());
            }
            if entries.next().is_some() {
                return Err(
                    Misuse::new(format!("the folder {shown} is not empty; a new project needs one that is")).into()
                );
            }
            root.canonicalize().with_context(|| format!("cannot read {shown}"))
        }
        Err(err) if err.kind() == std::io::ErrorKind::NotFound && root.symlink_metadata().is_err() => {
            // `..` in a path that is not there yet cannot be looked at later.
            Ok(std::path::absolute(&root).unwrap_or(root))
        }
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => {
            Err(Misuse::new(format!("{shown} is a symlink to nothing")).into())
        }
        Err(err) if err.kind() == std::io::ErrorKind::NotADirectory => {
            Err(Misuse::new(format!("{shown} is a file, not a folder")).into())
        }
        Err(err) => Err(err).with_context(|| format!("cannot read {shown}")),
    }
}

fn name(args: &NewArgs, root: &Path) -> anyhow::Result<String> {
    let (name, hint) = match &args.name {
        Some(name) => (name.clone(), ""),
        None => {
            let last = root.file_name().map(|name| name.to_string_lossy().into_owned());
            (last.unwrap_or_default(), ", or give the name by --name")
        }
    };
    names::check(&name).map_err(|why| Misuse::new(format!("the project's name {} {why}{hint}", quoted(&name))))?;
    Ok(name)
}
