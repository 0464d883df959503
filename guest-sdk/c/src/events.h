// The contract gristmill:events@0.1.0 (wit/events.wit) for C, written by hand: the names and layouts that the canonical
// ABI of the component model gives it on wasm32. What is not called is not imported. In a native build the same functions
// are those of the stand-in for the host, stand_in.c.
#ifndef GRISTMILL_EVENTS_H
#define GRISTMILL_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gristmill.h"

typedef struct { bool some; gristmill_string value; } host_option_string; // a byte, then the value at its alignment
typedef struct { bool some; uint64_t value; } host_option_u64;
typedef struct { bool some; gristmill_string type, principal_id; } host_option_identity;
typedef struct { uint8_t is_err; struct { uint8_t is_reject; gristmill_string text; } failure; } host_result;
typedef int32_t host_record; // own<stream-record>: an index into the host's table

#ifdef __wasm__
_Static_assert(sizeof(gristmill_string) == 8 && sizeof(host_option_string) == 12 && sizeof(host_option_u64) == 16 &&
                   sizeof(host_option_identity) == 20 && sizeof(gristmill_string_field) == 16 &&
                   sizeof(host_result) == 16,
               "the layouts of wasm32");
#define HOST_FROM(interface, name) \
    __attribute__((import_module("gristmill:events/" interface "@0.1.0"), import_name(name))) extern
#else
#define HOST_FROM(interface, name) extern
#endif
#define HOST_METHOD(name) HOST_FROM("types", "[method]stream-record." name)

// A result of one scalar comes back as such; any other is written to the place that the last parameter names.
HOST_METHOD("event-id") void host_event_id(host_record, gristmill_string *);
HOST_METHOD("table") void host_table(host_record, gristmill_string *);
HOST_METHOD("stream-arn") void host_stream_arn(host_record, gristmill_string *);
HOST_METHOD("region") void host_region(host_record, gristmill_string *);
HOST_METHOD("sequence-number") void host_sequence_number(host_record, gristmill_string *);
HOST_METHOD("event-name") int32_t host_event_name(host_record);
HOST_METHOD("size-bytes") void host_size_bytes(host_record, host_option_u64 *);
HOST_METHOD("created-at-ms") void host_created_at_ms(host_record, host_option_u64 *);
HOST_METHOD("user-identity") void host_user_identity(host_record, host_option_identity *);
HOST_METHOD("keys") void host_keys(host_record, gristmill_string *);
HOST_METHOD("new-image") void host_new_image(host_record, host_option_string *);
HOST_METHOD("old-image") void host_old_image(host_record, host_option_string *);
HOST_METHOD("json") void host_json(host_record, gristmill_string *);
HOST_FROM("invocation", "request-id") void host_request_id(gristmill_string *);
HOST_FROM("invocation", "handler") void host_handler(gristmill_string *);
HOST_FROM("invocation", "function-name") void host_function_name(gristmill_string *);
HOST_FROM("invocation", "function-version") void host_function_version(gristmill_string *);
HOST_FROM("invocation", "attempt") int32_t host_attempt(void);
HOST_FROM("invocation", "deadline-ms") void host_deadline_ms(host_option_u64 *);
HOST_FROM("invocation", "trace-header") void host_trace_header(host_option_string *);
HOST_FROM("log", "write")
void host_log_write(int32_t level, const char *message, size_t len, const gristmill_string_field *, size_t count);
HOST_FROM("log", "print") void host_log_print(int32_t to, const char *text, size_t len);

#endif
