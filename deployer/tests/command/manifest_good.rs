//! Manifests that are right, and what they come to.

use gristmill::manifest::{Destination, Key, KeyType, Keys, Kind, Mapping, StartingPosition, StreamViewType};
use gristmill_host::settings::{Limits, Order, Source};

use super::Folder;

const PROJECT: &str = "[project]\nname = \"demo\"\n";

#[test]
fn what_is_not_written_has_the_safe_default() {
    let text = format!(
        "{PROJECT}[stream.orders]\ntable = \"orders\"\n[handler.a]\nsource = \"handlers/a\"\nstream = \"orders\"\n"
    );
    let manifest = Folder::with_manifest(&text, &["a"]).load(None).unwrap();
    let stream = &manifest.streams[0];
    assert_eq!((stream.order, stream.concurrency, &stream.mapping), (Order::Item, None, &Mapping::default()));
    let handler = &manifest.handlers[0];
    assert_eq!((&handler.filters, handler.limits), (&Vec::new(), Limits::default()));
    assert_eq!(manifest.warnings, []);
}

#[test]
fn every_key_is_taken() {
    let text = r#"
[project]
name = "demo"
env = "test"
namespace = { prefix = "{project}.{env}", separator = "-" }

[stream.orders]
table = "orders"
order = "item"
concurrency = 8
enabled = false
batch-size = 1_000
maximum-batching-window-in-seconds = 5
parallelization-factor = 10
starting-position = "TRIM_HORIZON"
maximum-record-age-in-seconds = -1
maximum-retry-attempts = -1
bisect-batch-on-function-error = true
on-failure = "arn:aws:s3:::bucket"
kms-key-arn = "arn:aws:kms:us-west-2:112233445566:key/1"
event-count-metrics = true
tags = { team = "orders" }

[handler.a]
source = "handlers/a"
stream = "orders"
lang = "rust"
filter = ['{"eventName":["INSERT"]}', { dynamodb.NewImage.color.S = ["red", { prefix = "b" }] }]
memory-mb = 1
timeout-ms = 2
output-kb = 3
log-kb = 4
failure-kb = 5
host-call-mb = 6
handles = 70
table-elements = 8
instances = 9
stack-kb = 256
instance-per = "record"

[handler.b]
component = "b.wasm"
stream = "orders"
"#;
    let folder = Folder::with_manifest(text, &["a"]);
    folder.write("b.wasm", "");
    let manifest = folder.load(None).unwrap();
    assert_eq!((manifest.project.as_str(), manifest.env.as_str()), ("demo", "test"));
    let stream = &manifest.streams[0];
    assert_eq!((&stream.source, stream.concurrency), (&Source::Table("demo.test-orders".to_owned()), Some(8)));
    assert_eq!(
        stream.mapping,
        Mapping {
            enabled: false,
            batch_size: 1_000,
            maximum_batching_window_in_seconds: 5,
            parallelization_factor: 10,
            starting_position: StartingPosition::TrimHorizon,
            maximum_record_age_in_seconds: None,
            maximum_retry_attempts: None,
            bisect_batch_on_function_error: true,
            on_failure: Some(Destination::S3("arn:aws:s3:::bucket".to_owned())),
            on_failure_kms_key_arn: None,
            table_kms_key_arn: None,
            kms_key_arn: Some("arn:aws:kms:us-west-2:112233445566:key/1".to_owned()),
            event_count_metrics: true,
            tags: [("team".to_owned(), "orders".to_owned())].into(),
        }
    );
    let handler = manifest.handler("a").unwrap();
    assert_eq!(
        handler.filters,
        [r#"{"eventName":["INSERT"]}"#, r#"{"dynamodb":{"NewImage":{"color":{"S":["red",{"prefix":"b"}]}}}}"#,]
    );
    assert_eq!(handler.limits.values().map(|(_, value)| value), [1, 2, 3, 4, 5, 6, 70, 8, 9]);
    assert!(matches!(&handler.kind, Kind::Source { stack_kb: 256, .. }));
    assert_eq!(manifest.handler("b").unwrap().kind, Kind::Component { path: folder.path.join("b.wasm") });
}

#[test]
fn tables_have_the_namespace_and_their_keys() {
    let text = r#"
[project]
name = "demo"
[table.test-table]
[table."My.Table"]
partition-key = { name = "order", type = "N" }
sort-key = { name = "line" }
stream-view-type = "KEYS_ONLY"
time-to-live = "ends"
"#;
    let tables = Folder::with_manifest(text, &[]).load(Some("prod")).unwrap().tables;
    let key = |name: &str, kind| Key { name: name.to_owned(), kind };
    assert_eq!(tables[0].name, "demo-prod_test-table");
    assert_eq!(tables[0].keys, Keys::default());
    assert_eq!(
        (&tables[0].keys.partition, tables[0].keys.stream_view_type.as_str()),
        (&key("id", KeyType::S), "NEW_AND_OLD_IMAGES")
    );
    assert_eq!(tables[1].name, "demo-prod_My.Table");
    assert_eq!(
        tables[1].keys,
        Keys {
            partition: key("order", KeyType::N),
            sort: Some(key("line", KeyType::S)),
            stream_view_type: StreamViewType::KeysOnly,
            time_to_live: Some("ends".to_owned()),
        }
    );
}

#[test]
fn the_namespace_rule() {
    let full = |project: &str, env: Option<&str>| {
        let text = format!("[project]\nname = \"demo\"\n{project}\n[stream.s]\ntable = \"test-table\"\n");
        match Folder::with_manifest(&text, &[]).load(env).unwrap().streams.remove(0).source {
            Source::Table(table) => table,
            Source::StreamArn(arn) => panic!("{arn}"),
        }
    };
    for (project, env, table) in [
        ("", None, "demo-dev_test-table"),
        ("env = \"qa\"", None, "demo-qa_test-table"),
        ("env = \"qa\"", Some("prod"), "demo-prod_test-table"),
        ("namespace = true", None, "demo-dev_test-table"),
        ("namespace = false", Some("prod"), "test-table"),
        ("[project.namespace]\nprefix = \"fixed\"", Some("prod"), "fixed_test-table"),
        ("[project.namespace]\nseparator = \".\"", None, "demo-dev.test-table"),
        ("[project.namespace]\nprefix = \"{env}-x\"\nseparator = \"\"", None, "dev-xtest-table"),
    ] {
        assert_eq!(full(project, env), table, "{project} {env:?}");
    }
}

#[test]
fn an_arn_is_never_touched() {
    for arn in [
        "arn:aws:dynamodb:us-west-2:112233445566:table/orders",
        "arn:aws-cn:dynamodb:cn-north-1:112233445566:table/orders/stream/2019-02-15T23:01:06.871",
        "arn:aws-us-gov:dynamodb:us-gov-west-1:112233445566:table/My.Table_1",
    ] {
        let text = format!("{PROJECT}[stream.s]\nstream-arn = \"{arn}\"\n");
        let manifest = Folder::with_manifest(&text, &[]).load(Some("prod")).unwrap();
        assert_eq!(manifest.streams[0].source, Source::StreamArn(arn.to_owned()));
    }
}

#[test]
fn one_name_in_two_regions_is_two_streams() {
    let text = format!(
        "{PROJECT}[stream.a]\nstream-arn = \"arn:aws:dynamodb:us-west-2:112233445566:table/orders\"\n[stream.b]\n\
         stream-arn = \"arn:aws:dynamodb:us-east-1:112233445566:table/orders\"\n"
    );
    assert_eq!(Folder::with_manifest(&text, &[]).load(None).unwrap().streams.len(), 2);
}

#[test]
fn one_source_may_serve_two_streams() {
    let text = format!(
        "{PROJECT}[stream.one]\ntable = \"one\"\n[stream.two]\ntable = \"two\"\n[handler.a]\nsource = \"handlers/a\"\n\
         stream = \"one\"\n[handler.b]\nsource = \"./handlers/a\"\nstream = \"two\"\n"
    );
    let manifest = Folder::with_manifest(&text, &["a"]).load(None).unwrap();
    assert_eq!(manifest.handlers[0].kind, manifest.handlers[1].kind);
}

#[test]
fn warnings_name_the_line_and_what_is_better() {
    let text = format!(
        "{PROJECT}[stream.one]\ntable = \"demo-dev_one\"\nbisect-batch-on-function-error = false\nstarting-position = \
         \"LATEST\"\nmaximum-record-age-in-seconds = 60\n[stream.two]\ntable = \"two\"\nmaximum-record-age-in-seconds = \
         604800\n[handler.a]\nsource = \"handlers/a\"\nstream = \"two\"\n"
    );
    let folder = Folder::with_manifest(&text, &["a"]);
    let warnings: Vec<_> = folder.load(None).unwrap().warnings.iter().map(ToString::to_string).collect();
    let here = format!("{}/", folder.path.display());
    assert_eq!(
        warnings.join("\n").replace(&here, ""),
        "\
gristmill.toml:3:9: [stream.one] has no handler; an event of it fails the function
gristmill.toml:4:9: `demo-dev_one` already begins with the namespace, and its full name is `demo-dev_demo-dev_one`; leave `demo-dev_` out
gristmill.toml:5:34: without bisect, Lambda discards the rest of a batch with the record that it gives up on; leave `bisect-batch-on-function-error` on
gristmill.toml:6:21: LATEST can miss records while the mapping is made or changed; TRIM_HORIZON misses none
gristmill.toml:7:33: with a maximum age, records that waited longer are given up untried, as after every long pause; leave `maximum-record-age-in-seconds` out
gristmill.toml:10:33: an age above 86400 does nothing: the stream keeps a record for 24 hours"
    );
}

#[test]
fn a_handler_that_is_not_there_has_a_nearest_one() {
    let text = format!(
        "{PROJECT}[stream.s]\ntable = \"one\"\n[handler.clerk-file]\nsource = \"handlers/a\"\nstream = \"s\"\n"
    );
    let manifest = Folder::with_manifest(&text, &["a"]).load(None).unwrap();
    assert_eq!(
        manifest.handler("clerk").unwrap_err().to_string(),
        "there is no `[handler.clerk]` in gristmill.toml; did you mean `clerk-file`?"
    );
    assert_eq!(
        manifest.handler("zzz").unwrap_err().to_string(),
        "there is no `[handler.zzz]` in gristmill.toml; there is `clerk-file`"
    );
}

#[test]
fn r08_handlers_that_cannot_all_run_in_time_are_warned_of() {
    let warnings = |function: &str, concurrency: &str| {
        let handler =
            |name: &str| format!("[handler.{name}]\nsource = \"handlers/{name}\"\nstream = \"s\"\ntimeout-ms = 4000\n");
        let text =
            format!("{PROJECT}{function}[stream.s]\ntable = \"t\"\n{concurrency}{}{}", handler("a"), handler("b"));
        let manifest = Folder::with_manifest(&text, &["a", "b"]).load(None).unwrap();
        manifest.warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(warnings("", "").is_empty(), "a minute is enough");
    assert!(warnings("[function]\ntimeout-ms = 9000\n", "").is_empty(), "8 s, and half a second of reserve");
    let short = warnings("[function]\ntimeout-ms = 8000\n", "");
    assert_eq!(short.len(), 1, "{short:?}");
    let text = "the handlers of [stream.s] may take 8000 ms for one record, 1 at once, and [function] has 7500 ms for it; \
                raise its `timeout-ms` or lower those of the handlers";
    assert!(short[0].ends_with(text), "{}", short[0]);
    assert!(warnings("[function]\ntimeout-ms = 8000\n", "concurrency = 2\n").is_empty());
}

#[test]
fn one_component_has_one_stack() {
    let handler =
        |name: &str, stack: &str| format!("[handler.{name}]\nsource = \"handlers/a\"\nstream = \"s\"\n{stack}");
    let text = format!("{PROJECT}[stream.s]\ntable = \"t\"\n{}{}", handler("a", ""), handler("b", "stack-kb = 64\n"));
    let error = Folder::with_manifest(&text, &["a"]).load(None).unwrap_err().to_string();
    let expected = "[handler.a] and [handler.b] are one component, and their `lang`, `js-engine` or `stack-kb` differ; give both the same";
    assert!(error.contains(expected), "{error}");
}
