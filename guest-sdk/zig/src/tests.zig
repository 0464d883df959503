//! The SDK's own tests, natively: `zig build test`.

const std = @import("std");
const gristmill = @import("root.zig");
const AttributeValue = gristmill.AttributeValue;
const Number = gristmill.Number;
const expect = std.testing.expect;
const expectEqual = std.testing.expectEqual;
const expectError = std.testing.expectError;
const expectEqualStrings = std.testing.expectEqualStrings;

test {
    _ = @import("number.zig");
    _ = @import("testing.zig");
}

const modify_json =
    \\{"eventID":"1a87201789a6e14315b8038ebbd3b99d","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-west-2","dynamodb":{"ApproximateCreationDateTime":1550272599,"Keys":{"id":{"S":"1"}},"NewImage":{"name":{"S":"Tung Nguyen"},"id":{"S":"1"}},"OldImage":{"name":{"S":"Tung"},"id":{"S":"1"}},"SequenceNumber":"261800000000059086429283","SizeBytes":32,"StreamViewType":"NEW_AND_OLD_IMAGES"},"eventSourceARN":"arn:aws:dynamodb:us-west-2:112233445566:table/test-table/stream/2019-02-15T23:01:06.871"}
;

fn item(text: []const u8) gristmill.ReadError!gristmill.Item {
    return gristmill.itemFromJson(gristmill.allocator(), text);
}

fn one(comptime T: type, text: []const u8) !T {
    const json = try std.fmt.allocPrint(gristmill.allocator(), "{{\"v\":{s}}}", .{text});
    const all = try gristmill.itemAs(struct { v: T }, gristmill.allocator(), try item(json));
    return all.v;
}

fn expectProblem(expected: []const u8, result: anytype) !void {
    if (result) |_| return error.NothingWasWrong else |err| try expectEqualStrings(expected, gristmill.errorText(err));
}

test "a record has everything that its JSON has" {
    defer gristmill.testing.end();
    const record = try gristmill.testing.recordFromJson(modify_json);
    try expectEqualStrings("1a87201789a6e14315b8038ebbd3b99d", record.eventId());
    try expectEqualStrings("test-table", record.table());
    try expectEqualStrings("us-west-2", record.region());
    try expectEqualStrings("261800000000059086429283", record.sequenceNumber());
    try expect(std.mem.endsWith(u8, record.streamArn(), "2019-02-15T23:01:06.871"));
    try expectEqual(.modify, record.eventName());
    try expectEqual(32, record.sizeBytes());
    try expectEqual(1_550_272_599_000, record.createdAtMs());
    try expectEqual(null, record.userIdentity());
    try expect(!record.isTtlDelete());
    try expectEqualStrings(modify_json, record.json());
    try expectEqualStrings("1", (try record.keys()).get("id").?.asString().?);
    try expectEqualStrings("Tung", (try record.oldImage()).?.get("name").?.asString().?);
    try expectEqualStrings(
        \\MODIFY test-table keys {"id":{"S":"1"}} old {"name":{"S":"Tung"},"id":{"S":"1"}} new {"name":{"S":"Tung Nguyen"},"id":{"S":"1"}}
    , try std.fmt.allocPrint(gristmill.allocator(), "{f}", .{record}));
    try expect(try record.changed("name"));
    try expect(!try record.changed("id"));
    try expect(!try record.changed("other"));
    try expectProblem("new image: name: expected a number (N), found a string (S)", record.newImageAs(struct { name: u8 }));
    try expectProblem("old image: name: expected a number (N), found a string (S)", record.oldImageAs(struct { name: u8 }));
    try expectProblem("keys: id: expected a number (N), found a string (S)", record.keysAs(struct { id: u8 }));
    try expectProblem("new image: price: the attribute is missing", record.newImageAs(struct { price: u8 }));
}

