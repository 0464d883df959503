// What the files of the SDK know of one another, and a handler does not.
#ifndef GRISTMILL_INTERNAL_H
#define GRISTMILL_INTERNAL_H

#include "events.h"

// How deep lists and maps may be nested. DynamoDB allows 32 levels; twice that leaves room.
#define GM_MAX_DEPTH 64

// ---- memory.c: what lives until the handler returns

void *gm_allocate(size_t size, size_t align);
// Makes the last of the allocations longer where it is, any other in another place.
void *gm_reallocate(void *old, size_t old_size, size_t align, size_t size);
void gm_free_all(void);
// Writes the text to the log and traps.
_Noreturn void gm_die(const char *text);

// ---- text.c

// A text in the making. It is always followed by a zero byte.
typedef struct {
    char *ptr;
    size_t len, capacity;
} gm_writer;
void gm_put(gm_writer *writer, const char *text, size_t len);
void gm_put_text(gm_writer *writer, const char *text);
void gm_put_char(gm_writer *writer, char character);
void gm_put_u64(gm_writer *writer, uint64_t number);
// As Rust's {:?} writes a string, or the first of its characters.
void gm_put_quoted(gm_writer *writer, const char *text, size_t len, size_t max_characters, char quote);
gristmill_string gm_written(const gm_writer *writer);
gristmill_string gm_copy(const char *text, size_t len);
bool gm_is_utf8(gristmill_string text);
// The same text, with U+FFFD for what is not UTF-8: the host takes nothing else.
gristmill_string gm_utf8(gristmill_string text);
size_t gm_length(const char *text);
bool gm_equal(gristmill_string a, gristmill_string b);

// ---- number.c

typedef enum { GM_NUMBER_OK, GM_NOT_DECIMAL, GM_TOO_MANY_DIGITS, GM_OUT_OF_RANGE, GM_FRACTION, GM_DOES_NOT_FIT } gm_number;
gm_number gm_number_check(const char *text, size_t len);
// The magnitude times ten to the `shift`, without its fraction.
gm_number gm_number_magnitude(const char *text, size_t len, int shift, bool *negative, uint64_t *magnitude,
                              bool *fraction);
bool gm_number_same(gristmill_string a, gristmill_string b);
int gm_number_compare(gristmill_string a, gristmill_string b);
// The number of significant digits, and whether it is below zero: what a number's size is made of.
size_t gm_number_digits(gristmill_string number, bool *negative);
void gm_put_number_error(gm_writer *writer, gm_number error, const char *text, size_t len, const char *target);

// ---- value.c

struct gristmill_value {
    gristmill_value *parent;
    gristmill_string name; // in a map; of a root: what errors call it, such as `new image`
    size_t index;          // in a list or a set
    gristmill_type type;
    union {
        gristmill_string text; // S, N
        gristmill_bytes bytes; // B
        bool boolean;          // BOOL
        struct {
            gristmill_value **items;
            gristmill_value **sorted; // by name: of a map that has many attributes and is complete
            size_t count, capacity;
        } of;
    } as;
};

bool gm_is_container(gristmill_type type);
gristmill_value *gm_make(gristmill_type type);
void gm_append(gristmill_value *container, gristmill_value *value);
// Sorts a map for lookups. The name that is there twice, if one is.
const gristmill_value *gm_sort(gristmill_value *map);
int gm_compare(gristmill_string a, gristmill_string b);

// Where an error is: a value, and maybe an attribute of it by name.
void gm_error(const gristmill_value *at, const char *name, gristmill_string message);
void gm_error_text(const gristmill_value *at, const char *name, const char *message);
void gm_no_error(void);

// ---- read.c

// JSON text, which is written over as strings are decoded. It ends with a zero byte.
typedef struct {
    char *start, *at, *end;
    size_t depth;
    gm_writer message; // the first error
} gm_scan;

gm_scan gm_scan_of(const char *json, size_t len);
bool gm_expect(gm_scan *scan, char byte);
bool gm_scan_string(gm_scan *scan, gristmill_string *string);
// 1: another element, 0: over the closing bracket, -1: an error.
int gm_scan_next(gm_scan *scan, bool first, char bracket);
// Passes over one JSON value of any kind, and gives its text.
bool gm_scan_raw(gm_scan *scan, gristmill_string *text);
bool gm_scan_end(gm_scan *scan);
// NULL after gm_error().
gristmill_value *gm_read(const char *json, size_t len, bool item, const char *called);

// ---- write.c

bool gm_write(gm_writer *writer, const gristmill_value *value, bool item);
void gm_write_string(gm_writer *writer, gristmill_string text);
size_t gm_base64_decode(char *text, size_t len, size_t *wrong_at);

// ---- record.c

struct gristmill_record {
    host_record handle;
    gristmill_string texts[5]; // event id, table, ARN, Region, sequence number: as far as they were asked for
    gristmill_string json, keys_json;
    host_option_string new_json, old_json;
    bool has_new, has_old;
    gristmill_value *keys, *new_image, *old_image;
    // What an image that cannot be read turns an ok into.
    gristmill_string unreadable;
};

gristmill_result gm_call(gristmill_result (*handler)(gristmill_record *), gristmill_record *record);

// ---- stand_in.c, in a native build

// `arn:aws:dynamodb:us-west-2:112233445566:table/NAME/stream/LABEL`
bool gm_parse_arn(gristmill_string arn, gristmill_string *table, gristmill_string *region);
bool gm_is_digits(gristmill_string text);

#endif
