//! Log lines with a level and fields, one call of the host each; natively on stderr. `std.log` comes here too.
//!
//! What a handler prints is logged too, a line each, without level and fields.

const std = @import("std");
const builtin = @import("builtin");
const abi = @import("abi.zig");
const memory = @import("memory.zig");

/// How much a line matters. The names are those of Lambda's log levels, with `critical` for its `FATAL`.
pub const Level = enum { trace, debug, info, warn, err, critical };

pub const Field = struct { []const u8, []const u8 };

/// A line that was logged natively.
pub const Line = struct { level: Level, message: []const u8, fields: []const Field };

/// What was logged natively: of a component nothing.
pub var lines: std.ArrayList(Line) = .empty;

/// Writes one line. The host adds handler, event id, sequence number and request id, and bounds the length.
pub fn write(level: Level, message: []const u8, fields: []const Field) void {
    tryWrite(level, message, fields) catch @panic("out of memory for a log line");
}

fn tryWrite(level: Level, message: []const u8, fields: []const Field) error{OutOfMemory}!void {
    const allocator = memory.allocator();
    if (comptime builtin.cpu.arch.isWasm()) {
        const list = try allocator.alloc(abi.Field, fields.len);
        for (list, fields) |*to, from| to.* = .{ .name = .from(try utf8(from[0])), .value = .from(try utf8(from[1])) };
        const text: abi.String = .from(try utf8(message));
        abi.log.write(@backingInt(level), text.ptr, text.len, abi.inBounds(abi.Field, list), list.len);
    } else {
        const list = try allocator.alloc(Field, fields.len);
        for (list, fields) |*to, from| to.* = .{ try allocator.dupe(u8, from[0]), try allocator.dupe(u8, from[1]) };
        try lines.append(allocator, .{ .level = level, .message = try allocator.dupe(u8, message), .fields = list });
        std.debug.print("{t} {s}", .{ level, message });
        for (fields) |field| std.debug.print(" {s}=\"{f}\"", .{ field[0], std.zig.fmtString(field[1]) });
        std.debug.print("\n", .{});
    }
}

/// The host takes nothing but UTF-8: U+FFFD stands for what is none.
pub fn utf8(text: []const u8) error{OutOfMemory}![]const u8 {
    if (std.unicode.utf8ValidateSlice(text)) return text;
    return std.fmt.allocPrint(memory.allocator(), "{f}", .{std.unicode.fmtUtf8(text)});
}

fn print(level: Level, comptime format: []const u8, args: anytype, fields: anytype) void {
    const allocator = memory.allocator();
    const message = std.fmt.allocPrint(allocator, format, args) catch @panic("out of memory for a log line");
    const names = @typeInfo(@TypeOf(fields)).@"struct".field_names;
    var list: [names.len]Field = undefined;
    inline for (names, 0..) |name, index| {
        list[index] = .{ name, display(allocator, @field(fields, name)) catch @panic("out of memory for a log line") };
    }
    write(level, message, &list);
}

/// A field's value: a string as it is, anything else as it is printed.
fn display(allocator: std.mem.Allocator, value: anytype) error{OutOfMemory}![]const u8 {
    const T = @TypeOf(value);
    return switch (@typeInfo(T)) {
        .pointer => |pointer| if (pointer.child == u8 or (pointer.size == .one and @typeInfo(pointer.child) == .array))
            value
        else
            std.fmt.allocPrint(allocator, "{f}", .{value}),
        .optional => if (value) |some| display(allocator, some) else "null",
        .int, .comptime_int, .float, .comptime_float => std.fmt.allocPrint(allocator, "{d}", .{value}),
        .@"enum", .enum_literal, .error_set => std.fmt.allocPrint(allocator, "{t}", .{value}),
        .bool => if (value) "true" else "false",
        else => std.fmt.allocPrint(allocator, "{f}", .{value}),
    };
}

/// What is of use only while a handler is written: `log.trace("text {d}", .{1}, .{ .order = id })`.
pub fn trace(comptime format: []const u8, args: anytype, fields: anytype) void {
    print(.trace, format, args, fields);
}
/// What explains a single record.
pub fn debug(comptime format: []const u8, args: anytype, fields: anytype) void {
    print(.debug, format, args, fields);
}
/// What was done.
pub fn info(comptime format: []const u8, args: anytype, fields: anytype) void {
    print(.info, format, args, fields);
}
/// What may turn out wrong.
pub fn warn(comptime format: []const u8, args: anytype, fields: anytype) void {
    print(.warn, format, args, fields);
}
/// What went wrong.
pub fn err(comptime format: []const u8, args: anytype, fields: anytype) void {
    print(.err, format, args, fields);
}
/// What needs somebody at once.
pub fn critical(comptime format: []const u8, args: anytype, fields: anytype) void {
    print(.critical, format, args, fields);
}

/// What `std.log` calls in a component. A scope is a field.
pub fn logFn(comptime level: std.log.Level, comptime scope: @EnumLiteral(), comptime format: []const u8, args: anytype) void {
    const ours: Level = switch (level) {
        .err => .err,
        .warn => .warn,
        .info => .info,
        .debug => .debug,
    };
    if (scope == .default) print(ours, format, args, .{}) else print(ours, format, args, .{ .scope = @tagName(scope) });
}