test "absent and empty images are two things" {
    defer gristmill.testing.end();
    const record = try gristmill.testing.recordFromJson(
        \\{"eventName":"REMOVE","dynamodb":{"Keys":{"id":{"S":"1"}},"OldImage":{},"SequenceNumber":"1"},
        \\"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"},"eventSourceARN":"arn:aws:dynamodb:us-west-2:1:table/t/stream/l"}
    );
    try expectEqual(null, record.newImageJson());
    try expectEqual(null, try record.newImage());
    try expectEqual(0, (try record.oldImage()).?.count());
    try expect(record.isTtlDelete());
    try expectEqualStrings("us-west-2", record.region());
    try expectEqual(null, record.sizeBytes());
}

test "what is no record is refused" {
    defer gristmill.testing.end();
    for ([_][]const u8{ "", "{", "[]", "{}", "{\"dynamodb\":{}}", "{\"dynamodb\":{},\"eventSourceARN\":\"arn\"}" }) |text| {
        try expectError(error.InvalidImage, gristmill.testing.recordFromJson(text));
        try expect(std.mem.startsWith(u8, gristmill.errorText(error.InvalidImage), "not a stream record: "));
    }
    try expectProblem("not a stream record: not UTF-8", gristmill.testing.recordFromJson("{\"eventID\":\"\xff\"}"));
}

test "values survive a round trip" {
    defer gristmill.testing.end();
    for ([_][]const u8{
        "{}",
        "{\"a\":{\"S\":\"\"},\"b\":{\"S\":\"é😀\\n\\r\\t\\\"\\\\\\u0000\\u001f\"}}",
        "{\"n\":{\"N\":\"12345678901234567890123456789012345678\"},\"m\":{\"N\":\"1E-130\"},\"z\":{\"N\":\"-0\"}}",
        "{\"b\":{\"B\":\"\"},\"c\":{\"B\":\"AA==\"},\"d\":{\"B\":\"AAE=\"},\"e\":{\"B\":\"AAEC\"},\"f\":{\"BS\":[\"/f7/\",\"AA==\"]}}",
        "{\"l\":{\"L\":[{\"NULL\":true},{\"BOOL\":true},{\"BOOL\":false},{\"L\":[]},{\"M\":{}}]},\"s\":{\"SS\":[\"a\",\"b\"]},\"n\":{\"NS\":[\"1.50\",\"2\"]}}",
    }) |text| try expectEqualStrings(text, try gristmill.itemToJson(gristmill.allocator(), try item(text)));
    try expectEqualStrings("é😀\n\"\\/\x08\x0c\r\t\x00", try one([]const u8, "{\"S\":\"\\u00e9\\ud83d\\ude00\\n\\\"\\\\\\/\\b\\f\\r\\t\\u0000\"}"));
    const spaced = "\n{ \"a\" : { \"L\" : [ { \"N\" : \"1\" } , { \"BOOL\" : true } ] } , \"b\":{\"M\":{ }} }\t\r\n";
    try expectEqualStrings("{\"a\":{\"L\":[{\"N\":\"1\"},{\"BOOL\":true}]},\"b\":{\"M\":{}}}", try gristmill.itemToJson(gristmill.allocator(), try item(spaced)));
}

test "what is no text is written as U+FFFD" {
    defer gristmill.testing.end();
    const value: AttributeValue = .{ .s = "\xffa\xed\xa0\x80é\xf0\x9f\x98\"" };
    const json = try std.fmt.allocPrint(gristmill.allocator(), "{f}", .{value});
    try expectEqualStrings("{\"S\":\"\u{FFFD}a\u{FFFD}\u{FFFD}\u{FFFD}é\u{FFFD}\u{FFFD}\u{FFFD}\\\"\"}", json);
}

