//! DynamoDB's numbers: decimal text, never rounded on the way. Knows nothing of JSON.

const std = @import("std");

/// DynamoDB keeps 38 significant digits.
const max_digits = 38;
/// The exponents of the first significant digit, from 1E-130 to 9.99…E+125.
const min_exponent = -130;
const max_exponent = 125;

/// Why a text is no number, or a number does not fit.
pub const NumberError = error{
    /// Not a decimal number.
    NotDecimal,
    /// More than the 38 significant digits that DynamoDB keeps.
    TooManyDigits,
    /// Beyond 1E-130 to 9.99…E+125, the magnitudes that DynamoDB has.
    OutOfRange,
    /// A whole number was asked for, and this one has a fraction.
    HasFraction,
    /// The number is outside the type that was asked for.
    DoesNotFit,
};

/// A DynamoDB number (N), kept as the decimal text that it came as: up to 38 significant digits survive.
pub const Number = struct {
    text: []const u8,

    /// Checks that a text is a number that DynamoDB has. The text is kept, and not copied.
    pub fn parse(text: []const u8) NumberError!Number {
        try (try Decimal.parse(text)).check();
        return .{ .text = text };
    }

    /// The integer: `100`, `1E2` and `100.0` are all one hundred. What does not fit, or is not whole, is an error.
    pub fn asInt(number: Number, comptime T: type) NumberError!T {
        const decimal = try Decimal.parse(number.text);
        try decimal.check();
        const magnitude = try decimal.magnitude(0);
        if (magnitude.has_fraction) return error.HasFraction;
        const whole: i256 = magnitude.whole;
        return std.math.cast(T, if (decimal.negative) -whole else whole) orelse error.DoesNotFit;
    }

    /// The nearest float: digits beyond the 17th or so are rounded.
    pub fn asFloat(number: Number, comptime T: type) NumberError!T {
        _ = try parse(number.text);
        const float = std.fmt.parseFloat(T, number.text) catch return error.NotDecimal;
        return if (std.math.isFinite(float)) float else error.DoesNotFit;
    }

    /// Whether two texts are one number.
    pub fn eql(a: Number, b: Number) bool {
        return std.mem.eql(u8, a.text, b.text) or a.order(b) == .eq;
    }

    /// The order of two numbers, whatever they are written like.
    pub fn order(a: Number, b: Number) std.math.Order {
        const x = Decimal.parse(a.text) catch return std.mem.order(u8, a.text, b.text);
        const y = Decimal.parse(b.text) catch return std.mem.order(u8, a.text, b.text);
        if (x.sign() != y.sign()) return std.math.order(x.sign(), y.sign());
        if (x.sign() == 0) return .eq;
        const order_of_magnitudes = x.orderMagnitude(y);
        return if (x.negative) order_of_magnitudes.invert() else order_of_magnitudes;
    }

    /// The text.
    pub fn format(number: Number, writer: *std.Io.Writer) std.Io.Writer.Error!void {
        try writer.writeAll(number.text);
    }
};

/// The parts of a decimal text: `whole.fraction` times ten to the `exponent`.
pub const Decimal = struct {
    negative: bool,
    whole: []const u8,
    fraction: []const u8,
    exponent: i64,
    /// The number of digits from the first to the last that are not zero, and how many zeros are before and after them.
    significant: usize = 0,
    before: usize = 0,
    after: usize = 0,

    pub fn parse(text: []const u8) NumberError!Decimal {
        var rest = text;
        const negative = rest.len > 0 and rest[0] == '-';
        if (rest.len > 0 and (rest[0] == '-' or rest[0] == '+')) rest = rest[1..];
        const whole = digits(rest);
        rest = rest[whole.len..];
        if (rest.len > 0 and rest[0] == '.') rest = rest[1..];
        const fraction = digits(rest);
        rest = rest[fraction.len..];
        const count = whole.len + fraction.len;
        if (count == 0) return error.NotDecimal;
        var decimal: Decimal = .{ .negative = negative, .whole = whole, .fraction = fraction, .exponent = 0 };
        if (rest.len > 0 and (rest[0] == 'e' or rest[0] == 'E')) {
            rest = rest[1..];
            const below = rest.len > 0 and rest[0] == '-';
            if (rest.len > 0 and (rest[0] == '-' or rest[0] == '+')) rest = rest[1..];
            const exponent = digits(rest);
            if (exponent.len == 0) return error.NotDecimal;
            // What is beyond a million is a million, and out of every range.
            for (exponent) |byte| decimal.exponent = @min(decimal.exponent * 10 + (byte - '0'), 1_000_000);
            if (below) decimal.exponent = -decimal.exponent;
            rest = rest[exponent.len..];
        }
        if (rest.len > 0) return error.NotDecimal;
        while (decimal.before < count and decimal.digit(decimal.before) == '0') decimal.before += 1;
        if (decimal.before == count) return decimal;
        while (decimal.digit(count - decimal.after - 1) == '0') decimal.after += 1;
        decimal.significant = count - decimal.before - decimal.after;
        return decimal;
    }

    fn digits(text: []const u8) []const u8 {
        for (text, 0..) |byte, index| if (!std.ascii.isDigit(byte)) return text[0..index];
        return text;
    }

    fn digit(decimal: Decimal, index: usize) u8 {
        return if (index < decimal.whole.len) decimal.whole[index] else decimal.fraction[index - decimal.whole.len];
    }

    fn firstExponent(decimal: Decimal) i64 {
        return decimal.exponent + @as(i64, @intCast(decimal.whole.len)) - @as(i64, @intCast(decimal.before)) - 1;
    }

    fn sign(decimal: Decimal) i2 {
        return if (decimal.significant == 0) 0 else if (decimal.negative) -1 else 1;
    }

    pub fn check(decimal: Decimal) NumberError!void {
        if (decimal.significant == 0) return;
        if (decimal.significant > max_digits) return error.TooManyDigits;
        const first = decimal.firstExponent();
        if (first < min_exponent or first > max_exponent) return error.OutOfRange;
    }

    const Magnitude = struct { whole: u128, has_fraction: bool };

    /// The magnitude of a checked number times ten to the `shift`, without its fraction, and whether there was one.
    pub fn magnitude(decimal: Decimal, shift: i64) NumberError!Magnitude {
        if (decimal.significant == 0) return .{ .whole = 0, .has_fraction = false };
        const scale = decimal.exponent + shift - @as(i64, @intCast(decimal.fraction.len)) + @as(i64, @intCast(decimal.after));
        const kept = if (scale < 0) decimal.significant -| @as(usize, @intCast(-scale)) else decimal.significant;
        var whole: u128 = 0;
        for (0..kept) |index| {
            whole = std.math.mul(u128, whole, 10) catch return error.DoesNotFit;
            whole = std.math.add(u128, whole, decimal.digit(decimal.before + index) - '0') catch return error.DoesNotFit;
        }
        var left = scale;
        while (left > 0) : (left -= 1) whole = std.math.mul(u128, whole, 10) catch return error.DoesNotFit;
        return .{ .whole = whole, .has_fraction = scale < 0 };
    }

    fn orderMagnitude(x: Decimal, y: Decimal) std.math.Order {
        if (x.firstExponent() != y.firstExponent()) return std.math.order(x.firstExponent(), y.firstExponent());
        for (0..@max(x.significant, y.significant)) |index| {
            const a = if (index < x.significant) x.digit(x.before + index) else '0';
            const b = if (index < y.significant) y.digit(y.before + index) else '0';
            if (a != b) return std.math.order(a, b);
        }
        return .eq;
    }
};

