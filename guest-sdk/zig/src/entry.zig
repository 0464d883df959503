//! The root of a component: what it exports, and what the standard library asks its root for. The handler is the module
//! `handler`, and its `gristmill_handler` is called for each record.

const std = @import("std");
const gristmill = @import("gristmill");
const handler = @import("handler");
const memory = gristmill.internal.memory;
const abi = gristmill.internal.abi;

comptime {
    if (!@hasDecl(handler, "gristmill_handler")) {
        @compileError("no handler: write `pub const gristmill_handler = NAME;` with the name of your function into src/main.zig");
    }
    @export(&handle, .{ .name = "gristmill:events/handler@0.1.0#handle" });
    @export(&afterHandle, .{ .name = "cabi_post_gristmill:events/handler@0.1.0#handle" });
    @export(&realloc, .{ .name = "cabi_realloc" });
    @export(&reallocLasting, .{ .name = "cabi_realloc_adapter" });
}

/// `std.log` goes to the host, which knows the level that is wanted.
pub const std_options: std.Options = if (@hasDecl(handler, "std_options")) handler.std_options else .{
    .log_level = .debug,
    .logFn = gristmill.log.logFn,
};
pub const std_options_debug_io = gristmill.io;

pub const panic = std.debug.FullPanic(struct {
    /// What was printed before, the message, a trap.
    fn call(message: []const u8, _: ?usize) noreturn {
        @branchHint(.cold);
        gristmill.internal.flush();
        std.debug.print("panic: {s}\n", .{message});
        @trap();
    }
}.call);

var returned: abi.Result = undefined;

fn handle(source: abi.Record) callconv(.c) *abi.Result {
    // The host takes it back after the call, dropped or not.
    var record: gristmill.Record = .{ .source = source, .arena = memory.allocator() };
    const outcome = gristmill.run(handler.gristmill_handler, &record);
    // A component never exits, and what is printed would wait for that.
    gristmill.internal.flush();
    returned = .{ .is_err = @intFromBool(outcome != .ok), .failure = .{
        .is_reject = @intFromBool(outcome == .reject),
        .text = .from(switch (outcome) {
            .ok => "",
            .retry, .reject => |text| text,
        }),
    } };
    return &returned;
}

fn afterHandle(_: *abi.Result) callconv(.c) void {
    memory.freeAll();
}

fn realloc(old: ?[*]u8, old_size: usize, alignment: usize, size: usize) callconv(.c) [*]u8 {
    return reallocWith(memory.allocator(), old, old_size, alignment, size);
}

/// What the adapter to WASI 0.2 asks for once and keeps for good; so it is not of the memory that a call gives back.
fn reallocLasting(old: ?[*]u8, old_size: usize, alignment: usize, size: usize) callconv(.c) [*]u8 {
    return reallocWith(memory.lasting(), old, old_size, alignment, size);
}

fn reallocWith(allocator: std.mem.Allocator, old: ?[*]u8, old_size: usize, alignment: usize, size: usize) [*]u8 {
    const new = allocator.rawAlloc(@max(size, 1), .fromByteUnits(alignment), @returnAddress()) orelse @trap();
    if (old) |from| @memcpy(new[0..@min(old_size, size)], from[0..@min(old_size, size)]);
    return new;
}
