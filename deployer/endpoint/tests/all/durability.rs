//! Data in a folder: kills, restarts, two at once, and files that are not good.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gristmill_endpoint::{Endpoint, OpenError, Options};
use serde_json::json;

use crate::support::{Client, InProcess};

/// The example `serve` on a folder, as a process of its own.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start(folder: &Path) -> Self {
        // Beside this program, whatever the profile.
        let program = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("examples/serve");
        let mut child =
            Command::new(&program).args(["--shards", "3"]).arg(folder).stdout(Stdio::piped()).spawn().unwrap_or_else(
                |error| {
                    panic!("{}: {error}; build it: cargo build -p gristmill-endpoint --examples", program.display())
                },
            );
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").unwrap_or_else(|| panic!("it said {line:?}"));
        Self { address: address.parse().unwrap(), child }
    }

    /// Ends it as `kill -9` does.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn in_folder(folder: &Path) -> InProcess {
    InProcess::with(|options| {
        options.folder = Some(folder.to_owned());
        options.clock = std::sync::Arc::new(gristmill_endpoint::SystemClock);
        options.shards = 3;
    })
}

const CREATE: &str = r#"{"TableName": "a-table", "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"}}"#;

/// Writes ascending numbers into its own two items until the process is gone:
/// by itself, and multiples of three into both in one transaction. Gives the
/// acknowledged numbers of each item.
fn write_until_killed(address: SocketAddr, writer: usize, from: u64) -> HashMap<String, Vec<u64>> {
    let mut acknowledged = HashMap::<String, Vec<u64>>::new();
    let Ok(mut client) = Client::connect(address) else { return acknowledged };
    for n in from.. {
        let id = |half: u64| format!("writer-{writer}-{half}");
        let item = |half: u64| json!({"id": {"S": id(half)}, "n": {"N": n.to_string()}, "pad": {"S": "x".repeat(200)}});
        let (target, body, ids) = if n % 3 == 0 {
            let put = |half| json!({"Put": {"TableName": "a-table", "Item": item(half)}});
            let body = json!({"TransactItems": [put(0), put(1)]});
            ("DynamoDB_20120810.TransactWriteItems", body, vec![id(0), id(1)])
        } else {
            ("DynamoDB_20120810.PutItem", json!({"TableName": "a-table", "Item": item(n % 2)}), vec![id(n % 2)])
        };
        match client.request(target, &body.to_string()) {
            Ok((200, _, _)) => ids.into_iter().for_each(|id| acknowledged.entry(id).or_default().push(n)),
            Ok((status, _, body)) => panic!("{status} {body}"),
            Err(_) => break,
        }
    }
    acknowledged
}

#[test]
fn what_was_acknowledged_survives_a_kill_with_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path());
    let mut client = Client::connect(process.address).unwrap();
    assert_eq!(client.request("DynamoDB_20120810.CreateTable", CREATE).unwrap().0, 200);
    // Each item's acknowledged numbers, over all rounds.
    let mut acknowledged: HashMap<String, Vec<u64>> = HashMap::new();
    let rounds = 12;
    for round in 0..rounds {
        let address = process.address;
        let writers: Vec<_> = (0..4)
            .map(|writer| std::thread::spawn(move || write_until_killed(address, writer, round * 1_000_000)))
            .collect();
        // At another moment each time, from before the first answer on.
        std::thread::sleep(Duration::from_micros(round * round * 2311 + round * 977));
        process.kill();
        for writer in writers {
            for (id, numbers) in writer.join().unwrap() {
                acknowledged.entry(id).or_default().extend(numbers);
            }
        }
        process = Process::start(folder.path());
    }
    process.kill();
    let inside = in_folder(folder.path());
    let records = inside.records(&inside.arn("a-table"));
    let mut seen: HashMap<String, Vec<u64>> = HashMap::new();
    let mut numbers = std::collections::HashSet::new();
    for record in &records {
        let change = &record["dynamodb"];
        assert!(numbers.insert(change["SequenceNumber"].as_str().unwrap().to_owned()), "twice: {record}");
        let id = change["Keys"]["id"]["S"].as_str().unwrap().to_owned();
        let value = |image: &str| change[image]["n"]["N"].as_str().map(|n| n.parse::<u64>().unwrap());
        let of_item = seen.entry(id).or_default();
        assert_eq!(value("OldImage"), of_item.last().copied(), "{record}");
        of_item.push(value("NewImage").unwrap());
    }
    for values in seen.values() {
        assert!(values.is_sorted_by(|a, b| a < b), "{values:?}");
    }
    // A transaction is there as a whole or not at all.
    for writer in 0..4 {
        let [one, other] = [0, 1].map(|half| -> Vec<u64> {
            let of_item = &seen[&format!("writer-{writer}-{half}")];
            of_item.iter().copied().filter(|n| n % 3 == 0).collect()
        });
        assert_eq!(one, other);
    }
    let mut checked = 0;
    for (id, values) in &acknowledged {
        for n in values {
            assert!(seen[id].contains(n), "{id}: {n} was acknowledged and has no record");
            checked += 1;
        }
        let item = inside.call("GetItem", json!({"TableName": "a-table", "Key": {"id": {"S": id}}}))["Item"].clone();
        assert_eq!(item["n"]["N"].as_str().unwrap().parse::<u64>().unwrap(), *seen[id].last().unwrap());
    }
    assert!(checked > 500 && records.len() >= checked, "{checked} numbers, {} records", records.len());
}

