// DynamoDB JSON to the tree of values, in one pass over a copy of the text. Strings are decoded where they stand, which
// never makes them longer, and the zero byte behind each takes the place of its closing quote. No text makes it recurse,
// or read past the end.
#include "internal.h"

#include <string.h>

gm_scan gm_scan_of(const char *json, size_t len) {
    char *copy = (char *)gm_copy(json, len).ptr;
    return (gm_scan){.start = copy, .at = copy, .end = copy + len};
}

static bool failed(gm_scan *scan, const char *text) {
    gm_put_text(&scan->message, text);
    return false;
}

static bool wrong_at(gm_scan *scan, const char *at, const char *text) {
    gm_put_text(&scan->message, "not JSON at byte ");
    gm_put_u64(&scan->message, (uint64_t)(at - scan->start));
    gm_put_text(&scan->message, ": ");
    return failed(scan, text);
}

// The next byte that is not white space, which stays where it is; 0 at the end.
static char peek(gm_scan *scan) {
    while (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t') scan->at++;
    return *scan->at;
}

static bool unexpected(gm_scan *scan, const char *expected) {
    peek(scan);
    size_t left = (size_t)(scan->end - scan->at);
    gm_put_text(&scan->message, left ? "not JSON at byte " : "the text ends at byte ");
    gm_put_u64(&scan->message, (uint64_t)(scan->at - scan->start));
    gm_put_text(&scan->message, left ? ": expected " : ", where ");
    gm_put_text(&scan->message, expected);
    if (!left) return failed(scan, " should be");
    gm_put_text(&scan->message, ", found ");
    gm_put_quoted(&scan->message, scan->at, left, 1, '\'');
    return false;
}

static bool take(gm_scan *scan, char byte) {
    // At the end there is a zero byte, which nobody takes.
    if (peek(scan) != byte) return false;
    scan->at++;
    return true;
}

static bool unexpected_byte(gm_scan *scan, char byte) {
    char expected[] = {'`', byte, '`', 0};
    return unexpected(scan, expected);
}

bool gm_expect(gm_scan *scan, char byte) { return take(scan, byte) || unexpected_byte(scan, byte); }

bool gm_scan_end(gm_scan *scan) {
    peek(scan);
    return scan->at == scan->end || unexpected(scan, "the end");
}

static bool too_deep(gm_scan *scan) { return failed(scan, "nested deeper than 64 levels"); }

static bool enter(gm_scan *scan, char bracket) {
    if (!gm_expect(scan, bracket)) return false;
    if (scan->depth == GM_MAX_DEPTH) return too_deep(scan);
    scan->depth++;
    return true;
}

int gm_scan_next(gm_scan *scan, bool first, char bracket) {
    if (take(scan, bracket)) return 0;
    if (first) return 1;
    if (!take(scan, ',')) {
        char expected[] = "`,` or `}`";
        expected[8] = bracket;
        unexpected(scan, expected);
        return -1;
    }
    if (peek(scan) == bracket) {
        unexpected(scan, "another value after `,`");
        return -1;
    }
    return 1;
}

static bool hex(const char *at, const char *end, unsigned *code) {
    if (end - at < 4) return false;
    *code = 0;
    for (int i = 0; i < 4; i++) {
        char byte = at[i];
        unsigned digit = byte >= '0' && byte <= '9'   ? (unsigned)(byte - '0')
                         : byte >= 'a' && byte <= 'f' ? (unsigned)(byte - 'a' + 10)
                         : byte >= 'A' && byte <= 'F' ? (unsigned)(byte - 'A' + 10)
                                                      : 16;
        if (digit == 16) return false;
        *code = *code << 4 | digit;
    }
    return true;
}

static char *put_character(char *to, unsigned code) {
    if (code < 0x80) *to++ = (char)code;
    else if (code < 0x800) {
        *to++ = (char)(0xC0 | code >> 6);
        *to++ = (char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *to++ = (char)(0xE0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
        *to++ = (char)(0x80 | (code & 0x3F));
    } else {
        *to++ = (char)(0xF0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 0x3F));
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
        *to++ = (char)(0x80 | (code & 0x3F));
    }
    return to;
}

// What follows a backslash, written to `to`: at most four bytes, of the six or more that were read.
static char *escape(gm_scan *scan, char *to) {
    const char *at = scan->at;
    static const char names[] = "\"\\/bfnrt", characters[] = "\"\\/\b\f\n\r\t";
    const char *name = *at ? strchr(names, *at) : NULL;
    if (name) {
        scan->at++;
        *to = characters[name - names];
        return to + 1;
    }
    if (*at != 'u') {
        wrong_at(scan, at, "an unknown escape in a string");
        return NULL;
    }
    unsigned code, low;
    if (!hex(at + 1, scan->end, &code)) {
        wrong_at(scan, at + 1, "`\\u` without four hexadecimal digits");
        return NULL;
    }
    scan->at += 5;
    if (code >= 0xD800 && code < 0xE000) {
        bool pair = code < 0xDC00 && scan->end - scan->at >= 6 && scan->at[0] == '\\' && scan->at[1] == 'u' &&
                    hex(scan->at + 2, scan->end, &low) && low >= 0xDC00 && low < 0xE000;
        if (!pair) {
            wrong_at(scan, at, "half of a surrogate pair");
            return NULL;
        }
        scan->at += 6;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    return put_character(to, code);
}

bool gm_scan_string(gm_scan *scan, gristmill_string *string) {
    if (!take(scan, '"')) return unexpected(scan, "a string");
    char *start = scan->at, *to = start;
    for (;;) {
        char *from = scan->at;
        while ((unsigned char)*scan->at >= 0x20 && *scan->at != '"' && *scan->at != '\\') scan->at++;
        size_t plain = (size_t)(scan->at - from);
        if (to != from) memmove(to, from, plain);
        to += plain;
        if (*scan->at == '"') {
            scan->at++;
            *to = 0;
            *string = (gristmill_string){start, (size_t)(to - start)};
            return true;
        }
        if (*scan->at != '\\') {
            if (scan->at == scan->end) return failed(scan, "the text ends within a string");
            return wrong_at(scan, scan->at, "a control character in a string");
        }
        scan->at++;
        if (!(to = escape(scan, to))) return false;
    }
}

static bool word(gm_scan *scan, const char *text) {
    peek(scan);
    size_t len = strlen(text);
    if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, text, len)) return false;
    scan->at += len;
    return true;
}

// Passes over a string, whose opening quote is next, and leaves it as it is.
static bool skip_string(gm_scan *scan) {
    for (scan->at++;; scan->at++) {
        if (*scan->at == '"') break;
        if (*scan->at == '\\' && scan->end - scan->at > 1) scan->at++;
        else if ((unsigned char)*scan->at < 0x20) {
            if (scan->at == scan->end) return failed(scan, "the text ends within a string");
            return wrong_at(scan, scan->at, "a control character in a string");
        }
    }
    scan->at++;
    return true;
}

bool gm_scan_raw(gm_scan *scan, gristmill_string *text) {
    peek(scan);
    const char *start = scan->at;
    // A level of DynamoDB's is two of JSON's, and a record has two around it.
    char open[2 * GM_MAX_DEPTH + 4];
    size_t depth = 0;
    bool first = true, in_object = false;
    for (bool more = true; more;) {
        if (in_object) {
            if (peek(scan) != '"') return unexpected(scan, "a name");
            if (!skip_string(scan) || !gm_expect(scan, ':')) return false;
        }
        char byte = peek(scan);
        first = false;
        if (byte == '"') {
            if (!skip_string(scan)) return false;
        } else if (byte == '{' || byte == '[') {
            if (depth == sizeof open) return too_deep(scan);
            open[depth++] = byte == '{' ? '}' : ']';
            scan->at++;
            first = true;
        } else if (byte == '-' || (byte >= '0' && byte <= '9')) {
            while (*scan->at && strchr("+-.eE0123456789", *scan->at)) scan->at++;
        } else if (!word(scan, "true") && !word(scan, "false") && !word(scan, "null")) {
            return unexpected(scan, "a JSON value");
        }
        more = false;
        while (depth && !more) {
            int next = gm_scan_next(scan, first, open[depth - 1]);
            if (next < 0) return false;
            more = next == 1;
            first = false;
            if (!more) depth--;
        }
        in_object = depth && open[depth - 1] == '}';
    }
    *text = (gristmill_string){start, (size_t)(scan->at - start)};
    return true;
}

// `{"S":` and the like: what type the attribute value is of.
static bool open_value(gm_scan *scan, gristmill_type *type) {
    static const struct {
        char tag[5];
        gristmill_type type;
    } tags[] = {{"S", GRISTMILL_S},   {"N", GRISTMILL_N}, {"M", GRISTMILL_M},   {"L", GRISTMILL_L},   {"BOOL", GRISTMILL_BOOL},
                {"NULL", GRISTMILL_NULL}, {"B", GRISTMILL_B}, {"SS", GRISTMILL_SS}, {"NS", GRISTMILL_NS}, {"BS", GRISTMILL_BS}};
    if (!take(scan, '{')) return unexpected(scan, "an attribute value such as {\"S\":\"…\"}");
    if (peek(scan) == '}') return failed(scan, "an attribute value without a type: {}");
    gristmill_string tag;
    if (!gm_scan_string(scan, &tag)) return false;
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        if (!gristmill_equals(tag, tags[i].tag)) continue;
        *type = tags[i].type;
        return gm_expect(scan, ':');
    }
    gm_put_quoted(&scan->message, tag.ptr, tag.len, 16, '"');
    return failed(scan, " is no attribute type (S, N, B, SS, NS, BS, M, L, BOOL, NULL)");
}

