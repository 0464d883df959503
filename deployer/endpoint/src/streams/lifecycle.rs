//! Streams that begin, end, split and forget: what happens to a stream besides
//! its records. Called inside a transaction of the caller, or making one where
//! it says so; must not know requests and answers.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{StreamError, ViewType};
use crate::clock::Clock;
use crate::names;

/// A record stays for 24 hours (AWS-FACTS, The event source mapping).
pub(crate) const RETENTION_MS: u64 = 24 * 60 * 60 * 1000;

/// The highest hash of a partition key.
const LAST_HASH: i64 = u32::MAX as i64;

/// What a table description says of the table's streams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TableStream {
    /// The view type, while the stream is on.
    pub(crate) view_type: Option<String>,
    /// The label of the newest stream, on or off.
    pub(crate) latest_label: Option<String>,
}

/// What the table has of streams.
pub(crate) fn of_table(conn: &Connection, table: &str) -> rusqlite::Result<TableStream> {
    let latest_label = conn
        .prepare_cached("SELECT latest_label FROM gristmill_table WHERE table_name = ?1")?
        .query_row([table], |row| row.get(0))
        .optional()?;
    let view_type = conn
        .prepare_cached("SELECT view_type FROM gristmill_stream WHERE table_name = ?1 AND closed_at_ms IS NULL")?
        .query_row([table], |row| row.get(0))
        .optional()?;
    Ok(TableStream { view_type, latest_label })
}

/// The keys of the table whose stream begins.
pub(crate) struct KeySchema<'a> {
    /// As the API has it, as JSON.
    pub(crate) json: &'a str,
    pub(crate) partition_key: &'a str,
}

/// Begins a stream with a label of its own and so many open shards.
pub(crate) fn open(
    conn: &Connection,
    clock: &Arc<dyn Clock>,
    table: &str,
    view_type: ViewType,
    keys: &KeySchema<'_>,
    shards: u32,
) -> rusqlite::Result<String> {
    let now_ms = clock.now_ms();
    // Off and on within a millisecond, or with a clock that was set back: the
    // label moves on until no stream of the table has it.
    let mut label_ms = now_ms;
    let label = loop {
        let label = names::label(label_ms);
        let taken: bool = conn.query_row(
            "SELECT EXISTS (SELECT 1 FROM gristmill_stream WHERE table_name = ?1 AND label = ?2)
                 OR EXISTS (SELECT 1 FROM gristmill_table WHERE table_name = ?1 AND latest_label = ?2)",
            [table, &label],
            |row| row.get(0),
        )?;
        if !taken {
            break label;
        }
        label_ms += 1;
    };
    conn.execute(
        "INSERT INTO gristmill_stream (table_name, label, view_type, key_schema, partition_key, created_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![table, label, view_type.as_str(), keys.json, keys.partition_key, signed(now_ms)],
    )?;
    let stream = conn.last_insert_rowid();
    let starting = next_number(conn)?;
    let shards = i64::from(shards.max(1));
    let width = (LAST_HASH + 1) / shards;
    for ordinal in 0..shards {
        let last_hash = if ordinal + 1 == shards { LAST_HASH } else { (ordinal + 1) * width - 1 };
        let shard =
            Shard { stream, label: &label, parent: None, first_hash: ordinal * width, last_hash, starting, now_ms };
        insert_shard(conn, ordinal, &shard)?;
    }
    conn.execute(
        "INSERT INTO gristmill_table VALUES (?1, ?2) ON CONFLICT (table_name) DO UPDATE SET latest_label = ?2",
        [table, &label],
    )?;
    Ok(label)
}

struct Shard<'a> {
    stream: i64,
    label: &'a str,
    parent: Option<&'a str>,
    first_hash: i64,
    last_hash: i64,
    starting: i64,
    now_ms: u64,
}

fn insert_shard(conn: &Connection, ordinal: i64, shard: &Shard<'_>) -> rusqlite::Result<String> {
    let shard_id = names::shard_id(shard.stream, ordinal, shard.label, shard.now_ms);
    conn.execute(
        "INSERT INTO gristmill_shard (stream, shard_id, parent_shard_id, first_hash, last_hash, starting)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![shard.stream, shard_id, shard.parent, shard.first_hash, shard.last_hash, shard.starting],
    )?;
    Ok(shard_id)
}

/// The number that the next record gets.
pub(super) fn next_number(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("SELECT seq + 1 FROM sqlite_sequence WHERE name = 'gristmill_record'")?
        .query_row([], |row| row.get(0))
}

