//! The SDK as a package: the module `gristmill`, and its own tests. `gristmill build` does not need this: it gives the
//! compiler the modules itself.

const std = @import("std");

pub fn build(b: *std.Build) void {
    const target = b.standardTargetOptions(.{});
    const optimize = b.standardOptimizeOption(.{});
    const gristmill = b.addModule("gristmill", .{
        .root_source_file = b.path("src/root.zig"),
        .target = target,
        .optimize = optimize,
    });
    const tests = b.addRunArtifact(b.addTest(.{ .root_module = gristmill }));
    b.step("test", "Run the SDK's tests").dependOn(&tests.step);
}
