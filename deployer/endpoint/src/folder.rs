//! The folder that data lies in: whose it is, whether it can be read, and how it
//! is emptied. Opens what the database then works on; must not know tables,
//! records or requests.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use dynoxide::DynoxideError;
use dynoxide::storage::Storage;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _};

use crate::names::NamesError;
use crate::streams::schema;

/// The database, and what SQLite puts beside it.
const DATABASE: &str = "dynamodb.sqlite";
const BESIDE: [&str; 2] = ["dynamodb.sqlite-wal", "dynamodb.sqlite-shm"];
const LOCK: &str = "dynamodb.lock";

/// Up to this size the whole file is checked when it is opened: about half a
/// second. In a larger one a bad page is found by the request that reads it.
const MOST_CHECKED_BYTES: u64 = 256 << 20;

/// Why an endpoint could not be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the folder open.
    #[error("the data in {} is in use by another process; stop it, or use another folder", .0.display())]
    InUse(
        /// The folder.
        PathBuf,
    ),
    /// The data was written by another version of gristmill.
    #[error(
        "the data in {} was written by another version of gristmill (format {found}, this one has {}); use that version, \
         or delete the data with --reset", .folder.display(), schema::FORMAT
    )]
    OtherVersion {
        /// The folder.
        folder: PathBuf,
        /// The format that was found, in words.
        found: String,
    },
    /// The file is no database, or a broken one.
    #[error(
        "the data file {} cannot be read: {reason}; put a good copy in its place, or delete the data with --reset",
        .file.display()
    )]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// The folder or a file in it cannot be used.
    #[error("{} cannot be used for data: {source}; check its permissions and the space on the disk", .path.display())]
    Folder {
        /// The folder or the file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The Region or the account.
    #[error(transparent)]
    Names(
        /// Which, and why.
        #[from]
        NamesError,
    ),
    /// The database could not be made.
    #[error("the database could not be made: {0}")]
    Database(
        /// What SQLite said.
        String,
    ),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.to_string())
    }
}

/// A folder that belongs to this process, until this is dropped or the process
/// ends, however it ends.
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Makes the folder if it is not there, for its owner alone, and takes it.
    fn take(folder: &Path) -> Result<Self, OpenError> {
        let unusable = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Folder { path, source }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unusable(folder))?;
        let mode = fs::metadata(folder).map_err(unusable(folder))?.permissions().mode();
        if mode & 0o077 != 0 {
            // Items are nobody else's business, whoever made the folder.
            fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(unusable(folder))?;
        }
        let path = folder.join(LOCK);
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = file.map_err(unusable(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse(folder.to_owned())),
            Err(TryLockError::Error(source)) => Err(OpenError::Folder { path, source }),
        }
    }
}

/// Opens the data in a folder, or begins it.
///
/// # Errors
///
/// Every [`OpenError`] but that of names.
pub(crate) fn open(folder: &Path) -> Result<(Storage, Lock), OpenError> {
    let lock = Lock::take(folder)?;
    let file = folder.join(DATABASE);
    let corrupt = |reason: String| OpenError::Corrupt { file: file.clone(), reason };
    let Some(path) = file.to_str() else {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "the path is not UTF-8");
        return Err(OpenError::Folder { path: file, source });
    };
    let state = match fs::metadata(&file) {
        Ok(metadata) => look(&file, metadata.len()).map_err(|error| refusal(folder, &file, error))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => State::New,
        Err(source) => return Err(OpenError::Folder { path: file, source }),
    };
    match state {
        State::New | State::Ours => {}
        State::Foreign(found) => return Err(OpenError::OtherVersion { folder: folder.to_owned(), found }),
        State::Broken(reason) => return Err(corrupt(reason)),
    }
    let storage = Storage::new(path).map_err(|error| match error {
        DynoxideError::SqliteError(error) => refusal(folder, &file, error),
        // A schema that this Dynoxide does not know.
        other => OpenError::OtherVersion { folder: folder.to_owned(), found: other.to_string() },
    })?;
    // A commit is in the log before it is acknowledged, and is not flushed to the
    // disk: it survives every end of the process. When the machine loses power,
    // the last changes may go, each with its record, and the file stays good.
    storage.conn().pragma_update(None, "synchronous", "NORMAL")?;
    begin(&storage)?;
    Ok((storage, lock))
}