/// Takes the next number for the end of a shard, so that an end is never below
/// a beginning and never the number of a later record.
fn take_number(conn: &Connection) -> rusqlite::Result<i64> {
    let number = next_number(conn)?;
    conn.execute("UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'gristmill_record'", [number])?;
    Ok(number)
}

/// Ends the table's open stream, if it has one. What it has stays readable for
/// 24 hours.
pub(crate) fn close(conn: &Connection, clock: &Arc<dyn Clock>, table: &str) -> rusqlite::Result<()> {
    let open = "SELECT id FROM gristmill_stream WHERE table_name = ?1 AND closed_at_ms IS NULL";
    let Some(stream) = conn.query_row(open, [table], |row| row.get::<_, i64>(0)).optional()? else { return Ok(()) };
    let now_ms = signed(clock.now_ms());
    let ending = take_number(conn)?;
    conn.execute(
        "UPDATE gristmill_shard SET ending = ?1, closed_at_ms = ?2 WHERE stream = ?3 AND ending IS NULL",
        params![ending, now_ms, stream],
    )?;
    conn.execute("UPDATE gristmill_stream SET closed_at_ms = ?1 WHERE id = ?2", [now_ms, stream])?;
    Ok(())
}

/// Forgets a table that is deleted. Its streams stay readable for 24 hours.
pub(crate) fn forget_table(conn: &Connection, table: &str) -> rusqlite::Result<()> {
    conn.execute("DELETE FROM gristmill_table WHERE table_name = ?1", [table]).map(drop)
}

/// Ends an open shard and begins two children, each with half of its items.
/// Must run inside a transaction.
///
/// # Errors
///
/// - [`StreamError::ResourceNotFound`] when the stream has no such shard
/// - [`StreamError::Validation`] when it is closed, or has a single hash left
/// - [`StreamError::Store`]
pub(crate) fn split(
    conn: &Connection,
    clock: &Arc<dyn Clock>,
    stream: i64,
    shard_id: &str,
) -> Result<[String; 2], StreamError> {
    let found = conn
        .query_row(
            "SELECT h.id, h.first_hash, h.last_hash, h.ending IS NULL, s.label,
                    (SELECT seq FROM sqlite_sequence WHERE name = 'gristmill_shard')
             FROM gristmill_shard h JOIN gristmill_stream s ON s.id = h.stream WHERE h.stream = ?1 AND h.shard_id = ?2",
            params![stream, shard_id],
            |row| {
                let range: (i64, i64) = (row.get(1)?, row.get(2)?);
                Ok((
                    row.get::<_, i64>(0)?,
                    range,
                    row.get::<_, bool>(3)?,
                    row.get::<_, String>(4)?,
                    row.get::<_, i64>(5)?,
                ))
            },
        )
        .optional()?;
    let Some((id, (first_hash, last_hash), is_open, label, ordinal)) = found else {
        return Err(StreamError::ResourceNotFound(format!("Requested resource not found: Shard {shard_id} not found")));
    };
    if !is_open || first_hash == last_hash {
        return Err(StreamError::Validation(format!("shard {shard_id} cannot be split: it is closed or has one hash")));
    }
    let now_ms = clock.now_ms();
    let ending = take_number(conn)?;
    conn.execute(
        "UPDATE gristmill_shard SET ending = ?1, closed_at_ms = ?2 WHERE id = ?3",
        params![ending, signed(now_ms), id],
    )?;
    let middle = first_hash + (last_hash - first_hash) / 2;
    let child = |ordinal, first_hash, last_hash| {
        let shard = Shard {
            stream,
            label: &label,
            parent: Some(shard_id),
            first_hash,
            last_hash,
            starting: ending + 1,
            now_ms,
        };
        insert_shard(conn, ordinal, &shard)
    };
    Ok([child(ordinal + 1, first_hash, middle)?, child(ordinal + 2, middle + 1, last_hash)?])
}

/// Takes what is older than 24 hours out of all streams. A record never leaves
/// before one that is older in its shard, also when the clock jumps.
pub(crate) fn trim(conn: &Connection, now_ms: u64) -> rusqlite::Result<()> {
    let Some(horizon) = now_ms.checked_sub(RETENTION_MS).map(signed) else { return Ok(()) };
    if !has_old(conn, horizon)? {
        return Ok(());
    }
    conn.execute_batch("BEGIN IMMEDIATE")?;
    let trimmed = trim_before(conn, horizon).and_then(|()| conn.execute_batch("COMMIT"));
    if trimmed.is_err() {
        let _ = conn.execute_batch("ROLLBACK");
    }
    trimmed
}

