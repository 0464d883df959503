// Texts: how they are put together, copied, compared and held to UTF-8. Knows nothing of records and values.
#include "internal.h"

#include <string.h>

void gm_put(gm_writer *writer, const char *text, size_t len) {
    if (!writer->ptr || len >= writer->capacity - writer->len) {
        if (len >= SIZE_MAX / 2 - writer->len) gm_die("gristmill: a text that is too long");
        size_t least = writer->len + len + 1, capacity = writer->capacity * 2;
        if (capacity < least) capacity = least;
        if (capacity < 64) capacity = 64;
        writer->ptr = gm_reallocate(writer->ptr, writer->capacity, 1, capacity);
        writer->capacity = capacity;
    }
    if (len) memcpy(writer->ptr + writer->len, text, len);
    writer->len += len;
    writer->ptr[writer->len] = 0;
}

void gm_put_text(gm_writer *writer, const char *text) { gm_put(writer, text, gm_length(text)); }

void gm_put_char(gm_writer *writer, char character) { gm_put(writer, &character, 1); }

void gm_put_u64(gm_writer *writer, uint64_t number) {
    char digits[20];
    size_t at = sizeof digits;
    do digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    gm_put(writer, digits + at, sizeof digits - at);
}

// The length of the UTF-8 character here; 0 when there is none.
static size_t character_len(const unsigned char *at, size_t left) {
    unsigned char first = at[0];
    if (first < 0x80) return 1;
    size_t len = first >= 0xC2 && first < 0xE0 ? 2 : (first & 0xF0) == 0xE0 ? 3 : first >= 0xF0 && first < 0xF5 ? 4 : 0;
    if (!len || len > left) return 0;
    for (size_t i = 1; i < len; i++)
        if ((at[i] & 0xC0) != 0x80) return 0;
    // Longer than it has to be, half of a surrogate pair, or beyond the last character.
    if ((first == 0xE0 && at[1] < 0xA0) || (first == 0xED && at[1] >= 0xA0) || (first == 0xF0 && at[1] < 0x90) ||
        (first == 0xF4 && at[1] >= 0x90))
        return 0;
    return len;
}

void gm_put_quoted(gm_writer *writer, const char *text, size_t len, size_t max_characters, char quote) {
    gm_put_char(writer, quote);
    for (size_t i = 0; i < len && max_characters; max_characters--) {
        unsigned char byte = (unsigned char)text[i];
        size_t character = character_len((const unsigned char *)text + i, len - i);
        if (!character) {
            gm_put_text(writer, "\xEF\xBF\xBD");
            i++;
            continue;
        }
        if (byte == (unsigned char)quote || byte == '\\') gm_put_char(writer, '\\'), gm_put_char(writer, (char)byte);
        else if (byte == '\n') gm_put_text(writer, "\\n");
        else if (byte == '\r') gm_put_text(writer, "\\r");
        else if (byte == '\t') gm_put_text(writer, "\\t");
        else if (byte == 0) gm_put_text(writer, "\\0");
        else if (byte < 0x20 || byte == 0x7F) {
            static const char hex[] = "0123456789abcdef";
            gm_put_text(writer, "\\u{");
            if (byte >> 4) gm_put_char(writer, hex[byte >> 4]);
            gm_put_char(writer, hex[byte & 15]);
            gm_put_char(writer, '}');
        } else gm_put(writer, text + i, character);
        i += character;
    }
    gm_put_char(writer, quote);
}

gristmill_string gm_written(const gm_writer *writer) {
    return writer->ptr ? (gristmill_string){writer->ptr, writer->len} : (gristmill_string){"", 0};
}

gristmill_string gm_copy(const char *text, size_t len) {
    if (len == SIZE_MAX) gm_die("gristmill: a text that is too long");
    char *copy = gm_allocate(len + 1, 1);
    if (len) memcpy(copy, text, len);
    copy[len] = 0;
    return (gristmill_string){copy, len};
}

bool gm_is_utf8(gristmill_string text) {
    size_t at = 0, character;
    while (at < text.len && (character = character_len((const unsigned char *)text.ptr + at, text.len - at))) at += character;
    return at == text.len;
}

gristmill_string gm_utf8(gristmill_string text) {
    if (gm_is_utf8(text)) return text;
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    gm_writer writer = {0};
    size_t from = 0, at, character;
    for (at = 0; at < text.len;) {
        if ((character = character_len(bytes + at, text.len - at))) {
            at += character;
            continue;
        }
        gm_put(&writer, text.ptr + from, at - from);
        gm_put_text(&writer, "\xEF\xBF\xBD");
        from = ++at;
    }
    gm_put(&writer, text.ptr + from, at - from);
    return gm_written(&writer);
}

size_t gm_length(const char *text) { return text ? strlen(text) : 0; }

bool gm_equal(gristmill_string a, gristmill_string b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

gristmill_string gristmill_text(const char *text) { return (gristmill_string){text ? text : "", gm_length(text)}; }

bool gristmill_equals(gristmill_string string, const char *text) { return gm_equal(string, gristmill_text(text)); }
