//! What a handler can know about the invocation that it runs in. Each is one call of the host, well below a microsecond.
//! Natively each gives a stand-in, so that a unit test of a handler runs.

const std = @import("std");
const builtin = @import("builtin");
const abi = @import("abi.zig");
const io = @import("io.zig").io;

const is_component = builtin.cpu.arch.isWasm();

fn string(comptime call: anytype) []const u8 {
    var text: abi.String = undefined;
    call(&text);
    return text.slice();
}

/// The id of the Lambda invocation. A delivery that repeats an unchanged batch keeps its id.
pub fn requestId() []const u8 {
    return if (is_component) string(abi.invocation.@"request-id") else "00000000-0000-0000-0000-000000000000";
}

/// This handler's name in the manifest.
pub fn handler() []const u8 {
    return if (is_component) string(abi.invocation.handler) else "handler";
}

/// The name of the Lambda function, or of what stands in for it.
pub fn functionName() []const u8 {
    return if (is_component) string(abi.invocation.@"function-name") else "function";
}

/// The version of the Lambda function.
pub fn functionVersion() []const u8 {
    return if (is_component) string(abi.invocation.@"function-version") else "$LATEST";
}

/// Which try this is, as far as this execution environment knows: the tries of this record at this handler that failed
/// here, and this one. At least 1. A call that was cut for want of time is no try. A lower bound, not for decisions.
pub fn attempt() u32 {
    return if (is_component) abi.invocation.attempt() else 1;
}

/// When the host will stop this call, in milliseconds since the Unix epoch. Null when nothing limits it.
pub fn deadlineMs() ?u64 {
    if (!is_component) return null;
    var deadline: abi.OptionU64 = undefined;
    abi.invocation.@"deadline-ms"(&deadline);
    return deadline.get();
}

/// How long that is from now, zero when it is past. Null when nothing limits it.
pub fn remaining() ?std.Io.Duration {
    const deadline: i96 = deadlineMs() orelse return null;
    const left = deadline * std.time.ns_per_ms - std.Io.Clock.now(.real, io).nanoseconds;
    return .{ .nanoseconds = @max(left, 0) };
}

/// The AWS X-Ray trace header of the invocation.
pub fn traceHeader() ?[]const u8 {
    if (!is_component) return null;
    var header: abi.OptionString = undefined;
    abi.invocation.@"trace-header"(&header);
    return header.get();
}
