// The SDK's own tests, natively: `make test`.
#include "gristmill_testing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;
static const char *current = "";

#define CHECK(what)                                                                                                    \
    do {                                                                                                               \
        if (!(what)) {                                                                                                 \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, current, #what);                                    \
            failures++;                                                                                                \
        }                                                                                                              \
    } while (0)
#define CHECK_TEXT(found, expected)                                                                                    \
    do {                                                                                                               \
        const char *found_ = (found), *expected_ = (expected);                                                         \
        if (!found_ || strcmp(found_, expected_)) {                                                                    \
            fprintf(stderr, "%s:%d: %s: found    %s\n    expected %s\n", __FILE__, __LINE__, current,                  \
                    found_ ? found_ : "NULL", expected_);                                                              \
            failures++;                                                                                                \
        }                                                                                                              \
    } while (0)

static const char MODIFY[] =
    "{\"eventID\":\"1a87201789a6e14315b8038ebbd3b99d\",\"eventName\":\"MODIFY\",\"eventVersion\":\"1.1\",\"eventSource\":"
    "\"aws:dynamodb\",\"awsRegion\":\"us-west-2\",\"dynamodb\":{\"ApproximateCreationDateTime\":1550272599,\"Keys\":{\"id\":"
    "{\"S\":\"1\"}},\"NewImage\":{\"name\":{\"S\":\"Tung Nguyen\"},\"id\":{\"S\":\"1\"}},\"OldImage\":{\"name\":{\"S\":\"Tung\"},"
    "\"id\":{\"S\":\"1\"}},\"SequenceNumber\":\"261800000000059086429283\",\"SizeBytes\":32,\"StreamViewType\":"
    "\"NEW_AND_OLD_IMAGES\"},\"eventSourceARN\":\"arn:aws:dynamodb:us-west-2:112233445566:table/test-table/stream/"
    "2019-02-15T23:01:06.871\"}";

static gristmill_value *item(const char *json) { return gristmill_item_from_json(json, strlen(json)); }

static const gristmill_value *one(const char *value) {
    gristmill_string json = gristmill_format("{\"v\":%s}", value);
    return gristmill_get(gristmill_item_from_json(json.ptr, json.len), "v");
}

static void a_record_has_everything_that_its_json_has(void) {
    gristmill_record *record = gristmill_test_record_from_json(MODIFY, strlen(MODIFY));
    uint64_t number = 0;
    gristmill_identity identity;
    gristmill_string text;
    CHECK(record);
    if (!record) return;
    CHECK_TEXT(gristmill_event_id(record).ptr, "1a87201789a6e14315b8038ebbd3b99d");
    CHECK_TEXT(gristmill_table(record).ptr, "test-table");
    CHECK_TEXT(gristmill_stream_arn(record).ptr,
               "arn:aws:dynamodb:us-west-2:112233445566:table/test-table/stream/2019-02-15T23:01:06.871");
    CHECK_TEXT(gristmill_region(record).ptr, "us-west-2");
    CHECK_TEXT(gristmill_sequence_number(record).ptr, "261800000000059086429283");
    CHECK(gristmill_event_name(record) == GRISTMILL_MODIFY);
    CHECK(gristmill_size_bytes(record, &number) && number == 32);
    CHECK(gristmill_created_at_ms(record, &number) && number == 1550272599000);
    CHECK(!gristmill_user_identity(record, &identity));
    CHECK(!gristmill_is_ttl_delete(record));
    CHECK_TEXT(gristmill_keys_json(record).ptr, "{\"id\":{\"S\":\"1\"}}");
    CHECK_TEXT(gristmill_json(record).ptr, MODIFY);
    CHECK(gristmill_get_string(gristmill_old_image(record), "name", &text) && gristmill_equals(text, "Tung"));
    CHECK_TEXT(gristmill_display(record).ptr, "MODIFY test-table keys {\"id\":{\"S\":\"1\"}} old {\"name\":{\"S\":\"Tung\"},"
                                              "\"id\":{\"S\":\"1\"}} new {\"name\":{\"S\":\"Tung Nguyen\"},\"id\":{\"S\":\"1\"}}");
    bool changed = false;
    CHECK(gristmill_changed(record, "name", &changed) && changed);
    CHECK(gristmill_changed(record, "id", &changed) && !changed);
    CHECK(gristmill_changed(record, "other", &changed) && !changed);
    int64_t wrong;
    CHECK(!gristmill_get_i64(gristmill_new_image(record), "name", &wrong));
    CHECK_TEXT(gristmill_error(), "new image: name: expected a number (N), found a string (S)");
    CHECK(!gristmill_get_i64(gristmill_new_image(record), "price", &wrong));
    CHECK_TEXT(gristmill_error(), "new image: price: the attribute is missing");
}

