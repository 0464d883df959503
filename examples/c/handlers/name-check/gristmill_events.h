// The contract gristmill:events@0.1.0 (wit/events.wit) for C, written by hand: the names and layouts that the canonical
// ABI of the component model gives it on wasm32. What is not called is not imported. Include it in one file only.
#ifndef GRISTMILL_EVENTS_H
#define GRISTMILL_EVENTS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct { const char *ptr; size_t len; } gm_string;          // UTF-8, with no zero at the end
typedef struct { bool some; gm_string value; } gm_option_string;    // a byte, then the value at its alignment
typedef struct { bool some; uint64_t value; } gm_option_u64;
typedef struct { bool some; gm_string type, principal_id; } gm_option_identity;
typedef struct { gm_string name, value; } gm_field;                 // tuple<string, string>
typedef enum { GM_INSERT, GM_MODIFY, GM_REMOVE } gm_event_name;
typedef enum { GM_TRACE, GM_DEBUG, GM_INFO, GM_WARN, GM_ERROR, GM_CRITICAL } gm_level;
typedef struct { uint8_t is_err; struct { uint8_t is_reject; gm_string text; } failure; } gm_result;
typedef int32_t gm_record;                                          // own<stream-record>: an index into the host's table
_Static_assert(sizeof(gm_string) == 8 && sizeof(gm_option_string) == 12 && sizeof(gm_option_u64) == 16 &&
               sizeof(gm_option_identity) == 20 && sizeof(gm_field) == 16 && sizeof(gm_result) == 16, "wasm32 layouts");

// A result of one scalar comes back as such; any other is written to the place that the last parameter names.
#define GM_FROM(interface, name) \
    __attribute__((import_module("gristmill:events/" interface "@0.1.0"), import_name(name))) extern
#define GM_METHOD(name) GM_FROM("types", "[method]stream-record." name)
GM_METHOD("event-id") void gm_event_id(gm_record, gm_string *);
GM_METHOD("table") void gm_table(gm_record, gm_string *);
GM_METHOD("stream-arn") void gm_stream_arn(gm_record, gm_string *);
GM_METHOD("region") void gm_region(gm_record, gm_string *);
GM_METHOD("sequence-number") void gm_sequence_number(gm_record, gm_string *);
GM_METHOD("event-name") int32_t gm_record_event_name(gm_record);
GM_METHOD("size-bytes") void gm_size_bytes(gm_record, gm_option_u64 *);
GM_METHOD("created-at-ms") void gm_created_at_ms(gm_record, gm_option_u64 *);
GM_METHOD("user-identity") void gm_user_identity(gm_record, gm_option_identity *);
GM_METHOD("keys") void gm_keys(gm_record, gm_string *);
GM_METHOD("new-image") void gm_new_image(gm_record, gm_option_string *);
GM_METHOD("old-image") void gm_old_image(gm_record, gm_option_string *);
GM_METHOD("json") void gm_json(gm_record, gm_string *);
GM_FROM("types", "[resource-drop]stream-record") void gm_record_drop(gm_record);
GM_FROM("invocation", "request-id") void gm_request_id(gm_string *);
GM_FROM("invocation", "handler") void gm_handler(gm_string *);
GM_FROM("invocation", "function-name") void gm_function_name(gm_string *);
GM_FROM("invocation", "function-version") void gm_function_version(gm_string *);
GM_FROM("invocation", "attempt") int32_t gm_attempt(void);
GM_FROM("invocation", "deadline-ms") void gm_deadline_ms(gm_option_u64 *);
GM_FROM("invocation", "trace-header") void gm_trace_header(gm_option_string *);
GM_FROM("log", "write") void gm_log_write(int32_t level, const char *message, size_t len, const gm_field *, size_t count);
GM_FROM("log", "print") void gm_log_print(int32_t to, const char *text, size_t len);

#ifdef __wasi__
#error "with a libc use the SDK of guest-sdk/c: cabi_realloc, below, takes the memory that malloc takes"
#endif
// Where the host puts what it hands over: upwards from the end of the data. No call frees anything, the end of the
// handler's call frees all, and a trap ends the instance.
extern unsigned char __heap_base;
static uintptr_t gm_heap_end;
__attribute__((export_name("cabi_realloc")))
void *gm_realloc(void *old, size_t old_size, size_t align, size_t new_size) {
    uintptr_t from = gm_heap_end ? gm_heap_end : (uintptr_t)&__heap_base;
    uintptr_t start = (from + align - 1) & ~(uintptr_t)(align - 1), end = start + new_size;
    size_t pages = (end + 65535u) / 65536u, had = __builtin_wasm_memory_size(0);
    if (end < from || end > UINTPTR_MAX - 65535u) __builtin_trap();
    if (pages > had && __builtin_wasm_memory_grow(0, pages - had) == (size_t)-1) __builtin_trap();
    for (size_t i = 0; i < old_size && i < new_size; i++) ((char *)start)[i] = ((char *)old)[i];
    gm_heap_end = end;
    return (void *)start;
}

// The handler writes this one. It owns the record, and need not drop it.
static gm_result handle(gm_record record);
__attribute__((export_name("gristmill:events/handler@0.1.0#handle")))
gm_result *gm_export_handle(gm_record record) {
    static gm_result result;
    result = handle(record);
    return &result;
}
__attribute__((export_name("cabi_post_gristmill:events/handler@0.1.0#handle")))
void gm_export_handle_post(gm_result *result) { (void)result; gm_heap_end = 0; }
#endif
