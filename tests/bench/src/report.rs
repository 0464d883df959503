//! What was measured, as lines of JSON beside the tables, so that a script can
//! judge the targets without reading tables.

use std::fs::OpenOptions;
use std::io::Write as _;

use serde_json::json;

/// The variable with the file that lines are added to. Without it there are
/// none.
const FILE: &str = "GRISTMILL_BENCH_JSON";

/// A row of a table: the least and the median of what was measured.
pub fn row(title: &str, unit: &str, name: &str, least: f64, median: f64) {
    let Some(path) = std::env::var_os(FILE) else { return };
    let line = json!({ "title": title, "unit": unit, "name": name, "least": least, "median": median });
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    writeln!(file, "{line}").unwrap();
}