/// Cheap: looks at the oldest record of each shard, and at what was closed.
fn has_old(conn: &Connection, horizon: i64) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM gristmill_stream WHERE closed_at_ms <= ?1)
             OR EXISTS (SELECT 1 FROM gristmill_shard WHERE closed_at_ms <= ?1)
             OR EXISTS (SELECT 1 FROM gristmill_shard h WHERE
                (SELECT r.created_at_ms FROM gristmill_record r WHERE r.shard = h.id ORDER BY r.id LIMIT 1) <= ?1)",
    )?
    .query_row([horizon], |row| row.get(0))
}

fn trim_before(conn: &Connection, horizon: i64) -> rusqlite::Result<()> {
    let mut shards = conn.prepare("SELECT id FROM gristmill_shard")?;
    let shards = shards.query_map([], |row| row.get::<_, i64>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    for shard in shards {
        let kept: Option<i64> = conn
            .query_row(
                "SELECT id FROM gristmill_record WHERE shard = ?1 AND created_at_ms > ?2 ORDER BY id LIMIT 1",
                [shard, horizon],
                |row| row.get(0),
            )
            .optional()?;
        let trimmed: Option<i64> = conn.query_row(
            "SELECT MAX(id) FROM gristmill_record WHERE shard = ?1 AND id < ?2",
            [shard, kept.unwrap_or(i64::MAX)],
            |row| row.get(0),
        )?;
        let Some(trimmed) = trimmed else { continue };
        conn.execute("DELETE FROM gristmill_record WHERE shard = ?1 AND id <= ?2", [shard, trimmed])?;
        conn.execute("UPDATE gristmill_shard SET trimmed_through = ?2 WHERE id = ?1", [shard, trimmed])?;
    }
    // A clock that jumped may have left records in what is closed: they keep it.
    let gone =
        "closed_at_ms <= ?1 AND NOT EXISTS (SELECT 1 FROM gristmill_record r WHERE r.shard = gristmill_shard.id)";
    conn.execute(&format!("DELETE FROM gristmill_shard WHERE {gone}"), [horizon])?;
    let empty = "NOT EXISTS (SELECT 1 FROM gristmill_shard h WHERE h.stream = gristmill_stream.id)";
    conn.execute(&format!("DELETE FROM gristmill_stream WHERE closed_at_ms <= ?1 AND {empty}"), [horizon])?;
    Ok(())
}

/// A time as SQLite has it.
fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::streams::schema;

    /// The hashes of the open shards, which must be all of them, each once.
    fn assert_whole(conn: &Connection) {
        let ranges = "SELECT first_hash, last_hash FROM gristmill_shard WHERE ending IS NULL ORDER BY first_hash";
        let mut ranges = conn.prepare(ranges).unwrap();
        let ranges = ranges.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let mut next = 0;
        for range in ranges {
            let (first, last): (i64, i64) = range.unwrap();
            assert!(first == next && last >= first, "{first}..={last} after {next}");
            next = last + 1;
        }
        assert_eq!(next, 1 << 32);
    }

    #[test]
    fn every_hash_has_one_open_shard_however_often_they_are_split() {
        for shards in [1, 2, 3, 7, 64] {
            let conn = Connection::open_in_memory().unwrap();
            schema::create(&conn).unwrap();
            let clock: Arc<dyn Clock> = Arc::new(ManualClock::at_ms(1_795_000_000_000));
            let keys = KeySchema { json: "[]", partition_key: "id" };
            open(&conn, &clock, "a-table", ViewType::KeysOnly, &keys, shards).unwrap();
            assert_whole(&conn);
            let mut splits = 0;
            // Always the narrowest, down to a single hash.
            loop {
                let narrowest = "SELECT shard_id FROM gristmill_shard WHERE ending IS NULL
                    ORDER BY last_hash - first_hash, id LIMIT 1";
                let shard: String = conn.query_row(narrowest, [], |row| row.get(0)).unwrap();
                match split(&conn, &clock, 1, &shard) {
                    Ok(_) => assert_whole(&conn),
                    Err(error) => {
                        assert!(matches!(error, StreamError::Validation(_)), "{error}");
                        break;
                    }
                }
                splits += 1;
            }
            assert!(splits >= 24, "{splits}");
            let ids: i64 = conn
                .query_row("SELECT COUNT(DISTINCT shard_id) - COUNT(*) FROM gristmill_shard", [], |row| row.get(0))
                .unwrap();
            assert_eq!(ids, 0, "two shards have one id");
        }
    }
}
