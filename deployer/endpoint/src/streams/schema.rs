//! The tables of the stream store, and the trigger that fills them: Dynoxide
//! writes a raw record in the transaction of each change, and the trigger makes
//! a stream record of it in the same transaction, or nothing when the change
//! was none. So there is no moment, a full disk or a kill included, at which a
//! change stands without its record.
//!
//! The trigger and its functions belong to the connection, not to the file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};

use super::ViewType;
use super::value::{self, Raw};
use crate::clock::Clock;

/// Raised with every change of the tables below, and of their meaning.
pub(crate) const FORMAT: &str = "1";

/// `gristmill_record.id` is a record's number: AUTOINCREMENT never gives one
/// twice, also after the newest record has left.
const TABLES: &str = "
CREATE TABLE gristmill_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE gristmill_table (table_name TEXT PRIMARY KEY, latest_label TEXT NOT NULL);
CREATE TABLE gristmill_stream (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    table_name TEXT NOT NULL,
    label TEXT NOT NULL,
    view_type TEXT NOT NULL,
    key_schema TEXT NOT NULL,
    partition_key TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    closed_at_ms INTEGER,
    UNIQUE (table_name, label)
);
CREATE UNIQUE INDEX gristmill_open_stream ON gristmill_stream (table_name) WHERE closed_at_ms IS NULL;
CREATE TABLE gristmill_shard (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stream INTEGER NOT NULL,
    shard_id TEXT NOT NULL,
    parent_shard_id TEXT,
    first_hash INTEGER NOT NULL,
    last_hash INTEGER NOT NULL,
    starting INTEGER NOT NULL,
    ending INTEGER,
    closed_at_ms INTEGER,
    trimmed_through INTEGER NOT NULL DEFAULT 0,
    UNIQUE (stream, shard_id)
);
CREATE TABLE gristmill_record (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    shard INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    event_name TEXT NOT NULL,
    keys TEXT NOT NULL,
    new_image TEXT,
    old_image TEXT,
    user_identity TEXT,
    created_at_ms INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL
);
CREATE INDEX gristmill_record_shard ON gristmill_record (shard, id);
INSERT INTO sqlite_sequence (name, seq) VALUES ('gristmill_record', 0);
";

/// A change that no open shard takes fails, and the write with it, because
/// `gristmill_record.shard` may not be null. A table without an open stream
/// makes no record.
///
/// What `gristmill_change` gives is a hash and a size in one number, and NULL
/// for no change. The LIMIT keeps SQLite from merging the inner query into the
/// outer one, which would call it once for each use.
const TRIGGER: &str = "
CREATE TEMP TRIGGER gristmill_publish AFTER INSERT ON main._stream_records BEGIN
    INSERT INTO gristmill_record
        (shard, event_id, event_name, keys, new_image, old_image, user_identity, created_at_ms, size_bytes)
    SELECT
        (SELECT h.id FROM gristmill_shard h WHERE h.stream = c.stream AND h.ending IS NULL
            AND (c.change >> 31) BETWEEN h.first_hash AND h.last_hash),
        NEW.event_id,
        NEW.event_name,
        NEW.keys_json,
        CASE WHEN c.view_type IN ('NEW_IMAGE', 'NEW_AND_OLD_IMAGES') THEN NEW.new_image END,
        CASE WHEN c.view_type IN ('OLD_IMAGE', 'NEW_AND_OLD_IMAGES') THEN NEW.old_image END,
        NEW.user_identity,
        gristmill_now_ms(),
        c.change & 2147483647
    FROM (
        SELECT s.id AS stream, s.view_type,
            gristmill_change(s.view_type, s.partition_key, NEW.keys_json, NEW.new_image, NEW.old_image) AS change
        FROM gristmill_stream s WHERE s.table_name = NEW.table_name AND s.closed_at_ms IS NULL LIMIT 1
    ) c
    WHERE c.change IS NOT NULL;
    DELETE FROM _stream_records WHERE id = NEW.id;
END;
";

/// Makes the tables in a database that has none of ours.
///
/// # Errors
///
/// What SQLite says. Then nothing was made.
pub(crate) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch("BEGIN IMMEDIATE")?;
    let made = conn
        .execute_batch(TABLES)
        .and_then(|()| conn.execute("INSERT INTO gristmill_meta VALUES ('format', ?1)", [FORMAT]))
        .and_then(|_| conn.execute_batch("COMMIT"));
    if made.is_err() {
        // The first error is the one to tell; SQLite may have rolled back itself.
        let _ = conn.execute_batch("ROLLBACK");
    }
    made
}

/// Sets the trigger on a connection. `published` is raised whenever a change
/// was seen, which may be one that is rolled back later.
///
/// # Errors
///
/// What SQLite says.
pub(crate) fn install(conn: &Connection, clock: Arc<dyn Clock>, published: Arc<AtomicBool>) -> rusqlite::Result<()> {
    let pure = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    conn.create_scalar_function("gristmill_change", 5, pure, move |context| {
        let required = |index| Ok::<_, rusqlite::Error>(text(context, index)?.unwrap_or_default());
        // The store wrote it, and writes no other.
        let view_type = ViewType::parse(required(0)?).ok_or(rusqlite::Error::InvalidQuery)?;
        let raw =
            Raw { partition_key: required(1)?, keys: required(2)?, new: text(context, 3)?, old: text(context, 4)? };
        let change = value::change(view_type, raw).map_err(failed)?;
        if change.is_some() {
            published.store(true, Ordering::Release);
        }
        // A size has at most 22 bits, since an item has 400 KB.
        Ok(change.map(|change| i64::from(change.hash) << 31 | i64::from(change.size_bytes)))
    })?;
    conn.create_scalar_function("gristmill_now_ms", 0, FunctionFlags::SQLITE_UTF8, move |_| {
        i64::try_from(clock.now_ms()).map_err(failed)
    })?;
    conn.execute_batch(TRIGGER)
}

fn text<'a>(context: &'a Context<'_>, index: usize) -> rusqlite::Result<Option<&'a str>> {
    Ok(context.get_raw(index).as_str_or_null()?)
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::UserFunctionError(Box::new(error))
}
