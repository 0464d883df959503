//! The contract gristmill:events@0.1.0 (wit/events.wit) for Zig, written by hand: the names and layouts that the canonical
//! ABI of the component model gives it on wasm32. What is not called is not imported.

pub const String = extern struct {
    ptr: [*]const u8,
    len: usize,

    pub fn from(text: []const u8) String {
        return .{ .ptr = inBounds(u8, text), .len = text.len };
    }

    /// What is empty may be anywhere.
    pub fn slice(string: String) []const u8 {
        return if (string.len == 0) "" else string.ptr[0..string.len];
    }
};

/// Where a slice is. The host checks that of an empty one too, and Zig has a place outside of memory for it.
pub fn inBounds(comptime T: type, slice: []const T) [*]const T {
    const nothing = struct {
        const one: [1]T = undefined;
    };
    return if (slice.len == 0) &nothing.one else slice.ptr;
}

/// A byte, then the value at its alignment.
pub const OptionString = extern struct {
    some: bool,
    value: String,

    pub fn get(option: OptionString) ?[]const u8 {
        return if (option.some) option.value.slice() else null;
    }
};
pub const OptionU64 = extern struct {
    some: bool,
    value: u64,

    pub fn get(option: OptionU64) ?u64 {
        return if (option.some) option.value else null;
    }
};
pub const OptionIdentity = extern struct { some: bool, type: String, principal_id: String };
/// tuple<string, string>
pub const Field = extern struct { name: String, value: String };
pub const Result = extern struct { is_err: u8, failure: extern struct { is_reject: u8, text: String } };
/// own<stream-record>: an index into the host's table.
pub const Record = i32;

comptime {
    if (@sizeOf(String) != 8 or @sizeOf(OptionString) != 12 or @sizeOf(OptionU64) != 16 or @sizeOf(OptionIdentity) != 20 or
        @sizeOf(Field) != 16 or @sizeOf(Result) != 16) @compileError("the layouts are those of wasm32");
}

// A result of one scalar comes back as such; any other is written to the place that the last parameter names.

pub const types = struct {
    pub extern "gristmill:events/types@0.1.0" fn @"[method]stream-record.event-id"(Record, *String) void;
    pub extern "gristmill:events/types@0.1.0" fn @"[method]stream-record.table"(Record, *String) void;
    pub extern "gristmill:events/types@0.1.0" fn @"[method]stream-record.stream-arn"(Record, *String) void;
    pub extern "gristmill:events/types@0.1.0" fn @"[method]stream-record.region"(Record, *String) void;
    pub extern "gristmill:events/types@0.1.0" fn @"[method]stream-record.sequence-number"(Record, *String) void;
    pub extern "gristmill:events/types@0.1.0" fn @"[method]stream-record.event-name"(Record) i32;
    pub extern "gristmill:events/types@0.1.0" fn @"[method]stream-record.size-bytes"(Record, *OptionU64) void;
    pub extern "gristmill:events/types@0.1.0" fn @"[method]stream-record.created-at-ms"(Record, *OptionU64) void;
    pub extern "gristmill:events/types@0.1.0" fn @"[method]stream-record.user-identity"(Record, *OptionIdentity) void;
    pub extern "gristmill:events/types@0.1.0" fn @"[method]stream-record.keys"(Record, *String) void;
    pub extern "gristmill:events/types@0.1.0" fn @"[method]stream-record.new-image"(Record, *OptionString) void;
    pub extern "gristmill:events/types@0.1.0" fn @"[method]stream-record.old-image"(Record, *OptionString) void;
    pub extern "gristmill:events/types@0.1.0" fn @"[method]stream-record.json"(Record, *String) void;
};

pub const invocation = struct {
    pub extern "gristmill:events/invocation@0.1.0" fn @"request-id"(*String) void;
    pub extern "gristmill:events/invocation@0.1.0" fn handler(*String) void;
    pub extern "gristmill:events/invocation@0.1.0" fn @"function-name"(*String) void;
    pub extern "gristmill:events/invocation@0.1.0" fn @"function-version"(*String) void;
    pub extern "gristmill:events/invocation@0.1.0" fn attempt() u32;
    pub extern "gristmill:events/invocation@0.1.0" fn @"deadline-ms"(*OptionU64) void;
    pub extern "gristmill:events/invocation@0.1.0" fn @"trace-header"(*OptionString) void;
};

pub const log = struct {
    pub extern "gristmill:events/log@0.1.0" fn write(level: i32, message: [*]const u8, len: usize, fields: [*]const Field, count: usize) void;
    pub extern "gristmill:events/log@0.1.0" fn print(to: i32, text: [*]const u8, len: usize) void;
};
