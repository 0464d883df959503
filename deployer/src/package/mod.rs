//! The package: `bootstrap`, its settings and the precompiled code of the
//! handlers, as a folder or as the zip that Lambda takes.
//!
//! Knows what is in a package. Where `bootstrap` comes from is [`bootstrap`]'s,
//! what a package may weigh is [`weight`]'s, and how it becomes bytes is `zip`'s.

pub mod bootstrap;
pub mod weight;
mod zip;

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gristmill_host::guest::compile;
use gristmill_host::settings::{self, Function, Package, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use self::bootstrap::{Bootstrap, Origin};
use self::zip::{Data, Entry};
use crate::architecture::Architecture;
use crate::build::{self, Built};
use crate::cli::{self, Output, PackageArgs};
use crate::edge::{Done, Misuse, escape, quoted};
use crate::manifest::{self, Handler, Manifest};
use crate::{code, functions, project};

/// The host's binary, as Lambda starts it.
const BOOTSTRAP: &str = "bootstrap";

/// The host's settings.
const SETTINGS: &str = "handlers.json";

/// The settings of all handlers of the manifest in one function, as this machine
/// runs an event, with the name of each one's precompiled code.
pub fn function(manifest: &Manifest, response: Response, module_of: impl Fn(&str) -> String) -> Function {
    let streams = manifest.streams.iter().map(|stream| stream.to_settings(response));
    let handlers = manifest.handlers.iter().map(|handler| settings_of(handler, &module_of));
    Function { streams: streams.collect(), handlers: handlers.collect() }
}

/// The settings of one function of the project.
pub fn function_of(
    function: &functions::Function<'_>,
    response: Response,
    module_of: impl Fn(&str) -> String,
) -> Function {
    let streams = function.streams.iter().map(|stream| stream.to_settings(response));
    let handlers = function.handlers.iter().map(|handler| settings_of(handler, &module_of));
    Function { streams: streams.collect(), handlers: handlers.collect() }
}

fn settings_of(handler: &Handler, module_of: impl Fn(&str) -> String) -> settings::Handler {
    settings::Handler {
        name: handler.name.clone(),
        stream: handler.stream.clone(),
        module: module_of(&handler.name),
        filters: handler.filters.clone(),
        instance_per: handler.instance_per,
        limits: handler.limits,
    }
}

/// Runs `gristmill package` in the project at `root`.
///
/// # Errors
///
/// As [`make`].
pub fn run(root: &Path, args: &PackageArgs) -> anyhow::Result<Done> {
    let manifest = manifest::load(root, args.env.as_deref())?;
    manifest.print_warnings();
    let packed = make(
        &manifest,
        &Options {
            architecture: args.architecture.unwrap_or(manifest.function.architecture),
            bootstrap: args.bootstrap.clone(),
            out: args.out.clone(),
            response: args.response,
            offline: args.offline,
        },
    )?;
    if let Err(told) = weight::check_direct(packed.zip_bytes) {
        eprintln!("note: {told}");
    }
    Ok(Done::printing(match args.output {
        Output::Json => packed.to_json().to_string() + "\n",
        Output::Text => packed.to_text(),
    }))
}

/// What a package is made with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Of the function.
    pub architecture: Architecture,
    /// The host's binary; none is the one beside the command, or else one built
    /// from the command's own sources.
    pub bootstrap: Option<PathBuf>,
    /// The zip; none is the project's own place for it.
    pub out: Option<PathBuf>,
    /// What the function answers when a record must come again.
    pub response: cli::Response,
    /// Do not use the network.
    pub offline: bool,
}

/// A package, made.
#[derive(Clone, Debug)]
pub struct Packed {
    /// The zip.
    pub path: PathBuf,
    /// What its code is for.
    pub architecture: Architecture,
    /// The environment whose tables it is for.
    pub env: String,
    /// Where its `bootstrap` was taken from.
    pub bootstrap: Origin,
    /// The zip's digest.
    pub sha256: [u8; 32],
    /// The zip's length.
    pub zip_bytes: u64,
    /// What is in it, in the order of the names.
    pub contents: Vec<Contained>,
}

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contained {
    /// Its name.
    pub name: String,
    /// The handlers whose code it is.
    pub handlers: Vec<String>,
    /// Its length.
    pub bytes: u64,
    /// Its length in the zip.
    pub zipped_bytes: u64,
}

/// The SHA-256 of bytes in hexadecimal digits.
pub(crate) fn digest(bytes: &[u8]) -> String {
    compile::hex(&Sha256::digest(bytes))
}

impl Packed {
    /// The zip's digest as Lambda shows it.
    pub fn code_sha256(&self) -> String {
        STANDARD.encode(self.sha256)
    }

    /// The zip's digest in hexadecimal digits.
    pub fn sha256_hex(&self) -> String {
        compile::hex(&self.sha256)
    }

