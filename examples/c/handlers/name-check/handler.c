// Logs what happened to each item, and asks that what is stored has an attribute "name". A name can ask for trouble.
#include "gristmill_events.h"

#define TEXT(literal) ((gm_string){literal, sizeof(literal) - 1})

static bool equal(gm_string a, gm_string b) {
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++)
        if (a.ptr[i] != b.ptr[i]) return false;
    return true;
}

static gm_string join(gm_string a, gm_string b) {
    char *to = gm_realloc(0, 0, 1, a.len + b.len);
    for (size_t i = 0; i < a.len; i++) to[i] = a.ptr[i];
    for (size_t i = 0; i < b.len; i++) to[a.len + i] = b.ptr[i];
    return (gm_string){to, a.len + b.len};
}

// As much of DynamoDB JSON as is needed here. Escapes are stepped over and not decoded, so a name that is spelt with
// one is another name.

static const char *find(const char *at, const char *end, char what) {
    while (at < end && *at != what) at++;
    return at;
}

// From behind the opening quote to the closing one.
static const char *string_end(const char *at, const char *end) {
    for (; at < end && *at != '"'; at++)
        if (*at == '\\' && at + 1 < end) at++;
    return at;
}

// To the comma or the bracket behind a value.
static const char *value_end(const char *at, const char *end) {
    for (int depth = 0; at < end; at++) {
        if (depth == 0 && (*at == ',' || *at == '}' || *at == ']')) return at;
        if (*at == '"') at = string_end(at + 1, end);
        else if (*at == '{' || *at == '[') depth++;
        else if (*at == '}' || *at == ']') depth--;
    }
    return end;
}

// The text of an object's member, itself an object or a string; false when it has none of that name.
static bool member(gm_string object, gm_string name, gm_string *value) {
    const char *end = object.ptr + object.len, *at = object.ptr;
    while ((at = find(at, end, '"')) < end) {
        const char *key = at + 1, *key_end = string_end(key, end), *start = find(key_end, end, ':');
        if (start == end) return false;
        at = value_end(start + 1, end);
        if (equal((gm_string){key, key_end - key}, name)) {
            *value = (gm_string){start + 1, at - start - 1};
            return true;
        }
    }
    return false;
}

// Whether an attribute is the string `text`: {"S":"text"}.
static bool is_string(gm_string attribute, gm_string text) {
    gm_string value;
    if (!member(attribute, TEXT("S"), &value)) return false;
    const char *end = value.ptr + value.len, *start = find(value.ptr, end, '"');
    return start < end && equal((gm_string){start + 1, string_end(start + 1, end) - start - 1}, text);
}

// An image that is not there is not the same as one with no attributes. The image itself is not for logs.
static gm_string told(const gm_option_string *image) {
    if (!image->some) return TEXT("absent");
    const char *end = image->value.ptr + image->value.len;
    return find(image->value.ptr, end, '"') == end ? TEXT("empty") : TEXT("present");
}

static gm_result ok(void) { return (gm_result){0}; }
static gm_result retry(gm_string text) { return (gm_result){1, {0, text}}; }
static gm_result reject(gm_string text) { return (gm_result){1, {1, text}}; }

static gm_result handle(gm_record record) {
    static const gm_string names[] = {TEXT("INSERT"), TEXT("MODIFY"), TEXT("REMOVE")};
    gm_string keys, number, name;
    gm_option_string new_image, old_image;
    gm_keys(record, &keys);
    gm_new_image(record, &new_image);
    gm_old_image(record, &old_image);

    gm_string message = names[gm_record_event_name(record)];
    gm_field fields[] = {
        {TEXT("keys"), keys}, {TEXT("new-image"), told(&new_image)}, {TEXT("old-image"), told(&old_image)}};
    gm_log_write(GM_INFO, message.ptr, message.len, fields, sizeof fields / sizeof *fields);

    // The failures below keep the record: the host takes it back, dropped or not.
    if (new_image.some) {
        if (!member(new_image.value, TEXT("name"), &name)) return reject(TEXT("no name"));
        if (is_string(name, TEXT("trap"))) __builtin_trap();
        if (is_string(name, TEXT("retry"))) {
            gm_sequence_number(record, &number);
            return retry(join(TEXT("not yet: "), number));
        }
    }
    gm_record_drop(record);
    return ok();
}
