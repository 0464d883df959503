//! From a component to the code that hosts load. For the command and the
//! tests: `bootstrap` has no compiler.

use std::fs::{self, DirBuilder, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use wasmtime::{CacheStore, Config, PoolingAllocationConfig};

use super::engine::{self, PoolSize};
use super::functions::Functions;

/// The target whose code this machine runs.
pub const NATIVE_TARGET: &str =
    if cfg!(target_arch = "aarch64") { "aarch64-unknown-linux-gnu" } else { "x86_64-unknown-linux-gnu" };

/// Components that a language's runtime is in are at least this large, in bytes. To
/// look for their functions costs more than to compile a smaller one.
const LARGE: usize = 1 << 20;

/// Why a component was not compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The bytes are no component.
    #[error("{0}")]
    NotAComponent(&'static str),
    /// The compiler refused it.
    #[error("the component does not compile: {0}")]
    Refused(String),
    /// The cache is not the user's own.
    #[error("the cache {path} cannot be used: {reason}")]
    Cache {
        /// The folder.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Reading or writing failed.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: String,
        /// The system's error.
        error: io::Error,
    },
}

/// Tells a component from what else a `.wasm` may be.
///
/// # Errors
///
/// [`CompileError::NotAComponent`], saying what it is instead.
pub fn check_kind(bytes: &[u8]) -> Result<(), CompileError> {
    let what = match bytes {
        [] => "the file is empty",
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => return Ok(()),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => {
            "a core WebAssembly module, not a component (`wasm-tools component embed` and then `component new` make one of it; Rust does for wasm32-wasip2)"
        }
        [0, b'a', b's', b'm', ..] => "WebAssembly of an encoding that is not known, or cut short",
        [0x7f, b'E', b'L', b'F', ..] => "precompiled or native code, not a component: give the .wasm file",
        _ => "not WebAssembly",
    };
    Err(CompileError::NotAComponent(what))
}

/// Compiles a component for the baseline of a target.
///
/// Takes from a fraction of a second to tens of seconds, on all cores.
///
/// # Errors
///
/// - [`CompileError::NotAComponent`]
/// - [`CompileError::Refused`]
pub fn compile(component: &[u8], target: &str) -> Result<Vec<u8>, CompileError> {
    check_kind(component)?;
    engine::to_compile(target, None).and_then(|engine| engine.precompile_component(component)).map_err(refused)
}

fn refused(error: wasmtime::Error) -> CompileError {
    CompileError::Refused(format!("{error:#}"))
}

/// The settings of every engine, without a target and a pool: for benchmarks,
/// which change one and compare.
pub fn settings() -> Config {
    engine::shared()
}

/// The settings of the pool, for the same.
pub fn pool(size: PoolSize) -> PoolingAllocationConfig {
    engine::pooling(size)
}

/// The name of the precompiled code of a component: it changes with the
/// component, wasmtime, the target and our settings of the engine.
///
/// # Errors
///
/// [`CompileError::Refused`] when the compiler does not know the target.
pub fn digest(component: &[u8], target: &str) -> Result<String, CompileError> {
    let mut digest = settings_digest(target)?;
    digest.update(component);
    Ok(hex(&digest.finalize()))
}

/// What all code for a target depends on.
fn settings_digest(target: &str) -> Result<Sha256, CompileError> {
    let engine = engine::to_compile(target, None).map_err(refused)?;
    let mut settings = Feed(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut settings);
    let mut digest = Sha256::new();
    digest.update(settings.0.finalize());
    digest.update(target.as_bytes());
    digest.update([0]);
    Ok(digest)
}

/// The hexadecimal digits of a digest.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Passes what is hashed on to a digest that is the same in every process.
struct Feed(Sha256);

impl Hasher for Feed {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

/// The user's own folder of precompiled code: outside of any project, and
/// nobody else's to write to. Loading such code is trusting it.
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Opens the folder, and makes it if it is not there.
    ///
    /// # Errors
    ///
    /// - [`CompileError::Cache`] when it is a symbolic link, another user's, or
    ///   open to others.
    /// - [`CompileError::Io`]
    pub fn open(folder: PathBuf) -> Result<Self, CompileError> {
        Self::open_outside_of(folder, None)
    }

    /// The same, which must not be below a folder that comes from elsewhere.
    /// Symbolic links on the way are followed before that is looked at.
    ///
    /// # Errors
    ///
    /// As [`Cache::open`], and [`CompileError::Cache`] when it is below.
    pub fn open_outside_of(folder: PathBuf, project: Option<&Path>) -> Result<Self, CompileError> {
        let io = |error| CompileError::Io { path: folder.display().to_string(), error };
        let wrong =
            |reason: &str| CompileError::Cache { path: folder.display().to_string(), reason: reason.to_owned() };
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(io)?;
        let metadata = fs::symlink_metadata(&folder).map_err(io)?;
        if !metadata.is_dir() {
            return Err(wrong("it is a symbolic link"));
        }
        if metadata.uid() != own_uid().map_err(io)? {
            return Err(wrong("it belongs to another user"));
        }
        if metadata.mode() & 0o077 != 0 {
            return Err(wrong("others can read or write it (chmod 700)"));
        }
        let real = folder.canonicalize().map_err(io)?;
        if project.is_some_and(|project| real.starts_with(project)) {
            return Err(wrong("it is in the project; set XDG_CACHE_HOME to a folder outside of it"));
        }
        Ok(Self { folder: real })
    }

    /// The folder, without symbolic links on the way.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The precompiled code of a component, compiled now if it is not there
    /// yet; `tell` is told how much of that is done, from 0 percent on.
    ///
    /// Of a large component, the functions that were compiled before in this cache
    /// are not compiled again.
    ///
    /// # Errors
    ///
    /// Those of [`compile`], and [`CompileError::Io`].
    pub fn get(
        &self,
        component: &[u8],
        target: &str,
        tell: impl Fn(u32) + Send + Sync + 'static,
    ) -> Result<PathBuf, CompileError> {
        check_kind(component)?;
        let path = self.folder.join(format!("{}.cwasm", digest(component, target)?));
        if path.is_file() {
            return Ok(path);
        }
        tell(0);
        if component.len() < LARGE {
            write_once(&path, &compile(component, target)?)?;
            return Ok(path);
        }
        let known = self.folder.join(format!("{}.functions", hex(&settings_digest(target)?.finalize()[..16])));
        let functions = Arc::new(Functions::read(&known, component, Box::new(tell)));
        let engine = engine::to_compile(target, Some(Arc::clone(&functions) as Arc<dyn CacheStore>));
        let code = engine.and_then(|engine| engine.precompile_component(component)).map_err(refused)?;
        write_once(&path, &code)?;
        functions.write(&known).map_err(|error| CompileError::Io { path: known.display().to_string(), error })?;
        Ok(path)
    }
}

/// The user that this process runs as: the owner of its own entry in `/proc`.
fn own_uid() -> io::Result<u32> {
    Ok(fs::metadata("/proc/self")?.uid())
}

/// Writes a file under a temporary name and renames it: a file that is there
/// already, and may be mapped, is not written to. Its name gets another file.
///
/// # Errors
///
/// [`CompileError::Io`]
pub fn write_once(path: &Path, bytes: &[u8]) -> Result<(), CompileError> {
    let io = |error| CompileError::Io { path: path.display().to_string(), error };
    // Processes of two containers can share a folder and have one id.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let temporary = path.with_extension(format!("{}-{}.tmp", std::process::id(), since.as_nanos()));
    let mut file = File::create_new(&temporary).map_err(io)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(io)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_component_is_told_apart() {
        let kind = |bytes: &[u8]| check_kind(bytes).unwrap_err().to_string();
        assert_eq!(kind(b""), "the file is empty");
        assert!(kind(b"\0asm\x01\0\0\0").starts_with("a core WebAssembly module"));
        assert!(kind(b"\0asm\x0d").starts_with("WebAssembly of an encoding that is not known"));
        assert!(kind(b"\x7fELF....").starts_with("precompiled or native code"));
        assert_eq!(kind(b"(component)"), "not WebAssembly");
    }

    #[test]
    fn a_file_of_code_is_never_rewritten() {
        let folder = std::env::temp_dir().join(format!("gristmill-write-once-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("code.cwasm");
        write_once(&path, b"one").unwrap();
        let mapped = File::open(&path).unwrap();
        write_once(&path, b"two").unwrap();
        // The name has another file now; the one that was opened is as it was.
        assert_ne!(mapped.metadata().unwrap().ino(), fs::metadata(&path).unwrap().ino());
        assert_eq!(io::read_to_string(mapped).unwrap(), "one");
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no temporary file is left");
        let missing = folder.join("no-such-folder/code.cwasm");
        assert!(matches!(write_once(&missing, b"x"), Err(CompileError::Io { .. })));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_digest_changes_with_component_and_target() {
        let digests =
            [digest(b"a", "x86_64-unknown-linux-gnu").unwrap(), digest(b"b", "x86_64-unknown-linux-gnu").unwrap()];
        assert_ne!(digests[0], digests[1]);
        assert_eq!(digests[0], digest(b"a", "x86_64-unknown-linux-gnu").unwrap());
        assert_eq!(digests[0].len(), 64);
    }
}