test "an item becomes a struct" {
    defer gristmill.testing.end();
    const Order = struct {
        customer: []const u8,
        cents: u32,
        rate: f64,
        exact: Number,
        paid: bool,
        status: enum { new, paid },
        labels: []const []const u8,
        sizes: [2]i16,
        bytes: gristmill.Bytes,
        coupon: ?[]const u8,
        nothing: ?u8,
        missing: ?u8,
        pieces: u8 = 1,
        address: struct { city: []const u8 },
        prices: std.array_hash_map.String(Number),
        anything: AttributeValue,
        payment: union(enum) { cash, card: struct { digits: u16 } },
        lines: []const struct { sku: []const u8 },
    };
    const order = try gristmill.itemAs(Order, gristmill.allocator(), try item(
        \\{"customer":{"S":"Zoë"},"cents":{"N":"1.2E3"},"rate":{"N":"0.25"},"exact":{"N":"0.12345678901234567890123456789012345678"},
        \\"paid":{"BOOL":true},"status":{"S":"paid"},"labels":{"SS":["a","b"]},"sizes":{"NS":["1","-2"]},"bytes":{"B":"AQI="},
        \\"coupon":{"S":"x"},"nothing":{"NULL":true},"address":{"M":{"city":{"S":"Zürich"}}},"prices":{"M":{"a":{"N":"1"}}},
        \\"anything":{"SS":["x"]},"payment":{"M":{"card":{"M":{"digits":{"N":"4242"}}}}},"lines":{"L":[{"M":{"sku":{"S":"A"}}}]},
        \\"unknown":{"L":[]}}
    ));
    try expectEqualStrings("Zoë", order.customer);
    try expectEqual(1200, order.cents);
    try expectEqual(0.25, order.rate);
    try expectEqualStrings("0.12345678901234567890123456789012345678", order.exact.text);
    try expect(order.paid and order.status == .paid and order.labels.len == 2 and order.sizes[1] == -2);
    try expectEqualStrings("\x01\x02", order.bytes.data);
    try expectEqualStrings("x", order.coupon.?);
    try expectEqual(null, order.nothing);
    try expectEqual(null, order.missing);
    try expectEqual(1, order.pieces);
    try expectEqualStrings("Zürich", order.address.city);
    try expectEqualStrings("1", order.prices.get("a").?.text);
    try expectEqualStrings("x", order.anything.ss[0]);
    try expectEqual(4242, order.payment.card.digits);
    try expectEqualStrings("A", order.lines[0].sku);
}

test "numbers are exact or refused, with their place" {
    defer gristmill.testing.end();
    try expectEqual(255, try one(u8, "{\"N\":\"255\"}"));
    try expectProblem("v: the number 256 does not fit in u8", one(u8, "{\"N\":\"256\"}"));
    try expectProblem("v: the number 1.5 has a fraction, and i64 has none", one(i64, "{\"N\":\"1.5\"}"));
    try expectProblem("v: the number 1E100 does not fit in f32", one(f32, "{\"N\":\"1E100\"}"));
    try expectProblem("v: \"x\" is not a decimal number", one(f32, "{\"N\":\"x\"}"));
    try expectProblem("v: not JSON at byte 10: expected the number in a string, found '1'", one(f32, "{\"N\":1}"));
    try expectProblem("v: expected 2 elements, found 3", one([2]u8, "{\"NS\":[\"1\",\"2\",\"3\"]}"));
    try expectProblem("v[1]: expected a number (N), found a string (S)", one([]const u16, "{\"L\":[{\"N\":\"1\"},{\"S\":\"\"}]}"));
    try expectProblem("v: \"x\" is none of new, paid", one(enum { new, paid }, "{\"S\":\"x\"}"));
    const Payment = union(enum) { cash, card: u16 };
    try expectEqual(.cash, std.meta.activeTag(try one(Payment, "{\"S\":\"cash\"}")));
    try expectEqual(7, (try one(Payment, "{\"M\":{\"card\":{\"N\":\"7\"}}}")).card);
    try expectProblem("v: expected a string (S), found a map (M)", one(Payment, "{\"M\":{\"cash\":{\"N\":\"7\"}}}"));
    try expectProblem("v: expected a map (M) with one attribute, found a string (S)", one(Payment, "{\"S\":\"card\"}"));
}

test "errors name the place" {
    defer gristmill.testing.end();
    try expectProblem("a[0].b: \"x\" is not a decimal number", item("{\"a\":{\"L\":[{\"M\":{\"b\":{\"N\":\"x\"}}}]}}"));
    try expectProblem("[\"a.b\"][\"c\\n\"]: not JSON at byte 24: expected a string, found '1'", item("{\"a.b\":{\"M\":{\"c\\n\":{\"S\":1}}}}"));
    try expectProblem("v[1]: \"?\" is not a decimal number", item("{\"v\":{\"NS\":[\"1\",\"?\"]}}"));
    try expectProblem("b.c: the attribute is there twice", item("{\"b\":{\"M\":{\"c\":{\"S\":\"\"},\"\\u0063\":{\"S\":\"\"}}}}"));
    try expectProblem("v: an attribute value with more than one type", item("{\"v\":{\"S\":\"a\",\"N\":\"1\"}}"));
    try expectProblem("v: not base64", item("{\"v\":{\"B\":\"A*==\"}}"));
}

