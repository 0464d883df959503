//! Memory that lives until the handler returns. What has to live longer, which needs `instance-per = "invocation"`, is of
//! another allocator, for example `std.heap.wasm_allocator`.

const std = @import("std");
const builtin = @import("builtin");

const backing = if (builtin.cpu.arch.isWasm()) std.heap.wasm_allocator else std.heap.page_allocator;
/// What stays for the next call.
const kept_bytes = 64 * 1024;

var arena: std.heap.ArenaAllocator = .init(backing);

/// Never fails but for want of memory. What it gives need not be freed.
pub fn allocator() std.mem.Allocator {
    return arena.allocator();
}

/// Memory that is never given back.
pub fn lasting() std.mem.Allocator {
    return backing;
}

/// Takes everything back.
pub fn freeAll() void {
    _ = arena.reset(.{ .retain_with_limit = kept_bytes });
}
