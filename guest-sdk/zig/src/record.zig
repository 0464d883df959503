//! One record of a DynamoDB stream, as a handler reads it. In a component the record stays in the host, and each function
//! copies out what it names: keys, images and the whole record once, anything else each time. Natively it is a record's JSON.

const std = @import("std");
const builtin = @import("builtin");
const abi = @import("abi.zig");
const convert = @import("convert.zig");
const json_text = @import("json.zig");
const memory = @import("memory.zig");
const problem = @import("problem.zig");
const ReadError = problem.ReadError;
const Item = @import("value.zig").Item;
const AttributeValue = @import("value.zig").AttributeValue;
const Local = @import("local.zig").Local;

const is_component = builtin.cpu.arch.isWasm();

/// What happened to the item.
pub const EventName = enum {
    /// The item is new.
    insert,
    /// An attribute of the item, or several, changed.
    modify,
    /// The item was deleted, by a caller or by Time to Live.
    remove,

    /// `INSERT`, `MODIFY` or `REMOVE`.
    pub fn text(name: EventName) []const u8 {
        return switch (name) {
            .insert => "INSERT",
            .modify => "MODIFY",
            .remove => "REMOVE",
        };
    }
};

/// Who made the change, when it was a service and not a caller.
pub const Identity = struct {
    /// For example `Service`.
    type: []const u8,
    /// For example `dynamodb.amazonaws.com`.
    principal_id: []const u8,

    pub fn isTimeToLive(identity: Identity) bool {
        return std.mem.eql(u8, identity.type, "Service") and std.mem.eql(u8, identity.principal_id, "dynamodb.amazonaws.com");
    }
};

/// Why `changed` has no answer. The text says which image is missing.
pub const ChangeError = ReadError || error{ImageMissing};

