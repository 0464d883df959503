// Records made by hand, for the unit tests of handlers in a native build: the JSON that Lambda would send of them.
#include "internal.h"

#ifndef __wasm__
#include "gristmill_testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gristmill_test {
    gristmill_event event_name;
    const char *table, *view_type, *arn, *event_id, *sequence_number, *identity_type, *principal_id;
    gristmill_value *keys, *old, *new;
    uint64_t created_at_ms;
    bool has_created_at;
};

// 2026-01-05T09:30:00Z, which is also the label of the stream.
#define CREATED_AT_S 1767605400u
#define FIRST_EVENT_ID "1a87201789a6e14315b8038ebbd3b99d"
#define FIRST_SEQUENCE_NUMBER "261800000000059086429283"

static _Noreturn void mistake(const char *what, const char *name) {
    fprintf(stderr, "gristmill_testing: %s: %s\n", name, what);
    abort();
}

static const char *kept(const char *text) { return gm_copy(text, gm_length(text)).ptr; }

static gristmill_test *new_test(gristmill_event event, const char *table) {
    size_t len = table ? strspn(table, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.") : 0;
    if (!len || table[len]) mistake("no table's name: a-z, A-Z, 0-9, `_`, `-` and `.`", table ? table : "NULL");
    gristmill_test *test = gristmill_alloc(sizeof *test);
    memset(test, 0, sizeof *test);
    gm_writer arn = {0};
    gm_put_text(&arn, "arn:aws:dynamodb:us-east-1:123456789012:table/");
    gm_put_text(&arn, table);
    gm_put_text(&arn, "/stream/2026-01-05T09:30:00.000");
    test->event_name = event;
    test->table = kept(table);
    test->arn = arn.ptr;
    test->view_type = "NEW_AND_OLD_IMAGES";
    test->keys = gristmill_make_map();
    test->old = gristmill_make_map();
    test->new = gristmill_make_map();
    return test;
}

gristmill_test *gristmill_test_insert(const char *table) { return new_test(GRISTMILL_INSERT, table); }
gristmill_test *gristmill_test_modify(const char *table) { return new_test(GRISTMILL_MODIFY, table); }
gristmill_test *gristmill_test_remove(const char *table) { return new_test(GRISTMILL_REMOVE, table); }

gristmill_test *gristmill_test_ttl_delete(const char *table) {
    gristmill_test *test = new_test(GRISTMILL_REMOVE, table);
    gristmill_test_user_identity(test, "Service", "dynamodb.amazonaws.com");
    return test;
}

static void put(gristmill_value *map, const char *name, gristmill_value *value) {
    if (!gristmill_put(map, name, value)) mistake(value ? gristmill_error() : "no value was given, or one that cannot be", name);
}

void gristmill_test_key(gristmill_test *test, const char *name, gristmill_value *value) {
    if (value && value->type != GRISTMILL_S && value->type != GRISTMILL_N && value->type != GRISTMILL_B)
        mistake("DynamoDB takes a string (S), a number (N) or binary (B) for a key", name);
    put(test->keys, name, value);
    if (gristmill_count(test->keys) > 2) mistake("the third key: an item has a partition key and may have a sort key", name);
}

void gristmill_test_attribute(gristmill_test *test, const char *name, gristmill_value *value) {
    if (test->event_name != GRISTMILL_INSERT) put(test->old, name, value);
    if (test->event_name != GRISTMILL_REMOVE) put(test->new, name, value);
}

void gristmill_test_old(gristmill_test *test, const char *name, gristmill_value *value) {
    if (test->event_name == GRISTMILL_INSERT) mistake("an insert has no old image: there was no item", name);
    put(test->old, name, value);
}

void gristmill_test_new(gristmill_test *test, const char *name, gristmill_value *value) {
    if (test->event_name == GRISTMILL_REMOVE) mistake("a removal has no new image: there is no item", name);
    put(test->new, name, value);
}

static void put_json(gristmill_test *test, const char *json, const char *called,
                     void (*one)(gristmill_test *, const char *, gristmill_value *)) {
    if (!gm_is_utf8(gristmill_text(json))) mistake("not UTF-8", called);
    gristmill_value *item = gm_read(json, gm_length(json), true, called);
    if (!item) mistake(gristmill_error(), "DynamoDB JSON");
    for (size_t i = 0; i < item->as.of.count; i++) {
        gristmill_value *value = item->as.of.items[i];
        value->parent = NULL;
        one(test, value->name.ptr, value);
    }
}

void gristmill_test_old_json(gristmill_test *test, const char *json) { put_json(test, json, "old image", gristmill_test_old); }
void gristmill_test_new_json(gristmill_test *test, const char *json) { put_json(test, json, "new image", gristmill_test_new); }

void gristmill_test_view_type(gristmill_test *test, const char *view_type) {
    if (!view_type) view_type = "NULL";
    if (strcmp(view_type, "KEYS_ONLY") && strcmp(view_type, "NEW_IMAGE") && strcmp(view_type, "OLD_IMAGE") &&
        strcmp(view_type, "NEW_AND_OLD_IMAGES"))
        mistake("no view type: KEYS_ONLY, NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES", view_type);
    test->view_type = kept(view_type);
}

void gristmill_test_stream_arn(gristmill_test *test, const char *arn) {
    gristmill_string table, region;
    if (!gm_parse_arn(gristmill_text(arn), &table, &region))
        mistake("no stream's ARN: arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL", arn);
    test->arn = kept(arn);
}

void gristmill_test_event_id(gristmill_test *test, const char *id) { test->event_id = kept(id); }

void gristmill_test_sequence_number(gristmill_test *test, const char *digits) {
    if (!gm_is_digits(gristmill_text(digits))) mistake("no sequence number: decimal digits", digits);
    test->sequence_number = kept(digits);
}

void gristmill_test_created_at_ms(gristmill_test *test, uint64_t created_at_ms) {
    test->created_at_ms = created_at_ms;
    test->has_created_at = true;
}

void gristmill_test_user_identity(gristmill_test *test, const char *type, const char *principal_id) {
    test->identity_type = kept(type);
    test->principal_id = kept(principal_id);
}

// The image of an item with these attributes. A change never changes a key: it is another item then.
static gristmill_value *with_keys(const gristmill_test *test, const gristmill_value *attributes) {
    gristmill_value *whole = gristmill_make_map();
    if (!gristmill_count(test->keys)) mistake("the record has no key: say which item it is of, by gristmill_test_key", test->table);
    for (int keys = 1; keys >= 0; keys--) {
        const gristmill_value *from = keys ? test->keys : attributes;
        for (size_t i = 0; i < gristmill_count(from); i++) {
            gristmill_value *value = from->as.of.items[i];
            const gristmill_value *key = keys ? NULL : gristmill_get(test->keys, value->name.ptr);
            if (key && !gristmill_same(key, value)) mistake("the key has another value in an image", value->name.ptr);
            put(whole, value->name.ptr, value);
        }
    }
    return whole;
}

// Names and values in bytes, as a stream's SizeBytes counts them. What is in values is nested as deep as values are.
static size_t size(const gristmill_value *value, size_t levels) {
    bool negative = false;
    size_t sum = value->type == GRISTMILL_M || value->type == GRISTMILL_L ? 3 : 0;
    switch (value->type) {
    case GRISTMILL_S: return value->as.text.len;
    case GRISTMILL_N: {
        size_t digits = gm_number_digits(value->as.text, &negative);
        return (digits + 1) / 2 + 1 + negative;
    }
    case GRISTMILL_B: return value->as.bytes.len;
    case GRISTMILL_BOOL:
    case GRISTMILL_NULL: return 1;
    case GRISTMILL_SS:
    case GRISTMILL_NS:
    case GRISTMILL_BS:
    case GRISTMILL_M:
    case GRISTMILL_L: break;
    }
    for (size_t i = 0; i < value->as.of.count && levels; i++) {
        const gristmill_value *element = value->as.of.items[i];
        sum += size(element, levels - 1);
        if (value->type == GRISTMILL_M) sum += element->name.len + 1;
        if (value->type == GRISTMILL_L) sum += 1;
    }
    return sum;
}

// Without what a map has around it.
static size_t item_size(const gristmill_value *item) { return item ? size(item, GM_MAX_DEPTH) - 3 - gristmill_count(item) : 0; }

static void put_string(gm_writer *json, const char *name, const char *text) {
    gm_put_text(json, name);
    gm_write_string(json, gristmill_text(text));
}

static void put_item(gm_writer *json, const char *name, const gristmill_value *item) {
    if (!item) return;
    gm_put_text(json, name);
    if (!gm_write(json, item, true)) mistake("nested deeper than 64 levels", name);
}

// Hexadecimal or decimal digits, counted up.
static gristmill_string counted(const char *digits, size_t by, unsigned base) {
    gristmill_string text = gm_copy(digits, gm_length(digits));
    static const char all[] = "0123456789abcdef";
    for (size_t at = text.len; at-- > 0 && by;) {
        size_t sum = (size_t)(strchr(all, text.ptr[at]) - all) + by;
        ((char *)text.ptr)[at] = all[sum % base];
        by = sum / base;
    }
    return text;
}

static void put_record(gm_writer *json, const gristmill_test *test, size_t index) {
    bool carries_new = !strcmp(test->view_type, "NEW_IMAGE") || !strcmp(test->view_type, "NEW_AND_OLD_IMAGES");
    bool carries_old = !strcmp(test->view_type, "OLD_IMAGE") || !strcmp(test->view_type, "NEW_AND_OLD_IMAGES");
    gristmill_value *new = with_keys(test, test->new), *old = with_keys(test, test->old);
    if (!carries_new || test->event_name == GRISTMILL_REMOVE) new = NULL;
    if (!carries_old || test->event_name == GRISTMILL_INSERT) old = NULL;
    gristmill_string table, region;
    if (!gm_parse_arn(gristmill_text(test->arn), &table, &region)) mistake("no stream's ARN", test->arn);
    uint64_t created_at_ms = test->has_created_at ? test->created_at_ms : (CREATED_AT_S + index) * UINT64_C(1000);
    put_string(json, "{\"eventID\":", test->event_id ? test->event_id : counted(FIRST_EVENT_ID, index, 16).ptr);
    put_string(json, ",\"eventName\":", gristmill_event_text(test->event_name));
    put_string(json, ",\"eventVersion\":\"1.1\",\"eventSource\":\"aws:dynamodb\",\"awsRegion\":", region.ptr);
    if (test->identity_type) {
        put_string(json, ",\"userIdentity\":{\"principalId\":", test->principal_id);
        put_string(json, ",\"type\":", test->identity_type);
        gm_put_char(json, '}');
    }
    gm_put_text(json, ",\"dynamodb\":{\"ApproximateCreationDateTime\":");
    gm_put_u64(json, created_at_ms / 1000);
    if (created_at_ms % 1000) {
        char fraction[] = {'.', (char)('0' + created_at_ms / 100 % 10), (char)('0' + created_at_ms / 10 % 10),
                           (char)('0' + created_at_ms % 10)};
        gm_put(json, fraction, sizeof fraction);
    }
    put_item(json, ",\"Keys\":", test->keys);
    put_item(json, ",\"NewImage\":", new);
    put_item(json, ",\"OldImage\":", old);
    put_string(json, ",\"SequenceNumber\":",
               test->sequence_number ? test->sequence_number : counted(FIRST_SEQUENCE_NUMBER, index, 10).ptr);
    gm_put_text(json, ",\"SizeBytes\":");
    gm_put_u64(json, item_size(test->keys) + item_size(new) + item_size(old));
    put_string(json, ",\"StreamViewType\":", test->view_type);
    put_string(json, "},\"eventSourceARN\":", test->arn);
    gm_put_char(json, '}');
}

gristmill_string gristmill_test_json(gristmill_test *test) {
    gm_writer json = {0};
    put_record(&json, test, 0);
    return gm_written(&json);
}

gristmill_string gristmill_test_event(gristmill_test *const *tests, size_t count) {
    gm_writer json = {0};
    gm_put_text(&json, "{\"Records\":[");
    for (size_t i = 0; i < count; i++) {
        if (strcmp(tests[i]->arn, tests[0]->arn)) mistake("an event is of one stream, and this is another", tests[i]->arn);
        gm_put_text(&json, i ? ",\n" : "\n");
        put_record(&json, tests[i], i);
    }
    gm_put_text(&json, count ? "\n]}\n" : "]}\n");
    return gm_written(&json);
}

gristmill_record *gristmill_test_record(gristmill_test *test) {
    gristmill_string json = gristmill_test_json(test);
    gristmill_record *record = gristmill_test_record_from_json(json.ptr, json.len);
    if (!record) mistake(gristmill_error(), test->table);
    return record;
}
#endif
