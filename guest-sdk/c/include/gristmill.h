// Write handlers of DynamoDB stream records for gristmill in C, or in C++. README.md has an example.
//
// Everything that a function here gives (strings, values, the record) is valid until the handler returns, and is never
// freed by the handler. Every string that comes from here ends with a zero byte, which its length does not count, so that
// `%s` prints it; a string may have zero bytes of its own, which only the length tells.
#ifndef GRISTMILL_H
#define GRISTMILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRISTMILL_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define GRISTMILL_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
// What fails has to be looked at.
#define GRISTMILL_CHECKED __attribute__((__warn_unused_result__))
#else
#define GRISTMILL_PRINTF(text, first)
#define GRISTMILL_CHECKED
#endif

// ---- Texts and memory

typedef struct {
    const char *ptr; // UTF-8, with a zero byte behind it
    size_t len;      // in bytes
} gristmill_string;

typedef struct {
    const uint8_t *ptr;
    size_t len;
} gristmill_bytes;

// A text that ends with a zero byte, as it is: no copy is made.
gristmill_string gristmill_text(const char *text);
bool gristmill_equals(gristmill_string string, const char *text);
// As sprintf.
gristmill_string gristmill_format(const char *format, ...) GRISTMILL_PRINTF(1, 2);
// Memory until the handler returns, aligned for everything, filled with nothing. Never NULL: where there is no more, the
// call ends with a trap and a line in the log. What has to live longer, which needs `instance-per = "invocation"`, is
// malloc's.
void *gristmill_alloc(size_t size_bytes);

// ---- The outcome of a handler

typedef enum { GRISTMILL_OUTCOME_OK, GRISTMILL_OUTCOME_RETRY, GRISTMILL_OUTCOME_REJECT } gristmill_outcome;

typedef struct {
    gristmill_outcome outcome;
    gristmill_string text; // for people; the host keeps a bounded part of it
} gristmill_result;

// The record need not come again.
gristmill_result gristmill_ok(void);
// It may go better next time: deliver the record again. The text is copied.
gristmill_result gristmill_retry(const char *text);
gristmill_result gristmill_retryf(const char *format, ...) GRISTMILL_PRINTF(1, 2);
// It will never go better.
gristmill_result gristmill_reject(const char *text);
gristmill_result gristmill_rejectf(const char *format, ...) GRISTMILL_PRINTF(1, 2);

// What was wrong in the last of the functions below that failed in this call, and where: `new image: orders[3].price:
// expected a number (N), found a string (S)`. Empty when none did.
const char *gristmill_error(void);

// ---- The record

typedef struct gristmill_record gristmill_record;
typedef struct gristmill_value gristmill_value;

// Makes a function the handler of this component: once, in one file. The function takes a `gristmill_record *` and gives
// a `gristmill_result`. When there is none, or a second one, the linker names the symbol below.
#ifdef __cplusplus
#define GRISTMILL_HANDLER(function)                                                                                    \
    extern "C" gristmill_result gristmill_handler_made_by_GRISTMILL_HANDLER(gristmill_record *record) {                \
        return function(record);                                                                                       \
    }                                                                                                                  \
    static_assert(true, "")
#else
#define GRISTMILL_HANDLER(function)                                                                                    \
    gristmill_result gristmill_handler_made_by_GRISTMILL_HANDLER(gristmill_record *record) { return function(record); } \
    _Static_assert(1, "")
#endif
gristmill_result gristmill_handler_made_by_GRISTMILL_HANDLER(gristmill_record *record);

typedef enum { GRISTMILL_INSERT, GRISTMILL_MODIFY, GRISTMILL_REMOVE } gristmill_event;

typedef struct {
    gristmill_string type;         // for example `Service`
    gristmill_string principal_id; // for example `dynamodb.amazonaws.com`
} gristmill_identity;

// Nothing of a record is copied out of the host before it is asked for, and a text of it once.