test "hostile texts are errors" {
    defer gristmill.testing.end();
    for ([_][]const u8{
        "",                                           " ",                                "{",                                 "[]",
        "null",                                       "{\"v\"}",                          "{\"v\":}",                          "{\"v\":1}",
        "{\"v\":null}",                               "{\"v\":\"x\"}",                    "{\"v\":[]}",                        "{\"v\":{}}",
        "{\"v\":{\"S\"}}",                            "{\"v\":{\"S\":}}",                 "{\"v\":{\"S\":1}}",                 "{\"v\":{\"S\":null}}",
        "{\"v\":{\"S\":\"a\"}",                       "{\"v\":{\"S\":\"a\"},}",           "{\"v\":{\"S\":\"a\",}}",            "{,\"v\":{\"S\":\"a\"}}",
        "{\"v\":{\"S\":\"a\"}} x",                    "{\"v\":{\"S\":\"a\"}}{}",          "{\"v\":{\"S\":\"a\",\"S\":\"b\"}}", "{\"v\":{\"X\":\"a\"}}",
        "{\"v\":{\"S\":\"a\"},\"v\":{\"S\":\"b\"}}",  "{\"v\":{\"S\":\"\\ud800\"}}",      "{\"v\":{\"S\":\"\\udc00\"}}",       "{\"v\":{\"S\":\"\\ud800\\ud800\"}}",
        "{\"v\":{\"S\":\"\\ud800x\"}}",               "{\"v\":{\"S\":\"\\ud800\\u\"}}",   "{\"v\":{\"S\":\"\\u12\"}}",         "{\"v\":{\"S\":\"\\u+123\"}}",
        "{\"v\":{\"S\":\"\\x\"}}",                    "{\"v\":{\"S\":\"\\",               "{\"v\":{\"S\":\"a\n\"}}",           "{\"v\":{\"S\":\"a\x00\"}}",
        "{\"v\":{\"BOOL\":\"true\"}}",                "{\"v\":{\"BOOL\":tru}}",           "{\"v\":{\"NULL\":false}}",          "{\"v\":{\"NULL\":null}}",
        "{\"v\":{\"SS\":[\"a\",]}}",                  "{\"v\":{\"SS\":[{\"S\":\"a\"}]}}", "{\"v\":{\"NS\":[1]}}",              "{\"v\":{\"L\":[\"a\"]}}",
        "{\"v\":{\"L\":[{\"S\":\"a\"}}}",             "{\"v\":{\"M\":[]}}",               "{\"v\":{\"B\":\"%%%\"}}",           "{\"v\":{\"B\":\"A\"}}",
        "{\"v\":{\"B\":\"AB==\"}}",                   "{\"v\":{\"B\":\"=AAA\"}}",         "{\"v\":{\"B\":\"AA=A\"}}",          "{\"v\":{\"B\":\"AA\"}}",
        "{\"v\":{\"N\":\"1e99999999999999999999\"}}",
    }) |text| if (item(text)) |_| {
        std.debug.print("taken: {s}\n", .{text});
        return error.Taken;
    } else |_| {};
    try expectProblem("not UTF-8", item("{\"v\":{\"S\":\"\xff\"}}"));
    try expectProblem("not UTF-8", item("{\"\xed\xa0\x80\":{\"S\":\"\"}}"));
    try expectProblem("not UTF-8", gristmill.valueFromJson(gristmill.allocator(), "{\"S\":\"\xc3\"}"));
    const text = "{\"a\":{\"S\":\"x\\u00e9é\"},\"b\":{\"L\":[{\"N\":\"1\"},{\"BOOL\":true}]},\"c\":{\"M\":{\"d\":{\"NULL\":true}}},\"e\":{\"BS\":[\"AQ==\"]}}";
    _ = try item(text);
    for (0..text.len) |end| try expectError(error.InvalidImage, item(text[0..end]));
}

