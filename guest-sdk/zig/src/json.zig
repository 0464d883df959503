//! DynamoDB JSON to the tree of values, and back. No text makes it panic, recurse without bound, or read past the end.
//! Strings without an escape are not copied.

const std = @import("std");
const number = @import("number.zig");
const Number = number.Number;
const value_module = @import("value.zig");
const AttributeValue = value_module.AttributeValue;
const Item = value_module.Item;
const Type = value_module.Type;
const problem = @import("problem.zig");
const Place = problem.Place;
const ReadError = problem.ReadError;

/// How deep lists and maps may be nested. DynamoDB allows 32 levels; twice that leaves room, and keeps the recursion within
/// the 128 KiB of stack that a guest has.
pub const max_depth = 64;

pub const Scanner = struct {
    text: []const u8,
    at: usize = 0,
    depth: u8 = 0,

    /// The next byte that is not white space, which stays where it is.
    fn peek(scan: *Scanner) ?u8 {
        while (scan.at < scan.text.len) : (scan.at += 1) switch (scan.text[scan.at]) {
            ' ', '\n', '\r', '\t' => {},
            else => |byte| return byte,
        };
        return null;
    }

    fn take(scan: *Scanner, byte: u8) bool {
        const found = scan.peek() == byte;
        if (found) scan.at += 1;
        return found;
    }

    pub fn expect(scan: *Scanner, place: *const Place, byte: u8) ReadError!void {
        if (!scan.take(byte)) return scan.unexpected(place, &.{ '`', byte, '`' });
    }

    /// Nothing but white space may follow.
    pub fn end(scan: *Scanner, place: *const Place) ReadError!void {
        if (scan.peek() != null) return scan.unexpected(place, "the end");
    }

    fn unexpected(scan: *Scanner, place: *const Place, expected: []const u8) ReadError {
        @branchHint(.cold);
        _ = scan.peek();
        if (scan.at >= scan.text.len) {
            return place.wrong("the text ends at byte {d}, where {s} should be", .{ scan.at, expected });
        }
        const found: problem.Quoted = .{ .string = scan.text[scan.at..], .max = 1, .mark = '\'' };
        return place.wrong("not JSON at byte {d}: expected {s}, found {f}", .{ scan.at, expected, found });
    }

    /// `{"S":` and the like: what type the attribute value is of.
    fn open(scan: *Scanner, place: *const Place, allocator: std.mem.Allocator) ReadError!Type {
        if (!scan.take('{')) return scan.unexpected(place, "an attribute value such as {\"S\":\"…\"}");
        if (scan.peek() == '}') return place.wrong("an attribute value without a type: {{}}", .{});
        const tag = try scan.string(place, allocator);
        const types = [_]struct { []const u8, Type }{
            .{ "S", .s }, .{ "N", .n },   .{ "M", .m },   .{ "L", .l },       .{ "BOOL", .bool },
            .{ "B", .b }, .{ "SS", .ss }, .{ "NS", .ns }, .{ "NULL", .null }, .{ "BS", .bs },
        };
        for (types) |entry| if (std.mem.eql(u8, tag, entry[0])) {
            try scan.expect(place, ':');
            return entry[1];
        };
        const start: problem.Quoted = .{ .string = tag, .max = 16 };
        return place.wrong("{f} is no attribute type (S, N, B, SS, NS, BS, M, L, BOOL, NULL)", .{start});
    }

    /// The `}` that ends an attribute value.
    fn close(scan: *Scanner, place: *const Place) ReadError!void {
        if (scan.take('}')) return;
        if (scan.peek() == ',') return place.wrong("an attribute value with more than one type", .{});
        return scan.unexpected(place, "`}`");
    }

    /// Goes one level deeper, over the bracket that opens it.
    fn enter(scan: *Scanner, place: *const Place, bracket: u8) ReadError!void {
        try scan.expect(place, bracket);
        if (scan.depth == max_depth) return tooDeep(place);
        scan.depth += 1;
    }

    /// Whether there is another element or attribute, over the comma before it; at the end, over the closing bracket.
    pub fn next(scan: *Scanner, place: *const Place, first: bool, bracket: u8) ReadError!bool {
        if (scan.take(bracket)) return false;
        if (first) return true;
        if (!scan.take(',')) return scan.unexpected(place, if (bracket == '}') "`,` or `}`" else "`,` or `]`");
        if (scan.peek() == bracket) return scan.unexpected(place, "another value after `,`");
        return true;
    }

    /// A string: a part of the text unless it has an escape.
    pub fn string(scan: *Scanner, place: *const Place, allocator: std.mem.Allocator) ReadError![]const u8 {
        if (!scan.take('"')) return scan.unexpected(place, "a string");
        const start = scan.at;
        scan.at = scan.plainEnd(start);
        if (scan.at < scan.text.len and scan.text[scan.at] == '"') {
            scan.at += 1;
            return scan.text[start .. scan.at - 1];
        }
        var decoded: std.ArrayList(u8) = .empty;
        try decoded.appendSlice(allocator, scan.text[start..scan.at]);
        while (true) {
            if (scan.at >= scan.text.len) return place.wrong("the text ends within a string", .{});
            switch (scan.text[scan.at]) {
                '"' => {
                    scan.at += 1;
                    return decoded.items;
                },
                '\\' => {
                    var character: [4]u8 = undefined;
                    const len = try scan.escape(place, &character);
                    try decoded.appendSlice(allocator, character[0..len]);
                },
                else => return notJson(place, scan.at, "a control character in a string"),
            }
            const plain = scan.at;
            scan.at = scan.plainEnd(plain);
            try decoded.appendSlice(allocator, scan.text[plain..scan.at]);
        }
    }

    /// Where the string that goes on at `at` has its next quote, backslash or control character.
    fn plainEnd(scan: *Scanner, at: usize) usize {
        for (scan.text[at..], at..) |byte, index| if (byte == '"' or byte == '\\' or byte < 0x20) return index;
        return scan.text.len;
    }

    /// A backslash, which is next, and what follows it.
    fn escape(scan: *Scanner, place: *const Place, character: *[4]u8) ReadError!u3 {
        const at = scan.at + 1;
        scan.at += 2;
        character[0] = switch (if (at < scan.text.len) scan.text[at] else 0) {
            '"' => '"',
            '\\' => '\\',
            '/' => '/',
            'b' => 8,
            'f' => 12,
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                var code: u21 = scan.fourHexDigits() orelse
                    return notJson(place, at + 1, "`\\u` without four hexadecimal digits");
                if (code >= 0xD800 and code < 0xE000) {
                    const low = scan.lowSurrogate() orelse 0;
                    if (code >= 0xDC00 or low == 0) return notJson(place, at, "half of a surrogate pair");
                    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                }
                return std.unicode.utf8Encode(code, character) catch notJson(place, at, "half of a surrogate pair");
            },
            else => return notJson(place, at, "an unknown escape in a string"),
        };
        return 1;
    }

    fn fourHexDigits(scan: *Scanner) ?u21 {
        if (scan.text.len -| scan.at < 4) return null;
        var code: u21 = 0;
        for (scan.text[scan.at..][0..4]) |byte| code = code << 4 | (std.fmt.charToDigit(byte, 16) catch return null);
        scan.at += 4;
        return code;
    }

    fn lowSurrogate(scan: *Scanner) ?u21 {
        if (!std.mem.startsWith(u8, scan.text[scan.at..], "\\u")) return null;
        scan.at += 2;
        const code = scan.fourHexDigits() orelse return null;
        return if (code >= 0xDC00 and code < 0xE000) code else null;
    }

    fn word(scan: *Scanner, text: []const u8) bool {
        _ = scan.peek();
        const found = std.mem.startsWith(u8, scan.text[scan.at..], text);
        if (found) scan.at += text.len;
        return found;
    }

    fn checkedNumber(scan: *Scanner, place: *const Place, allocator: std.mem.Allocator) ReadError!Number {
        if (scan.peek() != '"') return scan.unexpected(place, "the number in a string");
        const text = try scan.string(place, allocator);
        return Number.parse(text) catch |err| numberWrong(place, err, text, "");
    }

    fn binary(scan: *Scanner, place: *const Place, allocator: std.mem.Allocator) ReadError![]const u8 {
        const text = try scan.string(place, allocator);
        const decoder = std.base64.standard.Decoder;
        const len = decoder.calcSizeForSlice(text) catch return place.wrong("not base64", .{});
        const bytes = try allocator.alloc(u8, len);
        decoder.decode(bytes, text) catch return place.wrong("not base64", .{});
        return bytes;
    }

    /// Passes over one JSON value and gives its text. What is in numbers is not checked.
    pub fn raw(scan: *Scanner, place: *const Place) ReadError![]const u8 {
        _ = scan.peek();
        const start = scan.at;
        // A level of DynamoDB's is two of JSON's, and a record has two around it.
        try scan.skip(place, 2 * max_depth + 4);
        return scan.text[start..scan.at];
    }

    fn skip(scan: *Scanner, place: *const Place, levels: usize) ReadError!void {
        const byte = scan.peek() orelse return scan.unexpected(place, "a JSON value");
        switch (byte) {
            '"' => try scan.skipString(place),
            '{', '[' => {
                if (levels == 0) return tooDeep(place);
                scan.at += 1;
                const bracket: u8 = if (byte == '{') '}' else ']';
                var first = true;
                while (try scan.next(place, first, bracket)) : (first = false) {
                    if (byte == '{') {
                        if (scan.peek() != '"') return scan.unexpected(place, "a name");
                        try scan.skipString(place);
                        try scan.expect(place, ':');
                    }
                    try scan.skip(place, levels - 1);
                }
            },
            '-', '0'...'9' => while (scan.at < scan.text.len) : (scan.at += 1) switch (scan.text[scan.at]) {
                '-', '+', '.', 'e', 'E', '0'...'9' => {},
                else => break,
            },
            else => if (!scan.word("true") and !scan.word("false") and !scan.word("null")) {
                return scan.unexpected(place, "a JSON value");
            },
        }
    }

    /// Passes over a string, whose opening quote is next.
    fn skipString(scan: *Scanner, place: *const Place) ReadError!void {
        scan.at += 1;
        while (true) {
            scan.at = scan.plainEnd(scan.at);
            if (scan.at >= scan.text.len) return place.wrong("the text ends within a string", .{});
            switch (scan.text[scan.at]) {
                '"' => {
                    scan.at += 1;
                    return;
                },
                '\\' => scan.at = @min(scan.at + 2, scan.text.len),
                else => return notJson(place, scan.at, "a control character in a string"),
            }
        }
    }
};

