//! Each mistake in the text of a manifest, with the whole message.

use super::Folder;

/// Lines 1 to 4.
const STREAM: &str = "[project]\nname = \"demo\"\n[stream.s]\ntable = \"orders\"\n";
/// Lines 1 to 7.
const HANDLER: &str = "[project]\nname = \"demo\"\n[stream.s]\ntable = \"orders\"\n[handler.x]\nsource = \"handlers/x\"\n\
                       stream = \"s\"\n";

#[track_caller]
fn refuses(text: &str, message: &str) {
    let found = Folder::with_manifest(text, &["x", "y"]).load(None).unwrap_err();
    assert_eq!(found, message, "\n{text}\nfound:    {found}\nexpected: {message}");
}

/// One line after others is refused there.
#[track_caller]
fn line(before: &str, line: &str, column: usize, message: &str) {
    let number = before.lines().count() + 1;
    refuses(&format!("{before}{line}\n"), &format!("gristmill.toml:{number}:{column}: {message}"));
}

#[test]
fn every_problem_is_reported_together_and_in_order() {
    refuses(
        "[project]\nname = \"Demo\"\nenvironment = 1\n[handler.x]\nsource = \"handlers/gone\"\nstream = \"order\"\n\
         memory-mb = \"64\"\n[stream.orders]\ntable = \"o\\u0020\"\n[handler.y]\nstream = \"orders\"\n",
        "\
gristmill.toml has 7 problems
gristmill.toml:2:8: `Demo` is not a name: 1 to 63 of a–z, 0–9 and `-`, the first a letter; for example `demo`
gristmill.toml:3:1: `environment` is not a key of [project]; did you mean `env`?
gristmill.toml:5:10: `handlers/gone` is not there
gristmill.toml:6:10: there is no stream `order`; did you mean `orders`?
gristmill.toml:7:13: `memory-mb` takes a whole number from 1 to 4095, and this is a string
gristmill.toml:9:9: the table's name `o ` has ` `; DynamoDB takes a–z, A–Z, 0–9, `_`, `-` and `.`
gristmill.toml:10:1: [handler.y] has no `source` and no `component`; it needs one of them",
    );
}

#[test]
fn fifty_problems_are_enough_to_read() {
    // A megabyte of each: neither the parser's recursion nor the reporting
    // may take the process down, or minutes.
    let deep =
        |open: &str, n: usize| Folder::with_manifest(&format!("x = {}1", open.repeat(n)), &[]).load(None).unwrap_err();
    assert!(deep("[", 1_000_000).contains("max recursion depth"));
    assert!(deep("{a=", 300_000).contains("max recursion depth"));
    let dotted = Folder::with_manifest(&format!("a{} = 1", ".a".repeat(500_000)), &[]).load(None).unwrap_err();
    assert!(dotted.contains("recursion limit"));
    for text in
        ["=".repeat(1_000_000), "[a]\n".repeat(250_000), "[project]\nname = \"demo\"\n".to_owned() + &keys(60_000)]
    {
        let found = Folder::with_manifest(&text, &[]).load(None).unwrap_err();
        assert!(found.lines().count() <= 52, "{}", found.lines().count());
    }
    let found =
        Folder::with_manifest(&format!("[project]\nname = \"demo\"\n{}", keys(60)), &[]).load(None).unwrap_err();
    assert!(found.starts_with("gristmill.toml has 60 problems\n") && found.ends_with("\nand 10 more"), "{found}");
}

fn keys(n: usize) -> String {
    (0..n).map(|index| format!("key-{index} = 1\n")).collect()
}