test "random mutations are errors, or the same when they are written and read again" {
    const seed_text = "{\"a\":{\"S\":\"x\\u00e9é\\ud83d\\ude00\\n\"},\"b\":{\"L\":[{\"N\":\"1.5E2\"},{\"BOOL\":true},{\"NULL\":true}]},\"c\":{\"M\":{\"d\":{\"SS\":[\"a\",\"b\"]}}},\"e\":{\"BS\":[\"AQ==\",\"AAEC\"]},\"f\":{\"NS\":[\"-1\",\"12\"]}}";
    const pieces = [_][]const u8{ "{", "}", "[", "]", "\"", "\\", ",", ":", "\\u", "\\ud800", "{\"L\":[", "]}", "\"S\"", "true", "null", "1E125", "=", "\xff" };
    var prng: std.Random.DefaultPrng = .init(7);
    const random = prng.random();
    for (0..20_000) |_| {
        defer gristmill.testing.end();
        var text: std.ArrayList(u8) = .empty;
        try text.appendSlice(gristmill.allocator(), seed_text);
        for (0..random.intRangeAtMost(u8, 1, 5)) |_| {
            const at = random.uintLessThan(usize, text.items.len);
            switch (random.uintLessThan(u8, 3)) {
                0 => text.items[at] = random.int(u8),
                1 => try text.insertSlice(gristmill.allocator(), at, pieces[random.uintLessThan(usize, pieces.len)]),
                else => try text.replaceRange(gristmill.allocator(), at, @min(random.uintLessThan(usize, 9), text.items.len - at), ""),
            }
        }
        const read = item(text.items) catch continue;
        const written = try gristmill.itemToJson(gristmill.allocator(), read);
        try expect((AttributeValue{ .m = read }).eql(.{ .m = try item(written) }));
    }
}

test "nesting is bounded" {
    defer gristmill.testing.end();
    for ([_][2][]const u8{ .{ "{\"L\":[", "]}" }, .{ "{\"M\":{\"k\":", "}}" } }) |kind| for ([_]usize{ 63, 64, 65, 100_000 }) |levels| {
        var text: std.ArrayList(u8) = .empty;
        const arena = gristmill.allocator();
        try text.appendSlice(arena, "{\"v\":");
        for (1..levels) |_| try text.appendSlice(arena, kind[0]);
        try text.appendSlice(arena, "{\"NULL\":true}");
        for (1..levels) |_| try text.appendSlice(arena, kind[1]);
        try text.append(arena, '}');
        if (levels <= 64) {
            try expectEqualStrings(text.items, try gristmill.itemToJson(arena, try item(text.items)));
        } else {
            try expectError(error.InvalidImage, item(text.items));
            try expect(std.mem.endsWith(u8, gristmill.errorText(error.InvalidImage), "nested deeper than 64 levels"));
        }
    };
}

test "values are compared by what they mean" {
    defer gristmill.testing.end();
    for ([_]struct { []const u8, []const u8, bool }{
        .{ "{\"N\":\"1\"}", "{\"N\":\"1.0\"}", true },
        .{ "{\"N\":\"1\"}", "{\"S\":\"1\"}", false },
        .{ "{\"SS\":[\"a\",\"b\"]}", "{\"SS\":[\"b\",\"a\"]}", true },
        .{ "{\"SS\":[\"a\",\"a\"]}", "{\"SS\":[\"b\",\"a\"]}", false },
        .{ "{\"NS\":[\"1\",\"20\"]}", "{\"NS\":[\"2E1\",\"1.0\"]}", true },
        .{ "{\"L\":[{\"S\":\"a\"},{\"S\":\"b\"}]}", "{\"L\":[{\"S\":\"b\"},{\"S\":\"a\"}]}", false },
        .{ "{\"M\":{\"a\":{\"N\":\"1\"},\"b\":{\"NULL\":true}}}", "{\"M\":{\"b\":{\"NULL\":true},\"a\":{\"N\":\"1.0\"}}}", true },
        .{ "{\"M\":{\"a\":{\"N\":\"1\"}}}", "{\"M\":{\"b\":{\"N\":\"1\"}}}", false },
    }) |pair| {
        const a = try gristmill.valueFromJson(gristmill.allocator(), pair[0]);
        const b = try gristmill.valueFromJson(gristmill.allocator(), pair[1]);
        try expectEqual(pair[2], a.eql(b));
        try expectEqual(pair[2], b.eql(a));
    }
}