fn notJson(place: *const Place, at: usize, what: []const u8) ReadError {
    @branchHint(.cold);
    return place.wrong("not JSON at byte {d}: {s}", .{ at, what });
}

fn tooDeep(place: *const Place) ReadError {
    return place.wrong("nested deeper than {d} levels", .{max_depth});
}

/// The error of a number that is none, or does not fit in a type of this name.
pub fn numberWrong(place: *const Place, err: number.NumberError, text: []const u8, target: []const u8) ReadError {
    @branchHint(.cold);
    const start = text[0..@min(text.len, 48)];
    return switch (err) {
        error.NotDecimal => place.wrong("{f} is not a decimal number", .{problem.Quoted{ .string = text }}),
        error.TooManyDigits => place.wrong("the number {s} has more than 38 digits", .{start}),
        error.OutOfRange => place.wrong("the number {s} is beyond what DynamoDB has", .{start}),
        error.HasFraction => place.wrong("the number {s} has a fraction, and {s} has none", .{ start, target }),
        error.DoesNotFit => place.wrong("the number {s} does not fit in {s}", .{ start, target }),
    };
}

/// For a text that did not come from the host, whose texts are UTF-8 always.
pub fn checkUtf8(place: *const Place, text: []const u8) ReadError!void {
    if (!std.unicode.utf8ValidateSlice(text)) return place.wrong("not UTF-8", .{});
}

