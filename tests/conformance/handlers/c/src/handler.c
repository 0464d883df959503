// The conformance handler in C: the record's key `case` says what to do. The table of cases is that of every language.
#include <gristmill.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    gristmill_string_field fields[20];
    size_t count;
} field_list;

static void add(field_list *list, const char *name, gristmill_string value) {
    list->fields[list->count++] = (gristmill_string_field){gristmill_text(name), value};
}

static gristmill_result echo(gristmill_record *record) {
    field_list list = {0};
    gristmill_string json;
    const gristmill_value *keys = gristmill_keys(record);
    if (!keys) return gristmill_reject(gristmill_error());
    add(&list, "keys", gristmill_item_json(keys));
    if (gristmill_new_image_json(record, &json)) {
        const gristmill_value *image = gristmill_new_image(record);
        if (!image) return gristmill_reject(gristmill_error());
        add(&list, "new", gristmill_item_json(image));
    }
    if (gristmill_old_image_json(record, &json)) {
        const gristmill_value *image = gristmill_old_image(record);
        if (!image) return gristmill_reject(gristmill_error());
        add(&list, "old", gristmill_item_json(image));
    }
    gristmill_log_strings(GRISTMILL_INFO, gristmill_text("echo"), list.fields, list.count);
    return gristmill_ok();
}

static gristmill_result accessors(gristmill_record *record) {
    field_list list = {0};
    uint64_t number;
    gristmill_identity identity;
    gristmill_string text;
    add(&list, "event-id", gristmill_event_id(record));
    add(&list, "table", gristmill_table(record));
    add(&list, "stream-arn", gristmill_stream_arn(record));
    add(&list, "region", gristmill_region(record));
    add(&list, "sequence-number", gristmill_sequence_number(record));
    add(&list, "event-name", gristmill_text(gristmill_event_text(gristmill_event_name(record))));
    if (gristmill_size_bytes(record, &number)) add(&list, "size-bytes", gristmill_format("%" PRIu64, number));
    if (gristmill_created_at_ms(record, &number)) add(&list, "created-at-ms", gristmill_format("%" PRIu64, number));
    if (gristmill_user_identity(record, &identity)) {
        add(&list, "identity-type", identity.type);
        add(&list, "identity-principal-id", identity.principal_id);
    }
    add(&list, "ttl-delete", gristmill_text(gristmill_is_ttl_delete(record) ? "true" : "false"));
    add(&list, "json", gristmill_json(record));
    add(&list, "request-id", gristmill_request_id());
    add(&list, "handler", gristmill_handler_name());
    add(&list, "function-name", gristmill_function_name());
    add(&list, "function-version", gristmill_function_version());
    add(&list, "attempt", gristmill_format("%" PRIu32, gristmill_attempt()));
    if (gristmill_deadline_ms(&number)) add(&list, "deadline-ms", gristmill_format("%" PRIu64, number));
    if (gristmill_trace_header(&text)) add(&list, "trace-header", text);
    add(&list, "display", gristmill_display(record));
    gristmill_log_strings(GRISTMILL_INFO, gristmill_text("accessors"), list.fields, list.count);
    return gristmill_ok();
}

static gristmill_result grow(void) {
    for (size_t size = 1 << 20;;) {
        volatile char *memory = malloc(size);
        // As programs do that cannot go on.
        if (!memory) abort();
        for (size_t i = 0; i < size; i += 4096) memory[i] = 1;
    }
}

static unsigned recurse(volatile unsigned *depth) {
    volatile unsigned here[16] = {*depth + 1};
    // Never zero, which the compiler does not know.
    return here[0] ? recurse(here) + here[0] : 0;
}

static gristmill_result print(const gristmill_value *image) {
    gristmill_string text;
    uint64_t bytes = 0;
    FILE *stream = stdout;
    if (gristmill_has(image, "stream")) {
        if (!gristmill_get_string(image, "stream", &text)) return gristmill_reject(gristmill_error());
        if (gristmill_equals(text, "stderr")) stream = stderr;
    }
    if (gristmill_has(image, "text")) {
        if (!gristmill_get_string(image, "text", &text)) return gristmill_reject(gristmill_error());
        fwrite(text.ptr, 1, text.len, stream);
    } else {
        if (!gristmill_get_u64(image, "bytes", &bytes)) return gristmill_reject(gristmill_error());
        for (uint64_t i = 0; i < bytes; i++) putc('x', stream);
    }
    putc('\n', stream);
    return gristmill_ok();
}

