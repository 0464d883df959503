// The record, the invocation, log lines, and how a handler is called. Everything that the host is asked for is asked here.
#include "internal.h"

#include <time.h>

// ---- The record

// What the host gives is followed by a zero byte, see cabi_realloc; nothing at all may be anywhere.
static gristmill_string given(gristmill_string text) { return text.len ? text : gristmill_text(""); }

#define TEXT(index, name)                                                                                              \
    gristmill_string gristmill_##name(gristmill_record *record) {                                                      \
        if (!record->texts[index].ptr) {                                                                               \
            host_##name(record->handle, &record->texts[index]);                                                        \
            record->texts[index] = given(record->texts[index]);                                                        \
        }                                                                                                              \
        return record->texts[index];                                                                                   \
    }
TEXT(0, event_id)
TEXT(1, table)
TEXT(2, stream_arn)
TEXT(3, region)
TEXT(4, sequence_number)

gristmill_event gristmill_event_name(gristmill_record *record) { return (gristmill_event)host_event_name(record->handle); }

const char *gristmill_event_text(gristmill_event event) {
    return event == GRISTMILL_INSERT ? "INSERT" : event == GRISTMILL_MODIFY ? "MODIFY" : "REMOVE";
}

bool gristmill_size_bytes(gristmill_record *record, uint64_t *size_bytes) {
    host_option_u64 size;
    host_size_bytes(record->handle, &size);
    if (size.some) *size_bytes = size.value;
    return size.some;
}

bool gristmill_created_at_ms(gristmill_record *record, uint64_t *created_at_ms) {
    host_option_u64 created;
    host_created_at_ms(record->handle, &created);
    if (created.some) *created_at_ms = created.value;
    return created.some;
}

bool gristmill_user_identity(gristmill_record *record, gristmill_identity *identity) {
    host_option_identity found;
    host_user_identity(record->handle, &found);
    if (found.some) *identity = (gristmill_identity){given(found.type), given(found.principal_id)};
    return found.some;
}

bool gristmill_is_ttl_delete(gristmill_record *record) {
    gristmill_identity identity;
    return gristmill_event_name(record) == GRISTMILL_REMOVE && gristmill_user_identity(record, &identity) &&
           gristmill_equals(identity.type, "Service") &&
           gristmill_equals(identity.principal_id, "dynamodb.amazonaws.com");
}

gristmill_string gristmill_keys_json(gristmill_record *record) {
    if (!record->keys_json.ptr) {
        host_keys(record->handle, &record->keys_json);
        record->keys_json = given(record->keys_json);
    }
    return record->keys_json;
}

gristmill_string gristmill_json(gristmill_record *record) {
    if (!record->json.ptr) {
        host_json(record->handle, &record->json);
        record->json = given(record->json);
    }
    return record->json;
}

bool gristmill_new_image_json(gristmill_record *record, gristmill_string *json) {
    if (!record->has_new) host_new_image(record->handle, &record->new_json);
    record->has_new = true;
    if (record->new_json.some) *json = given(record->new_json.value);
    return record->new_json.some;
}

bool gristmill_old_image_json(gristmill_record *record, gristmill_string *json) {
    if (!record->has_old) host_old_image(record->handle, &record->old_json);
    record->has_old = true;
    if (record->old_json.some) *json = given(record->old_json.value);
    return record->old_json.some;
}

// What cannot be read is read again each time, and is an error each time.
static gristmill_value *read(gristmill_record *record, gristmill_string json, const char *called) {
    gristmill_value *value = gm_read(json.ptr, json.len, true, called);
    if (!value && !record->unreadable.ptr) record->unreadable = gristmill_text(gristmill_error());
    return value;
}

const gristmill_value *gristmill_keys(gristmill_record *record) {
    if (!record->keys) record->keys = read(record, gristmill_keys_json(record), "keys");
    return record->keys;
}

const gristmill_value *gristmill_new_image(gristmill_record *record) {
    gristmill_string json;
    if (!record->new_image && gristmill_new_image_json(record, &json)) record->new_image = read(record, json, "new image");
    return record->new_image;
}

const gristmill_value *gristmill_old_image(gristmill_record *record) {
    gristmill_string json;
    if (!record->old_image && gristmill_old_image_json(record, &json)) record->old_image = read(record, json, "old image");
    return record->old_image;
}

static void put(gm_writer *writer, gristmill_string text) { gm_put(writer, text.ptr, text.len); }

gristmill_string gristmill_display(gristmill_record *record) {
    gm_writer line = {0};
    gristmill_string image;
    gm_put_text(&line, gristmill_event_text(gristmill_event_name(record)));
    gm_put_char(&line, ' ');
    put(&line, gristmill_table(record));
    gm_put_text(&line, " keys ");
    put(&line, gristmill_keys_json(record));
    if (gristmill_old_image_json(record, &image)) gm_put_text(&line, " old "), put(&line, image);
    if (gristmill_new_image_json(record, &image)) gm_put_text(&line, " new "), put(&line, image);
    return gm_written(&line);
}