    fn to_text(&self) -> String {
        let total = weight::total(&self.contents);
        // In thousandths, which are shown as a percentage with one digit.
        let share = (u128::from(total) * 1000).div_ceil(u128::from(weight::MOST_BYTES));
        let mut text = format!(
            "{}: {}, {} zipped, {} unzipped, {}.{} % of what Lambda takes\n\n",
            escape(&project::shown(&self.path)),
            self.architecture,
            weight::megabytes(self.zip_bytes),
            weight::megabytes(total),
            share / 10,
            share % 10,
        );
        let rows = self.contents.iter().map(|entry| {
            // The first digits tell one from another; the listing in JSON has all.
            let name =
                entry.name.strip_suffix(".cwasm").map(|digest| format!("{}….cwasm", digest.get(..8).unwrap_or(digest)));
            let what = match entry.name.as_str() {
                BOOTSTRAP => format!("the host, {}", self.bootstrap.as_str()),
                SETTINGS => format!("the host's settings, env {}", self.env),
                _ => entry.handlers.join(", "),
            };
            (
                name.unwrap_or_else(|| entry.name.clone()),
                weight::grouped(entry.bytes),
                weight::grouped(entry.zipped_bytes),
                what,
            )
        });
        for (name, bytes, zipped, what) in rows {
            text += &format!("  {name:<15}  {bytes:>11} bytes  {zipped:>11} zipped  {what}\n");
        }
        text + &format!("\nsha256      {}\nCodeSha256  {}\n", self.sha256_hex(), self.code_sha256())
    }

    fn to_json(&self) -> Value {
        let entries = self.contents.iter().map(|entry| {
            json!({
                "name": entry.name,
                "handlers": entry.handlers,
                "bytes": entry.bytes,
                "zippedBytes": entry.zipped_bytes,
            })
        });
        json!({
            "file": self.path,
            "architecture": self.architecture.as_str(),
            "env": self.env,
            "bootstrap": self.bootstrap.as_str(),
            "sha256": self.sha256_hex(),
            "codeSha256": self.code_sha256(),
            "zipBytes": self.zip_bytes,
            "bytes": weight::total(&self.contents),
            "mostBytes": weight::MOST_BYTES,
            "contents": entries.collect::<Vec<_>>(),
        })
    }
}

/// Builds the handlers, gets `bootstrap`, and makes the zip of both. The same
/// input makes the same bytes.
///
/// # Errors
///
/// * [`Misuse`] when a component is no handler, or `--bootstrap` or `--out` is
///   no file that could be meant;
/// * when a handler or `bootstrap` cannot be built;
/// * when the package is larger than Lambda takes;
/// * when the zip cannot be written.
pub fn make(manifest: &Manifest, options: &Options) -> anyhow::Result<Packed> {
    let architecture = options.architecture;
    // What is wrong at once is told at once, and not after a build.
    let path = place(manifest, options)?;
    let there = bootstrap::there(options.bootstrap.as_deref(), architecture)?;
    let built = build::all_for(manifest, architecture.target(), options.offline)?;
    let handlers = handlers(manifest, &built, options.response)?;
    let Bootstrap { origin, bytes } = match there {
        Some(bootstrap) => bootstrap,
        None => bootstrap::from_sources(&code::cache(&manifest.root)?, architecture, options.offline)?,
    };
    let program = Entry { name: BOOTSTRAP.to_owned(), is_program: true, data: Data::Bytes(bytes) };
    let mut files = vec![(program, Vec::new())];
    files.extend(handlers);
    files.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    let (entries, handlers): (Vec<Entry>, Vec<Vec<String>>) = files.into_iter().unzip();
    let contents = entries.iter().zip(handlers).map(|(entry, handlers)| Contained {
        name: entry.name.clone(),
        handlers,
        bytes: entry.data.len(),
        zipped_bytes: 0,
    });
    let mut contents: Vec<Contained> = contents.collect();
    weight::check(&contents, weight::MOST_BYTES).map_err(anyhow::Error::msg)?;

    let folder = path.parent().context("a package has a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", project::shown(folder)))?;
    let written = zip::write(&path, &entries)?;
    for (entry, zipped_bytes) in contents.iter_mut().zip(written.zipped_bytes) {
        entry.zipped_bytes = zipped_bytes;
    }
    Ok(Packed {
        path,
        architecture,
        env: manifest.env.clone(),
        bootstrap: origin,
        sha256: written.sha256,
        zip_bytes: written.bytes,
        contents,
    })
}

/// Where the zip goes: a file that is there is replaced, and nothing else is.
fn place(manifest: &Manifest, options: &Options) -> anyhow::Result<PathBuf> {
    let path = match &options.out {
        Some(out) => {
            let named = quoted(&out.to_string_lossy());
            if out.file_name().is_none() {
                return Err(Misuse::new(format!("--out {named} names no file")).into());
            }
            std::path::absolute(out).with_context(|| format!("--out {named}"))?
        }
        None => {
            let name = format!("{}-{}-{}.zip", manifest.project, manifest.env, options.architecture);
            let path = code::own_folder(manifest).join("package").join(name);
            // A project comes from anywhere, and so may the folders in it.
            let folder = path.ancestors().skip(1).find(|folder| folder.symlink_metadata().is_ok());
            let folder = folder.unwrap_or(&manifest.root);
            let real = folder.canonicalize().with_context(|| format!("cannot read {}", project::shown(folder)))?;
            if !real.starts_with(&manifest.root) {
                let message = "is a symbolic link out of the project; nothing was written";
                return Err(Misuse::new(format!("{} {message}", project::shown(folder))).into());
            }
            path
        }
    };
    match path.symlink_metadata() {
        Ok(metadata) if !metadata.is_file() => {
            let what = if metadata.is_dir() { "is a folder; name a file" } else { "is a symbolic link, or no file" };
            Err(Misuse::new(format!("{} {what}", project::shown(&path))).into())
        }
        Ok(_) | Err(_) => Ok(path),
    }
}

