//! clerk-zig-file: called for each record of a table's stream.

const gristmill = @import("gristmill");

pub const gristmill_handler = file;

/// Called once for each record. Success means that it need not come again; any error means that it must, and
/// `gristmill.reject` that it will never go better.
fn file(record: *gristmill.Record) !void {
    gristmill.print("event: {f}\n", .{record});
}

test "a change is handled" {
    defer gristmill.testing.end();
    const record = gristmill.testing.modify("test-table")
        .key("id", "1")
        .oldAttribute("name", "Tung")
        .newAttribute("name", "Tung Nguyen")
        .record();
    try file(record);
}
