//! The new image into a struct.

const std = @import("std");
const gristmill = @import("gristmill");

pub const gristmill_handler = read;

const Line = struct { sku: []const u8, pieces: u32 };
const Address = struct { city: []const u8, zip: []const u8 };
const Order = struct {
    id: []const u8,
    customer: []const u8,
    total: f64,
    paid: bool,
    lines: []const Line,
    address: Address,

    fn isInOrder(order: Order) bool {
        var pieces: u32 = 0;
        for (order.lines) |line| {
            if (line.sku.len > 0) pieces += line.pieces;
        }
        const texts = order.id.len + order.customer.len + order.address.city.len + order.address.zip.len;
        return pieces > 0 and texts > 0 and order.paid and order.total > 0;
    }
};

fn read(record: *gristmill.Record) !void {
    const order = try record.newImageAs(Order) orelse return gristmill.reject("no such order", .{});
    if (!order.isInOrder()) return gristmill.reject("no such order", .{});
}