static gristmill_result log_line(const gristmill_value *image) {
    static const char *const levels[] = {"trace", "debug", "info", "warn", "error", "critical"};
    gristmill_string text, level;
    const gristmill_value *fields = NULL;
    if (!gristmill_get_string(image, "text", &text) || !gristmill_get_string(image, "level", &level))
        return gristmill_reject(gristmill_error());
    if (gristmill_has(image, "fields") && !gristmill_get_typed(image, "fields", GRISTMILL_M, &fields))
        return gristmill_reject(gristmill_error());
    gristmill_string_field *list = gristmill_alloc(gristmill_count(fields) * sizeof *list);
    size_t count = 0;
    GRISTMILL_EACH(field, fields) {
        list[count].name = gristmill_name(field);
        if (!gristmill_as_string(field, &list[count++].value)) return gristmill_reject(gristmill_error());
    }
    for (int i = GRISTMILL_TRACE; i <= GRISTMILL_CRITICAL; i++)
        if (gristmill_equals(level, levels[i])) gristmill_log_strings((gristmill_level)i, text, list, count);
    return gristmill_ok();
}

static double now_ms(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static gristmill_result read_clock(void) {
    double first = now_ms(), second;
    do second = now_ms();
    while (second < first + 2);
    gristmill_log(GRISTMILL_INFO, "clock",
                  (gristmill_field[]){{"first-ms", gristmill_format("%.3f", first).ptr},
                                      {"second-ms", gristmill_format("%.3f", second).ptr}},
                  2);
    return gristmill_ok();
}

static gristmill_result take_random(void) {
    uint64_t numbers[2];
    if (getentropy(numbers, sizeof numbers)) return gristmill_retry("no random numbers");
    gristmill_log(GRISTMILL_INFO, "random",
                  (gristmill_field[]){{"first", gristmill_format("%016" PRIx64, numbers[0]).ptr},
                                      {"second", gristmill_format("%016" PRIx64, numbers[1]).ptr}},
                  2);
    return gristmill_ok();
}

static gristmill_result run(gristmill_record *record) {
    gristmill_string name, text = gristmill_text("");
    if (!gristmill_get_string(gristmill_keys(record), "case", &name)) return gristmill_reject(gristmill_error());
    if (gristmill_equals(name, "echo")) return echo(record);
    if (gristmill_equals(name, "accessors")) return accessors(record);

    const gristmill_value *image = gristmill_new_image(record);
    bool has_text = gristmill_has(image, "text") && gristmill_get_string(image, "text", &text);
    // With the zero bytes that a text may have in it, which gristmill_retry would end at.
    if (gristmill_equals(name, "retry") && has_text) return (gristmill_result){GRISTMILL_OUTCOME_RETRY, text};
    if (gristmill_equals(name, "reject") && has_text) return (gristmill_result){GRISTMILL_OUTCOME_REJECT, text};
    // C has no error that nobody meant: what comes nearest is a program that says why it cannot go on.
    if (gristmill_equals(name, "throw")) {
        fprintf(stderr, "%s\n", text.ptr);
        abort();
    }
    if (gristmill_equals(name, "trap")) __builtin_trap();
    if (gristmill_equals(name, "exit")) exit(3);
    if (gristmill_equals(name, "loop"))
        for (volatile unsigned i = 0;; i++) {}
    if (gristmill_equals(name, "grow")) return grow();
    if (gristmill_equals(name, "recurse")) return gristmill_rejectf("%u", recurse(&(volatile unsigned){0}));
    if (gristmill_equals(name, "print")) return print(image);
    if (gristmill_equals(name, "log")) return log_line(image);
    if (gristmill_equals(name, "clock")) return read_clock();
    if (gristmill_equals(name, "random")) return take_random();
    return gristmill_rejectf("no such case: %s", name.ptr);
}
GRISTMILL_HANDLER(run);
