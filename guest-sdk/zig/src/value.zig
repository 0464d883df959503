//! The tree of an attribute's value. Holds what DynamoDB holds, no more and no less: text → tree → text changes nothing but
//! white space and the way in which characters are escaped.

const std = @import("std");
const Number = @import("number.zig").Number;
const json = @import("json.zig");
const memory = @import("memory.zig");

/// An item, or a part of it: names and values, in the order in which they came.
pub const Item = std.array_hash_map.String(AttributeValue);

/// The type of an attribute value.
pub const Type = enum {
    s,
    n,
    b,
    ss,
    ns,
    bs,
    m,
    l,
    bool,
    null,

    /// For messages.
    pub fn name(of: Type) []const u8 {
        return switch (of) {
            .s => "a string (S)",
            .n => "a number (N)",
            .b => "binary (B)",
            .ss => "a string set (SS)",
            .ns => "a number set (NS)",
            .bs => "a binary set (BS)",
            .m => "a map (M)",
            .l => "a list (L)",
            .bool => "a boolean (BOOL)",
            .null => "null (NULL)",
        };
    }
};

/// The value of an attribute, without loss. The tags have DynamoDB's names.
pub const AttributeValue = union(Type) {
    /// A string.
    s: []const u8,
    /// A number, as its decimal text.
    n: Number,
    /// Bytes.
    b: []const u8,
    /// A set of strings, in the order in which they came.
    ss: []const []const u8,
    /// A set of numbers, in the order in which they came.
    ns: []const Number,
    /// A set of byte strings, in the order in which they came.
    bs: []const []const u8,
    /// A map.
    m: Item,
    /// A list.
    l: []const AttributeValue,
    bool: bool,
    /// Null, which is not the same as an absent attribute.
    null,

    /// The string, if this is one.
    pub fn asString(value: AttributeValue) ?[]const u8 {
        return if (value == .s) value.s else null;
    }

    /// The number, if this is one: `asInt` and `asFloat` make a type of Zig of it.
    pub fn asNumber(value: AttributeValue) ?Number {
        return if (value == .n) value.n else null;
    }

    /// The attributes, if this is a map.
    pub fn asMap(value: AttributeValue) ?Item {
        return if (value == .m) value.m else null;
    }

    /// The elements, if this is a list.
    pub fn asList(value: AttributeValue) ?[]const AttributeValue {
        return if (value == .l) value.l else null;
    }

    /// Whether two values are one to DynamoDB: 1 and 1.0 are one number, sets and maps have no order.
    pub fn eql(a: AttributeValue, b: AttributeValue) bool {
        if (std.meta.activeTag(a) != std.meta.activeTag(b)) return false;
        switch (a) {
            .s => |text| return std.mem.eql(u8, text, b.s),
            .n => |number| return number.eql(b.n),
            .b => |bytes| return std.mem.eql(u8, bytes, b.b),
            .ss => |set| return sameSet([]const u8, set, b.ss, orderBytes),
            .bs => |set| return sameSet([]const u8, set, b.bs, orderBytes),
            .ns => |set| return sameSet(Number, set, b.ns, Number.order),
            .m => |item| {
                if (item.count() != b.m.count()) return false;
                for (item.keys(), item.values()) |name, value| {
                    if (!value.eql(b.m.get(name) orelse return false)) return false;
                }
                return true;
            },
            .l => |list| {
                if (list.len != b.l.len) return false;
                for (list, b.l) |x, y| if (!x.eql(y)) return false;
                return true;
            },
            .bool => |boolean| return boolean == b.bool,
            .null => return true,
        }
    }

    /// DynamoDB JSON, such as `{"S":"text"}`, without white space.
    pub fn format(value: AttributeValue, writer: *std.Io.Writer) std.Io.Writer.Error!void {
        try json.writeValue(writer, value);
    }
};

fn orderBytes(a: []const u8, b: []const u8) std.math.Order {
    return std.mem.order(u8, a, b);
}

fn sameSet(comptime T: type, a: []const T, b: []const T, comptime order: fn (T, T) std.math.Order) bool {
    if (a.len != b.len) return false;
    // Nearly always in the same order.
    for (a, b) |x, y| {
        if (order(x, y) != .eq) break;
    } else return true;
    const lessThan = struct {
        fn lessThan(_: void, x: T, y: T) bool {
            return order(x, y) == .lt;
        }
    }.lessThan;
    const allocator = memory.allocator();
    const sorted_a = allocator.dupe(T, a) catch @panic("out of memory");
    const sorted_b = allocator.dupe(T, b) catch @panic("out of memory");
    std.sort.heap(T, sorted_a, {}, lessThan);
    std.sort.heap(T, sorted_b, {}, lessThan);
    for (sorted_a, sorted_b) |x, y| if (order(x, y) != .eq) return false;
    return true;
}
