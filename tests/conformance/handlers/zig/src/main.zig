//! The conformance handler in Zig: the record's key `case` says what to do. The table of cases is that of every language.

const std = @import("std");
const gristmill = @import("gristmill");
const Record = gristmill.Record;
const Item = gristmill.Item;

pub const gristmill_handler = run;

const Case = enum { echo, accessors, retry, reject, throw, trap, exit, loop, grow, recurse, print, log, clock, random };

fn run(record: *Record) !void {
    const keys = record.keysAs(struct { case: []const u8 }) catch |err| return rejected(err);
    const case = std.meta.stringToEnum(Case, keys.case) orelse return gristmill.reject("no such case: {s}", .{keys.case});
    switch (case) {
        .echo => echo(record) catch |err| return rejected(err),
        .accessors => try accessors(record),
        .retry => return gristmill.retry("{s}", .{try text(record)}),
        .reject => return gristmill.reject("{s}", .{try text(record)}),
        .throw => std.debug.panic("{s}", .{try text(record)}),
        .trap => @trap(),
        .exit => std.process.exit(3),
        .loop => loop(),
        .grow => grow(),
        .recurse => return gristmill.reject("{d}", .{recurse(&@as(usize, 0))}),
        .print => print(record) catch |err| return rejected(err),
        .log => log(record) catch |err| return rejected(err),
        .clock => clock(),
        .random => try random(),
    }
}

fn rejected(err: anyerror) anyerror {
    return gristmill.reject("{s}", .{gristmill.errorText(err)});
}

fn text(record: *Record) ![]const u8 {
    const image = try record.newImageAs(struct { text: []const u8 }) orelse return "";
    return image.text;
}

const Fields = std.ArrayList(gristmill.log.Field);

fn echo(record: *Record) !void {
    var fields: Fields = .empty;
    try fields.append(record.arena, .{ "keys", try gristmill.itemToJson(record.arena, try record.keys()) });
    if (try record.newImage()) |image| try fields.append(record.arena, .{ "new", try gristmill.itemToJson(record.arena, image) });
    if (try record.oldImage()) |image| try fields.append(record.arena, .{ "old", try gristmill.itemToJson(record.arena, image) });
    gristmill.log.write(.info, "echo", fields.items);
}

fn accessors(record: *Record) !void {
    const arena = record.arena;
    var fields: Fields = .empty;
    try fields.appendSlice(arena, &.{
        .{ "event-id", record.eventId() },
        .{ "table", record.table() },
        .{ "stream-arn", record.streamArn() },
        .{ "region", record.region() },
        .{ "sequence-number", record.sequenceNumber() },
        .{ "event-name", record.eventName().text() },
        .{ "ttl-delete", if (record.isTtlDelete()) "true" else "false" },
        .{ "json", record.json() },
        .{ "request-id", gristmill.invocation.requestId() },
        .{ "handler", gristmill.invocation.handler() },
        .{ "function-name", gristmill.invocation.functionName() },
        .{ "function-version", gristmill.invocation.functionVersion() },
        .{ "attempt", try decimal(arena, gristmill.invocation.attempt()) },
        .{ "display", try std.fmt.allocPrint(arena, "{f}", .{record}) },
    });
    if (record.sizeBytes()) |size| try fields.append(arena, .{ "size-bytes", try decimal(arena, size) });
    if (record.createdAtMs()) |ms| try fields.append(arena, .{ "created-at-ms", try decimal(arena, ms) });
    if (record.userIdentity()) |identity| {
        try fields.append(arena, .{ "identity-type", identity.type });
        try fields.append(arena, .{ "identity-principal-id", identity.principal_id });
    }
    if (gristmill.invocation.deadlineMs()) |ms| try fields.append(arena, .{ "deadline-ms", try decimal(arena, ms) });
    if (gristmill.invocation.traceHeader()) |header| try fields.append(arena, .{ "trace-header", header });
    gristmill.log.write(.info, "accessors", fields.items);
}

fn decimal(arena: std.mem.Allocator, number: u64) ![]const u8 {
    return std.fmt.allocPrint(arena, "{d}", .{number});
}

fn loop() void {
    var turns: u32 = 0;
    while (true) @as(*volatile u32, &turns).* +%= 1;
}

fn grow() void {
    while (true) {
        const memory = std.heap.wasm_allocator.alloc(u8, 1 << 20) catch @panic("out of memory");
        @memset(memory, 1);
    }
}

noinline fn recurse(depth: *const volatile usize) usize {
    var here: [16]usize = @splat(depth.* + 1);
    return recurse(@as(*const volatile usize, &here[0])) + @as(*volatile usize, &here[1]).*;
}

fn print(record: *Record) !void {
    const Wanted = struct { bytes: u32 = 0, text: ?[]const u8 = null, stream: ?[]const u8 = null };
    const wanted = try record.newImageAs(Wanted) orelse return;
    const to_stderr = if (wanted.stream) |stream| std.mem.eql(u8, stream, "stderr") else false;
    if (to_stderr) {
        if (wanted.text) |line| std.debug.print("{s}\n", .{line}) else {
            for (0..wanted.bytes) |_| std.debug.print("x", .{});
            std.debug.print("\n", .{});
        }
    } else if (wanted.text) |line| {
        gristmill.print("{s}\n", .{line});
    } else {
        const stdout = gristmill.stdout();
        try stdout.splatByteAll('x', wanted.bytes);
        try stdout.writeByte('\n');
    }
}

fn log(record: *Record) !void {
    const Level = enum { trace, debug, info, warn, @"error", critical };
    const Wanted = struct { text: []const u8, level: Level, fields: std.array_hash_map.String([]const u8) = .empty };
    const wanted = try record.newImageAs(Wanted) orelse return;
    var fields: Fields = .empty;
    for (wanted.fields.keys(), wanted.fields.values()) |name, value| try fields.append(record.arena, .{ name, value });
    const level: gristmill.log.Level = switch (wanted.level) {
        .trace => .trace,
        .debug => .debug,
        .info => .info,
        .warn => .warn,
        .@"error" => .err,
        .critical => .critical,
    };
    gristmill.log.write(level, wanted.text, fields.items);
}

fn nowMs() f64 {
    return @as(f64, @floatFromInt(std.Io.Clock.now(.real, gristmill.io).nanoseconds)) / std.time.ns_per_ms;
}

fn clock() void {
    const first = nowMs();
    var second = nowMs();
    while (second < first + 2) second = nowMs();
    gristmill.log.info("clock", .{}, .{ .@"first-ms" = first, .@"second-ms" = second });
}

fn random() !void {
    var everyday: [8]u8 = undefined;
    var secure: [8]u8 = undefined;
    gristmill.io.random(&everyday);
    try gristmill.io.randomSecure(&secure);
    const first = std.fmt.bytesToHex(everyday, .lower);
    const second = std.fmt.bytesToHex(secure, .lower);
    gristmill.log.info("random", .{}, .{ .first = @as([]const u8, &first), .second = @as([]const u8, &second) });
}
