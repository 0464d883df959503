//! Records made by hand, for the unit tests of handlers.
//!
//!     defer gristmill.testing.end();
//!     const paid = gristmill.testing.modify("orders").key("id", "1").oldAttribute("status", "new").newAttribute("status", "paid");
//!     try file(paid.record());
//!
//! What a test does not say has a value that AWS could have sent: ids, sequence number, ARN, time, size. The same calls make
//! the same record. A value is a string, an integer, a boolean, `null`, `gristmill.Number`, `gristmill.Bytes`, or any
//! `gristmill.AttributeValue`.
//!
//! Where a test asks for a record that cannot be, such as an insert with an old image, this panics: whoever wrote the mistake
//! reads it at once. For a text from elsewhere there is `recordFromJson`, which gives an error.

const std = @import("std");
const json = @import("json.zig");
const log = @import("log.zig");
const memory = @import("memory.zig");
const number = @import("number.zig");
const problem = @import("problem.zig");
const local = @import("local.zig");
const record_module = @import("record.zig");
const Record = record_module.Record;
const EventName = record_module.EventName;
const Identity = record_module.Identity;
const value_module = @import("value.zig");
const AttributeValue = value_module.AttributeValue;
const Item = value_module.Item;

/// What a stream carries of each change.
pub const ViewType = enum {
    keys_only,
    new_image,
    old_image,
    new_and_old_images,

    fn text(view_type: ViewType) []const u8 {
        return switch (view_type) {
            .keys_only => "KEYS_ONLY",
            .new_image => "NEW_IMAGE",
            .old_image => "OLD_IMAGE",
            .new_and_old_images => "NEW_AND_OLD_IMAGES",
        };
    }
};

/// 2026-01-05T09:30:00Z, which is also the label of the stream.
const created_at_s = 1_767_605_400;
/// An event's records count from these on, so that each is one of its own.
const first_event_id: u128 = 0x1a87_2017_89a6_e143_15b8_038e_bbd3_b99d;
const first_sequence_number: u128 = 261_800_000_000_059_086_429_283;

/// An item of this table is new.
pub fn insert(table: []const u8) *Test {
    return Test.init(.insert, table);
}

/// An item of this table has changed.
pub fn modify(table: []const u8) *Test {
    return Test.init(.modify, table);
}

/// A caller deleted an item of this table.
pub fn remove(table: []const u8) *Test {
    return Test.init(.remove, table);
}

/// Time to Live deleted an item of this table.
pub fn ttlDelete(table: []const u8) *Test {
    return Test.init(.remove, table).userIdentity(.{ .type = "Service", .principal_id = "dynamodb.amazonaws.com" });
}

/// A record that was caught elsewhere: one element of an event's `Records`. Its text has to live as long as the record.
pub fn recordFromJson(text: []const u8) problem.ReadError!*Record {
    const arena = memory.allocator();
    const source = try arena.create(local.Local);
    source.* = try .fromJson(arena, text);
    const made = try arena.create(Record);
    made.* = .{ .source = source, .arena = arena };
    return made;
}

/// The lines that were logged since the last `end`.
pub fn logged() []const log.Line {
    return log.lines.items;
}

/// Ends a test: what the SDK gave is no more.
pub fn end() void {
    log.lines = .empty;
    problem.clear();
    memory.freeAll();
}

/// An event with these records, as Lambda sends it: for `gristmill invoke --event`. A record a line.
pub fn event(tests: []const *Test) []const u8 {
    var text: std.Io.Writer.Allocating = .init(memory.allocator());
    writeEvent(&text.writer, tests) catch outOfMemory();
    return text.written();
}

fn writeEvent(writer: *std.Io.Writer, tests: []const *Test) std.Io.Writer.Error!void {
    try writer.writeAll("{\"Records\":[");
    for (tests, 0..) |one, index| {
        if (!std.mem.eql(u8, one.arn, tests[0].arn)) std.debug.panic("an event is of one stream: {s} and {s} are two", .{ tests[0].arn, one.arn });
        try writer.writeAll(if (index == 0) "\n" else ",\n");
        try one.write(writer, index);
    }
    try writer.writeAll(if (tests.len > 0) "\n]}\n" else "]}\n");
}

