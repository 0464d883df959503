//! `gristmill build` makes the component. This is for the tests, which run natively by `zig build test`, and for an editor, which
//! finds the module `gristmill` by it.

const std = @import("std");

pub fn build(b: *std.Build) void {
    const target = b.standardTargetOptions(.{});
    const gristmill = b.createModule(.{ .root_source_file = b.path("../../vendor/gristmill-zig/src/root.zig"), .target = target });
    const handler = b.createModule(.{
        .root_source_file = b.path("src/main.zig"),
        .target = target,
        .imports = &.{.{ .name = "gristmill", .module = gristmill }},
    });
    const tests = b.addRunArtifact(b.addTest(.{ .root_module = handler }));
    b.step("test", "Run the handler's tests").dependOn(&tests.step);
}