static void absent_and_empty_images_are_two_things(void) {
    static const char removed[] =
        "{\"eventName\":\"REMOVE\",\"dynamodb\":{\"Keys\":{\"id\":{\"S\":\"1\"}},\"OldImage\":{},\"SequenceNumber\":\"1\"},"
        "\"userIdentity\":{\"type\":\"Service\",\"principalId\":\"dynamodb.amazonaws.com\"},"
        "\"eventSourceARN\":\"arn:aws:dynamodb:us-west-2:1:table/t/stream/l\"}";
    gristmill_record *record = gristmill_test_record_from_json(removed, strlen(removed));
    CHECK(record);
    if (!record) return;
    gristmill_string json;
    uint64_t number;
    CHECK(!gristmill_new_image(record) && !gristmill_new_image_json(record, &json));
    CHECK(gristmill_old_image(record) && gristmill_count(gristmill_old_image(record)) == 0);
    CHECK(gristmill_is_ttl_delete(record));
    CHECK_TEXT(gristmill_region(record).ptr, "us-west-2");
    CHECK_TEXT(gristmill_event_id(record).ptr, "");
    CHECK(!gristmill_size_bytes(record, &number) && !gristmill_created_at_ms(record, &number));
}

static gristmill_result takes_no_image_for_none(gristmill_record *record) {
    (void)gristmill_new_image(record);
    return gristmill_ok();
}