// The record's `eventID`, the same on every delivery.
gristmill_string gristmill_event_id(gristmill_record *record);
// The table's name, as it stands in the stream's ARN.
gristmill_string gristmill_table(gristmill_record *record);
gristmill_string gristmill_stream_arn(gristmill_record *record);
gristmill_string gristmill_region(gristmill_record *record);
// Decimal digits, too many for any integer type.
gristmill_string gristmill_sequence_number(gristmill_record *record);
gristmill_event gristmill_event_name(gristmill_record *record);
// `INSERT`, `MODIFY` or `REMOVE`.
const char *gristmill_event_text(gristmill_event event);
// Each of these is false when the record does not say.
bool gristmill_size_bytes(gristmill_record *record, uint64_t *size_bytes);
bool gristmill_created_at_ms(gristmill_record *record, uint64_t *created_at_ms);
bool gristmill_user_identity(gristmill_record *record, gristmill_identity *identity);
// Whether Time to Live deleted the item.
bool gristmill_is_ttl_delete(gristmill_record *record);

// The item's key attributes: a map.
const gristmill_value *gristmill_keys(gristmill_record *record);
// The item after the change, and before it: a map. NULL when the record has none, which is not the same as one without
// attributes. NULL too when it cannot be read, which DynamoDB never sends: gristmill_error() has the reason then, and a
// handler that returns gristmill_ok() nevertheless has failed, with that reason as a retry.
const gristmill_value *gristmill_new_image(gristmill_record *record);
const gristmill_value *gristmill_old_image(gristmill_record *record);
// The same as DynamoDB JSON, byte for byte as it came; false when the record has none.
gristmill_string gristmill_keys_json(gristmill_record *record);
bool gristmill_new_image_json(gristmill_record *record, gristmill_string *json);
bool gristmill_old_image_json(gristmill_record *record, gristmill_string *json);
// The whole record, byte for byte as it came.
gristmill_string gristmill_json(gristmill_record *record);
// The record in one line, for people: `INSERT orders keys {"id":{"S":"1"}} new {"id":{"S":"1"}}`.
gristmill_string gristmill_display(gristmill_record *record);

// Whether an attribute differs between the old image and the new one. Values are compared by what they mean: 1 and 1.0
// are one number, sets and maps have no order. Of an insert every attribute has changed, of a removal too. Fails, with
// gristmill_error(), when the stream's view type keeps back an image that the answer needs.
GRISTMILL_CHECKED bool gristmill_changed(gristmill_record *record, const char *attribute, bool *changed);

// ---- Values

typedef enum {
    GRISTMILL_S,    // a string
    GRISTMILL_N,    // a number, of up to 38 digits
    GRISTMILL_B,    // binary
    GRISTMILL_SS,   // a set of strings
    GRISTMILL_NS,   // a set of numbers
    GRISTMILL_BS,   // a set of binaries
    GRISTMILL_M,    // a map
    GRISTMILL_L,    // a list
    GRISTMILL_BOOL, // true or false
    GRISTMILL_NULL  // null, which is not the same as an absent attribute
} gristmill_type;

// GRISTMILL_NULL for no value too: gristmill_has() tells what is there.
gristmill_type gristmill_type_of(const gristmill_value *value);
// `a number (N)`: for messages.
const char *gristmill_type_name(gristmill_type type);

