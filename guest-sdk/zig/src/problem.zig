//! What went wrong in this call, in words. Zig's errors carry none, so they are kept here until the handler returns.

const std = @import("std");
const memory = @import("memory.zig");

/// An image could not be read; `text` says which attribute was in the way.
pub const ReadError = error{ InvalidImage, OutOfMemory };

var last: ?struct { cause: anyerror, text: []const u8 } = null;

/// Forgets it.
pub fn clear() void {
    last = null;
}

/// Keeps a text with an error.
pub fn keep(cause: anyerror, message: []const u8) void {
    last = .{ .cause = cause, .text = message };
}

/// The text of an error that this call has given, and the name of any other.
pub fn text(cause: anyerror) []const u8 {
    if (last) |kept| if (kept.cause == cause) return kept.text;
    return @errorName(cause);
}

/// `error.InvalidImage` with a text.
pub fn invalid(comptime format: []const u8, args: anytype) ReadError {
    const message = std.fmt.allocPrint(memory.allocator(), format, args) catch return error.OutOfMemory;
    keep(error.InvalidImage, message);
    return error.InvalidImage;
}

/// Where in an image something is: a name or an index, and what it is in. Each is in the frame of the function that reads
/// it.
pub const Place = struct {
    in: ?*const Place = null,
    step: union(enum) {
        /// What errors call the whole, such as `new image`; may be empty.
        root: []const u8,
        name: []const u8,
        index: usize,
    },

    pub fn root(called: []const u8) Place {
        return .{ .step = .{ .root = called } };
    }

    pub fn attribute(in: *const Place, name: []const u8) Place {
        return .{ .in = in, .step = .{ .name = name } };
    }

    pub fn element(in: *const Place, index: usize) Place {
        return .{ .in = in, .step = .{ .index = index } };
    }

    /// `error.InvalidImage`, with `new image: orders[3].price: ` before the text.
    pub fn wrong(place: *const Place, comptime message: []const u8, args: anytype) ReadError {
        @branchHint(.cold);
        return invalid("{f}" ++ message, .{place.*} ++ args);
    }

    pub fn format(place: Place, writer: *std.Io.Writer) std.Io.Writer.Error!void {
        var steps: [128]*const Place = undefined;
        var count: usize = 0;
        var at: *const Place = &place;
        while (at.in) |outer| : (at = outer) {
            if (count == steps.len) break;
            steps[count] = at;
            count += 1;
        }
        if (at.step == .root and at.step.root.len > 0) try writer.print("{s}: ", .{at.step.root});
        if (count == 0) return;
        var first = true;
        while (count > 0) : (first = false) {
            count -= 1;
            switch (steps[count].step) {
                .root => {},
                .index => |index| try writer.print("[{d}]", .{index}),
                .name => |name| if (isPlain(name)) {
                    if (!first) try writer.writeByte('.');
                    try writer.writeAll(name);
                } else {
                    try writer.writeByte('[');
                    try quote(writer, name, '"');
                    try writer.writeByte(']');
                },
            }
        }
        try writer.writeAll(": ");
    }
};

/// Whether a name can stand in a path as it is.
fn isPlain(name: []const u8) bool {
    for (name) |byte| if (!std.ascii.isAlphanumeric(byte) and byte != '_' and byte != '-' and byte < 0x80) return false;
    return name.len > 0;
}

/// As Rust's `{:?}` writes a string.
pub fn quote(writer: *std.Io.Writer, string: []const u8, mark: u8) std.Io.Writer.Error!void {
    try writer.writeByte(mark);
    for (string) |byte| switch (byte) {
        '\n' => try writer.writeAll("\\n"),
        '\r' => try writer.writeAll("\\r"),
        '\t' => try writer.writeAll("\\t"),
        0 => try writer.writeAll("\\0"),
        1...8, 0x0B, 0x0C, 0x0E...0x1F, 0x7F => try writer.print("\\u{{{x}}}", .{byte}),
        else => {
            if (byte == mark or byte == '\\') try writer.writeByte('\\');
            try writer.writeByte(byte);
        },
    };
    try writer.writeByte(mark);
}

/// The first characters of a text, in quotes: a text that is wrong may hold anything, and any amount of it.
pub const Quoted = struct {
    string: []const u8,
    max: usize = 48,
    mark: u8 = '"',

    pub fn format(quoted: Quoted, writer: *std.Io.Writer) std.Io.Writer.Error!void {
        var end: usize = 0;
        var count: usize = 0;
        while (end < quoted.string.len and count < quoted.max) : (count += 1) {
            const len = std.unicode.utf8ByteSequenceLength(quoted.string[end]) catch 1;
            end = @min(end + len, quoted.string.len);
        }
        try quote(writer, quoted.string[0..end], quoted.mark);
    }
};