#[test]
fn text_that_is_not_toml() {
    line(STREAM, "order = item", 9, "not TOML: a string stands in quotes: \"item\"");
    line(STREAM, "order =", 8, "not TOML: a value is missing");
    line(STREAM, "order = \"item", 14, "not TOML: invalid basic string, expected `\"`");
    // The guesses after a mistake are not reported; what is certain is.
    refuses(
        "[project\nname = \n[handler.x]\n[handler.x]\n",
        "gristmill.toml has 2 problems\n\
         gristmill.toml:1:9: not TOML: unclosed table, expected `]`\n\
         gristmill.toml:4:10: [handler.x] is written twice, first in line 3; give one of them another name",
    );
}

#[test]
fn two_of_one_name_beside_other_problems() {
    refuses(
        &format!("{HANDLER}[handler.x] # again\nsource = \"handlers/y\"\nstream = \"s\"\nmemory = 1\n"),
        "gristmill.toml has 4 problems\n\
         gristmill.toml:8:10: [handler.x] is written twice, first in line 5; give one of them another name\n\
         gristmill.toml:9:1: the key `source` is written twice in one table\n\
         gristmill.toml:10:1: the key `stream` is written twice in one table\n\
         gristmill.toml:11:1: `memory` is not a key of [handler.x]; did you mean `memory-mb`?",
    );
}

#[test]
fn the_top_of_the_file() {
    let first = |text: &str, message: &str| refuses(text, &format!("gristmill.toml:{message}"));
    first(
        "[stream.s]\nstream-arn = \"arn:aws:dynamodb:us-west-2:112233445566:table/orders\"\n",
        "1:1: there is no [project]; it has the key `name`",
    );
    first("project = 1\n", "1:11: `project` takes a table: [project], and this is a whole number");
    first("[project]\n", "1:1: [project] has no `name`; it begins the names of tables and stacks");
    line(STREAM, "[streams.t]", 2, "`streams` is not a key of gristmill.toml: a stream stands in [stream.NAME]");
    line(STREAM, "[handlr.x]", 2, "`handlr` is not a key of gristmill.toml; did you mean `handler`?");
    line(STREAM, "[[handler]]", 1, "`handler` takes tables: [handler.NAME], and this is an array");
    line(
        "[project]\nname = \"demo\"\n[stream]\n",
        "table = \"orders\"",
        1,
        "`table` stands in [stream] itself; a stream has a name, and its keys stand in [stream.NAME]",
    );
}

#[test]
fn the_project() {
    let before = "[project]\nname = \"demo\"\n";
    let rule = "is not a name: 1 to 63 of a–z, 0–9 and `-`, the first a letter";
    line(before, "env = \"Prod_1\"", 7, &format!("`Prod_1` {rule}; for example `prod-1`"));
    line(before, "env = 1", 7, "`env` takes a name, for example \"dev\", and this is a whole number");
    line(
        before,
        "namespace = \"x\"",
        13,
        "`namespace` takes true, false or a table: [project.namespace] with `prefix` and `separator`, and this is a string",
    );
    line(
        before,
        "namespace = { prefix = \"{projekt}\" }",
        24,
        "`prefix` becomes part of a table's name, which takes a–z, A–Z, 0–9, `_`, `-` and `.`, and this has `{`; \
         `{project}` and `{env}` stand for their names",
    );
    line(
        before,
        "namespace = { separator = \"/\" }",
        27,
        "`separator` becomes part of a table's name, which takes a–z, A–Z, 0–9, `_`, `-` and `.`, and this has `/`",
    );
    line(
        before,
        "namespace = { postfix = \"x\" }",
        15,
        "`postfix` is not a key of [project.namespace]; did you mean `prefix`?",
    );
    let folder = Folder::with_manifest(STREAM, &[]);
    assert_eq!(folder.load(Some("a b")).unwrap_err(), format!("--env `a b` {rule}; for example `a-b`"));
}

