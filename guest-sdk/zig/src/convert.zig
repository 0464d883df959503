//! An item, or a value, as a type of the handler's own, by what the compiler knows of the type.

const std = @import("std");
const json = @import("json.zig");
const number = @import("number.zig");
const value_module = @import("value.zig");
const AttributeValue = value_module.AttributeValue;
const Item = value_module.Item;
const problem = @import("problem.zig");
const Place = problem.Place;
const ReadError = problem.ReadError;

/// Bytes (B), to tell them from a string: `[]const u8` is a string (S).
pub const Bytes = struct {
    data: []const u8,
};

/// An item as a struct.
pub fn itemAs(comptime T: type, allocator: std.mem.Allocator, item: Item, called: []const u8) ReadError!T {
    const place: Place = .root(called);
    return if (T == Item) item else structAs(T, allocator, item, &place);
}

/// A value as any type that it can be.
pub fn valueAs(comptime T: type, allocator: std.mem.Allocator, value: AttributeValue) ReadError!T {
    const place: Place = .root("");
    return convert(T, allocator, value, &place);
}

fn mismatch(place: *const Place, value: AttributeValue, expected: []const u8) ReadError {
    @branchHint(.cold);
    return place.wrong("expected {s}, found {s}", .{ expected, std.meta.activeTag(value).name() });
}

fn convert(comptime T: type, allocator: std.mem.Allocator, value: AttributeValue, place: *const Place) ReadError!T {
    switch (T) {
        AttributeValue => return value,
        Item => return if (value == .m) value.m else mismatch(place, value, "a map (M)"),
        number.Number => return if (value == .n) value.n else mismatch(place, value, "a number (N)"),
        Bytes => return if (value == .b) .{ .data = value.b } else mismatch(place, value, "binary (B)"),
        []const u8 => return if (value == .s) value.s else mismatch(place, value, "a string (S)"),
        else => {},
    }
    switch (@typeInfo(T)) {
        .bool => return if (value == .bool) value.bool else mismatch(place, value, "a boolean (BOOL)"),
        .int => {
            if (value != .n) return mismatch(place, value, "a number (N)");
            return value.n.asInt(T) catch |err| json.numberWrong(place, err, value.n.text, @typeName(T));
        },
        .float => {
            if (value != .n) return mismatch(place, value, "a number (N)");
            return value.n.asFloat(T) catch |err| json.numberWrong(place, err, value.n.text, @typeName(T));
        },
        .optional => |optional| return if (value == .null) null else try convert(optional.child, allocator, value, place),
        .@"enum" => {
            if (value != .s) return mismatch(place, value, "a string (S)");
            return std.meta.stringToEnum(T, value.s) orelse
                place.wrong("{f} is none of " ++ comptime names(T), .{problem.Quoted{ .string = value.s }});
        },
        .@"struct" => |info| if (!info.is_tuple) {
            if (value != .m) return mismatch(place, value, "a map (M)");
            if (comptime isMap(T)) return mapAs(T, allocator, value.m, place);
            return structAs(T, allocator, value.m, place);
        },
        .@"union" => return unionAs(T, allocator, value, place),
        .pointer => |pointer| if (pointer.size == .slice) {
            const list = try allocator.alloc(pointer.child, try length(value, place));
            try elements(pointer.child, allocator, value, list, place);
            return list;
        } else if (pointer.size == .one) {
            const one = try allocator.create(pointer.child);
            one.* = try convert(pointer.child, allocator, value, place);
            return one;
        },
        .array => |array| {
            var list: T = undefined;
            const found = try length(value, place);
            if (found != array.len) return place.wrong("expected {d} elements, found {d}", .{ array.len, found });
            try elements(array.child, allocator, value, &list, place);
            return list;
        },
        else => {},
    }
    @compileError("gristmill cannot make a " ++ @typeName(T) ++ " of an attribute value: take gristmill.AttributeValue, or bool, " ++
        "an integer, a float, []const u8, gristmill.Number, gristmill.Bytes, an enum, a struct, an optional, a slice of these");
}

