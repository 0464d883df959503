// Random mutations of DynamoDB JSON: `make fuzz`. What is taken has to be the same when it is written and read again.
#include "gristmill_testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const seeds[] = {
    "{\"a\":{\"S\":\"x\\u00e9é\\ud83d\\ude00\\n\"},\"b\":{\"L\":[{\"N\":\"1.5E2\"},{\"BOOL\":true},{\"NULL\":true}]},\"c\":{\"M\":{\"d\":{\"SS\":"
    "[\"a\",\"b\"]}}},\"e\":{\"BS\":[\"AQ==\",\"AAEC\"]},\"f\":{\"NS\":[\"-1\",\"12345678901234567890\"]},\"g\":{\"B\":\"AAE=\"}}",
    "{\"l\":{\"L\":[{\"L\":[{\"L\":[{\"L\":[{\"M\":{\"x\":{\"M\":{}}}}]}]}]}]}}",
    "{\"a\":{\"N\":\"1\"},\"b\":{\"N\":\"2\"},\"c\":{\"N\":\"3\"},\"d\":{\"N\":\"4\"},\"e\":{\"N\":\"5\"},\"f\":{\"N\":\"6\"},\"g\":{\"N\":\"7\"},\"h\":"
    "{\"N\":\"8\"},\"i\":{\"N\":\"9\"},\"j\":{\"N\":\"10\"},\"k\":{\"N\":\"11\"},\"l\":{\"N\":\"12\"},\"m\":{\"N\":\"13\"},\"n\":{\"N\":\"14\"}}",
    "{\"eventID\":\"e\",\"eventName\":\"INSERT\",\"awsRegion\":\"us-west-2\",\"dynamodb\":{\"ApproximateCreationDateTime\":1.5e9,\"Keys\":"
    "{\"id\":{\"S\":\"1\"}},\"NewImage\":{},\"SequenceNumber\":\"1\",\"SizeBytes\":3},\"userIdentity\":{\"type\":\"a\",\"principalId\":"
    "\"b\"},\"eventSourceARN\":\"arn:aws:dynamodb:us-west-2:1:table/t/stream/l\"}"};
static const char *const pieces[] = {"{", "}", "[", "]", "\"", "\\", ",", ":", "\\u", "\\ud800", "\\udc00", "{\"L\":[", "{\"M\":{\"a\":", "]}", "}}",
                                     "\"S\"", "\"N\"", "\"BS\":[", "true", "null", "e", "-", "1E125", "=", "A", "\xff", "é"};

static uint64_t state = 0x9E3779B97F4A7C15u;
static size_t below(size_t limit) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return limit ? (size_t)(state % limit) : 0;
}

static size_t mutate(char *text, size_t len, size_t capacity) {
    for (size_t times = below(6) + 1; times--;) {
        size_t at = below(len + 1), other = below(len + 1), from = at < other ? at : other, to = at < other ? other : at;
        const char *piece = pieces[below(sizeof pieces / sizeof *pieces)];
        size_t add = strlen(piece), span = to - from;
        switch (below(6)) {
        case 0: if (at < len) text[at] = (char)below(256); break;
        case 1: if (at < len) text[at] = piece[0]; break;
        case 2: // one piece more
            for (size_t again = below(20) ? 1 : below(140); again-- && len + add < capacity; len += add) {
                memmove(text + at + add, text + at, len - at);
                memcpy(text + at, piece, add);
            }
            break;
        case 3: // a part less
            if (span > 20) span = below(20);
            memmove(text + from, text + from + span, len - from - span);
            len -= span;
            break;
        case 4: // a part twice
            if (span > 60) span = below(60);
            if (len + span >= capacity) break;
            memmove(text + from + span, text + from, len - from);
            len += span;
            break;
        case 5: if (!below(8)) len = at; break;
        }
    }
    return len;
}

int main(int count, char **arguments) {
    time_t end = time(NULL) + (count > 1 ? atoi(arguments[1]) : 10);
    unsigned long tried = 0, taken = 0, taken_records = 0;
    if (count > 2) state ^= strtoull(arguments[2], NULL, 10) * 0x2545F4914F6CDD1Du;
    while ((tried & 1023) || time(NULL) < end) {
        char text[4096];
        const char *seed = seeds[below(sizeof seeds / sizeof *seeds)];
        size_t len = strlen(seed);
        memcpy(text, seed, len);
        len = mutate(text, len, sizeof text);
        // In a place of its own, with an end of its own.
        char *exact = malloc(len ? len : 1);
        if (!exact) abort();
        memcpy(exact, text, len);
        gristmill_value *value = gristmill_item_from_json(exact, len);
        if (!value && !gristmill_error()[0]) abort();
        if (value) {
            taken++;
            gristmill_string written = gristmill_item_json(value);
            gristmill_value *again = written.ptr ? gristmill_item_from_json(written.ptr, written.len) : NULL;
            if (!again || !gristmill_same(value, again)) {
                fprintf(stderr, "not the same: %.*s\n%s\n%s\n", (int)len, exact, written.ptr, gristmill_error());
                abort();
            }
            GRISTMILL_EACH(attribute, value) {
                double number;
                int64_t integer;
                if (gristmill_as_i64(attribute, &integer) != (gristmill_as_double(attribute, &number) && number == (double)integer &&
                                                              gristmill_as_i64(attribute, &integer)))
                    abort();
            }
        }
        gristmill_record *record = gristmill_test_record_from_json(exact, len);
        if (record) taken_records++, (void)gristmill_display(record), (void)gristmill_new_image(record);
        gristmill_test_end();
        free(exact);
        tried++;
    }
    printf("%lu texts, %lu items and %lu records taken\n", tried, taken, taken_records);
    return 0;
}