#[test]
fn names_of_streams_and_handlers() {
    let rule = "is not a name: 1 to 63 of a–z, 0–9 and `-`, the first a letter";
    line(
        "[project]\nname = \"demo\"\n",
        "[stream.My_Table]\ntable = \"orders\"",
        9,
        &format!("`My_Table` {rule}; for example `my-table`"),
    );
    line(
        STREAM,
        "[handler.\"a/b\"]\nsource = \"handlers/x\"\nstream = \"s\"",
        10,
        &format!("`a/b` {rule}; for example `a-b`"),
    );
    let long = "a".repeat(64);
    line(
        STREAM,
        &format!("[handler.{long}]\nsource = \"handlers/x\"\nstream = \"s\""),
        10,
        &format!("`{long}` {rule}"),
    );
}

#[test]
fn what_a_stream_is_of() {
    let before = "[project]\nname = \"demo\"\n";
    let arn = "arn:aws:dynamodb:us-west-2:112233445566:table/orders";
    line(before, "[stream.s]", 1, "[stream.s] has no `table` and no `stream-arn`; it needs one of them");
    refuses(
        &format!("{STREAM}stream-arn = \"{arn}\"\n"),
        "gristmill.toml:5:1: [stream.s] has `table` and `stream-arn`; it needs exactly one of them",
    );
    let before = "[project]\nname = \"demo\"\n[stream.s]\n";
    line(before, "table = 7", 9, "`table` takes a table's name, and this is a whole number");
    line(before, "table = \"\"", 9, "the table's name `` is empty");
    line(
        before,
        &format!("table = \"{arn}\""),
        9,
        &format!("the table's name `{arn}` is an ARN; the key for it is `stream-arn`"),
    );
    line(
        before,
        &format!("table = \"{}\"", "t".repeat(250)),
        9,
        &format!("the table's full name `demo-dev_{}…` has 259 characters; DynamoDB takes 3 to 255", "t".repeat(191)),
    );
    line(
        before,
        "stream-arn = \"orders\"",
        14,
        "`orders` is not the ARN of a table or stream: its form is another; it looks like \
         arn:aws:dynamodb:REGION:ACCOUNT:table/NAME, with or without /stream/LABEL",
    );
    line(
        "[project]\nname = \"demo\"\nnamespace = false\n[stream.s]\n",
        "table = \"ab\"",
        9,
        "the table's full name `ab` has 2 characters; DynamoDB takes 3 to 255",
    );
}

#[test]
fn the_keys_of_a_table() {
    line(
        STREAM,
        "[table.\"a b\"]",
        8,
        "the table's name `a b` has ` `; DynamoDB takes a–z, A–Z, 0–9, `_`, `-` and `.`",
    );
    line(
        STREAM,
        "[table.\"arn:aws:dynamodb:us-east-1:112233445566:table/a\"]",
        8,
        "the table's name `arn:aws:dynamodb:us-east-1:112233445566:table/a` is an ARN",
    );
    let long = "a".repeat(250);
    // A message shows 200 characters of it.
    let message =
        format!("the table's full name `demo-dev_{}…` has 259 characters; DynamoDB takes 3 to 255", "a".repeat(191));
    line(STREAM, &format!("[table.{long}]"), 8, &message);
    let table = format!("{STREAM}[table.orders]\n");
    for (text, column, message) in [
        (
            "partition-key = 1",
            17,
            "`partition-key` takes an attribute's name, or a table with `name` and `type`, and this is a whole number",
        ),
        ("partition-key = \"\"", 17, "an attribute's name has 1 to 255 bytes, and this has 0"),
        ("partition-key = { type = \"N\" }", 17, "`partition-key` has no `name`"),
        ("sort-key = { name = \"x\", type = \"SS\" }", 33, "`type` takes \"S\" or \"N\" or \"B\", and this is `SS`"),
        (
            "sort-key = { name = \"x\", kind = \"S\" }",
            26,
            "`kind` is not a key of `sort-key`; there is `type` and `name`",
        ),
        ("sort-key = \"id\"", 1, "the attribute `id` cannot be the partition key and the sort key"),
        ("time-to-live = \"id\"", 1, "DynamoDB takes no key's attribute for Time to Live"),
        (
            "stream-view-type = \"BOTH\"",
            20,
            "`stream-view-type` takes \"KEYS_ONLY\" or \"NEW_IMAGE\" or \"OLD_IMAGE\" or \"NEW_AND_OLD_IMAGES\", and this is `BOTH`",
        ),
        ("ttl = \"x\"", 1, "`ttl` is not a key of [table.orders]: the key is `time-to-live`"),
        (
            "read-capacity = 5",
            1,
            "`read-capacity` is not a key of [table.orders]; there is `partition-key`, `sort-key`, `stream-view-type` and `time-to-live`",
        ),
    ] {
        line(&table, text, column, message);
    }
}