/// Seconds as milliseconds, cut off below. Null for what is negative or does not fit.
pub fn secondsToMs(text: []const u8) ?u64 {
    const decimal = Decimal.parse(text) catch return null;
    decimal.check() catch return null;
    const ms = decimal.magnitude(3) catch return null;
    if (decimal.negative and ms.whole != 0) return null;
    return std.math.cast(u64, ms.whole);
}

test "integers are exact or refused" {
    for ([_][]const u8{ "100", "1E2", "100.0", "1.0e+2", "00100", "+100" }) |text| {
        try std.testing.expectEqual(100, try (Number{ .text = text }).asInt(u8));
    }
    for ([_][]const u8{ "1.5", "1E-1", "0.0000001", "100.01", "1E-130" }) |text| {
        try std.testing.expectError(error.HasFraction, (Number{ .text = text }).asInt(i64));
    }
    for ([_][]const u8{ "-1", "4294967296", "1E10", "9.9E125" }) |text| {
        try std.testing.expectError(error.DoesNotFit, (Number{ .text = text }).asInt(u32));
    }
    try std.testing.expectEqual(std.math.minInt(i64), try (Number{ .text = "-9223372036854775808" }).asInt(i64));
    try std.testing.expectEqual(std.math.maxInt(u64), try (Number{ .text = "1.8446744073709551615E19" }).asInt(u64));
    try std.testing.expectEqual(0, try (Number{ .text = "-0" }).asInt(u8));
    const large = "-99999999999999999999999999999999999999";
    try std.testing.expectEqual(-99999999999999999999999999999999999999, try (Number{ .text = large }).asInt(i128));
}

test "what DynamoDB has no number for is refused" {
    for ([_][]const u8{ "", "-", ".", "e1", "1e", "0x1", "1_000", "NaN", "inf", "1.2.3", " 1", "1 ", "--1", "1e1.5", "٣" }) |text| {
        try std.testing.expectError(error.NotDecimal, Number.parse(text));
        try std.testing.expectError(error.NotDecimal, (Number{ .text = text }).asFloat(f64));
    }
    try std.testing.expectError(error.TooManyDigits, Number.parse("123456789012345678901234567890123456789"));
    for ([_][]const u8{ "1e126", "1e-131", "1e999999999999999999999", "-1e-99999999999999999999" }) |text| {
        try std.testing.expectError(error.OutOfRange, Number.parse(text));
    }
    for ([_][]const u8{ "9.9999999999999999999999999999999999999E+125", "1E-130", "0e999999999", "1", ".5", "5.", "+3", "-0" }) |text| {
        _ = try (try Number.parse(text)).asFloat(f64);
    }
}

test "numbers are ordered by what they mean" {
    const sorted = [_][]const u8{ "-1E3", "-20", "-2", "-0.5", "0", "1E-130", "0.1", "1", "1.5", "20", "100" };
    for (sorted, 0..) |a, i| for (sorted, 0..) |b, j| {
        try std.testing.expectEqual(std.math.order(i, j), (Number{ .text = a }).order(.{ .text = b }));
    };
    try std.testing.expect((Number{ .text = "1" }).eql(.{ .text = "1.00" }));
    try std.testing.expect((Number{ .text = "0" }).eql(.{ .text = "-0E5" }));
}

test "seconds may carry a fraction and an exponent" {
    try std.testing.expectEqual(1_550_272_599_000, secondsToMs("1550272599"));
    try std.testing.expectEqual(1_550_272_599_000, secondsToMs("1.550272599E9"));
    try std.testing.expectEqual(1_479_499_740_999, secondsToMs("1479499740.9999"));
    try std.testing.expectEqual(null, secondsToMs("-1"));
    try std.testing.expectEqual(null, secondsToMs("1e30"));
}
