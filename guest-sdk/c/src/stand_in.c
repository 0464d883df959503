// The stand-in for the host in a native build: it has records, read from their JSON, and keeps the lines that are logged.
// Reads what the host reads out of a record, in the same way. It is no check of an event: the host does that.
#include "internal.h"

#ifndef __wasm__
#include "gristmill_testing.h"

#include <stdio.h>
#include <string.h>

// ---- The host's records

typedef struct {
    gristmill_string event_id, table, stream_arn, region, sequence_number, keys, json;
    gristmill_event event_name;
    host_option_u64 size_bytes, created_at_ms;
    host_option_identity identity;
    host_option_string new_image, old_image;
} local_record;

static local_record **records;
static size_t record_count, record_capacity;
static gristmill_test_line *lines;
static size_t line_count, line_capacity;

void host_event_id(host_record record, gristmill_string *text) { *text = records[record]->event_id; }
void host_table(host_record record, gristmill_string *text) { *text = records[record]->table; }
void host_stream_arn(host_record record, gristmill_string *text) { *text = records[record]->stream_arn; }
void host_region(host_record record, gristmill_string *text) { *text = records[record]->region; }
void host_sequence_number(host_record record, gristmill_string *text) { *text = records[record]->sequence_number; }
int32_t host_event_name(host_record record) { return (int32_t)records[record]->event_name; }
void host_size_bytes(host_record record, host_option_u64 *size) { *size = records[record]->size_bytes; }
void host_created_at_ms(host_record record, host_option_u64 *created) { *created = records[record]->created_at_ms; }
void host_user_identity(host_record record, host_option_identity *identity) { *identity = records[record]->identity; }
void host_keys(host_record record, gristmill_string *json) { *json = records[record]->keys; }
void host_new_image(host_record record, host_option_string *json) { *json = records[record]->new_image; }
void host_old_image(host_record record, host_option_string *json) { *json = records[record]->old_image; }
void host_json(host_record record, gristmill_string *json) { *json = records[record]->json; }

void host_request_id(gristmill_string *text) { *text = gristmill_text("00000000-0000-0000-0000-000000000000"); }
void host_handler(gristmill_string *text) { *text = gristmill_text("handler"); }
void host_function_name(gristmill_string *text) { *text = gristmill_text("function"); }
void host_function_version(gristmill_string *text) { *text = gristmill_text("$LATEST"); }
int32_t host_attempt(void) { return 1; }
void host_deadline_ms(host_option_u64 *deadline) { *deadline = (host_option_u64){0}; }
void host_trace_header(host_option_string *header) { *header = (host_option_string){0}; }

