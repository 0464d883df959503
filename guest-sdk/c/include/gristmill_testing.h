// Records made by hand, for the unit tests of handlers in a native build: compile src/*.c and tests together, with no
// WebAssembly.
//
//     gristmill_test *paid = gristmill_test_modify("orders");
//     gristmill_test_key(paid, "id", gristmill_make_string("1"));
//     gristmill_test_old(paid, "status", gristmill_make_string("new"));
//     gristmill_test_new(paid, "status", gristmill_make_string("paid"));
//     gristmill_result result = gristmill_test_call(file, gristmill_test_record(paid));
//     assert(result.outcome == GRISTMILL_OUTCOME_OK);
//     gristmill_test_end();
//
// What a test does not say has a value that AWS could have sent: ids, sequence number, ARN, time, size; the same calls make
// the same record. Whoever asks for a record that cannot be, such as an insert with an old image, is told on stderr and
// aborted. Log lines go to stderr and are kept; the invocation has stand-ins.
#ifndef GRISTMILL_TESTING_H
#define GRISTMILL_TESTING_H

#include "gristmill.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gristmill_test gristmill_test;

// What happened to an item of this table.
gristmill_test *gristmill_test_insert(const char *table);
gristmill_test *gristmill_test_modify(const char *table);
gristmill_test *gristmill_test_remove(const char *table);
// Time to Live deleted it.
gristmill_test *gristmill_test_ttl_delete(const char *table);

// A key attribute, part of every image by itself: the partition key, and a second for the sort key.
void gristmill_test_key(gristmill_test *test, const char *name, gristmill_value *value);
// An attribute that the change left as it was, part of each image that the change has.
void gristmill_test_attribute(gristmill_test *test, const char *name, gristmill_value *value);
// An attribute before the change, and one after it.
void gristmill_test_old(gristmill_test *test, const char *name, gristmill_value *value);
void gristmill_test_new(gristmill_test *test, const char *name, gristmill_value *value);
// Attributes from DynamoDB JSON, `{"paid":{"BOOL":true}}`.
void gristmill_test_old_json(gristmill_test *test, const char *json);
void gristmill_test_new_json(gristmill_test *test, const char *json);

// `KEYS_ONLY`, `NEW_IMAGE`, `OLD_IMAGE` or `NEW_AND_OLD_IMAGES`, which it is otherwise.
void gristmill_test_view_type(gristmill_test *test, const char *view_type);
void gristmill_test_stream_arn(gristmill_test *test, const char *arn);
void gristmill_test_event_id(gristmill_test *test, const char *id);
void gristmill_test_sequence_number(gristmill_test *test, const char *digits);
void gristmill_test_created_at_ms(gristmill_test *test, uint64_t created_at_ms);
void gristmill_test_user_identity(gristmill_test *test, const char *type, const char *principal_id);

// The record, as a handler is given it.
gristmill_record *gristmill_test_record(gristmill_test *test);
// The record as Lambda sends it, one element of an event's `Records`; and a whole event, for `gristmill invoke --event`.
gristmill_string gristmill_test_json(gristmill_test *test);
gristmill_string gristmill_test_event(gristmill_test *const *tests, size_t count);
// A record that was caught elsewhere: one element of an event's `Records`. NULL, with gristmill_error(), when it is none.
gristmill_record *gristmill_test_record_from_json(const char *json, size_t len);

// Calls a handler as the host does.
gristmill_result gristmill_test_call(gristmill_result (*handler)(gristmill_record *), gristmill_record *record);

// The lines that were logged since the last gristmill_test_end().
typedef struct {
    gristmill_level level;
    gristmill_string message;
    const gristmill_string_field *fields;
    size_t count;
} gristmill_test_line;
size_t gristmill_test_line_count(void);
const gristmill_test_line *gristmill_test_line_at(size_t index);

// Ends a test: whatever the SDK gave is no more.
void gristmill_test_end(void);

#ifdef __cplusplus
}
#endif
#endif