/// Reads an item, such as an image, from its DynamoDB JSON (`{"id":{"S":"1"}, …}`). The text has to live as long as the item.
pub fn readItem(allocator: std.mem.Allocator, text: []const u8, called: []const u8) ReadError!Item {
    const place: Place = .root(called);
    var scan: Scanner = .{ .text = text };
    const item = try readMap(&scan, &place, allocator);
    try scan.end(&place);
    return item;
}

/// Reads a value from its DynamoDB JSON (`{"S":"1"}`). The text has to live as long as the value.
pub fn readValue(allocator: std.mem.Allocator, text: []const u8) ReadError!AttributeValue {
    const place: Place = .root("");
    var scan: Scanner = .{ .text = text };
    const value = try readTagged(&scan, &place, allocator);
    try scan.end(&place);
    return value;
}

fn readTagged(scan: *Scanner, place: *const Place, allocator: std.mem.Allocator) ReadError!AttributeValue {
    const value: AttributeValue = switch (try scan.open(place, allocator)) {
        .s => .{ .s = try scan.string(place, allocator) },
        .n => .{ .n = try scan.checkedNumber(place, allocator) },
        .b => .{ .b = try scan.binary(place, allocator) },
        .ss => .{ .ss = try readList([]const u8, scan, place, allocator, Scanner.string) },
        .ns => .{ .ns = try readList(Number, scan, place, allocator, Scanner.checkedNumber) },
        .bs => .{ .bs = try readList([]const u8, scan, place, allocator, Scanner.binary) },
        .m => .{ .m = try readMap(scan, place, allocator) },
        .l => .{ .l = try readList(AttributeValue, scan, place, allocator, readTagged) },
        .bool => if (scan.word("true"))
            .{ .bool = true }
        else if (scan.word("false"))
            .{ .bool = false }
        else
            return scan.unexpected(place, "true or false"),
        .null => if (scan.word("true")) .null else return scan.unexpected(place, "true, which is what NULL holds"),
    };
    try scan.close(place);
    return value;
}