/// Everything that it gives is valid until the handler returns.
pub const Record = struct {
    source: if (is_component) abi.Record else *const Local,
    /// Memory until the handler returns: what is made with it need not be freed.
    arena: std.mem.Allocator,
    keys_text: ?[]const u8 = null,
    new_text: ??[]const u8 = null,
    old_text: ??[]const u8 = null,
    json_text: ?[]const u8 = null,

    fn string(record: *const Record, comptime method: []const u8, comptime field: []const u8) []const u8 {
        if (!is_component) return @field(record.source, field);
        var text: abi.String = undefined;
        @field(abi.types, "[method]stream-record." ++ method)(record.source, &text);
        return text.slice();
    }

    fn number(record: *const Record, comptime method: []const u8, comptime field: []const u8) ?u64 {
        if (!is_component) return @field(record.source, field);
        var option: abi.OptionU64 = undefined;
        @field(abi.types, "[method]stream-record." ++ method)(record.source, &option);
        return option.get();
    }

    fn optional(record: *const Record, comptime method: []const u8, comptime field: []const u8) ?[]const u8 {
        if (!is_component) return @field(record.source, field);
        var option: abi.OptionString = undefined;
        @field(abi.types, "[method]stream-record." ++ method)(record.source, &option);
        return option.get();
    }

    /// The record's `eventID`, the same on every delivery.
    pub fn eventId(record: *const Record) []const u8 {
        return record.string("event-id", "event_id");
    }

    /// The table's name, as it stands in the stream's ARN.
    pub fn table(record: *const Record) []const u8 {
        return record.string("table", "table");
    }

    /// The ARN of the stream, label included.
    pub fn streamArn(record: *const Record) []const u8 {
        return record.string("stream-arn", "stream_arn");
    }

    /// The Region that the record comes from.
    pub fn region(record: *const Record) []const u8 {
        return record.string("region", "region");
    }

    /// The position in the shard: decimal digits, too many for any integer type.
    pub fn sequenceNumber(record: *const Record) []const u8 {
        return record.string("sequence-number", "sequence_number");
    }

    /// What happened to the item.
    pub fn eventName(record: *const Record) EventName {
        if (!is_component) return record.source.event_name;
        return switch (abi.types.@"[method]stream-record.event-name"(record.source)) {
            0 => .insert,
            1 => .modify,
            else => .remove,
        };
    }

    /// The size of keys and images in bytes, as DynamoDB counts it.
    pub fn sizeBytes(record: *const Record) ?u64 {
        return record.number("size-bytes", "size_bytes");
    }

    /// About when the change was made, in milliseconds since the Unix epoch.
    pub fn createdAtMs(record: *const Record) ?u64 {
        return record.number("created-at-ms", "created_at_ms");
    }

    /// Who made the change, when it was a service.
    pub fn userIdentity(record: *const Record) ?Identity {
        if (!is_component) return record.source.identity;
        var option: abi.OptionIdentity = undefined;
        abi.types.@"[method]stream-record.user-identity"(record.source, &option);
        if (!option.some) return null;
        return .{ .type = option.type.slice(), .principal_id = option.principal_id.slice() };
    }

    /// Whether Time to Live deleted the item.
    pub fn isTtlDelete(record: *const Record) bool {
        if (record.eventName() != .remove) return false;
        return if (record.userIdentity()) |identity| identity.isTimeToLive() else false;
    }

    /// The item's key attributes, as DynamoDB JSON, byte for byte as they came.
    pub fn keysJson(record: *Record) []const u8 {
        if (record.keys_text == null) record.keys_text = record.string("keys", "keys");
        return record.keys_text.?;
    }

    /// The item after the change, as DynamoDB JSON, byte for byte as it came. Null when the record has none, which is not
    /// the same as an empty image.
    pub fn newImageJson(record: *Record) ?[]const u8 {
        if (record.new_text == null) record.new_text = record.optional("new-image", "new_image");
        return record.new_text.?;
    }

    /// The item before the change, in the same way.
    pub fn oldImageJson(record: *Record) ?[]const u8 {
        if (record.old_text == null) record.old_text = record.optional("old-image", "old_image");
        return record.old_text.?;
    }

    /// The whole record, byte for byte as it came.
    pub fn json(record: *Record) []const u8 {
        if (record.json_text == null) record.json_text = record.string("json", "json");
        return record.json_text.?;
    }

    /// The item's key attributes.
    pub fn keys(record: *Record) ReadError!Item {
        return json_text.readItem(record.arena, record.keysJson(), "keys");
    }

    /// The item after the change; null when the record has none. It is read each time.
    pub fn newImage(record: *Record) ReadError!?Item {
        return try json_text.readItem(record.arena, record.newImageJson() orelse return null, "new image");
    }

    /// The item before the change; null when the record has none. It is read each time.
    pub fn oldImage(record: *Record) ReadError!?Item {
        return try json_text.readItem(record.arena, record.oldImageJson() orelse return null, "old image");
    }

    /// The key attributes as a struct.
    pub fn keysAs(record: *Record, comptime T: type) ReadError!T {
        return convert.itemAs(T, record.arena, try record.keys(), "keys");
    }

    /// The item after the change as a struct; null when the record has none.
    ///
    /// A field is an integer or a float, exactly or not at all, `[]const u8` for a string, `Number` for all the digits,
    /// `Bytes`, `bool`, an enum for a string that is one of its names, a struct for a map, a slice for a list or a set,
    /// `AttributeValue` for whatever there is. An optional field is null when the attribute is null or missing, and a
    /// field with a default has that when it is missing. Attributes that the struct does not name are skipped.
    pub fn newImageAs(record: *Record, comptime T: type) ReadError!?T {
        return try convert.itemAs(T, record.arena, try record.newImage() orelse return null, "new image");
    }

    /// The item before the change as a struct; null when the record has none.
    pub fn oldImageAs(record: *Record, comptime T: type) ReadError!?T {
        return try convert.itemAs(T, record.arena, try record.oldImage() orelse return null, "old image");
    }

    /// Whether an attribute differs between the old image and the new one. Values are compared by what they mean: 1 and 1.0
    /// are one number, sets and maps have no order. Of an insert every attribute has changed, of a removal too.
    /// `error.ImageMissing` when the stream's view type keeps back an image that the answer needs.
    pub fn changed(record: *Record, attribute: []const u8) ChangeError!bool {
        const event = record.eventName();
        // An image that is absent because there was no item stands for one without attributes. One that the view type
        // keeps back stands for nothing.
        const old = try record.oldImage() orelse if (event == .insert) Item.empty else return record.missing("old");
        const new = try record.newImage() orelse if (event == .remove) Item.empty else return record.missing("new");
        const before = old.get(attribute) orelse return new.contains(attribute);
        return !before.eql(new.get(attribute) orelse return true);
    }

    fn missing(record: *const Record, comptime image: []const u8) ChangeError {
        const text = std.fmt.allocPrint(record.arena, "the {s} record has no " ++ image ++ " image, so what changed is not known; " ++
            "the stream's view type must be NEW_AND_OLD_IMAGES", .{record.eventName().text()}) catch return error.OutOfMemory;
        problem.keep(error.ImageMissing, text);
        return error.ImageMissing;
    }

    /// The record in one line, for people: `INSERT orders keys {"id":{"S":"1"}} new {"id":{"S":"1"}}`.
    pub fn format(record: *Record, writer: *std.Io.Writer) std.Io.Writer.Error!void {
        try writer.print("{s} {s} keys {s}", .{ record.eventName().text(), record.table(), record.keysJson() });
        if (record.oldImageJson()) |image| try writer.print(" old {s}", .{image});
        if (record.newImageJson()) |image| try writer.print(" new {s}", .{image});
    }
};