#[test]
fn two_streams_of_one_table() {
    let enough = "a stream has any number of handlers, so one of them is enough";
    let both = |table| format!("[stream.s] and [stream.t] are both the stream of the table `{table}`; {enough}");
    refuses(
        &format!("{STREAM}[stream.t]\ntable = \"orders\"\n"),
        &format!("gristmill.toml:6:9: {}", both("demo-dev_orders")),
    );
    let arn = "arn:aws:dynamodb:us-west-2:112233445566:table/demo-dev_orders";
    refuses(
        &format!("{STREAM}[stream.t]\nstream-arn = \"{arn}\"\n"),
        &format!("gristmill.toml:6:14: {}", both("demo-dev_orders")),
    );
    refuses(
        &format!(
            "[project]\nname = \"demo\"\n[stream.s]\nstream-arn = \"{arn}\"\n[stream.t]\nstream-arn = \
             \"{arn}/stream/2019-02-15T23:01:06.871\"\n"
        ),
        &format!("gristmill.toml:6:14: {}", both("demo-dev_orders")),
    );
}

#[test]
fn the_keys_of_a_stream() {
    line(STREAM, "tabel = \"x\"", 1, "`tabel` is not a key of [stream.s]; did you mean `table`?");
    line(STREAM, "BatchSiz = 1", 1, "`BatchSiz` is not a key of [stream.s]; did you mean `batch-size`?");
    line(STREAM, "order = \"key\"", 9, "`order` takes \"item\" or \"shard\", and this is `key`");
    line(STREAM, "order = true", 9, "`order` takes \"item\" or \"shard\", and this is true or false");
    line(STREAM, "concurrency = 0", 15, "`concurrency` takes a whole number from 1 to 1000, and this is `0`");
    line(
        STREAM,
        "concurrency = 1.5",
        15,
        "`concurrency` takes a whole number from 1 to 1000, and this is a number with a fraction",
    );
    line(
        STREAM,
        "response = \"partial\"",
        1,
        "`response` is not a key of [stream.s]: what a function answers depends on its mapping: `gristmill build \
         --response partial` is for one that has ReportBatchItemFailures, and `gristmill invoke --response error` shows \
         the other answer",
    );
    for key in ["function-response-types", "FunctionResponseTypes"] {
        line(
            STREAM,
            &format!("{key} = []"),
            1,
            &format!(
                "`{key}` is not a key of [stream.s]: Lambda ignores the answer of a mapping without \
                 ReportBatchItemFailures, so every mapping that gristmill makes has it; take it out"
            ),
        );
    }
    for key in ["tumbling-window-in-seconds", "window"] {
        line(
            STREAM,
            &format!("{key} = 10"),
            1,
            &format!(
                "`{key}` is not a key of [stream.s]: handlers cannot use tumbling windows yet, and a mapping that has one \
                 wants a state in every answer; take it out"
            ),
        );
    }
    line(
        STREAM,
        "filter-criteria = []",
        1,
        "`filter-criteria` is not a key of [stream.s]: a filter is a handler's: `filter` in [handler.NAME]; that of the \
         mapping follows from them",
    );
}