static bool close_value(gm_scan *scan) {
    if (take(scan, '}')) return true;
    if (peek(scan) == ',') return failed(scan, "an attribute value with more than one type");
    return unexpected_byte(scan, '}');
}

// What is in a value that has no others in it.
static bool read_scalar(gm_scan *scan, gristmill_value *value) {
    gristmill_string text;
    switch (value->type) {
    case GRISTMILL_S: return gm_scan_string(scan, &value->as.text);
    case GRISTMILL_N:
        if (peek(scan) != '"') return unexpected(scan, "the number in a string");
        if (!gm_scan_string(scan, &value->as.text)) return false;
        gm_number wrong = gm_number_check(value->as.text.ptr, value->as.text.len);
        if (wrong == GM_NUMBER_OK) return true;
        gm_put_number_error(&scan->message, wrong, value->as.text.ptr, value->as.text.len, "");
        return false;
    case GRISTMILL_B: {
        if (!gm_scan_string(scan, &text)) return false;
        size_t wrong_offset;
        size_t len = gm_base64_decode((char *)text.ptr, text.len, &wrong_offset);
        if (len == SIZE_MAX) {
            gm_put_text(&scan->message, "not base64: wrong at byte ");
            gm_put_u64(&scan->message, wrong_offset);
            return failed(scan, " of the text");
        }
        value->as.bytes = (gristmill_bytes){(const uint8_t *)text.ptr, len};
        return true;
    }
    case GRISTMILL_BOOL:
        if (word(scan, "true")) return value->as.boolean = true;
        return word(scan, "false") || unexpected(scan, "true or false");
    case GRISTMILL_NULL: return word(scan, "true") || unexpected(scan, "true, which is what NULL holds");
    case GRISTMILL_SS:
    case GRISTMILL_NS:
    case GRISTMILL_BS:
    case GRISTMILL_M:
    case GRISTMILL_L: break;
    }
    return false;
}

