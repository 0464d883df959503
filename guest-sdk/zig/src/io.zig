//! The `std.Io` of a handler: stdout and stderr, the clocks, random numbers. Everything else fails as on a system that has
//! none of it, since a component is granted no more. A handler that uses nothing of it imports nothing of it.
//!
//! The standard library's own `Io` for WASI would link in files and sockets that are not there.

const std = @import("std");
const builtin = @import("builtin");
const Io = std.Io;
const File = Io.File;
const wasi = std.os.wasi;

/// Natively, in tests, this is the standard library's.
pub const io: Io = if (builtin.os.tag != .wasi) std.Options.debug_io else .{ .userdata = null, .vtable = &vtable };

const vtable: Io.VTable = vtable: {
    var table = Io.failing.vtable.*;
    table.swapCancelProtection = swapCancelProtection;
    table.checkCancel = checkCancel;
    table.operate = operate;
    table.fileWritePositional = fileWritePositional;
    table.fileIsTty = notATty;
    table.fileSupportsAnsiEscapeCodes = notATty;
    table.fileClose = fileClose;
    table.lockStderr = lockStderr;
    table.tryLockStderr = tryLockStderr;
    table.unlockStderr = unlockStderr;
    table.now = now;
    table.clockResolution = clockResolution;
    table.sleep = sleep;
    table.random = random;
    table.randomSecure = randomSecure;
    break :vtable table;
};

fn swapCancelProtection(_: ?*anyopaque, _: Io.CancelProtection) Io.CancelProtection {
    return .unblocked;
}

fn checkCancel(_: ?*anyopaque) Io.Cancelable!void {}

fn operate(userdata: ?*anyopaque, operation: Io.Operation) Io.Cancelable!Io.Operation.Result {
    switch (operation) {
        .file_write_streaming => |write| return .{ .file_write_streaming = fileWrite(write) },
        else => return Io.failing.vtable.operate(userdata, operation),
    }
}

fn fileWrite(write: Io.Operation.FileWriteStreaming) Io.Operation.FileWriteStreaming.Result {
    if (write.file.handle != File.stdout().handle and write.file.handle != File.stderr().handle) return error.NotOpenForWriting;
    // What is large goes as it is. What is small is put together, since each call of the host costs more than a copy. What is
    // left over the writer gives again.
    if (write.header.len > 0) return writeOut(write.file, write.header);
    var gathered: [1024]u8 = undefined;
    var len: usize = 0;
    for (write.data, 0..) |part, index| {
        const times = if (index == write.data.len - 1) write.splat else 1;
        if (part.len == 0) continue;
        for (0..times) |_| {
            if (part.len > gathered.len - len) return writeOut(write.file, if (len == 0) part else gathered[0..len]);
            @memcpy(gathered[len..][0..part.len], part);
            len += part.len;
        }
    }
    return if (len == 0) 0 else writeOut(write.file, gathered[0..len]);
}

fn writeOut(file: File, bytes: []const u8) Io.Operation.FileWriteStreaming.Result {
    const parts = [1]wasi.ciovec_t{.{ .base = bytes.ptr, .len = bytes.len }};
    var written: usize = undefined;
    return if (wasi.fd_write(file.handle, &parts, 1, &written) == .SUCCESS) written else error.InputOutput;
}

fn fileWritePositional(_: ?*anyopaque, _: File, _: []const u8, _: []const []const u8, _: usize, _: u64) File.WritePositionalError!usize {
    return error.Unseekable;
}

fn notATty(_: ?*anyopaque, _: File) Io.Cancelable!bool {
    return false;
}

fn fileClose(_: ?*anyopaque, _: []const File) void {}

var stderr_writer: File.Writer = .{ .io = .{ .userdata = null, .vtable = &vtable }, .file = .stderr(), .mode = .streaming, .interface = File.Writer.initInterface(&.{}) };

fn lockStderr(_: ?*anyopaque, mode: ?Io.Terminal.Mode) Io.Cancelable!Io.LockedStderr {
    return .{ .file_writer = &stderr_writer, .terminal_mode = mode orelse .no_color };
}

fn tryLockStderr(_: ?*anyopaque, mode: ?Io.Terminal.Mode) Io.Cancelable!?Io.LockedStderr {
    return .{ .file_writer = &stderr_writer, .terminal_mode = mode orelse .no_color };
}

fn unlockStderr(_: ?*anyopaque) void {
    stderr_writer.interface.flush() catch {};
    stderr_writer.interface.end = 0;
    stderr_writer.interface.buffer = &.{};
}

fn clockId(clock: Io.Clock) ?wasi.clockid_t {
    return switch (clock) {
        .real => .REALTIME,
        .awake, .boot => .MONOTONIC,
        .cpu_process, .cpu_thread => null,
    };
}

fn now(_: ?*anyopaque, clock: Io.Clock) Io.Timestamp {
    var ns: wasi.timestamp_t = undefined;
    if (wasi.clock_time_get(clockId(clock) orelse return .zero, 1, &ns) != .SUCCESS) return .zero;
    return .fromNanoseconds(ns);
}

fn clockResolution(_: ?*anyopaque, clock: Io.Clock) Io.Clock.ResolutionError!Io.Duration {
    var ns: wasi.timestamp_t = undefined;
    const id = clockId(clock) orelse return error.ClockUnavailable;
    if (wasi.clock_res_get(id, &ns) != .SUCCESS) return error.ClockUnavailable;
    return .fromNanoseconds(ns);
}

/// Waits busily: there is nothing else that could run, and the host does not wait for a guest.
fn sleep(userdata: ?*anyopaque, timeout: Io.Timeout) Io.Cancelable!void {
    const clock: Io.Clock, const until: i96 = switch (timeout) {
        .none => return,
        .duration => |duration| .{ duration.clock, now(userdata, duration.clock).nanoseconds + duration.raw.nanoseconds },
        .deadline => |deadline| .{ deadline.clock, deadline.raw.nanoseconds },
    };
    while (now(userdata, clock).nanoseconds < until) {}
}

fn random(userdata: ?*anyopaque, buffer: []u8) void {
    // The host has always some: where it has none, it ends the call.
    randomSecure(userdata, buffer) catch @panic("no random numbers");
}

fn randomSecure(_: ?*anyopaque, buffer: []u8) Io.RandomSecureError!void {
    if (wasi.random_get(buffer.ptr, buffer.len) != .SUCCESS) return error.EntropyUnavailable;
}

// ---- stdout

var stdout_buffer: [4096]u8 = undefined;
var stdout_writer: File.Writer = undefined;
var stdout_used = false;

/// The writer of what is printed, a log line for each line. It is flushed before the call ends, also when that fails.
///
/// Natively it is stderr: a test's stdout is what the test runner and `zig build` talk over.
pub fn stdout() *Io.Writer {
    const file: File = if (builtin.os.tag == .wasi) .stdout() else .stderr();
    if (!stdout_used) stdout_writer = file.writerStreaming(io, &stdout_buffer);
    stdout_used = true;
    return &stdout_writer.interface;
}

/// Prints to stdout. What cannot be written is lost, as with `std.debug.print`.
pub fn print(comptime format: []const u8, args: anytype) void {
    stdout().print(format, args) catch {};
    // A test's output belongs where the test is.
    if (builtin.os.tag != .wasi) flush();
}

/// Writes what waits for the end of the call.
pub fn flush() void {
    if (stdout_used) stdout_writer.interface.flush() catch {};
}