static void what_is_no_record_is_refused(void) {
    static const char *const wrong[] = {"", "{", "[]", "{}", "{\"dynamodb\":{}}", "{\"dynamodb\":{},\"eventSourceARN\":\"arn\"}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(!gristmill_test_record_from_json(wrong[i], strlen(wrong[i])) && strstr(gristmill_error(), "not a stream record: "));
    static const char unreadable[] =
        "{\"eventName\":\"INSERT\",\"dynamodb\":{\"Keys\":{\"id\":{\"S\":\"1\"}},\"NewImage\":{\"a\":{\"X\":1}},\"SequenceNumber\":"
        "\"1\"},\"eventSourceARN\":\"arn:aws:dynamodb:us-west-2:1:table/t/stream/l\"}";
    gristmill_record *record = gristmill_test_record_from_json(unreadable, strlen(unreadable));
    CHECK(record && !gristmill_new_image(record));
    CHECK_TEXT(gristmill_error(), "new image: a: \"X\" is no attribute type (S, N, B, SS, NS, BS, M, L, BOOL, NULL)");
    // Whatever failed in between: who asks again is told again, and so is who asks for a change.
    bool changed;
    for (int again = 0; again < 2; again++) {
        CHECK(!gristmill_make_number("x"));
        if (again) CHECK(!gristmill_changed(record, "a", &changed));
        else CHECK(!gristmill_new_image(record));
        CHECK(strstr(gristmill_error(), "new image: a: "));
    }
    static const char not_utf8[] =
        "{\"eventName\":\"INSERT\",\"dynamodb\":{\"Keys\":{\"id\":{\"S\":\"\xff\"}},\"SequenceNumber\":\"1\"},"
        "\"eventSourceARN\":\"arn:aws:dynamodb:us-west-2:1:table/t/stream/l\"}";
    CHECK(!gristmill_test_record_from_json(not_utf8, strlen(not_utf8)));
    CHECK_TEXT(gristmill_error(), "not a stream record: not UTF-8");
    gristmill_result result = gristmill_test_call(takes_no_image_for_none, record);
    CHECK(result.outcome == GRISTMILL_OUTCOME_RETRY && strstr(result.text.ptr, "is no attribute type"));
}

static void values_survive_a_round_trip(void) {
    static const char *const same[] = {
        "{}",
        "{\"a\":{\"S\":\"\"},\"b\":{\"S\":\"é😀\\n\\r\\t\\\"\\\\\\u0000\\u001f\"}}",
        "{\"n\":{\"N\":\"12345678901234567890123456789012345678\"},\"m\":{\"N\":\"1E-130\"},\"z\":{\"N\":\"-0\"},\"h\":{\"N\":"
        "\"9.9999999999999999999999999999999999999E+125\"}}",
        "{\"b\":{\"B\":\"\"},\"c\":{\"B\":\"AA==\"},\"d\":{\"B\":\"AAE=\"},\"e\":{\"B\":\"AAEC\"},\"f\":{\"BS\":[\"/f7/\",\"AA==\"]}}",
        "{\"l\":{\"L\":[{\"NULL\":true},{\"BOOL\":true},{\"BOOL\":false},{\"L\":[]},{\"M\":{}}]},\"s\":{\"SS\":[\"a\",\"b\"]},"
        "\"n\":{\"NS\":[\"1.50\",\"2\"]},\"m\":{\"M\":{\"x\":{\"M\":{\"y\":{\"L\":[{\"S\":\"z\"}]}}}}}}",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) CHECK_TEXT(gristmill_item_json(item(same[i])).ptr, same[i]);
    CHECK_TEXT(gristmill_item_json(item("\n{ \"a\" : { \"L\" : [ { \"N\" : \"1\" } , { \"BOOL\" : true } ] } , \"b\":{\"M\":{ }} }\t\r\n")).ptr,
               "{\"a\":{\"L\":[{\"N\":\"1\"},{\"BOOL\":true}]},\"b\":{\"M\":{}}}");
    CHECK_TEXT(gristmill_value_json(one("{\"S\":\"\\u00e9\\ud83d\\ude00\\/\\b\\f\"}")).ptr, "{\"S\":\"é😀/\\u0008\\u000c\"}");
    gristmill_string text;
    CHECK(gristmill_as_string(one("{\"S\":\"a\\u0000b\"}"), &text) && text.len == 3 && !memcmp(text.ptr, "a\0b", 4));
    gristmill_bytes bytes;
    CHECK(gristmill_as_bytes(one("{\"B\":\"AQI=\"}"), &bytes) && bytes.len == 2 && bytes.ptr[0] == 1 && bytes.ptr[1] == 2);
}

static void numbers_are_exact_or_refused(void) {
    int64_t i = 0;
    uint64_t u = 0;
    int32_t i32 = 0;
    uint32_t u32 = 0;
    double d = 0;
    static const struct {
        const char *text;
        int64_t number;
    } whole[] = {{"100", 100}, {"1E2", 100}, {"100.0", 100}, {"1.2e+2", 120}, {"00012", 12}, {"-0", 0}, {"0e999999999", 0},
                 {"-9223372036854775808", INT64_MIN}, {"9223372036854775807", INT64_MAX}, {"5.", 5}, {"+3", 3}};
    for (size_t n = 0; n < sizeof whole / sizeof *whole; n++)
        CHECK(gristmill_as_i64(one(gristmill_format("{\"N\":\"%s\"}", whole[n].text).ptr), &i) && i == whole[n].number);
    CHECK(gristmill_as_u64(one("{\"N\":\"1.8446744073709551615E19\"}"), &u) && u == UINT64_MAX);
    CHECK(gristmill_as_i32(one("{\"N\":\"-2147483648\"}"), &i32) && i32 == INT32_MIN);
    CHECK(gristmill_as_u32(one("{\"N\":\"4294967295\"}"), &u32) && u32 == UINT32_MAX);
    CHECK(!gristmill_as_i64(one("{\"N\":\"1.5\"}"), &i));
    CHECK_TEXT(gristmill_error(), "v: the number 1.5 has a fraction, and int64_t has none");
    CHECK(!gristmill_as_u32(one("{\"N\":\"-1\"}"), &u32));
    CHECK_TEXT(gristmill_error(), "v: the number -1 does not fit in uint32_t");
    CHECK(!gristmill_as_i64(one("{\"N\":\"9223372036854775808\"}"), &i));
    CHECK(!gristmill_as_u64(one("{\"N\":\"1E20\"}"), &u));
    CHECK(!gristmill_as_i64(one("{\"N\":\"9.9E125\"}"), &i));
    CHECK(!gristmill_as_i64(one("{\"N\":\"1E-130\"}"), &i));
    CHECK(gristmill_as_double(one("{\"N\":\"0.1\"}"), &d) && d == 0.1);
    CHECK(gristmill_as_double(one("{\"N\":\"-1E-130\"}"), &d) && d == -1e-130);
    static const char *const wrong[] = {"", "-", ".", "e1", "1e", "0x1", "1_000", "NaN", "inf", "1.2.3", " 1", "1 ", "--1",
                                        "1e1.5", "٣", "1e126", "1e-131", "1e999999999999999999999",
                                        "123456789012345678901234567890123456789"};
    for (size_t n = 0; n < sizeof wrong / sizeof *wrong; n++)
        CHECK(!one(gristmill_format("{\"N\":\"%s\"}", wrong[n]).ptr) && !gristmill_make_number(wrong[n]));
    CHECK(!one("{\"N\":\"x\"}"));
    CHECK_TEXT(gristmill_error(), "v: \"x\" is not a decimal number");
    CHECK(!one("{\"N\":1}"));
    CHECK_TEXT(gristmill_value_json(gristmill_make_i64(INT64_MIN)).ptr, "{\"N\":\"-9223372036854775808\"}");
    CHECK_TEXT(gristmill_value_json(gristmill_make_double(0.1)).ptr, "{\"N\":\"0.1\"}");
    CHECK_TEXT(gristmill_value_json(gristmill_make_double(0.30000000000000004)).ptr, "{\"N\":\"0.30000000000000004\"}");
    CHECK(!gristmill_make_double(NAN) && !gristmill_make_double(INFINITY) && !gristmill_make_double(1e300));
}

static void errors_name_the_place(void) {
    CHECK(!item("{\"a\":{\"L\":[{\"M\":{\"b\":{\"N\":\"x\"}}}]}}"));
    CHECK_TEXT(gristmill_error(), "a[0].b: \"x\" is not a decimal number");
    CHECK(!item("{\"a.b\":{\"M\":{\"c\\n\":{\"S\":1}}}}"));
    CHECK_TEXT(gristmill_error(), "[\"a.b\"][\"c\\n\"]: not JSON at byte 24: expected a string, found '1'");
    CHECK(!item("{\"v\":{\"NS\":[\"1\",\"?\"]}}"));
    CHECK_TEXT(gristmill_error(), "v[1]: \"?\" is not a decimal number");
    CHECK(!item("{\"a\":{\"S\":\"\"},\"b\":{\"M\":{\"c\":{\"S\":\"\"},\"\\u0063\":{\"S\":\"\"}}}}"));
    CHECK_TEXT(gristmill_error(), "b.c: the attribute is there twice");
    CHECK(!item("{\"v\":{\"S\":\"a\",\"N\":\"1\"}}"));
    CHECK_TEXT(gristmill_error(), "v: an attribute value with more than one type");
    CHECK(!item("{\"v\":{\"B\":\"A*==\"}}"));
    CHECK_TEXT(gristmill_error(), "v: not base64: wrong at byte 1 of the text");
    gristmill_string text;
    CHECK(!gristmill_as_string(gristmill_at(one("{\"L\":[{\"S\":\"\"},{\"N\":\"1\"}]}"), 1), &text));
    CHECK_TEXT(gristmill_error(), "v[1]: expected a string (S), found a number (N)");
}

static void hostile_texts_are_errors(void) {
    static const char *const wrong[] = {
        "", " ", "{", "[]", "null", "1", "\"x\"", "{\"v\"}", "{\"v\":}", "{\"v\":1}", "{\"v\":null}", "{\"v\":\"x\"}", "{\"v\":[]}",
        "{\"v\":{}}", "{\"v\":{\"S\"}}", "{\"v\":{\"S\":}}", "{\"v\":{\"S\":1}}", "{\"v\":{\"S\":null}}", "{\"v\":{\"S\":\"a\"}",
        "{\"v\":{\"S\":\"a\"},}", "{\"v\":{\"S\":\"a\",}}", "{,\"v\":{\"S\":\"a\"}}", "{\"v\":{\"S\":\"a\"}} x",
        "{\"v\":{\"S\":\"a\"}}{}", "{\"v\":{\"S\":\"a\",\"S\":\"b\"}}", "{\"v\":{\"X\":\"a\"}}", "{\"v\":{\"s\":\"a\"}}",
        "{\"v\":{\"S\":\"a\"},\"v\":{\"S\":\"b\"}}", "{\"v\":{\"S\":\"\\ud800\"}}", "{\"v\":{\"S\":\"\\udc00\"}}",
        "{\"v\":{\"S\":\"\\ud800\\ud800\"}}", "{\"v\":{\"S\":\"\\ud800x\"}}", "{\"v\":{\"S\":\"\\ud800\\u\"}}",
        "{\"v\":{\"S\":\"\\u12\"}}", "{\"v\":{\"S\":\"\\u+123\"}}", "{\"v\":{\"S\":\"\\x\"}}", "{\"v\":{\"S\":\"\\é\"}}",
        "{\"v\":{\"S\":\"\\", "{\"v\":{\"S\":\"a\n\"}}", "{\"v\":{\"BOOL\":\"true\"}}", "{\"v\":{\"BOOL\":tru}}",
        "{\"v\":{\"NULL\":false}}", "{\"v\":{\"NULL\":null}}", "{\"v\":{\"SS\":[\"a\",]}}", "{\"v\":{\"SS\":[{\"S\":\"a\"}]}}",
        "{\"v\":{\"SS\":{}}}", "{\"v\":{\"NS\":[1]}}", "{\"v\":{\"L\":[\"a\"]}}", "{\"v\":{\"L\":[{\"S\":\"a\"}}}",
        "{\"v\":{\"M\":[]}}", "{\"v\":{\"B\":\"%%%\"}}", "{\"v\":{\"B\":\"A\"}}", "{\"v\":{\"B\":\"AB==\"}}", "{\"v\":{\"B\":\"=AAA\"}}",
        "{\"v\":{\"B\":\"AA=A\"}}", "{\"v\":{\"B\":\"====\"}}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (item(wrong[i])) fprintf(stderr, "taken: %s\n", wrong[i]), failures++;
        CHECK(gristmill_error()[0]);
    }
    CHECK(!gristmill_item_from_json("{\"v\":{\"S\":\"a\0\"}}", 16));
    CHECK(!gristmill_item_from_json("{}\0", 3));
    static const char *const not_utf8[] = {"{\"v\":{\"S\":\"\xff\"}}", "{\"\xc3\":{\"S\":\"\"}}", "{\"v\":{\"S\":\"\xed\xa0\x80\"}}"};
    for (size_t i = 0; i < sizeof not_utf8 / sizeof *not_utf8; i++) {
        CHECK(!item(not_utf8[i]));
        CHECK_TEXT(gristmill_error(), "not UTF-8");
    }
    CHECK(!gristmill_value_from_json("{\"S\":\"\xff\"}", 9));
    CHECK_TEXT(gristmill_error(), "not UTF-8");
    static const char text[] = "{\"a\":{\"S\":\"x\\u00e9é\"},\"b\":{\"L\":[{\"N\":\"1\"},{\"BOOL\":true}]},\"c\":{\"M\":{\"d\":{\"NULL\":true}}},"
                               "\"e\":{\"BS\":[\"AQ==\"]}}";
    CHECK(item(text));
    for (size_t len = 0; len < strlen(text); len++) CHECK(!gristmill_item_from_json(text, len));
}

static void nesting_is_bounded(void) {
    static const char *const open[] = {"{\"L\":[", "{\"M\":{\"k\":"}, *const close[] = {"]}", "}}"};
    for (int kind = 0; kind < 2; kind++) {
        for (size_t levels = 63; levels <= 100001; levels += levels < 66 ? 1 : 99935) {
            size_t a = strlen(open[kind]), b = strlen(close[kind]);
            char *json = malloc(levels * (a + b) + 40), *at = json;
            if (!json) abort();
            at += sprintf(at, "{\"v\":");
            for (size_t i = 1; i < levels; i++) memcpy(at, open[kind], a), at += a;
            at += sprintf(at, "{\"NULL\":true}");
            for (size_t i = 1; i < levels; i++) memcpy(at, close[kind], b), at += b;
            *at++ = '}';
            *at = 0;
            gristmill_value *value = item(json);
            CHECK((value != NULL) == (levels <= 64));
            if (value) CHECK_TEXT(gristmill_item_json(value).ptr, json);
            else CHECK(strstr(gristmill_error(), "nested deeper than 64 levels"));
            if (value) CHECK(gristmill_same(value, item(json)));
            free(json);
        }
    }
    gristmill_value *deep = gristmill_make_list();
    for (int i = 0; i < 80; i++) {
        gristmill_value *around = gristmill_make_list();
        CHECK(gristmill_add(around, deep));
        deep = around;
    }
    CHECK(!gristmill_value_json(deep).ptr);
    CHECK_TEXT(gristmill_error(), "nested deeper than 64 levels");
}

static void large_maps_find_their_attributes(void) {
    gristmill_value *map = gristmill_make_map();
    for (int i = 0; i < 2000; i++) CHECK(gristmill_put(map, gristmill_format("n%d", i * 7919 % 2000).ptr, gristmill_make_i64(i)));
    gristmill_string json = gristmill_item_json(map);
    gristmill_value *again = gristmill_item_from_json(json.ptr, json.len);
    CHECK(gristmill_count(again) == 2000);
    for (int i = 0; i < 2000; i++) {
        int64_t found = -1;
        CHECK(gristmill_get_i64(again, gristmill_format("n%d", i * 7919 % 2000).ptr, &found) && found == i);
    }
    CHECK(!gristmill_get(again, "n2000") && !gristmill_get(again, ""));
    CHECK(gristmill_same(map, again));
    CHECK(gristmill_put(again, "n5", gristmill_make_null()) && gristmill_count(again) == 2000);
    CHECK(gristmill_type_of(gristmill_get(again, "n5")) == GRISTMILL_NULL && !gristmill_has(again, "n5"));
    CHECK(!gristmill_same(map, again));
    gristmill_string twice = gristmill_format("{%.*s,\"n77\":{\"NULL\":true}}", (int)json.len - 2, json.ptr + 1);
    CHECK(!gristmill_item_from_json(twice.ptr, twice.len));
    CHECK_TEXT(gristmill_error(), "n77: the attribute is there twice");
}

static void values_are_compared_by_what_they_mean(void) {
    static const struct {
        const char *a, *b;
        bool same;
    } pairs[] = {
        {"{\"N\":\"1\"}", "{\"N\":\"1.0\"}", true},
        {"{\"N\":\"100\"}", "{\"N\":\"1E2\"}", true},
        {"{\"N\":\"0\"}", "{\"N\":\"-0.00\"}", true},
        {"{\"N\":\"-1\"}", "{\"N\":\"1\"}", false},
        {"{\"N\":\"1\"}", "{\"S\":\"1\"}", false},
        {"{\"SS\":[\"a\",\"b\"]}", "{\"SS\":[\"b\",\"a\"]}", true},
        {"{\"SS\":[\"a\",\"a\"]}", "{\"SS\":[\"b\",\"a\"]}", false},
        {"{\"NS\":[\"1\",\"20\",\"-3\"]}", "{\"NS\":[\"2E1\",\"-3.0\",\"1.0\"]}", true},
        {"{\"BS\":[\"AQ==\",\"Ag==\"]}", "{\"BS\":[\"Ag==\",\"AQ==\"]}", true},
        {"{\"L\":[{\"S\":\"a\"},{\"S\":\"b\"}]}", "{\"L\":[{\"S\":\"b\"},{\"S\":\"a\"}]}", false},
        {"{\"M\":{\"a\":{\"N\":\"1\"},\"b\":{\"NULL\":true}}}", "{\"M\":{\"b\":{\"NULL\":true},\"a\":{\"N\":\"1.0\"}}}", true},
        {"{\"M\":{\"a\":{\"N\":\"1\"}}}", "{\"M\":{\"b\":{\"N\":\"1\"}}}", false},
        {"{\"BOOL\":true}", "{\"BOOL\":false}", false},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        CHECK(gristmill_same(one(pairs[i].a), one(pairs[i].b)) == pairs[i].same);
        CHECK(gristmill_same(one(pairs[i].b), one(pairs[i].a)) == pairs[i].same);
    }
}

static void values_made_by_hand_are_checked(void) {
    gristmill_value *list = gristmill_make_list(), *map = gristmill_make_map(), *set = gristmill_make_set(GRISTMILL_NS);
    CHECK(gristmill_add(set, gristmill_make_number("1")) && !gristmill_add(set, gristmill_make_string("1")));
    CHECK_TEXT(gristmill_error(), "a string (S) cannot be added to a number set (NS)");
    CHECK(!gristmill_add(set, gristmill_make_number("x")));
    CHECK(gristmill_add(list, gristmill_make_bytes("\x00\xff", 2)) && gristmill_add(list, map));
    CHECK(gristmill_put(map, "set", set) && gristmill_put(map, "set again", set));
    CHECK(gristmill_add(set, gristmill_make_i64(2)));
    CHECK(!gristmill_put(map, "list", list) && !gristmill_add(list, list) && !gristmill_put(list, "x", map));
    CHECK(!gristmill_make_set(GRISTMILL_L));
    gristmill_value *twice = gristmill_make_map(), *both = gristmill_make_list();
    CHECK(gristmill_put(twice, "a", gristmill_make_i64(1)) && gristmill_add(both, twice) && gristmill_add(both, twice));
    gristmill_value *first = (gristmill_value *)gristmill_get(twice, "a");
    CHECK(gristmill_put(twice, "a", gristmill_make_i64(2)) && gristmill_put(twice, "b", gristmill_make_null()));
    CHECK(gristmill_put(gristmill_make_map(), "another name", first));
    CHECK_TEXT(gristmill_value_json(both).ptr,
               "{\"L\":[{\"M\":{\"a\":{\"N\":\"2\"},\"b\":{\"NULL\":true}}},{\"M\":{\"a\":{\"N\":\"1\"}}}]}");
    CHECK(gristmill_put(map, "bad\xff\xc3", gristmill_make_string("\xed\xa0\x80 \xf0\x9f\x98")));
    CHECK_TEXT(gristmill_value_json(list).ptr,
               "{\"L\":[{\"B\":\"AP8=\"},{\"M\":{\"set\":{\"NS\":[\"1\",\"2\"]},\"set again\":{\"NS\":[\"1\"]},\"bad��\":{\"S\":\"��� ���\"}}}]}");
    size_t seen = 0;
    GRISTMILL_EACH(element, list) {
        if (seen++ == 0) continue;
        GRISTMILL_EACH(attribute, element) {
            CHECK_TEXT(gristmill_name(attribute).ptr, "set");
            break;
        }
    }
    CHECK(seen == 2);
    seen = 0;
    GRISTMILL_EACH(element, list) {
        (void)element;
        seen++;
        break;
    }
    CHECK(seen == 1);
    GRISTMILL_EACH(element, NULL) CHECK(element == NULL && false);
}

static gristmill_result paid(gristmill_record *record) {
    bool changed;
    if (!gristmill_changed(record, "status", &changed)) return gristmill_rejectf("order: %s", gristmill_error());
    gristmill_log(GRISTMILL_INFO, "seen", (gristmill_field[]){{"table", gristmill_table(record).ptr}, {"bad", "\xff"}}, 2);
    gristmill_warnf("%d%%", 5);
    return changed ? gristmill_retry("not yet") : gristmill_ok();
}
GRISTMILL_HANDLER(paid);

static void records_made_by_hand(void) {
    gristmill_test *test = gristmill_test_modify("orders");
    gristmill_test_key(test, "id", gristmill_make_string("1"));
    gristmill_test_attribute(test, "cents", gristmill_make_i64(1200));
    gristmill_record *record = gristmill_test_record(test);
    CHECK(gristmill_test_call(paid, record).outcome == GRISTMILL_OUTCOME_OK);
    CHECK(gristmill_test_line_count() == 2);
    const gristmill_test_line *line = gristmill_test_line_at(0);
    CHECK(line && line->level == GRISTMILL_INFO && line->count == 2);
    CHECK_TEXT(line->message.ptr, "seen");
    CHECK_TEXT(line->fields[0].value.ptr, "orders");
    CHECK_TEXT(line->fields[1].value.ptr, "\xEF\xBF\xBD");
    CHECK_TEXT(gristmill_test_line_at(1)->message.ptr, "5%");
    gristmill_test_old(test, "status", gristmill_make_string("new"));
    gristmill_test_new_json(test, "{\"status\":{\"S\":\"paid\"}}");
    gristmill_result result = gristmill_test_call(paid, gristmill_test_record(test));
    CHECK(result.outcome == GRISTMILL_OUTCOME_RETRY);
    CHECK_TEXT(result.text.ptr, "not yet");
    CHECK_TEXT(gristmill_test_json(test).ptr,
               "{\"eventID\":\"1a87201789a6e14315b8038ebbd3b99d\",\"eventName\":\"MODIFY\",\"eventVersion\":\"1.1\",\"eventSource\":"
               "\"aws:dynamodb\",\"awsRegion\":\"us-east-1\",\"dynamodb\":{\"ApproximateCreationDateTime\":1767605400,\"Keys\":{\"id\":"
               "{\"S\":\"1\"}},\"NewImage\":{\"id\":{\"S\":\"1\"},\"cents\":{\"N\":\"1200\"},\"status\":{\"S\":\"paid\"}},\"OldImage\":{\"id\":"
               "{\"S\":\"1\"},\"cents\":{\"N\":\"1200\"},\"status\":{\"S\":\"new\"}},\"SequenceNumber\":\"261800000000059086429283\","
               "\"SizeBytes\":42,\"StreamViewType\":\"NEW_AND_OLD_IMAGES\"},\"eventSourceARN\":"
               "\"arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-01-05T09:30:00.000\"}");
    gristmill_test_view_type(test, "KEYS_ONLY");
    result = gristmill_test_call(paid, gristmill_test_record(test));
    CHECK_TEXT(result.text.ptr, "order: the MODIFY record has no old image, so what changed is not known; the stream's view type "
                                "must be NEW_AND_OLD_IMAGES");
    gristmill_test *gone = gristmill_test_ttl_delete("orders");
    gristmill_test_key(gone, "id", gristmill_make_bytes("\x01", 1));
    gristmill_test_sequence_number(gone, "99");
    gristmill_test_created_at_ms(gone, 1234);
    gristmill_test_event_id(gone, "e");
    record = gristmill_test_record(gone);
    uint64_t created = 0;
    CHECK(gristmill_is_ttl_delete(record) && gristmill_created_at_ms(record, &created) && created == 1234);
    CHECK_TEXT(gristmill_sequence_number(record).ptr, "99");
    gristmill_test *both[] = {test, gone};
    CHECK(strstr(gristmill_test_event(both, 2).ptr, "{\"Records\":[\n{\"eventID\":\"1a87") &&
          strstr(gristmill_test_event(both, 2).ptr, "},\n{\"eventID\":\"e\""));
}

// With nothing behind the strings, for a sanitizer to watch.
static void fields_need_no_zero_byte_behind_them(void) {
    char *name = malloc(2), *value = malloc(1);
    if (!name || !value) abort();
    memcpy(name, "ab", 2);
    *value = 'c';
    gristmill_log_strings(GRISTMILL_INFO, (gristmill_string){value, 1}, &(gristmill_string_field){{name, 2}, {value, 1}}, 1);
    free(name);
    free(value);
    const gristmill_test_line *line = gristmill_test_line_at(0);
    CHECK(line && line->count == 1);
    if (!line) return;
    CHECK_TEXT(line->message.ptr, "c");
    CHECK_TEXT(line->fields[0].name.ptr, "ab");
    CHECK_TEXT(line->fields[0].value.ptr, "c");
}

static void the_invocation_has_stand_ins(void) {
    uint64_t number;
    gristmill_string text;
    CHECK(gristmill_request_id().len == 36 && gristmill_attempt() == 1);
    CHECK_TEXT(gristmill_handler_name().ptr, "handler");
    CHECK_TEXT(gristmill_function_name().ptr, "function");
    CHECK_TEXT(gristmill_function_version().ptr, "$LATEST");
    CHECK(!gristmill_deadline_ms(&number) && !gristmill_remaining_ms(&number) && !gristmill_trace_header(&text));
}

int main(void) {
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {
#define TEST(name) {#name, name}
        TEST(a_record_has_everything_that_its_json_has), TEST(absent_and_empty_images_are_two_things),
        TEST(what_is_no_record_is_refused), TEST(values_survive_a_round_trip), TEST(numbers_are_exact_or_refused),
        TEST(errors_name_the_place), TEST(hostile_texts_are_errors), TEST(nesting_is_bounded),
        TEST(large_maps_find_their_attributes), TEST(values_are_compared_by_what_they_mean),
        TEST(values_made_by_hand_are_checked), TEST(records_made_by_hand),
        TEST(fields_need_no_zero_byte_behind_them), TEST(the_invocation_has_stand_ins),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        current = tests[i].name;
        tests[i].run();
        gristmill_test_end();
    }
    printf("%zu tests, %d failures\n", sizeof tests / sizeof *tests, failures);
    return failures != 0;
}