fn paid(record: *gristmill.Record) !void {
    gristmill.log.warn("seen {d}%", .{5}, .{ .table = record.table(), .bytes = record.sizeBytes(), .ok = true });
    if (try record.changed("status")) return gristmill.retry("not yet: {s}", .{record.table()});
}

fn fails(record: *gristmill.Record) !void {
    if (record.eventName() == .insert) return error.NoSuchThing;
    const order = record.newImageAs(struct { cents: u32 }) catch |err| return gristmill.reject("no order: {s}", .{gristmill.errorText(err)});
    _ = order;
}

test "records made by hand, and what a handler comes to" {
    defer gristmill.testing.end();
    const modified = gristmill.testing.modify("orders").key("id", "1").attribute("cents", 1200);
    try expectEqual(.ok, gristmill.run(paid, modified.record()));
    const line = gristmill.testing.logged()[0];
    try expectEqual(.warn, line.level);
    try expectEqualStrings("seen 5%", line.message);
    try expectEqualStrings("orders", line.fields[0][1]);
    try expectEqualStrings("true", line.fields[2][1]);
    _ = modified.oldAttribute("status", "new").newAttribute("status", "paid");
    try expectEqualStrings("not yet: orders", gristmill.run(paid, modified.record()).retry);
    try expectEqualStrings(
        \\{"eventID":"1a87201789a6e14315b8038ebbd3b99d","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-east-1","dynamodb":{"ApproximateCreationDateTime":1767605400,"Keys":{"id":{"S":"1"}},"NewImage":{"id":{"S":"1"},"cents":{"N":"1200"},"status":{"S":"paid"}},"OldImage":{"id":{"S":"1"},"cents":{"N":"1200"},"status":{"S":"new"}},"SequenceNumber":"261800000000059086429283","SizeBytes":42,"StreamViewType":"NEW_AND_OLD_IMAGES"},"eventSourceARN":"arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-01-05T09:30:00.000"}
    , modified.toJson());
    const keys_only = modified.viewType(.keys_only).record();
    try expectEqualStrings("the MODIFY record has no old image, so what changed is not known; the stream's view type must be NEW_AND_OLD_IMAGES", gristmill.run(paid, keys_only).retry);
    try expectEqualStrings("NoSuchThing", gristmill.run(fails, gristmill.testing.insert("orders").key("id", 1).record()).retry);
    const wrong = gristmill.testing.modify("orders").key("id", gristmill.Bytes{ .data = "\x01" }).newImageJson("{\"cents\":{\"S\":\"1\"}}").record();
    try expectEqualStrings("no order: new image: cents: expected a number (N), found a string (S)", gristmill.run(fails, wrong).reject);
    const gone = gristmill.testing.ttlDelete("orders").key("id", "1").sequenceNumber("99").createdAtMs(1234).eventId("e");
    try expect(gone.record().isTtlDelete());
    try expectEqual(1234, gone.record().createdAtMs());
    try expect(std.mem.startsWith(u8, gristmill.testing.event(&.{ modified, gone }), "{\"Records\":[\n{\"eventID\":\"1a87"));
}

test "the invocation has stand-ins" {
    try expectEqual(36, gristmill.invocation.requestId().len);
    try expectEqualStrings("handler", gristmill.invocation.handler());
    try expectEqualStrings("function", gristmill.invocation.functionName());
    try expectEqualStrings("$LATEST", gristmill.invocation.functionVersion());
    try expectEqual(1, gristmill.invocation.attempt());
    try expectEqual(null, gristmill.invocation.remaining());
    try expectEqual(null, gristmill.invocation.traceHeader());
}