// An attribute of a map, by its name; NULL when it is absent, or when this is no map.
const gristmill_value *gristmill_get(const gristmill_value *map, const char *name);
// How many elements a list, a set or a map has; 0 for any other value.
size_t gristmill_count(const gristmill_value *container);
// The element at this place of a list, a set or a map, in the order in which they came; NULL behind the last.
const gristmill_value *gristmill_at(const gristmill_value *container, size_t index);
// The name of an attribute in its map.
gristmill_string gristmill_name(const gristmill_value *attribute);
// Goes over the elements of a list, a set or a map: GRISTMILL_EACH(price, prices) { … }
#define GRISTMILL_EACH(element, container)                                                                             \
    for (size_t gristmill_index_##element = 0, gristmill_once_##element = 1;                                           \
         gristmill_once_##element && gristmill_index_##element < gristmill_count(container);                           \
         ++gristmill_index_##element)                                                                                  \
        for (const gristmill_value *element = (gristmill_once_##element = 0,                                           \
                                               gristmill_at(container, gristmill_index_##element));                    \
             !gristmill_once_##element; gristmill_once_##element = 1)

// What a value is, as a type of C: exactly, or false and gristmill_error(). 1E2 and 100.0 are the integer 100; 1.5 is
// none. NULL for a value is an attribute that is missing.
GRISTMILL_CHECKED bool gristmill_as_string(const gristmill_value *value, gristmill_string *string);
GRISTMILL_CHECKED bool gristmill_as_i64(const gristmill_value *value, int64_t *number);
GRISTMILL_CHECKED bool gristmill_as_u64(const gristmill_value *value, uint64_t *number);
GRISTMILL_CHECKED bool gristmill_as_i32(const gristmill_value *value, int32_t *number);
GRISTMILL_CHECKED bool gristmill_as_u32(const gristmill_value *value, uint32_t *number);
// The nearest double: of 38 digits it keeps 15 to 17.
GRISTMILL_CHECKED bool gristmill_as_double(const gristmill_value *value, double *number);
// All the digits, as they came.
GRISTMILL_CHECKED bool gristmill_as_number_text(const gristmill_value *value, gristmill_string *text);
GRISTMILL_CHECKED bool gristmill_as_bool(const gristmill_value *value, bool *boolean);
GRISTMILL_CHECKED bool gristmill_as_bytes(const gristmill_value *value, gristmill_bytes *bytes);

// The same for an attribute of a map, by its name.
GRISTMILL_CHECKED bool gristmill_get_string(const gristmill_value *map, const char *name, gristmill_string *string);
GRISTMILL_CHECKED bool gristmill_get_i64(const gristmill_value *map, const char *name, int64_t *number);
GRISTMILL_CHECKED bool gristmill_get_u64(const gristmill_value *map, const char *name, uint64_t *number);
GRISTMILL_CHECKED bool gristmill_get_i32(const gristmill_value *map, const char *name, int32_t *number);
GRISTMILL_CHECKED bool gristmill_get_u32(const gristmill_value *map, const char *name, uint32_t *number);
GRISTMILL_CHECKED bool gristmill_get_double(const gristmill_value *map, const char *name, double *number);
GRISTMILL_CHECKED bool gristmill_get_number_text(const gristmill_value *map, const char *name, gristmill_string *text);
GRISTMILL_CHECKED bool gristmill_get_bool(const gristmill_value *map, const char *name, bool *boolean);
GRISTMILL_CHECKED bool gristmill_get_bytes(const gristmill_value *map, const char *name, gristmill_bytes *bytes);
// An attribute that has to be of this type, for example a map, a list or a set.
GRISTMILL_CHECKED bool gristmill_get_typed(const gristmill_value *map, const char *name, gristmill_type type,
                                           const gristmill_value **value);
// Whether an attribute is there and not null: for one that may be missing, before one of the above.
bool gristmill_has(const gristmill_value *map, const char *name);

// Whether two values are one to DynamoDB: 1 and 1.0 are one number, sets and maps have no order.
bool gristmill_same(const gristmill_value *a, const gristmill_value *b);

// DynamoDB JSON of a value (`{"S":"text"}`), and of a map as an item (`{"id":{"S":"1"}}`), without white space. The
// pointer is NULL, with gristmill_error(), when it is nested deeper than 64 levels.
gristmill_string gristmill_value_json(const gristmill_value *value);
gristmill_string gristmill_item_json(const gristmill_value *map);
// Reads them; NULL, with gristmill_error(), when the text is not DynamoDB JSON in UTF-8, has a name twice or an impossible
// number, or is nested deeper than 64 levels. DynamoDB allows 32.
gristmill_value *gristmill_value_from_json(const char *json, size_t len);
gristmill_value *gristmill_item_from_json(const char *json, size_t len);

// Values made by hand. Texts are copied, and have to be UTF-8.
gristmill_value *gristmill_make_string(const char *text);
gristmill_value *gristmill_make_string_of(const char *text, size_t len);
// A decimal number as DynamoDB has them; NULL, with gristmill_error(), for any other text.
gristmill_value *gristmill_make_number(const char *text);
gristmill_value *gristmill_make_i64(int64_t number);
gristmill_value *gristmill_make_u64(uint64_t number);
// The shortest text that is this number again. NULL, with gristmill_error(), for what DynamoDB has no number for.
gristmill_value *gristmill_make_double(double number);
gristmill_value *gristmill_make_bytes(const void *bytes, size_t len);
gristmill_value *gristmill_make_bool(bool boolean);
gristmill_value *gristmill_make_null(void);
gristmill_value *gristmill_make_map(void);
gristmill_value *gristmill_make_list(void);
// GRISTMILL_SS, GRISTMILL_NS or GRISTMILL_BS.
gristmill_value *gristmill_make_set(gristmill_type type);
// Puts an attribute into a map, in the place of one of the same name. False, with gristmill_error(), when the value is
// NULL or this is no map.
bool gristmill_put(gristmill_value *map, const char *name, gristmill_value *value);
// Adds an element to a list or a set. False, with gristmill_error(), when it cannot be in there.
bool gristmill_add(gristmill_value *list, gristmill_value *value);

// ---- The invocation

// The id of the Lambda invocation. A delivery that repeats an unchanged batch keeps its id.
gristmill_string gristmill_request_id(void);
// This handler's name in the manifest.
gristmill_string gristmill_handler_name(void);
gristmill_string gristmill_function_name(void);
gristmill_string gristmill_function_version(void);
// Which try this is, as far as this execution environment knows: the tries of this record at this handler that failed
// here, and this one. At least 1. A call that was cut for want of time is no try. A lower bound, not for decisions.
uint32_t gristmill_attempt(void);
// When the host will stop this call, in milliseconds since the Unix epoch, and how long that is from now. False when
// nothing limits it.
bool gristmill_deadline_ms(uint64_t *deadline_ms);
bool gristmill_remaining_ms(uint64_t *remaining_ms);
// The AWS X-Ray trace header; false when there is none.
bool gristmill_trace_header(gristmill_string *header);

// ---- Log lines, one call of the host each. What is printed is logged too, a line each, without level and fields.

typedef enum {
    GRISTMILL_TRACE,
    GRISTMILL_DEBUG,
    GRISTMILL_INFO,
    GRISTMILL_WARN,
    GRISTMILL_ERROR,
    GRISTMILL_CRITICAL
} gristmill_level;

typedef struct {
    const char *name, *value;
} gristmill_field;

typedef struct {
    gristmill_string name, value;
} gristmill_string_field;

// gristmill_log(GRISTMILL_INFO, "paid", (gristmill_field[]){{"order", "7"}, {"by", "card"}}, 2);
void gristmill_log(gristmill_level level, const char *message, const gristmill_field *fields, size_t count);
// The same for texts that may have zero bytes in them.
void gristmill_log_strings(gristmill_level level, gristmill_string message, const gristmill_string_field *fields,
                           size_t count);
void gristmill_logf(gristmill_level level, const char *format, ...) GRISTMILL_PRINTF(2, 3);
void gristmill_tracef(const char *format, ...) GRISTMILL_PRINTF(1, 2);
void gristmill_debugf(const char *format, ...) GRISTMILL_PRINTF(1, 2);
void gristmill_infof(const char *format, ...) GRISTMILL_PRINTF(1, 2);
void gristmill_warnf(const char *format, ...) GRISTMILL_PRINTF(1, 2);
void gristmill_errorf(const char *format, ...) GRISTMILL_PRINTF(1, 2);
void gristmill_criticalf(const char *format, ...) GRISTMILL_PRINTF(1, 2);

#ifdef __cplusplus
}
#endif
#endif