/// A database in memory.
///
/// # Errors
///
/// [`OpenError::Database`].
pub(crate) fn in_memory() -> Result<Storage, OpenError> {
    let storage = Storage::memory().map_err(|error| OpenError::Database(error.to_string()))?;
    begin(&storage)?;
    Ok(storage)
}

/// Puts our tables beside Dynoxide's, if they are not there.
fn begin(storage: &Storage) -> Result<(), OpenError> {
    if format(storage.conn())?.is_none() {
        schema::create(storage.conn())?;
    }
    Ok(())
}

/// Deletes the data in a folder, whatever is wrong with it.
///
/// # Errors
///
/// - [`OpenError::InUse`] when another process has it open
/// - [`OpenError::Folder`] when it cannot be deleted
pub(crate) fn reset(folder: &Path) -> Result<(), OpenError> {
    let _lock = Lock::take(folder)?;
    // The log before the file: a log without its file is nothing, and a file
    // without its log would be an old state.
    for name in BESIDE.into_iter().chain([DATABASE]) {
        let path = folder.join(name);
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(OpenError::Folder { path, source }),
        }
    }
    Ok(())
}

/// What a file is.
enum State {
    /// Nothing is in it: it may have been left by a start that was cut.
    New,
    Ours,
    /// Written by another version, with the format found.
    Foreign(String),
    Broken(String),
}

/// Looks at a file before Dynoxide, which would change it. Writes nothing.
fn look(file: &Path, bytes: u64) -> rusqlite::Result<State> {
    // SQLite begins a new database in a file of no bytes.
    if bytes == 0 {
        return Ok(State::New);
    }
    // To read a log that a kill has left, SQLite must be allowed to write.
    let conn = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    match format(&conn)? {
        Some(found) if found == schema::FORMAT => {}
        Some(found) => return Ok(State::Foreign(found)),
        None if has_tables(&conn)? => return Ok(State::Foreign("none".to_owned())),
        None => return Ok(State::New),
    }
    if bytes <= MOST_CHECKED_BYTES {
        let found: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if found != "ok" {
            return Ok(State::Broken(found));
        }
    }
    Ok(State::Ours)
}

/// The format that a database says to have.
fn format(conn: &Connection) -> rusqlite::Result<Option<String>> {
    let exists = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'gristmill_meta')";
    if !conn.query_row(exists, [], |row| row.get::<_, bool>(0))? {
        return Ok(None);
    }
    let format =
        conn.query_row("SELECT value FROM gristmill_meta WHERE key = 'format'", [], |row| row.get(0)).optional()?;
    Ok(Some(format.unwrap_or_else(|| "unknown".to_owned())))
}

/// Whether there is anything that somebody would miss. A start that was cut
/// leaves Dynoxide's own tables, without a table of anybody's in them.
fn has_tables(conn: &Connection) -> rusqlite::Result<bool> {
    let tables = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_tables')";
    if conn.query_row(tables, [], |row| row.get::<_, bool>(0))? {
        return conn.query_row("SELECT EXISTS (SELECT 1 FROM _tables)", [], |row| row.get(0));
    }
    conn.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name NOT IN ('_config', 'sqlite_sequence'))",
        [],
        |row| row.get(0),
    )
}

/// What an error of SQLite means for somebody who starts it.
fn refusal(folder: &Path, file: &Path, error: rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            OpenError::Corrupt { file: file.to_owned(), reason: error.to_string() }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::InUse(folder.to_owned()),
        Some(_) | None => OpenError::Folder { path: file.to_owned(), source: io::Error::other(error) },
    }
}