#[test]
fn the_parameters_of_a_mapping_have_the_ranges_of_aws() {
    for (key, bad, takes) in [
        ("batch-size", ["0", "10001"], "from 1 to 10000"),
        ("maximum-batching-window-in-seconds", ["-1", "301"], "from 0 to 300"),
        ("parallelization-factor", ["0", "11"], "from 1 to 10"),
        ("maximum-record-age-in-seconds", ["59", "604801"], ": -1 or 60 to 604800"),
        ("maximum-retry-attempts", ["-2", "10001"], ": -1 or 0 to 10000"),
    ] {
        let space = if takes.starts_with(':') { "" } else { " " };
        for value in bad {
            let message = format!("`{key}` takes a whole number{space}{takes}, and this is `{value}`");
            line(STREAM, &format!("{key} = {value}"), key.len() + 4, &message);
        }
    }
    line(
        STREAM,
        "batch-size = 99999999999999999999",
        14,
        "`batch-size` takes a whole number from 1 to 10000, and this is `99999999999999999999`",
    );
    line(STREAM, "enabled = \"yes\"", 11, "`enabled` takes true or false, and this is a string");
    line(
        STREAM,
        "starting-position = \"AT_TIMESTAMP\"",
        21,
        "Lambda refuses AT_TIMESTAMP for DynamoDB; it takes TRIM_HORIZON or LATEST",
    );
    line(
        STREAM,
        "starting-position = \"latest\"",
        21,
        "`starting-position` takes \"TRIM_HORIZON\" or \"LATEST\", and this is `latest`",
    );
    let takes = "`on-failure` takes the ARN of a bucket, of a standard queue or of a standard topic, and";
    for (arn, why) in [
        ("arn:aws:sqs:us-west-2:112233445566:q.fifo", "is FIFO, which Lambda refuses"),
        ("arn:aws:kafka:us-west-2:112233445566:x", "is a Kafka topic, which is for Kafka's own mappings"),
        ("bucket", "is no such ARN"),
    ] {
        line(STREAM, &format!("on-failure = \"{arn}\""), 14, &format!("{takes} `{arn}` {why}"));
    }
    line(STREAM, "kms-key-arn = \"x\"", 15, "`kms-key-arn` takes arn:aws:kms:REGION:ACCOUNT:key/ID, and this is `x`");
    line(STREAM, "tags = { a = 1 }", 14, "`tags` takes a table of strings, and this is a whole number");
    refuses(
        &format!("{STREAM}order = \"shard\"\nparallelization-factor = 2\n"),
        "gristmill.toml:6:1: `parallelization-factor` above 1 keeps order within an item only, and `order = \"shard\"` \
         needs it within the shard; set the factor to 1, or `order = \"item\"`",
    );
}

#[test]
fn what_a_handler_is_and_is_on() {
    let x = format!("{STREAM}[handler.x]\n");
    refuses(
        &format!("{x}source = \"handlers/x\"\n"),
        "gristmill.toml:5:1: [handler.x] has no `stream`; it takes the NAME of a [stream.NAME]",
    );
    refuses(
        &format!("{HANDLER}component = \"x.wasm\"\n"),
        "gristmill.toml:8:1: [handler.x] has `source` and `component`; it needs exactly one of them",
    );
    line(&format!("{x}source = \"handlers/x\"\n"), "stream = \"sx\"", 10, "there is no stream `sx`; did you mean `s`?");
    line(&format!("{x}source = \"handlers/x\"\n"), "stream = \"q\"", 10, "there is no stream `q`; there is `s`");
    line(
        "[project]\nname = \"demo\"\n[handler.x]\nsource = \"handlers/x\"\n",
        "stream = \"q\"",
        10,
        "there is no stream `q`; add [stream.NAME] with `table` or `stream-arn`",
    );
    line(
        &format!("{x}stream = \"s\"\n"),
        "source = []",
        10,
        "`source` takes the path of a folder, and this is an array",
    );
    let languages = "\"rust\" or \"js\" or \"ts\" or \"python\" or \"go\" or \"c\" or \"zig\"";
    line(HANDLER, "lang = \"cobol\"", 8, &format!("`lang` takes {languages}, and this is `cobol`"));
}