/// A stream record in the making. Each function gives it again, so that calls can be put together.
pub const Test = struct {
    event_name: EventName,
    arn: []const u8,
    keys: Item = .empty,
    old: Item = .empty,
    new: Item = .empty,
    view: ViewType = .new_and_old_images,
    event_id: ?[]const u8 = null,
    sequence_number: ?[]const u8 = null,
    created_at_ms: ?u64 = null,
    identity: ?Identity = null,

    fn init(event_name: EventName, table: []const u8) *Test {
        if (!isTableName(table)) std.debug.panic("\"{s}\" is no table's name: a–z, A–Z, 0–9, `_`, `-` and `.`", .{table});
        const arena = memory.allocator();
        const made = arena.create(Test) catch outOfMemory();
        const arn = std.fmt.allocPrint(arena, "arn:aws:dynamodb:us-east-1:123456789012:table/{s}/stream/2026-01-05T09:30:00.000", .{table});
        made.* = .{ .event_name = event_name, .arn = arn catch outOfMemory() };
        return made;
    }

    /// A key attribute of the item, part of every image by itself: the partition key, and a second for the sort key.
    pub fn key(made: *Test, name: []const u8, given: anytype) *Test {
        const value = attributeValue(given);
        if (value != .s and value != .n and value != .b) {
            std.debug.panic("the key {s} is {f}: DynamoDB takes a string (S), a number (N) or binary (B)", .{ name, value });
        }
        put(&made.keys, name, value);
        if (made.keys.count() > 2) std.debug.panic("the key {s} is the third: an item has a partition key and may have a sort key", .{name});
        return made;
    }

    /// An attribute that the change left as it was: part of each image that the change has.
    pub fn attribute(made: *Test, name: []const u8, given: anytype) *Test {
        if (made.event_name != .insert) put(&made.old, name, attributeValue(given));
        if (made.event_name != .remove) put(&made.new, name, attributeValue(given));
        return made;
    }

    /// An attribute of the item before the change.
    pub fn oldAttribute(made: *Test, name: []const u8, given: anytype) *Test {
        if (made.event_name == .insert) @panic("an insert has no old image: there was no item");
        put(&made.old, name, attributeValue(given));
        return made;
    }

    /// An attribute of the item after the change.
    pub fn newAttribute(made: *Test, name: []const u8, given: anytype) *Test {
        if (made.event_name == .remove) @panic("a removal has no new image: there is no item");
        put(&made.new, name, attributeValue(given));
        return made;
    }

    /// Attributes of the item before the change, from DynamoDB JSON.
    pub fn oldImageJson(made: *Test, text: []const u8) *Test {
        const item = itemFromJson(text, "old image");
        for (item.keys(), item.values()) |name, value| _ = made.oldAttribute(name, value);
        return made;
    }

    /// Attributes of the item after the change, from DynamoDB JSON.
    pub fn newImageJson(made: *Test, text: []const u8) *Test {
        const item = itemFromJson(text, "new image");
        for (item.keys(), item.values()) |name, value| _ = made.newAttribute(name, value);
        return made;
    }

    /// What the stream carries. Otherwise both images.
    pub fn viewType(made: *Test, view_type: ViewType) *Test {
        made.view = view_type;
        return made;
    }

    /// The ARN of the stream, for another Region, account or label.
    pub fn streamArn(made: *Test, arn: []const u8) *Test {
        if (local.StreamArn.parse(arn) == null) {
            std.debug.panic("{s} is no stream's ARN: arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL", .{arn});
        }
        made.arn = arn;
        return made;
    }

    /// The record's `eventID`. Otherwise 32 hexadecimal digits.
    pub fn eventId(made: *Test, id: []const u8) *Test {
        made.event_id = id;
        return made;
    }

    /// The position in the shard. Otherwise 24 digits.
    pub fn sequenceNumber(made: *Test, digits: []const u8) *Test {
        if (!local.isDigits(digits)) std.debug.panic("{s} is no sequence number: decimal digits", .{digits});
        made.sequence_number = digits;
        return made;
    }

    /// About when the change was made. Otherwise 2026-01-05T09:30:00Z.
    pub fn createdAtMs(made: *Test, ms: u64) *Test {
        made.created_at_ms = ms;
        return made;
    }

    /// Who made the change. Otherwise a caller, or Time to Live for `ttlDelete`.
    pub fn userIdentity(made: *Test, identity: Identity) *Test {
        made.identity = identity;
        return made;
    }

    /// The record, as a handler is given it.
    pub fn record(made: *const Test) *Record {
        return recordFromJson(made.toJson()) catch |err| @panic(problem.text(err));
    }

    /// The record as Lambda sends it: one element of an event's `Records`.
    pub fn toJson(made: *const Test) []const u8 {
        var text: std.Io.Writer.Allocating = .init(memory.allocator());
        made.write(&text.writer, 0) catch outOfMemory();
        return text.written();
    }

    /// The record in its place among those of an event, which decides what was not said of it.
    fn write(made: *const Test, writer: *std.Io.Writer, index: usize) std.Io.Writer.Error!void {
        const new = made.carried(made.new, .remove, .new_image);
        const old = made.carried(made.old, .insert, .old_image);
        const arn = local.StreamArn.parse(made.arn).?;
        try writer.writeAll("{\"eventID\":");
        if (made.event_id) |id| try json.writeString(writer, id) else try writer.print("\"{x:0>32}\"", .{first_event_id + index});
        try writer.print(",\"eventName\":\"{s}\",\"eventVersion\":\"1.1\",\"eventSource\":\"aws:dynamodb\",\"awsRegion\":", .{made.event_name.text()});
        try json.writeString(writer, arn.region);
        if (made.identity) |identity| {
            try writer.writeAll(",\"userIdentity\":{\"principalId\":");
            try json.writeString(writer, identity.principal_id);
            try writer.writeAll(",\"type\":");
            try json.writeString(writer, identity.type);
            try writer.writeByte('}');
        }
        const created_at_ms = made.created_at_ms orelse (created_at_s + index) * 1000;
        try writer.print(",\"dynamodb\":{{\"ApproximateCreationDateTime\":{d}", .{created_at_ms / 1000});
        if (created_at_ms % 1000 > 0) try writer.print(".{d:0>3}", .{created_at_ms % 1000});
        try writer.writeAll(",\"Keys\":");
        try json.writeItem(writer, made.keys);
        if (new) |image| {
            try writer.writeAll(",\"NewImage\":");
            try json.writeItem(writer, image);
        }
        if (old) |image| {
            try writer.writeAll(",\"OldImage\":");
            try json.writeItem(writer, image);
        }
        try writer.writeAll(",\"SequenceNumber\":");
        if (made.sequence_number) |digits| try json.writeString(writer, digits) else try writer.print("\"{d}\"", .{first_sequence_number + index});
        var size_bytes = itemSize(made.keys);
        if (new) |image| size_bytes += itemSize(image);
        if (old) |image| size_bytes += itemSize(image);
        try writer.print(",\"SizeBytes\":{d},\"StreamViewType\":\"{s}\"}},\"eventSourceARN\":", .{ size_bytes, made.view.text() });
        try json.writeString(writer, made.arn);
        try writer.writeByte('}');
    }

    /// The image of an item with these attributes; null when a change of this kind has none, or the stream does not carry it.
    /// A change never changes a key: it is another item then.
    fn carried(made: *const Test, attributes: Item, without: EventName, only: ViewType) ?Item {
        if (made.keys.count() == 0) @panic("the record has no key: say which item it is of, for example by .key(\"id\", \"1\")");
        var image: Item = .empty;
        for (made.keys.keys(), made.keys.values()) |name, value| put(&image, name, value);
        for (attributes.keys(), attributes.values()) |name, value| {
            const same = if (made.keys.get(name)) |keyed| keyed.eql(value) else true;
            if (!same) std.debug.panic("the key {s} of the item is {f} in an image", .{ name, value });
            put(&image, name, value);
        }
        return if (made.event_name == without or (made.view != only and made.view != .new_and_old_images)) null else image;
    }
};