void host_log_write(int32_t level, const char *message, size_t len, const gristmill_string_field *fields, size_t count) {
    static const char *const names[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"};
    fprintf(stderr, "%s %.*s", names[level], (int)len, message);
    for (size_t i = 0; i < count; i++) {
        gm_writer value = {0};
        gm_put_quoted(&value, fields[i].value.ptr, fields[i].value.len, SIZE_MAX, '"');
        fprintf(stderr, " %.*s=%s", (int)fields[i].name.len, fields[i].name.ptr, value.ptr);
    }
    fputc('\n', stderr);
    if (line_count == line_capacity) {
        size_t capacity = line_capacity ? line_capacity * 2 : 8;
        lines = gm_reallocate(lines, line_capacity * sizeof *lines, _Alignof(gristmill_test_line), capacity * sizeof *lines);
        line_capacity = capacity;
    }
    gristmill_string_field *kept = count ? gristmill_alloc(count * sizeof *kept) : NULL;
    for (size_t i = 0; i < count; i++)
        kept[i] = (gristmill_string_field){gm_copy(fields[i].name.ptr, fields[i].name.len),
                                           gm_copy(fields[i].value.ptr, fields[i].value.len)};
    lines[line_count++] = (gristmill_test_line){(gristmill_level)level, gm_copy(message, len), kept, count};
}

size_t gristmill_test_line_count(void) { return line_count; }
const gristmill_test_line *gristmill_test_line_at(size_t index) { return index < line_count ? &lines[index] : NULL; }

void gristmill_test_end(void) {
    records = NULL;
    lines = NULL;
    record_count = record_capacity = line_count = line_capacity = 0;
    gm_no_error();
    gm_free_all();
}

gristmill_result gristmill_test_call(gristmill_result (*handler)(gristmill_record *), gristmill_record *record) {
    return gm_call(handler, record);
}

// ---- A record from its JSON

typedef struct {
    gristmill_string name, text;
} member;

// A JSON object, its names and the text of each value.
typedef struct {
    gristmill_string text;
    member *members;
    size_t count;
} object;

static bool not_a_record(const char *why) {
    gm_writer message = {0};
    gm_put_text(&message, "not a stream record: ");
    gm_put_text(&message, why);
    gm_error(NULL, NULL, gm_written(&message));
    return false;
}

static bool field_wrong(const char *path) {
    gm_writer why = {0};
    gm_put_text(&why, path);
    gm_put_text(&why, " is missing or wrong");
    return not_a_record(why.ptr);
}

static bool parse_object(gristmill_string text, object *found) {
    gm_scan scan = gm_scan_of(text.ptr, text.len);
    *found = (object){.text = text};
    size_t capacity = 0;
    bool ok = gm_expect(&scan, '{');
    int next = 0;
    while (ok && (next = gm_scan_next(&scan, found->count == 0, '}')) == 1) {
        if (found->count == capacity) {
            size_t larger = capacity ? capacity * 2 : 8;
            found->members = gm_reallocate(found->members, capacity * sizeof(member), _Alignof(member), larger * sizeof(member));
            capacity = larger;
        }
        member *one = &found->members[found->count++];
        gristmill_string raw;
        ok = gm_scan_string(&scan, &one->name) && gm_expect(&scan, ':') && gm_scan_raw(&scan, &raw);
        // From the text as it came: the scanner's own is written over.
        if (ok) one->text = gm_copy(text.ptr + (raw.ptr - scan.start), raw.len);
    }
    if (ok && next == 0 && gm_scan_end(&scan)) return true;
    return not_a_record(gm_written(&scan.message).ptr);
}

// null is as good as absent.
static const gristmill_string *raw(const object *in, const char *name) {
    for (size_t i = 0; i < in->count; i++)
        if (gristmill_equals(in->members[i].name, name) && !gristmill_equals(in->members[i].text, "null"))
            return &in->members[i].text;
    return NULL;
}

// An absent one is empty.
static bool string(const object *in, const char *name, gristmill_string *found) {
    const gristmill_string *text = raw(in, name);
    *found = gristmill_text("");
    if (!text) return true;
    gm_scan scan = gm_scan_of(text->ptr, text->len);
    return gm_scan_string(&scan, found) || field_wrong(name);
}

static bool image(const object *in, const char *name, host_option_string *found) {
    const gristmill_string *text = raw(in, name);
    object checked;
    *found = (host_option_string){0};
    if (!text) return true;
    if (!parse_object(*text, &checked)) return false;
    *found = (host_option_string){true, *text};
    return true;
}

static host_option_u64 number(const gristmill_string *text, int shift, bool whole) {
    bool negative, fraction;
    uint64_t magnitude;
    if (!text || gm_number_magnitude(text->ptr, text->len, shift, &negative, &magnitude, &fraction) != GM_NUMBER_OK)
        return (host_option_u64){0};
    if ((negative && magnitude) || (whole && fraction)) return (host_option_u64){0};
    return (host_option_u64){true, magnitude};
}

bool gm_parse_arn(gristmill_string arn, gristmill_string *table, gristmill_string *region) {
    gristmill_string parts[6];
    const char *at = arn.ptr, *end = arn.ptr + arn.len;
    for (size_t i = 0; i < 6; i++) {
        const char *colon = i < 5 ? memchr(at, ':', (size_t)(end - at)) : end;
        if (!colon) return false;
        parts[i] = gm_copy(at, (size_t)(colon - at));
        at = colon + 1;
    }
    if (!gristmill_equals(parts[0], "arn") || !gristmill_equals(parts[2], "dynamodb")) return false;
    const char *label = strstr(parts[5].ptr, "/stream/");
    if (strncmp(parts[5].ptr, "table/", 6) || !label || label < parts[5].ptr + 6) return false;
    *table = gm_copy(parts[5].ptr + 6, (size_t)(label - parts[5].ptr) - 6);
    *region = parts[3];
    return true;
}

bool gm_is_digits(gristmill_string text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9') return false;
    return text.len > 0;
}

static bool parse_record(gristmill_string json, local_record *record) {
    object whole, change, who;
    gristmill_string event_name, arn_region, region;
    host_option_string keys;
    if (!gm_is_utf8(json)) return not_a_record("not UTF-8");
    if (!parse_object(json, &whole)) return false;
    record->json = json;
    const gristmill_string *dynamodb = raw(&whole, "dynamodb"), *identity = raw(&whole, "userIdentity");
    if (!dynamodb) return field_wrong("dynamodb");
    if (!parse_object(*dynamodb, &change)) return false;
    if (!string(&whole, "eventSourceARN", &record->stream_arn) || !string(&whole, "eventName", &event_name) ||
        !string(&whole, "eventID", &record->event_id) || !string(&whole, "awsRegion", &region) ||
        !string(&change, "SequenceNumber", &record->sequence_number))
        return false;
    if (!gm_parse_arn(record->stream_arn, &record->table, &arn_region)) return field_wrong("eventSourceARN");
    record->region = raw(&whole, "awsRegion") ? region : arn_region;
    if (gristmill_equals(event_name, "INSERT")) record->event_name = GRISTMILL_INSERT;
    else if (gristmill_equals(event_name, "MODIFY")) record->event_name = GRISTMILL_MODIFY;
    else if (gristmill_equals(event_name, "REMOVE")) record->event_name = GRISTMILL_REMOVE;
    else return field_wrong("eventName");
    if (!gm_is_digits(record->sequence_number)) return field_wrong("dynamodb.SequenceNumber");
    if (identity) {
        if (!parse_object(*identity, &who) || !string(&who, "type", &record->identity.type) ||
            !string(&who, "principalId", &record->identity.principal_id))
            return false;
        record->identity.some = true;
    }
    record->size_bytes = number(raw(&change, "SizeBytes"), 0, true);
    record->created_at_ms = number(raw(&change, "ApproximateCreationDateTime"), 3, false);
    if (!image(&change, "Keys", &keys) || !image(&change, "NewImage", &record->new_image) ||
        !image(&change, "OldImage", &record->old_image))
        return false;
    if (!keys.some) return field_wrong("dynamodb.Keys");
    record->keys = keys.value;
    return true;
}

gristmill_record *gristmill_test_record_from_json(const char *json, size_t len) {
    local_record *local = gristmill_alloc(sizeof *local);
    gristmill_record *record = gristmill_alloc(sizeof *record);
    memset(local, 0, sizeof *local);
    memset(record, 0, sizeof *record);
    if (!parse_record(gm_copy(json, len), local)) return NULL;
    if (record_count == record_capacity) {
        size_t capacity = record_capacity ? record_capacity * 2 : 8;
        records = gm_reallocate(records, record_capacity * sizeof *records, sizeof(void *), capacity * sizeof *records);
        record_capacity = capacity;
    }
    record->handle = (host_record)record_count;
    records[record_count++] = local;
    return record;
}
#endif