static gristmill_type element_type(gristmill_type set) {
    return set == GRISTMILL_SS ? GRISTMILL_S : set == GRISTMILL_NS ? GRISTMILL_N : GRISTMILL_B;
}

static char closing(gristmill_type type) { return type == GRISTMILL_M ? '}' : ']'; }

// Reads into `*at`, which is where it is when something is wrong.
static bool read_tree(gm_scan *scan, gristmill_value *root, bool item, gristmill_value **at, gristmill_string *name) {
    gristmill_value *into = NULL, *value = root;
    if (item) root->type = GRISTMILL_M;
    for (;;) {
        // A value begins, in `into` or as the root.
        bool tagged = value == root ? !item : into->type == GRISTMILL_M || into->type == GRISTMILL_L;
        *at = value;
        if (tagged && !open_value(scan, &value->type)) return false;
        if (gm_is_container(value->type)) {
            if (!enter(scan, value->type == GRISTMILL_M ? '{' : '[')) return false;
            into = value;
        } else {
            if (!read_scalar(scan, value)) return false;
            if (tagged && !close_value(scan)) return false;
        }
        // Up to where another one follows.
        for (;;) {
            *at = into ? into : value;
            if (!into) return gm_scan_end(scan);
            int next = gm_scan_next(scan, into->as.of.count == 0, closing(into->type));
            if (next < 0) return false;
            if (next) break;
            const gristmill_value *twice = into->type == GRISTMILL_M ? gm_sort(into) : NULL;
            if (twice) {
                *name = twice->name;
                return failed(scan, "the attribute is there twice");
            }
            scan->depth--;
            if ((into != root || !item) && !close_value(scan)) return false;
            into = into->parent;
            if (!into) value = root;
        }
        value = gm_make(into->type == GRISTMILL_M || into->type == GRISTMILL_L ? GRISTMILL_NULL : element_type(into->type));
        if (into->type == GRISTMILL_M && (!gm_scan_string(scan, &value->name) || !gm_expect(scan, ':'))) return false;
        gm_append(into, value);
    }
}

gristmill_value *gm_read(const char *json, size_t len, bool item, const char *called) {
    gm_scan scan = gm_scan_of(json, len);
    gristmill_value *root = gm_make(GRISTMILL_NULL), *at = root;
    root->name = gristmill_text(called);
    gristmill_string name = {NULL, 0};
    if (read_tree(&scan, root, item, &at, &name)) return root;
    gm_error(at, name.ptr, gm_written(&scan.message));
    return NULL;
}

// What did not come from the host may be anything, and the host's texts are UTF-8 always.
static gristmill_value *read_checked(const char *json, size_t len, bool item) {
    if (gm_is_utf8((gristmill_string){json, len})) return gm_read(json, len, item, "");
    gm_error_text(NULL, NULL, "not UTF-8");
    return NULL;
}

gristmill_value *gristmill_value_from_json(const char *json, size_t len) { return read_checked(json, len, false); }
gristmill_value *gristmill_item_from_json(const char *json, size_t len) { return read_checked(json, len, true); }