#[test]
fn everything_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let put = |inside: &InProcess, n: u8| inside.put("a-table", json!({"id": {"S": "a"}, "n": {"N": n.to_string()}}));
    let inside = in_folder(folder.path());
    inside.create("a-table", Some("NEW_IMAGE"));
    put(&inside, 1);
    let (arn, shards) = (inside.arn("a-table"), inside.shards(&inside.arn("a-table")));
    let before = inside.records(&arn);
    let shard = shards.iter().find(|shard| !inside.shard_records(&arn, shard).is_empty()).unwrap();
    let iterator = inside.iterator(&arn, shard, "LATEST");
    drop(inside);
    let inside = in_folder(folder.path());
    assert_eq!((inside.arn("a-table"), inside.shards(&arn), inside.records(&arn)), (arn.clone(), shards, before));
    // An iterator outlives its process, and numbers go on.
    put(&inside, 2);
    let page = inside.call("GetRecords", json!({"ShardIterator": iterator}));
    assert_eq!(page["Records"][0]["dynamodb"]["NewImage"]["n"]["N"], "2");
    put(&inside, 2);
    assert_eq!(inside.records(&arn).len(), 2);
}

#[test]
fn a_folder_is_its_owners_alone_and_one_process_has_it() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("deep/data");
    let process = Process::start(&folder);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for attempt in [Endpoint::open(Options::in_folder(&folder)).map(drop), Endpoint::reset(&folder)] {
        let error = attempt.expect_err("two have the folder");
        assert!(matches!(&error, OpenError::InUse(path) if *path == folder), "{error}");
        assert!(error.to_string().contains(folder.to_str().unwrap()), "{error}");
    }
    drop(process);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let endpoint = Endpoint::open(Options::in_folder(&folder)).unwrap();
    assert_eq!(mode(&folder), 0o700);
    assert!(matches!(Endpoint::open(Options::in_folder(&folder)), Err(OpenError::InUse(_))));
    drop(endpoint);
    Endpoint::open(Options::in_folder(&folder)).unwrap();
}

/// A folder with a table of three items in it, and its file.
fn filled() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let inside = in_folder(folder.path());
    inside.create("a-table", Some("NEW_IMAGE"));
    for n in 0..300 {
        inside.put("a-table", json!({"id": {"S": n.to_string()}, "pad": {"S": "x".repeat(500)}}));
    }
    drop(inside);
    let file = folder.path().join("dynamodb.sqlite");
    (folder, file)
}

fn refusal(folder: &Path, file: &Path) -> OpenError {
    let before = fs::read(file).unwrap();
    let Err(error) = Endpoint::open(Options::in_folder(folder)) else { panic!("bad data was opened") };
    assert_eq!(fs::read(file).unwrap(), before, "bad data was changed: {error}");
    error
}

#[test]
fn bad_data_is_refused_with_what_to_do_and_kept() {
    let (folder, file) = filled();
    let good = fs::read(&file).unwrap();
    let text = b"this is no database, it is a letter to somebody. ".repeat(100);
    let head = [&b"SQLite format 3\0"[..], &vec![0x5a; 4000]].concat();
    let mut middle = good.clone();
    let at = middle.len() / 2;
    middle[at - 6000..at + 6000].fill(0xa5);
    let cut = good[..good.len() / 2].to_vec();
    for (what, bytes) in [("text", text), ("head", head), ("middle", middle), ("cut", cut)] {
        fs::write(&file, &bytes).unwrap();
        let error = refusal(folder.path(), &file);
        assert!(matches!(&error, OpenError::Corrupt { .. }), "{what}: {error}");
        let said = error.to_string();
        assert!(said.contains(file.to_str().unwrap()) && said.contains("--reset"), "{what}: {said}");
    }
    // The good file is as good as it was, and a reset begins anew.
    fs::write(&file, &good).unwrap();
    let inside = in_folder(folder.path());
    assert_eq!(inside.records(&inside.arn("a-table")).len(), 300);
    drop(inside);
    fs::write(&file, b"no").unwrap();
    Endpoint::reset(folder.path()).unwrap();
    let inside = in_folder(folder.path());
    assert_eq!(inside.call("ListTables", json!({}))["TableNames"], json!([]));
}

#[test]
fn data_of_another_version_is_refused_and_kept() {
    let (folder, file) = filled();
    let conn = rusqlite::Connection::open(&file).unwrap();
    conn.execute("UPDATE gristmill_meta SET value = '999' WHERE key = 'format'", []).unwrap();
    drop(conn);
    let error = refusal(folder.path(), &file);
    assert!(matches!(&error, OpenError::OtherVersion { found, .. } if found == "999"), "{error}");
    let said = error.to_string();
    assert!(
        said.contains("999") && said.contains("--reset") && said.contains(folder.path().to_str().unwrap()),
        "{said}"
    );
    // Somebody else's database.
    let conn = rusqlite::Connection::open(&file).unwrap();
    conn.execute_batch("DROP TABLE gristmill_meta; UPDATE _config SET value = '0' WHERE 0").unwrap();
    drop(conn);
    assert!(matches!(refusal(folder.path(), &file), OpenError::OtherVersion { .. }));
    fs::remove_file(&file).unwrap();
    let conn = rusqlite::Connection::open(&file).unwrap();
    conn.execute_batch("CREATE TABLE letters (text TEXT)").unwrap();
    drop(conn);
    assert!(matches!(refusal(folder.path(), &file), OpenError::OtherVersion { .. }));
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "x").unwrap();
    for folder in [file.clone(), file.join("below")] {
        let Err(error) = Endpoint::open(Options::in_folder(&folder)) else { panic!("a file is no folder") };
        assert!(matches!(error, OpenError::Folder { .. }), "{error}");
        assert!(error.to_string().contains(folder.to_str().unwrap()), "{error}");
    }
    // A folder where the file belongs.
    let folder = parent.path().join("data");
    fs::create_dir_all(folder.join("dynamodb.sqlite")).unwrap();
    assert!(Endpoint::open(Options::in_folder(&folder)).is_err());
}
