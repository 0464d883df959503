//! Write handlers of DynamoDB stream records for gristmill in Zig.
//!
//!     const gristmill = @import("gristmill");
//!
//!     pub const gristmill_handler = file;
//!
//!     const Order = struct { customer: []const u8, cents: u32 };
//!
//!     fn file(record: *gristmill.Record) !void {
//!         const order = try record.newImageAs(Order) orelse return;
//!         gristmill.log.info("{d} cents", .{order.cents}, .{ .customer = order.customer });
//!     }
//!
//! Success means that the record need not come again. Any error means that it must, and `gristmill.reject` that it will never
//! go better. A panic prints its message to stderr, traps, and costs this record alone.

const std = @import("std");
const problem = @import("problem.zig");
const memory = @import("memory.zig");
const json = @import("json.zig");
const convert = @import("convert.zig");

pub const Record = @import("record.zig").Record;
pub const EventName = @import("record.zig").EventName;
pub const Identity = @import("record.zig").Identity;
pub const ChangeError = @import("record.zig").ChangeError;
pub const AttributeValue = @import("value.zig").AttributeValue;
pub const Item = @import("value.zig").Item;
pub const Number = @import("number.zig").Number;
pub const NumberError = @import("number.zig").NumberError;
pub const Bytes = convert.Bytes;
pub const ReadError = problem.ReadError;
pub const log = @import("log.zig");
pub const invocation = @import("invocation.zig");
pub const testing = @import("testing.zig");

/// Memory until the handler returns: what is made with it need not be freed.
pub const allocator = memory.allocator;

/// stdout and stderr, the clocks, random numbers: for what of the standard library asks for an `Io`. The rest of it fails.
pub const io = @import("io.zig").io;
/// Prints to stdout: a log line for each line. Flushed before the call ends.
pub const print = @import("io.zig").print;
/// The writer that `print` writes to.
pub const stdout = @import("io.zig").stdout;

/// A failure that may go better next time, with a text: `return gristmill.retry("no stock of {s}", .{sku});`
pub fn retry(comptime format: []const u8, args: anytype) error{ Retry, OutOfMemory } {
    problem.keep(error.Retry, std.fmt.allocPrint(allocator(), format, args) catch return error.OutOfMemory);
    return error.Retry;
}

/// A failure that will never go better, with a text: `return gristmill.reject("no order", .{});`
pub fn reject(comptime format: []const u8, args: anytype) error{ Reject, OutOfMemory } {
    problem.keep(error.Reject, std.fmt.allocPrint(allocator(), format, args) catch return error.OutOfMemory);
    return error.Reject;
}

/// What an error of this SDK says, `new image: orders[3].price: expected a number (N), found a string (S)`; the name of any
/// other. `catch |err| return gristmill.reject("no order: {s}", .{gristmill.errorText(err)})`.
pub const errorText = problem.text;

/// Reads DynamoDB JSON of an item, `{"id":{"S":"1"}}`. The text has to live as long as the item. Nesting is bounded at 64
/// levels.
pub fn itemFromJson(arena: std.mem.Allocator, text: []const u8) ReadError!Item {
    try json.checkUtf8(&.root(""), text);
    return json.readItem(arena, text, "");
}

/// Reads DynamoDB JSON of a value, `{"S":"1"}`. The text has to live as long as the value.
pub fn valueFromJson(arena: std.mem.Allocator, text: []const u8) ReadError!AttributeValue {
    try json.checkUtf8(&.root(""), text);
    return json.readValue(arena, text);
}

/// DynamoDB JSON of an item, without white space. Of a value it is `{f}`.
pub const itemToJson = json.itemToJson;

/// An item as a struct, as `Record.newImageAs` makes it.
pub fn itemAs(comptime T: type, arena: std.mem.Allocator, item: Item) ReadError!T {
    return convert.itemAs(T, arena, item, "");
}

/// A value as any type that it can be.
pub const valueAs = convert.valueAs;

/// What a handler came to.
pub const Outcome = union(enum) {
    ok,
    /// It may go better next time. The text is for people.
    retry: []const u8,
    /// It will never go better.
    reject: []const u8,
};

/// Calls a handler as the host does.
pub fn run(comptime handler: anytype, record: *Record) Outcome {
    problem.clear();
    const result = handler(record);
    if (@typeInfo(@TypeOf(result)) != .error_union) return .ok;
    result catch |err| {
        const cause: anyerror = err;
        const text = log.utf8(problem.text(cause)) catch "OutOfMemory";
        return if (cause == error.Reject) .{ .reject = text } else .{ .retry = text };
    };
    return .ok;
}

test {
    _ = @import("tests.zig");
}

/// What the component's root needs beside: not for handlers.
pub const internal = struct {
    pub const abi = @import("abi.zig");
    pub const memory = @import("memory.zig");
    pub const flush = @import("io.zig").flush;
};