fn length(value: AttributeValue, place: *const Place) ReadError!usize {
    return switch (value) {
        .l => |list| list.len,
        .ss, .bs => |set| set.len,
        .ns => |set| set.len,
        else => mismatch(place, value, "a list (L) or a set"),
    };
}

fn elements(comptime T: type, allocator: std.mem.Allocator, value: AttributeValue, list: []T, place: *const Place) ReadError!void {
    for (list, 0..) |*to, index| {
        const element = place.element(index);
        const from: AttributeValue = switch (value) {
            .l => |all| all[index],
            .ss => |all| .{ .s = all[index] },
            .ns => |all| .{ .n = all[index] },
            .bs => |all| .{ .b = all[index] },
            else => unreachable, // length() looked
        };
        to.* = try convert(T, allocator, from, &element);
    }
}

fn structAs(comptime T: type, allocator: std.mem.Allocator, item: Item, place: *const Place) ReadError!T {
    if (@typeInfo(T) != .@"struct") @compileError("an item becomes a struct, and " ++ @typeName(T) ++ " is none");
    const info = @typeInfo(T).@"struct";
    var made: T = undefined;
    inline for (info.field_names, info.field_types, info.field_attrs) |name, Field, attrs| {
        const attribute = place.attribute(name);
        if (item.get(name)) |value| {
            @field(made, name) = try convert(Field, allocator, value, &attribute);
        } else if (comptime attrs.defaultValue(Field)) |default| {
            @field(made, name) = default;
        } else if (@typeInfo(Field) == .optional) {
            @field(made, name) = null;
        } else {
            return attribute.wrong("the attribute is missing", .{});
        }
    }
    return made;
}

/// A map of any names: `std.array_hash_map.String(T)`.
fn isMap(comptime T: type) bool {
    return @hasDecl(T, "KV") and @hasDecl(T, "getOrPut");
}

fn mapAs(comptime T: type, allocator: std.mem.Allocator, item: Item, place: *const Place) ReadError!T {
    var map: T = .empty;
    for (item.keys(), item.values()) |name, value| {
        const attribute = place.attribute(name);
        try map.put(allocator, name, try convert(@FieldType(T.KV, "value"), allocator, value, &attribute));
    }
    return map;
}

/// A case without a value is its name as a string; any other is a map with the name as its one attribute.
fn unionAs(comptime T: type, allocator: std.mem.Allocator, value: AttributeValue, place: *const Place) ReadError!T {
    const info = @typeInfo(T).@"union";
    const expected = "a string (S) or a map (M) with one attribute";
    const name = switch (value) {
        .s => |text| text,
        .m => |item| if (item.count() == 1) item.keys()[0] else return place.wrong("expected a map with one attribute, the case's name", .{}),
        else => return mismatch(place, value, expected),
    };
    inline for (info.field_names, info.field_types) |field, Field| if (std.mem.eql(u8, name, field)) {
        if (Field == void) return if (value == .s) @unionInit(T, field, {}) else mismatch(place, value, "a string (S)");
        if (value != .m) return mismatch(place, value, "a map (M) with one attribute");
        const attribute = place.attribute(field);
        return @unionInit(T, field, try convert(Field, allocator, value.m.values()[0], &attribute));
    };
    return place.wrong("{f} is none of " ++ comptime names(T), .{problem.Quoted{ .string = name }});
}

/// `paid, sent`: for messages.
fn names(comptime T: type) []const u8 {
    const all = switch (@typeInfo(T)) {
        .@"enum" => |info| info.field_names,
        .@"union" => |info| info.field_names,
        else => unreachable,
    };
    var text: []const u8 = "";
    for (all, 0..) |name, index| text = text ++ (if (index > 0) ", " else "") ++ name;
    return text;
}
