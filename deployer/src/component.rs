//! What a component exports and imports, and what it may not.

use std::path::Path;

use anyhow::Context as _;
use gristmill_host::guest::{GuestError, Guests, HANDLER, PoolSize};

use crate::manifest::Manifest;

/// How an import stands to the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The contract offers it.
    Contract,
    /// A language's runtime drags it in; it is served with nothing behind it.
    Inert,
    /// The host does not have it.
    Refused,
}

impl Class {
    /// One word, for people and tools.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contract => "contract",
            Self::Inert => "inert",
            Self::Refused => "refused",
        }
    }
}

/// An import of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// For example `wasi:cli/stdout@0.2.6`.
    pub name: String,
    /// How it stands to the contract.
    pub class: Class,
    /// For a refused one: what would have to be granted, or what to do.
    pub why: Option<String>,
}

/// What was found of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// In the order of the component.
    pub imports: Vec<Import>,
    /// In the order of the component.
    pub exports: Vec<String>,
    /// Why a host refuses it; none when it is a handler.
    pub refusal: Option<String>,
    /// The images that it may ask for: `NewImage`, `OldImage`. A language whose
    /// tools import all of the contract asks for both.
    pub images: Vec<&'static str>,
}

/// The functions of the contract that give an image.
const IMAGES: [(&str, &str); 2] =
    [("[method]stream-record.new-image", "NewImage"), ("[method]stream-record.old-image", "OldImage")];

/// An engine to look at components with.
///
/// # Errors
///
/// When the engine does not start.
pub fn guests(manifest: &Manifest) -> anyhow::Result<Guests> {
    let limits = manifest.handlers.iter().map(|handler| handler.limits);
    Guests::new(PoolSize::of(1, 0, limits)).context("cannot look at components")
}

impl Report {
    /// Looks at the precompiled code of a component.
    ///
    /// # Errors
    ///
    /// When it does not load.
    pub fn of(guests: &Guests, code: &Path) -> Result<Self, GuestError> {
        let interfaces = guests.describe(code)?;
        let imports: Vec<Import> = interfaces.imports.into_iter().map(classify).collect();
        let refusal = refusal(&imports, &interfaces.exports).or_else(|| match guests.load(code) {
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        });
        let asks = |(function, _): &(&str, &str)| interfaces.functions.iter().any(|each| each == function);
        let images = IMAGES.into_iter().filter(asks).map(|(_, image)| image).collect();
        Ok(Self { imports, exports: interfaces.exports, refusal, images })
    }

    /// Whether a host runs it.
    pub fn is_handler(&self) -> bool {
        self.refusal.is_none()
    }
}

fn refusal(imports: &[Import], exports: &[String]) -> Option<String> {
    let refused: Vec<&str> =
        imports.iter().filter(|import| import.class == Class::Refused).map(|import| import.name.as_str()).collect();
    if !refused.is_empty() {
        return Some(format!("it imports what no handler has: {}", refused.join(", ")));
    }
    if exports.iter().any(|export| export == HANDLER) {
        return None;
    }
    let found = if exports.is_empty() { "nothing".to_owned() } else { exports.join(", ") };
    Some(format!("it must export {HANDLER}, and exports {found}"))
}

fn classify(name: String) -> Import {
    let (interface, version) = name.split_once('@').unwrap_or((&name, ""));
    let (package, item) = interface.split_once('/').unwrap_or((interface, ""));
    let (class, why) = match (package, item) {
        ("gristmill:events", "types" | "invocation" | "log") if version == "0.1.0" => (Class::Contract, None),
        ("gristmill:events", _) => {
            let why = format!("this gristmill has the contract gristmill:events@0.1.0, not {name}; build with its SDK");
            (Class::Refused, Some(why))
        }
        ("wasi:clocks", "wall-clock" | "monotonic-clock")
        | ("wasi:random", "random" | "insecure" | "insecure-seed")
        | ("wasi:cli", "stdout" | "stderr")
            if version.starts_with("0.2.") =>
        {
            (Class::Contract, None)
        }
        ("wasi:cli" | "wasi:io" | "wasi:filesystem" | "wasi:sockets", _) if version.starts_with("0.2.") => {
            (Class::Inert, None)
        }
        ("wasi:http", _) => {
            let why =
                "outbound HTTP would have to be granted ([handler.NAME.allow] http), and grants are not there yet";
            (Class::Refused, Some(why.to_owned()))
        }
        (package, _) if package.starts_with("wasi:") => {
            (Class::Refused, Some("no handler has this part of WASI; build without what needs it".to_owned()))
        }
        _ => (Class::Refused, Some("the host has no such interface, and no grant for one exists".to_owned())),
    };
    Import { name, class, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_told_apart() {
        for (name, class) in [
            ("gristmill:events/log@0.1.0", Class::Contract),
            ("gristmill:events/log@0.2.0", Class::Refused),
            ("gristmill:events/store@0.1.0", Class::Refused),
            ("wasi:cli/stdout@0.2.0", Class::Contract),
            ("wasi:cli/environment@0.2.6", Class::Inert),
            ("wasi:io/streams@0.2.12", Class::Inert),
            ("wasi:filesystem/preopens@0.2.3", Class::Inert),
            ("wasi:sockets/tcp@0.2.3", Class::Inert),
            ("wasi:cli/stdout@0.3.0", Class::Refused),
            ("wasi:http/outgoing-handler@0.2.0", Class::Refused),
            ("wasi:keyvalue/store@0.2.0", Class::Refused),
            ("acme:db/query", Class::Refused),
            ("plain", Class::Refused),
        ] {
            let import = classify(name.to_owned());
            assert_eq!(import.class, class, "{name}");
            assert_eq!(import.why.is_some(), class == Class::Refused, "{name}");
        }
    }

    #[test]
    fn a_refusal_names_what_is_missing_or_too_much() {
        let export = |name: &str| vec![name.to_owned()];
        assert_eq!(refusal(&[], &export(HANDLER)), None);
        let text = "it must export gristmill:events/handler@0.1.0, and exports wasi:cli/run@0.2.0";
        assert_eq!(refusal(&[], &export("wasi:cli/run@0.2.0")).as_deref(), Some(text));
        let http = classify("wasi:http/types@0.2.0".to_owned());
        let text = "it imports what no handler has: wasi:http/types@0.2.0";
        assert_eq!(refusal(&[http], &export(HANDLER)).as_deref(), Some(text));
    }
}