fn isTableName(name: []const u8) bool {
    for (name) |byte| if (!std.ascii.isAlphanumeric(byte) and std.mem.findScalar(u8, "_-.", byte) == null) return false;
    return name.len > 0;
}

fn itemFromJson(text: []const u8, called: []const u8) Item {
    json.checkUtf8(&.root(called), text) catch |err| @panic(problem.text(err));
    return json.readItem(memory.allocator(), text, called) catch |err| @panic(problem.text(err));
}

fn outOfMemory() noreturn {
    @panic("out of memory in a test");
}

fn put(item: *Item, name: []const u8, value: AttributeValue) void {
    item.put(memory.allocator(), name, value) catch outOfMemory();
}

/// A value of what stands for one.
fn attributeValue(given: anytype) AttributeValue {
    const T = @TypeOf(given);
    switch (T) {
        AttributeValue => return given,
        number.Number => return .{ .n = given },
        @import("convert.zig").Bytes => return .{ .b = given.data },
        Item => return .{ .m = given },
        bool => return .{ .bool = given },
        @TypeOf(null) => return .null,
        else => {},
    }
    switch (@typeInfo(T)) {
        .int, .comptime_int => return .{ .n = .{ .text = std.fmt.allocPrint(memory.allocator(), "{d}", .{given}) catch outOfMemory() } },
        .enum_literal => return @as(AttributeValue, given),
        .@"struct" => return @as(AttributeValue, given),
        .pointer => return .{ .s = given },
        else => @compileError("no attribute value is made of a " ++ @typeName(T)),
    }
}

/// Names and values in bytes, as a stream's `SizeBytes` counts them.
fn itemSize(item: Item) usize {
    var sum: usize = 0;
    for (item.keys(), item.values()) |name, value| sum += name.len + size(value);
    return sum;
}

fn size(value: AttributeValue) usize {
    // Of a list or map, whatever is in it; each element adds one.
    const overhead = 3;
    var sum: usize = 0;
    switch (value) {
        .s, .b => |text| return text.len,
        .n => |decimal| return numberSize(decimal),
        .ss, .bs => |set| for (set) |element| {
            sum += element.len;
        },
        .ns => |set| for (set) |element| {
            sum += numberSize(element);
        },
        .m => |item| return overhead + item.count() + itemSize(item),
        .l => |list| {
            for (list) |element| sum += 1 + size(element);
            return overhead + sum;
        },
        .bool, .null => return 1,
    }
    return sum;
}

/// A byte for every two significant digits, one more, and one for a sign.
fn numberSize(value: number.Number) usize {
    const decimal = number.Decimal.parse(value.text) catch return 1;
    return (decimal.significant + 1) / 2 + 1 + @intFromBool(decimal.negative and decimal.significant > 0);
}

test "a table has a name" {
    for ([_][]const u8{ "orders", "a-b_c.D9" }) |name| try std.testing.expect(isTableName(name));
    for ([_][]const u8{ "", "a/stream/b", "ü", " " }) |name| try std.testing.expect(!isTableName(name));
}
