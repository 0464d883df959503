// The tree of values to DynamoDB JSON, without white space; and base64 to bytes.
#include "internal.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void gm_write_string(gm_writer *writer, gristmill_string text) {
    static const char hex[] = "0123456789abcdef";
    gm_put_char(writer, '"');
    size_t from = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
        gm_put(writer, text.ptr + from, i - from);
        from = i + 1;
        char escape = byte == '\n' ? 'n' : byte == '\r' ? 'r' : byte == '\t' ? 't' : (char)byte;
        char escaped[7] = {'\\', escape, 0};
        if (byte < 0x20 && escape == (char)byte)
            memcpy(escaped, (char[]){'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15], 0}, 7);
        gm_put_text(writer, escaped);
    }
    gm_put(writer, text.ptr + from, text.len - from);
    gm_put_char(writer, '"');
}

static void write_bytes(gm_writer *writer, gristmill_bytes bytes) {
    gm_put_char(writer, '"');
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        unsigned group = (unsigned)bytes.ptr[i] << 16 | (left > 1 ? (unsigned)bytes.ptr[i + 1] << 8 : 0) |
                         (left > 2 ? bytes.ptr[i + 2] : 0u);
        char text[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63], left > 1 ? alphabet[group >> 6 & 63] : '=',
                        left > 2 ? alphabet[group & 63] : '='};
        gm_put(writer, text, 4);
    }
    gm_put_char(writer, '"');
}

static int sextet(char byte) {
    if (byte >= 'A' && byte <= 'Z') return byte - 'A';
    if (byte >= 'a' && byte <= 'z') return byte - 'a' + 26;
    if (byte >= '0' && byte <= '9') return byte - '0' + 52;
    return byte == '+' ? 62 : byte == '/' ? 63 : -1;
}

// In place. SIZE_MAX, and the place, when it is not base64: with its padding, and without bits that say nothing.
size_t gm_base64_decode(char *text, size_t len, size_t *wrong_at) {
    size_t written = 0;
    *wrong_at = len;
    if (len % 4) return SIZE_MAX;
    for (size_t i = 0; i < len; i += 4) {
        size_t padding = i + 4 < len ? 0 : (size_t)(text[i + 3] == '=') + (size_t)(text[i + 3] == '=' && text[i + 2] == '=');
        unsigned group = 0;
        for (size_t j = 0; j < 4; j++) {
            int bits = j < 4 - padding ? sextet(text[i + j]) : 0;
            *wrong_at = i + j;
            if (bits < 0) return SIZE_MAX;
            group = group << 6 | (unsigned)bits;
        }
        if ((padding == 1 && group & 0xFF) || (padding == 2 && group & 0xFFFF)) return SIZE_MAX;
        text[written++] = (char)(group >> 16);
        if (padding < 2) text[written++] = (char)(group >> 8 & 0xFF);
        if (padding < 1) text[written++] = (char)(group & 0xFF);
    }
    return written;
}

static void open_container(gm_writer *writer, gristmill_type type) { gm_put_char(writer, type == GRISTMILL_M ? '{' : '['); }

// A value without its type, and of a container only what it begins with.
static void write_begin(gm_writer *writer, const gristmill_value *value) {
    switch (value->type) {
    case GRISTMILL_S:
    case GRISTMILL_N: gm_write_string(writer, value->as.text); break;
    case GRISTMILL_B: write_bytes(writer, value->as.bytes); break;
    case GRISTMILL_BOOL: gm_put_text(writer, value->as.boolean ? "true" : "false"); break;
    case GRISTMILL_NULL: gm_put_text(writer, "true"); break;
    case GRISTMILL_SS:
    case GRISTMILL_NS:
    case GRISTMILL_BS:
    case GRISTMILL_M:
    case GRISTMILL_L: open_container(writer, value->type); break;
    }
}

static const char *tag(gristmill_type type) {
    static const char *const tags[] = {"{\"S\":",  "{\"N\":",  "{\"B\":", "{\"SS\":",   "{\"NS\":",
                                       "{\"BS\":", "{\"M\":", "{\"L\":", "{\"BOOL\":", "{\"NULL\":"};
    return tags[type];
}

bool gm_write(gm_writer *writer, const gristmill_value *value, bool item) {
    struct {
        const gristmill_value *container;
        size_t next;
        bool tagged;
    } open[GM_MAX_DEPTH];
    size_t depth = 0;
    bool tagged = !item;
    for (;;) {
        if (tagged) gm_put_text(writer, tag(value->type));
        write_begin(writer, value);
        if (gm_is_container(value->type)) {
            if (depth == GM_MAX_DEPTH) return false;
            open[depth].container = value;
            open[depth].next = 0;
            open[depth++].tagged = tagged;
        } else if (tagged) gm_put_char(writer, '}');
        // Up to where another one follows.
        for (;;) {
            if (!depth) return true;
            const gristmill_value *container = open[depth - 1].container;
            if (open[depth - 1].next < container->as.of.count) break;
            gm_put_char(writer, container->type == GRISTMILL_M ? '}' : ']');
            if (open[--depth].tagged) gm_put_char(writer, '}');
        }
        const gristmill_value *container = open[depth - 1].container;
        if (open[depth - 1].next) gm_put_char(writer, ',');
        value = container->as.of.items[open[depth - 1].next++];
        if (container->type == GRISTMILL_M) {
            gm_write_string(writer, value->name);
            gm_put_char(writer, ':');
        }
        tagged = container->type == GRISTMILL_M || container->type == GRISTMILL_L;
    }
}

static gristmill_string written(const gristmill_value *value, bool item) {
    gm_writer writer = {0};
    if (value && gm_write(&writer, value, item)) return gm_written(&writer);
    if (value) gm_error_text(NULL, NULL, "nested deeper than 64 levels");
    return (gristmill_string){NULL, 0};
}

gristmill_string gristmill_value_json(const gristmill_value *value) { return written(value, false); }

gristmill_string gristmill_item_json(const gristmill_value *map) {
    if (map && map->type != GRISTMILL_M) {
        gm_error_text(map, NULL, "only a map (M) is an item");
        return (gristmill_string){NULL, 0};
    }
    return written(map, true);
}