#[test]
fn the_keys_of_a_handler() {
    line(HANDLER, "memory_mb = 1", 1, "`memory_mb` is not a key of [handler.x]; did you mean `memory-mb`?");
    line(
        HANDLER,
        "zzz = 1",
        1,
        "`zzz` is not a key of [handler.x]; there is `source`, `component`, `lang`, `js-engine`, `stack-kb`, `stream`, `filter`, `memory-mb`, `timeout-ms`, `output-kb`, `log-kb`, `failure-kb`, `host-call-mb`, `handles`, `table-elements`, `instances`, `instance-per` and `function`",
    );
    line(
        HANDLER,
        "[handler.x.allow]\nhttp = []",
        12,
        "`allow` is not a key of [handler.x]: grants are not there yet; a handler has no network, files or environment",
    );
    line(
        HANDLER,
        "table = \"orders\"",
        1,
        "`table` is not a key of [handler.x]: a handler names its stream, `stream = \"…\"`, and the table stands in \
         [stream.NAME]",
    );
    line(HANDLER, "stack-kb = 15", 12, "`stack-kb` takes a whole number from 16 to 16384, and this is `15`");
    line(
        HANDLER,
        "instance-per = \"batch\"",
        16,
        "`instance-per` takes \"record\" or \"invocation\", and this is `batch`",
    );
    for (key, least, most) in gristmill_host::settings::Limits::RANGES {
        for value in [i64::from(least) - 1, i64::from(most) + 1] {
            let message = format!("`{key}` takes a whole number from {least} to {most}, and this is `{value}`");
            line(HANDLER, &format!("{key} = {value}"), key.len() + 4, &message);
        }
    }
    let component = format!("{STREAM}[handler.c]\ncomponent = \"handlers/x/c.wasm\"\nstream = \"s\"\n");
    let folder = Folder::with_manifest(&format!("{component}lang = \"rust\"\nstack-kb = 64\n"), &[]);
    folder.write("handlers/x/c.wasm", "");
    let is_for = "is for a `source`: how a component was built is decided already";
    assert_eq!(
        folder.load(None).unwrap_err(),
        format!(
            "gristmill.toml has 2 problems\ngristmill.toml:8:1: `lang` {is_for}\ngristmill.toml:9:1: `stack-kb` {is_for}"
        )
    );
}

#[test]
fn filters() {
    let takes = "`filter` takes an array of patterns, each a string of JSON or a table, and this is";
    line(HANDLER, "filter = \"{}\"", 10, &format!("{takes} a string"));
    line(HANDLER, "filter = { a = [1] }", 10, &format!("{takes} a table"));
    line(HANDLER, "filter = [1]", 11, "a pattern is a string of JSON or a table, and this is a whole number");
    line(HANDLER, "filter = [{ a = [1979-05-27] }]", 11, "JSON has no dates; write 1979-05-27 as a string");
    line(HANDLER, "filter = [{ a = [inf] }]", 11, "inf is no number in JSON");
    for bad in ["no json", "[]", "{}", "{\\\"a\\\":[]}"] {
        let text = format!("{HANDLER}filter = [\"{bad}\"]\n");
        let found = Folder::with_manifest(&text, &["x"]).load(None).unwrap_err();
        assert!(found.starts_with("gristmill.toml:8:11: Invalid filter pattern definition."), "{found}");
    }
    refuses(
        &format!("{HANDLER}filter = ['{{\"a\":[\"{}\"]}}']\n", "x".repeat(4_090)),
        "gristmill.toml:8:11: Invalid filter pattern definition. $: 4100 characters, and at most 4096 are allowed",
    );
}
