//! A record that was made from its JSON, with no host: for unit tests. Reads what the host reads out of a record, in the same
//! way. It is no check of an event: the host does that.

const std = @import("std");
const json = @import("json.zig");
const number = @import("number.zig");
const problem = @import("problem.zig");
const record = @import("record.zig");
const ReadError = problem.ReadError;
const Place = problem.Place;

pub const Local = struct {
    event_id: []const u8,
    table: []const u8,
    stream_arn: []const u8,
    region: []const u8,
    sequence_number: []const u8,
    event_name: record.EventName,
    size_bytes: ?u64,
    created_at_ms: ?u64,
    identity: ?record.Identity,
    keys: []const u8,
    new_image: ?[]const u8,
    old_image: ?[]const u8,
    json: []const u8,

    pub fn fromJson(arena: std.mem.Allocator, text: []const u8) ReadError!Local {
        try json.checkUtf8(&Object.place, text);
        const whole = try Object.parse(arena, text);
        const change = try whole.object("dynamodb") orelse return field("dynamodb");
        const arn = try whole.string("eventSourceARN") orelse return field("eventSourceARN");
        const parts = StreamArn.parse(arn) orelse return field("eventSourceARN");
        const event_name = try whole.string("eventName") orelse return field("eventName");
        const sequence_number = try change.string("SequenceNumber") orelse "";
        if (!isDigits(sequence_number)) return field("dynamodb.SequenceNumber");
        const size = change.raw("SizeBytes");
        const created_at = change.raw("ApproximateCreationDateTime");
        return .{
            .event_id = try whole.string("eventID") orelse "",
            .table = parts.table,
            .stream_arn = arn,
            .region = try whole.string("awsRegion") orelse parts.region,
            .sequence_number = sequence_number,
            .event_name = for (std.enums.values(record.EventName)) |name| {
                if (std.mem.eql(u8, name.text(), event_name)) break name;
            } else return field("eventName"),
            .size_bytes = if (size) |digits| (number.Number{ .text = digits }).asInt(u64) catch null else null,
            .created_at_ms = if (created_at) |seconds| number.secondsToMs(seconds) else null,
            .identity = if (try whole.object("userIdentity")) |who| .{
                .type = try who.string("type") orelse "",
                .principal_id = try who.string("principalId") orelse "",
            } else null,
            .keys = (try change.object("Keys") orelse return field("dynamodb.Keys")).text,
            .new_image = if (try change.object("NewImage")) |image| image.text else null,
            .old_image = if (try change.object("OldImage")) |image| image.text else null,
            .json = text,
        };
    }
};

fn field(path: []const u8) ReadError {
    return problem.invalid("not a stream record: {s} is missing or wrong", .{path});
}

pub fn isDigits(text: []const u8) bool {
    for (text) |byte| if (!std.ascii.isDigit(byte)) return false;
    return text.len > 0;
}

/// `arn:aws:dynamodb:us-west-2:112233445566:table/NAME/stream/LABEL`
pub const StreamArn = struct {
    region: []const u8,
    table: []const u8,

    pub fn parse(arn: []const u8) ?StreamArn {
        var parts: [5][]const u8 = undefined;
        var rest = arn;
        for (&parts) |*part| {
            const colon = std.mem.findScalar(u8, rest, ':') orelse return null;
            part.* = rest[0..colon];
            rest = rest[colon + 1 ..];
        }
        if (!std.mem.eql(u8, parts[0], "arn") or !std.mem.eql(u8, parts[2], "dynamodb")) return null;
        if (!std.mem.startsWith(u8, rest, "table/")) return null;
        const name = rest["table/".len..];
        return .{ .region = parts[3], .table = name[0 .. std.mem.find(u8, name, "/stream/") orelse return null] };
    }
};

/// A JSON object: its names, and the text of each value.
const Object = struct {
    arena: std.mem.Allocator,
    text: []const u8,
    names: std.array_hash_map.String([]const u8),

    const place: Place = .root("not a stream record");

    fn parse(arena: std.mem.Allocator, text: []const u8) ReadError!Object {
        var scan: json.Scanner = .{ .text = text };
        var names: std.array_hash_map.String([]const u8) = .empty;
        try scan.expect(&place, '{');
        var first = true;
        while (try scan.next(&place, first, '}')) : (first = false) {
            const name = try scan.string(&place, arena);
            try scan.expect(&place, ':');
            const entry = try names.getOrPut(arena, name);
            const value = try scan.raw(&place);
            if (!entry.found_existing) entry.value_ptr.* = value;
        }
        try scan.end(&place);
        return .{ .arena = arena, .text = text, .names = names };
    }

    /// The value's text; null is as good as absent.
    fn raw(object_: Object, name: []const u8) ?[]const u8 {
        const text = object_.names.get(name) orelse return null;
        return if (std.mem.eql(u8, text, "null")) null else text;
    }

    fn string(object_: Object, name: []const u8) ReadError!?[]const u8 {
        const in = place.attribute(name);
        var scan: json.Scanner = .{ .text = object_.raw(name) orelse return null };
        return try scan.string(&in, object_.arena);
    }

    fn object(object_: Object, name: []const u8) ReadError!?Object {
        return try Object.parse(object_.arena, object_.raw(name) orelse return null);
    }
};