/// The settings and the code, each with the handlers whose it is.
fn handlers(
    manifest: &Manifest,
    built: &[Built],
    response: cli::Response,
) -> anyhow::Result<Vec<(Entry, Vec<String>)>> {
    if let Some(refused) = built.iter().find(|built| !built.report.is_handler()) {
        let refusal = refused.report.refusal.as_deref().unwrap_or_default();
        return Err(Misuse::new(format!("handler {} cannot be packaged: {refusal}", refused.name)).into());
    }
    let mut files: Vec<(Entry, Vec<String>)> = Vec::new();
    for built in built {
        let name = module_name(&built.code)?;
        // Handlers of one component share its code.
        match files.iter_mut().find(|(entry, _)| entry.name == name) {
            Some((_, handlers)) => handlers.push(built.name.clone()),
            None => {
                let data = Data::of_file(built.code.clone())?;
                files.push((Entry { name, is_program: false, data }, vec![built.name.clone()]));
            }
        }
    }
    let module_of = |handler: &str| {
        let of_it = files.iter().find(|(_, handlers)| handlers.iter().any(|other| other == handler));
        of_it.map(|(entry, _)| entry.name.clone()).unwrap_or_default()
    };
    let package = Package {
        version: settings::VERSION,
        functions: functions::of(manifest)
            .iter()
            .map(|function| (function.key(), function_of(function, response.into(), module_of)))
            .collect(),
    };
    let text = serde_json::to_string_pretty(&package).context(SETTINGS)? + "\n";
    let settings = Entry { name: SETTINGS.to_owned(), is_program: false, data: Data::Bytes(text.into_bytes()) };
    files.push((settings, Vec::new()));
    Ok(files)
}

/// The file name of a path that the cache made, which the host takes for a
/// module's.
fn module_name(code: &Path) -> anyhow::Result<String> {
    let name = code.file_name().and_then(|name| name.to_str()).context("precompiled code has a file name")?;
    let digest = name.strip_suffix(".cwasm").unwrap_or_default();
    let is_digest = digest.len() == 64 && digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    anyhow::ensure!(is_digest, "{} is no name of precompiled code", quoted(name));
    Ok(name.to_owned())
}

/// Writes `handlers.json`, the precompiled code, and the host's binary if it
/// is given, into a folder.
///
/// # Errors
///
/// * [`Misuse`] when a component is no handler;
/// * when a file cannot be read or written.
pub fn lay_out(
    manifest: &Manifest,
    built: &[Built],
    dir: &Path,
    bootstrap: Option<&Path>,
    response: cli::Response,
) -> anyhow::Result<()> {
    let files = handlers(manifest, built, response)?;
    // What is loaded from here is trusted: nobody else writes to it.
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(dir)
        .with_context(|| format!("cannot make {}", project::shown(dir)))?;
    let metadata = fs::symlink_metadata(dir).with_context(|| format!("cannot read {}", project::shown(dir)))?;
    if !metadata.is_dir() || metadata.mode() & 0o022 != 0 {
        let message = "is a symbolic link, or others can write to it; name a folder of your own";
        return Err(Misuse::new(format!("--package {} {message}", project::shown(dir))).into());
    }
    for (entry, _) in &files {
        // Whatever lies there by that name is replaced: it was not made here.
        compile::write_once(&dir.join(&entry.name), &entry.data.read()?)?;
    }
    if let Some(bootstrap) = bootstrap {
        let to = dir.join(BOOTSTRAP);
        // Read whole before it is written: the two may be one file.
        let bytes = fs::read(bootstrap).with_context(|| format!("cannot read {}", project::shown(bootstrap)))?;
        compile::write_once(&to, &bytes)?;
        fs::set_permissions(&to, Permissions::from_mode(0o755))
            .with_context(|| format!("cannot make {} executable", project::shown(&to)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_digest_names_code() {
        let digest = "0123456789abcdef".repeat(4);
        assert_eq!(module_name(Path::new(&format!("/cache/{digest}.cwasm"))).unwrap(), format!("{digest}.cwasm"));
        for name in ["", "x.cwasm", &digest, &format!("{digest}.CWASM"), &format!("{}.cwasm", digest.to_uppercase())] {
            assert!(module_name(Path::new("/cache").join(name).as_path()).is_err(), "{name}");
        }
    }
}
