//! `gristmill generate event`.

use std::fs;

use gristmill::manifest::{Kind, Manifest};
use gristmill_host::settings::Source;

use super::{Folder, Ran, fails};

fn event(folder: &Folder, args: &[&str]) -> Ran {
    folder.run(&[&["generate", "event"], args, &["--trigger", "dynamodb"]].concat())
}

#[track_caller]
fn makes(folder: &Folder, args: &[&str]) -> Manifest {
    let ran = event(folder, args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    folder.load(None).unwrap()
}

fn streams(manifest: &Manifest) -> Vec<(&str, &str)> {
    let both = manifest.streams.iter().map(|stream| match &stream.source {
        Source::Table(table) => (stream.name.as_str(), table.as_str()),
        Source::StreamArn(arn) => (stream.name.as_str(), arn.as_str()),
    });
    both.collect()
}

fn handlers(manifest: &Manifest) -> Vec<(&str, &str)> {
    manifest.handlers.iter().map(|handler| (handler.name.as_str(), handler.stream.as_str())).collect()
}

#[test]
fn the_first_handler_is_made_with_its_stream() {
    let folder = Folder::project();
    let before = folder.read("gristmill.toml");
    let ran = event(&folder, &["clerk", "--table", "test-table", "--method", "file"]);
    assert_eq!(
        ran,
        Ran {
            code: 0,
            stdout: " created handlers/clerk-file/Cargo.toml\n created handlers/clerk-file/src/lib.rs\n updated \
                     gristmill.toml\n\nThe handler `clerk-file` is on the stream `test-table`. Next: gristmill build\n"
                .to_owned(),
            stderr: String::new(),
        }
    );
    let entries = "\n[stream.test-table]\ntable = \"test-table\"\n\n[handler.clerk-file]\nsource = \
                   \"handlers/clerk-file\"\nstream = \"test-table\"\n";
    assert_eq!(folder.read("gristmill.toml"), format!("{before}{entries}"));
    let manifest = folder.load(None).unwrap();
    assert_eq!(streams(&manifest), [("test-table", "demo-dev_test-table")]);
    assert_eq!(
        manifest.handlers[0].kind,
        Kind::Source {
            dir: folder.path.join("handlers/clerk-file"),
            lang: gristmill::language::Language::Rust,
            engine: gristmill::language::Engine::default(),
            stack_kb: 128,
        }
    );
    let code = folder.read("handlers/clerk-file/src/lib.rs");
    assert!(code.contains("gristmill_sdk::handler!(file);"));
    assert!(code.contains("fn file(record: &StreamRecord) -> Result<(), Failure> {"));
    assert!(code.contains("Record::modify(\"test-table\")"));
    assert!(!code.contains('@') && !folder.read("handlers/clerk-file/Cargo.toml").contains('@'));
    let sdk = "gristmill-sdk = { path = \"../../vendor/gristmill-sdk\" }";
    assert!(folder.read("handlers/clerk-file/Cargo.toml").contains(sdk));
}

#[test]
fn another_method_is_another_handler_on_the_same_stream() {
    let folder = Folder::project();
    makes(&folder, &["clerk", "--table", "test-table", "--method", "file"]);
    makes(&folder, &["clerk", "--table", "test-table", "--method", "on_insert"]);
    let manifest = makes(&folder, &["audit"]);
    assert_eq!(streams(&manifest), [("test-table", "demo-dev_test-table")]);
    assert_eq!(
        handlers(&manifest),
        [("clerk-file", "test-table"), ("clerk-on-insert", "test-table"), ("audit-handle", "test-table")]
    );
    assert!(folder.read("handlers/clerk-on-insert/src/lib.rs").contains("gristmill_sdk::handler!(on_insert);"));
}

#[test]
fn the_same_again_is_an_error_and_force_writes_the_code_alone() {
    let folder = Folder::project();
    makes(&folder, &["clerk", "--table", "test-table", "--method", "file"]);
    let tuned = folder.read("gristmill.toml") + "memory-mb = 128 # tuned\n";
    folder.write("gristmill.toml", &tuned);
    let code = folder.read("handlers/clerk-file/src/lib.rs");
    folder.write("handlers/clerk-file/src/lib.rs", "mine");
    let again = ["clerk", "--table", "test-table", "--method", "file"];
    let exists = "[handler.clerk-file] is in gristmill.toml already; give another --method, or --force to write its code \
                  anew (its entry stays)";
    fails(&event(&folder, &again), 1, exists);
    assert_eq!(folder.read("handlers/clerk-file/src/lib.rs"), "mine");
    makes(&folder, &[&again[..], &["--force"]].concat());
    assert_eq!(folder.read("gristmill.toml"), tuned);
    assert_eq!(folder.read("handlers/clerk-file/src/lib.rs"), code);
    fails(
        &event(&folder, &["clerk", "--table", "other", "--method", "file", "--force"]),
        1,
        "[handler.clerk-file] is on [stream.test-table], of another table; --force writes the code alone, so change \
         `stream` in gristmill.toml first",
    );
    // A folder that was deleted is made again.
    fs::remove_dir_all(folder.path.join("handlers/clerk-file")).unwrap();
    makes(&folder, &["clerk", "--method", "file", "--force"]);
}

#[test]
fn force_follows_the_source_of_the_manifest_and_refuses_a_component() {
    let folder = Folder::project();
    let text = "[project]\nname = \"demo\"\n[stream.s]\ntable = \"orders\"\n[handler.a-x]\nsource = \"deep/er/code\"\n\
                stream = \"s\"\n[handler.b-x]\ncomponent = \"b.wasm\"\nstream = \"s\"\n";
    folder.write("gristmill.toml", text);
    folder.write("b.wasm", "");
    makes(&folder, &["a", "--method", "x", "--force"]);
    assert!(folder.read("deep/er/code/Cargo.toml").contains("path = \"../../../vendor/gristmill-sdk\""));
    fails(
        &event(&folder, &["b", "--method", "x", "--force"]),
        1,
        "[handler.b-x] is a component, and has no source to write anew; choose another name or method",
    );
}

#[test]
fn a_stream_is_named_after_its_table() {
    let folder = Folder::project();
    makes(&folder, &["a", "--table", "My.Table"]);
    makes(&folder, &["b", "--table", "my_table"]);
    makes(&folder, &["c", "--table", "demo_Table_2"]);
    let arn = "arn:aws-cn:dynamodb:cn-north-1:112233445566:table/Orders/stream/2019-02-15T23:01:06.871";
    makes(&folder, &["d", "--stream-arn", arn]);
    // The same table by another label is the same stream.
    let manifest = makes(&folder, &["e", "--stream-arn", "arn:aws-cn:dynamodb:cn-north-1:112233445566:table/Orders"]);
    assert_eq!(
        streams(&manifest),
        [
            ("my-table", "demo-dev_My.Table"),
            ("my-table-2", "demo-dev_my_table"),
            ("demo-table-2", "demo-dev_demo_Table_2"),
            ("orders", arn),
        ]
    );
    assert_eq!(manifest.handlers[4].stream, "orders");
    // The generated test is of the table too.
    for handler in ["d-handle", "e-handle"] {
        assert!(folder.read(&format!("handlers/{handler}/src/lib.rs")).contains("Record::modify(\"Orders\")"));
    }
}

#[test]
fn which_stream_must_be_known() {
    let folder = Folder::project();
    fails(&event(&folder, &["a"]), 2, "gristmill.toml has no stream yet; give the table by --table or --stream-arn");
    makes(&folder, &["a", "--table", "orders"]);
    makes(&folder, &["a", "--table", "people", "--method", "greet"]);
    fails(
        &event(&folder, &["b"]),
        2,
        "gristmill.toml has the streams `orders` and `people`; choose by --table or --stream-arn",
    );
    fails(
        &event(&folder, &["b", "--table", "or/ders"]),
        2,
        "--table `or/ders` has `/`; DynamoDB takes a–z, A–Z, 0–9, `_`, `-` and `.`",
    );
    fails(
        &event(&folder, &["b", "--table", "arn:aws:dynamodb:us-west-2:112233445566:table/orders"]),
        2,
        "--table `arn:aws:dynamodb:us-west-2:112233445566:table/orders` is an ARN; --stream-arn takes one",
    );
    fails(
        &event(&folder, &["b", "--stream-arn", "arn:aws:sqs:us-west-2:112233445566:queue"]),
        2,
        "--stream-arn `arn:aws:sqs:us-west-2:112233445566:queue` is not the ARN of a table or stream: its form is \
         another; it looks like arn:aws:dynamodb:REGION:ACCOUNT:table/NAME, with or without /stream/LABEL",
    );
}

#[test]
fn names_are_checked() {
    let folder = Folder::project();
    let before = folder.files();
    let rule = "is not a name: 1 to 63 of a–z, 0–9 and `-`, the first a letter";
    let on = ["--table", "orders"];
    let run = |args: &[&str]| event(&folder, &[args, &on].concat());
    fails(&run(&["Clerk"]), 2, &format!("NAME `Clerk` {rule}; for example `clerk`"));
    fails(&run(&["../up"]), 2, &format!("NAME `../up` {rule}; for example `up`"));
    fails(&run(&["a", "--method", "match"]), 2, "--method `match` is a word of Rust; for example `match_record`");
    let long = "a".repeat(60);
    fails(&run(&[&long]), 2, &format!("NAME and METHOD make `{long}-handle`, which {rule}"));
    fails(
        &run(&["gristmill", "--method", "sdk"]),
        2,
        "a handler cannot be called `gristmill-sdk`, as the crate that it uses is; choose another name",
    );
    assert_eq!(folder.files(), before);
}

#[test]
fn what_else_there_could_be_is_listed() {
    let folder = Folder::project();
    let ran = folder.run(&["generate", "event", "a", "--trigger", "kinesis", "--table", "t"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr
            .starts_with("error: invalid value 'kinesis' for '--trigger <TRIGGER>'\n  [possible values: dynamodb]")
    );
    let ran = event(&folder, &["a", "--table", "t", "--lang", "cobol"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.starts_with(
        "error: invalid value 'cobol' for '--lang <LANG>'\n  [possible values: rust, js, ts, python, go, c, zig]"
    ));
}

#[test]
fn a_manifest_that_would_not_be_right_is_not_written() {
    let folder = Folder::project();
    let arn = "arn:aws:dynamodb:us-west-2:112233445566:table/demo-dev_orders";
    let with_arn = folder.read("gristmill.toml") + &format!("[stream.fixed]\nstream-arn = \"{arn}\"\n");
    folder.write("gristmill.toml", &with_arn);
    let before = folder.files();
    let line = with_arn.lines().count() + 3;
    fails(
        &event(&folder, &["a", "--table", "orders"]),
        2,
        &format!(
            "gristmill.toml would not be right with [handler.a-handle] at its end; nothing was written: \
             gristmill.toml:{line}:9: [stream.fixed] and [stream.orders] are both the stream of the table \
             `demo-dev_orders`; a stream has any number of handlers, so one of them is enough"
        ),
    );
    fails(
        &event(&folder, &["a", "--table", &"t".repeat(255)]),
        2,
        &format!(
            "gristmill.toml would not be right with [handler.a-handle] at its end; nothing was written: \
             gristmill.toml:{line}:9: the table's full name `demo-dev_{}…` has 264 characters; DynamoDB takes 3 to 255",
            "t".repeat(191)
        ),
    );
    // `handler` as a whole is written, so no [handler.NAME] can follow.
    let closed = "handler = {}\n[project]\nname = \"demo\"\n";
    folder.write("gristmill.toml", closed);
    let ran = event(&folder, &["a", "--table", "orders"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("nothing was written: gristmill.toml:"), "{ran:?}");
    assert_eq!((folder.files(), folder.read("gristmill.toml").as_str()), (before, closed));
}

#[test]
fn a_manifest_with_problems_comes_first() {
    let folder = Folder::project();
    folder.write("gristmill.toml", "[project]\nnam = \"demo\"\n");
    fails(
        &event(&folder, &["a", "--table", "orders"]),
        2,
        "gristmill.toml has 2 problems\ngristmill.toml:1:1: [project] has no `name`; it begins the names of tables and \
         stacks\ngristmill.toml:2:1: `nam` is not a key of [project]; did you mean `name`?",
    );
}

#[test]
fn what_the_user_wrote_stays_to_the_byte() {
    let folder = Folder::project();
    let odd = "# top\r\n[project]\r\nname='demo'   # odd\r\n\r\n   [stream.orders]  # mine\r\n   table    = 'orders'\r\n# end";
    folder.write("gristmill.toml", odd);
    makes(&folder, &["a", "--table", "orders"]);
    let added = "\r\n\r\n[handler.a-handle]\r\nsource = \"handlers/a-handle\"\r\nstream = \"orders\"\r\n";
    assert_eq!(folder.read("gristmill.toml"), format!("{odd}{added}"));
}

#[test]
fn a_failure_leaves_nothing_half_made() {
    let folder = Folder::project();
    // The code cannot be put in a folder's place.
    fs::create_dir_all(folder.path.join("handlers/a-handle/src/lib.rs")).unwrap();
    let (files, manifest) = (folder.files(), folder.read("gristmill.toml"));
    fails(
        &event(&folder, &["a", "--table", "orders"]),
        1,
        "the folder `handlers/a-handle` is there, and no handler of gristmill.toml; --force writes the handler's code \
         into it",
    );
    let ran = event(&folder, &["a", "--table", "orders", "--force"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr
            .starts_with("error: cannot make the handler `a-handle`: cannot write handlers/a-handle/src/lib.rs: ")
    );
    assert_eq!((folder.files(), folder.read("gristmill.toml")), (files, manifest));
}

#[cfg(unix)]
#[test]
fn symlinks_out_of_the_project_are_refused() {
    let (folder, outside) = (Folder::project(), Folder::new());
    fs::remove_dir_all(folder.path.join("handlers")).unwrap();
    std::os::unix::fs::symlink(&outside.path, folder.path.join("handlers")).unwrap();
    let manifest = folder.read("gristmill.toml");
    fails(
        &event(&folder, &["a", "--table", "orders"]),
        1,
        &format!(
            "cannot make the handler `a-handle`: handlers is a symlink out of the project, to `{}`; nothing was written",
            outside.path.display()
        ),
    );
    assert_eq!(outside.files(), [""; 0]);
    assert_eq!(folder.read("gristmill.toml"), manifest);
}

#[test]
fn programs_read_json() {
    let folder = Folder::project();
    let ran = event(&folder, &["a", "--table", "orders", "--output", "json"]);
    assert_eq!(
        ran.stdout,
        "{\"handler\":\"a-handle\",\"function\":\"handle\",\"stream\":\"orders\",\"created\":\
         [\"handlers/a-handle/Cargo.toml\",\"handlers/a-handle/src/lib.rs\"],\"updated\":[\"gristmill.toml\"]}\n"
    );
}

#[test]
fn a_project_without_its_sdk_gets_it_again() {
    let folder = Folder::with_manifest("[project]\nname = \"demo\"\n", &[]);
    makes(&folder, &["a", "--table", "orders"]);
    assert!(folder.has("vendor/gristmill-sdk/Cargo.toml") && folder.has("vendor/wit/events.wit"));
    assert!(folder.read("Cargo.toml").contains("[workspace]"));
}