noinline fn readList(
    comptime T: type,
    scan: *Scanner,
    place: *const Place,
    allocator: std.mem.Allocator,
    comptime read: fn (*Scanner, *const Place, std.mem.Allocator) ReadError!T,
) ReadError![]const T {
    var list: std.ArrayList(T) = .empty;
    try scan.enter(place, '[');
    while (try scan.next(place, list.items.len == 0, ']')) {
        const element = place.element(list.items.len);
        try list.append(allocator, try read(scan, &element, allocator));
    }
    scan.depth -= 1;
    return list.items;
}

noinline fn readMap(scan: *Scanner, place: *const Place, allocator: std.mem.Allocator) ReadError!Item {
    var item: Item = .empty;
    try scan.enter(place, '{');
    while (try scan.next(place, item.count() == 0, '}')) {
        const name = try scan.string(place, allocator);
        try scan.expect(place, ':');
        const attribute = place.attribute(name);
        const value = try readTagged(scan, &attribute, allocator);
        const entry = try item.getOrPut(allocator, name);
        if (entry.found_existing) return attribute.wrong("the attribute is there twice", .{});
        entry.value_ptr.* = value;
    }
    scan.depth -= 1;
    return item;
}

// ---- Writing

const Writer = std.Io.Writer;

pub fn writeValue(writer: *Writer, value: AttributeValue) Writer.Error!void {
    switch (value) {
        .s => |text| {
            try writer.writeAll("{\"S\":");
            try writeString(writer, text);
        },
        .n => |decimal| {
            try writer.writeAll("{\"N\":");
            try writeString(writer, decimal.text);
        },
        .b => |bytes| {
            try writer.writeAll("{\"B\":");
            try writeBinary(writer, bytes);
        },
        .ss => |set| {
            try writer.writeAll("{\"SS\":");
            try writeList([]const u8, writer, set, writeString);
        },
        .ns => |set| {
            try writer.writeAll("{\"NS\":");
            try writeList(Number, writer, set, writeNumber);
        },
        .bs => |set| {
            try writer.writeAll("{\"BS\":");
            try writeList([]const u8, writer, set, writeBinary);
        },
        .m => |item| {
            try writer.writeAll("{\"M\":");
            try writeItem(writer, item);
        },
        .l => |list| {
            try writer.writeAll("{\"L\":");
            try writeList(AttributeValue, writer, list, writeValue);
        },
        .bool => |boolean| try writer.writeAll(if (boolean) "{\"BOOL\":true" else "{\"BOOL\":false"),
        .null => try writer.writeAll("{\"NULL\":true"),
    }
    try writer.writeByte('}');
}