static bool not_known(gristmill_event event, const char *image) {
    gm_writer message = {0};
    gm_put_text(&message, "the ");
    gm_put_text(&message, gristmill_event_text(event));
    gm_put_text(&message, " record has no ");
    gm_put_text(&message, image);
    gm_put_text(&message, " image, so what changed is not known; the stream's view type must be NEW_AND_OLD_IMAGES");
    gm_error(NULL, NULL, gm_written(&message));
    return false;
}

bool gristmill_changed(gristmill_record *record, const char *attribute, bool *changed) {
    gristmill_event event = gristmill_event_name(record);
    gristmill_string json;
    // An image that is absent because there was no item stands for one without attributes. One that the stream's view type
    // keeps back stands for nothing.
    bool has_old = gristmill_old_image_json(record, &json), has_new = gristmill_new_image_json(record, &json);
    if (!has_old && event != GRISTMILL_INSERT) return not_known(event, "old");
    if (!has_new && event != GRISTMILL_REMOVE) return not_known(event, "new");
    const gristmill_value *old = gristmill_old_image(record);
    if (has_old && !old) return false;
    const gristmill_value *new = gristmill_new_image(record);
    if (has_new && !new) return false;
    *changed = !gristmill_same(gristmill_get(old, attribute), gristmill_get(new, attribute));
    return true;
}

// ---- The invocation

#define INVOCATION(name, function)                                                                                     \
    gristmill_string name(void) {                                                                                      \
        gristmill_string text;                                                                                         \
        function(&text);                                                                                               \
        return given(text);                                                                                            \
    }
INVOCATION(gristmill_request_id, host_request_id)
INVOCATION(gristmill_handler_name, host_handler)
INVOCATION(gristmill_function_name, host_function_name)
INVOCATION(gristmill_function_version, host_function_version)

uint32_t gristmill_attempt(void) { return (uint32_t)host_attempt(); }

bool gristmill_deadline_ms(uint64_t *deadline_ms) {
    host_option_u64 deadline;
    host_deadline_ms(&deadline);
    if (deadline.some) *deadline_ms = deadline.value;
    return deadline.some;
}

bool gristmill_remaining_ms(uint64_t *remaining_ms) {
    uint64_t deadline;
    struct timespec now;
    if (!gristmill_deadline_ms(&deadline) || timespec_get(&now, TIME_UTC) != TIME_UTC) return false;
    uint64_t now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    *remaining_ms = deadline > now_ms ? deadline - now_ms : 0;
    return true;
}

bool gristmill_trace_header(gristmill_string *header) {
    host_option_string found;
    host_trace_header(&found);
    if (found.some) *header = given(found.value);
    return found.some;
}

// ---- Log lines

void gristmill_log_strings(gristmill_level level, gristmill_string message, const gristmill_string_field *fields,
                           size_t count) {
    gristmill_string_field *checked = count ? gm_allocate(count * sizeof *checked, sizeof(void *)) : NULL;
    for (size_t i = 0; i < count; i++)
        checked[i] = (gristmill_string_field){gm_utf8(fields[i].name), gm_utf8(fields[i].value)};
    message = gm_utf8(message);
    host_log_write((int32_t)level, message.ptr, message.len, checked, count);
}

void gristmill_log(gristmill_level level, const char *message, const gristmill_field *fields, size_t count) {
    gristmill_string_field *strings = count ? gm_allocate(count * sizeof *strings, sizeof(void *)) : NULL;
    for (size_t i = 0; i < count; i++)
        strings[i] = (gristmill_string_field){gristmill_text(fields[i].name), gristmill_text(fields[i].value)};
    gristmill_log_strings(level, gristmill_text(message), strings, count);
}

// ---- The outcome

gristmill_result gristmill_ok(void) { return (gristmill_result){GRISTMILL_OUTCOME_OK, {"", 0}}; }

static gristmill_result failure(gristmill_outcome outcome, const char *text) {
    return (gristmill_result){outcome, gm_copy(text, gm_length(text))};
}

gristmill_result gristmill_retry(const char *text) { return failure(GRISTMILL_OUTCOME_RETRY, text); }
gristmill_result gristmill_reject(const char *text) { return failure(GRISTMILL_OUTCOME_REJECT, text); }

gristmill_result gm_call(gristmill_result (*handler)(gristmill_record *), gristmill_record *record) {
    gm_no_error();
    gristmill_result result = handler(record);
    // Whoever takes an image that cannot be read for one that is absent must not have succeeded.
    if (result.outcome == GRISTMILL_OUTCOME_OK && record->unreadable.ptr)
        result = (gristmill_result){GRISTMILL_OUTCOME_RETRY, record->unreadable};
    result.text = gm_utf8(given(result.text));
    return result;
}