/// An item as DynamoDB JSON, without white space.
pub fn writeItem(writer: *Writer, item: Item) Writer.Error!void {
    try writer.writeByte('{');
    for (item.keys(), item.values(), 0..) |name, value, index| {
        if (index > 0) try writer.writeByte(',');
        try writeString(writer, name);
        try writer.writeByte(':');
        try writeValue(writer, value);
    }
    try writer.writeByte('}');
}

fn writeList(comptime T: type, writer: *Writer, list: []const T, comptime write: fn (*Writer, T) Writer.Error!void) Writer.Error!void {
    try writer.writeByte('[');
    for (list, 0..) |element, index| {
        if (index > 0) try writer.writeByte(',');
        try write(writer, element);
    }
    try writer.writeByte(']');
}

fn writeNumber(writer: *Writer, decimal: Number) Writer.Error!void {
    try writeString(writer, decimal.text);
}

/// Base64 needs no escapes.
fn writeBinary(writer: *Writer, bytes: []const u8) Writer.Error!void {
    try writer.writeByte('"');
    try std.base64.standard.Encoder.encodeWriter(writer, bytes);
    try writer.writeByte('"');
}

/// U+FFFD stands for what is not UTF-8, and so no text: JSON is UTF-8 alone.
pub fn writeString(writer: *Writer, text: []const u8) Writer.Error!void {
    try writer.writeByte('"');
    var from: usize = 0;
    var at: usize = 0;
    while (at < text.len) {
        const byte = text[at];
        const len = characterLength(text[at..]);
        if (len > 0 and byte >= 0x20 and byte != '"' and byte != '\\') {
            at += len;
            continue;
        }
        try writer.writeAll(text[from..at]);
        at += 1;
        from = at;
        if (len == 0) try writer.writeAll("\u{FFFD}") else switch (byte) {
            '"' => try writer.writeAll("\\\""),
            '\\' => try writer.writeAll("\\\\"),
            '\n' => try writer.writeAll("\\n"),
            '\r' => try writer.writeAll("\\r"),
            '\t' => try writer.writeAll("\\t"),
            else => try writer.print("\\u{x:0>4}", .{byte}),
        }
    }
    try writer.writeAll(text[from..]);
    try writer.writeByte('"');
}

/// The length in bytes of the character that a text begins with; zero when it is none.
fn characterLength(text: []const u8) usize {
    if (text[0] < 0x80) return 1;
    const len = std.unicode.utf8ByteSequenceLength(text[0]) catch return 0;
    return if (len <= text.len and std.unicode.utf8ValidateSlice(text[0..len])) len else 0;
}

/// An item as DynamoDB JSON, without white space.
pub fn itemToJson(allocator: std.mem.Allocator, item: Item) error{OutOfMemory}![]const u8 {
    var text: Writer.Allocating = .init(allocator);
    writeItem(&text.writer, item) catch return error.OutOfMemory;
    return text.written();
}
