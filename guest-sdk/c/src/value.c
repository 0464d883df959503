// The tree of an attribute's value: what it is, what is in it, what it is as a type of C. What is wrong with it is told
// with its place.
#include "internal.h"

#include <stdlib.h>
#include <string.h>

// ---- Errors

static gristmill_string last_error;

void gm_no_error(void) { last_error = (gristmill_string){NULL, 0}; }

const char *gristmill_error(void) { return last_error.ptr ? last_error.ptr : ""; }

// Whether a name can stand in a path as it is.
static bool is_plain(gristmill_string name) {
    for (size_t i = 0; i < name.len; i++) {
        unsigned char byte = (unsigned char)name.ptr[i];
        bool plain = byte >= 0x80 || byte == '_' || byte == '-' || (byte >= '0' && byte <= '9') ||
                     ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
        if (!plain) return false;
    }
    return name.len > 0;
}

static void put_name(gm_writer *path, gristmill_string name, size_t start) {
    if (is_plain(name)) {
        if (path->len > start) gm_put_char(path, '.');
        gm_put(path, name.ptr, name.len);
        return;
    }
    gm_put_char(path, '[');
    gm_put_quoted(path, name.ptr, name.len, SIZE_MAX, '"');
    gm_put_char(path, ']');
}

void gm_error(const gristmill_value *at, const char *name, gristmill_string message) {
    gm_writer text = {0};
    const gristmill_value *steps[GM_MAX_DEPTH + 2];
    size_t count = 0;
    for (; at && at->parent; at = at->parent)
        if (count < sizeof steps / sizeof *steps) steps[count++] = at;
    if (at && at->name.len) {
        gm_put(&text, at->name.ptr, at->name.len);
        gm_put_text(&text, ": ");
    }
    size_t start = text.len;
    while (count--) {
        if (steps[count]->parent->type == GRISTMILL_M) {
            put_name(&text, steps[count]->name, start);
        } else {
            gm_put_char(&text, '[');
            gm_put_u64(&text, steps[count]->index);
            gm_put_char(&text, ']');
        }
    }
    if (name) put_name(&text, gristmill_text(name), start);
    if (text.len > start) gm_put_text(&text, ": ");
    gm_put(&text, message.ptr, message.len);
    last_error = gm_written(&text);
}

void gm_error_text(const gristmill_value *at, const char *name, const char *message) {
    gm_error(at, name, gristmill_text(message));
}

static bool wrong_type(const gristmill_value *value, const char *expected) {
    if (!value) {
        gm_error_text(NULL, NULL, "the attribute is missing");
        return false;
    }
    gm_writer message = {0};
    gm_put_text(&message, "expected ");
    gm_put_text(&message, expected);
    gm_put_text(&message, ", found ");
    gm_put_text(&message, gristmill_type_name(value->type));
    gm_error(value, NULL, gm_written(&message));
    return false;
}

// ---- Types

gristmill_type gristmill_type_of(const gristmill_value *value) { return value ? value->type : GRISTMILL_NULL; }

const char *gristmill_type_name(gristmill_type type) {
    switch (type) {
    case GRISTMILL_S: return "a string (S)";
    case GRISTMILL_N: return "a number (N)";
    case GRISTMILL_B: return "binary (B)";
    case GRISTMILL_SS: return "a string set (SS)";
    case GRISTMILL_NS: return "a number set (NS)";
    case GRISTMILL_BS: return "a binary set (BS)";
    case GRISTMILL_M: return "a map (M)";
    case GRISTMILL_L: return "a list (L)";
    case GRISTMILL_BOOL: return "a boolean (BOOL)";
    case GRISTMILL_NULL: return "null (NULL)";
    }
    return "no type";
}

bool gm_is_container(gristmill_type type) {
    return type == GRISTMILL_M || type == GRISTMILL_L || type == GRISTMILL_SS || type == GRISTMILL_NS ||
           type == GRISTMILL_BS;
}

// ---- Elements

// From here on a map is sorted for its lookups: before, looking at all is as fast.
#define MANY 12

int gm_compare(gristmill_string a, gristmill_string b) {
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_name(const void *a, const void *b) {
    return gm_compare((*(gristmill_value *const *)a)->name, (*(gristmill_value *const *)b)->name);
}

const gristmill_value *gm_sort(gristmill_value *map) {
    size_t count = map->as.of.count;
    if (count <= MANY) {
        for (size_t i = 1; i < count; i++)
            for (size_t j = 0; j < i; j++)
                if (gm_equal(map->as.of.items[i]->name, map->as.of.items[j]->name)) return map->as.of.items[i];
        return NULL;
    }
    gristmill_value **sorted = gm_allocate(count * sizeof *sorted, sizeof(void *));
    memcpy(sorted, map->as.of.items, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_name);
    for (size_t i = 1; i < count; i++)
        if (gm_equal(sorted[i - 1]->name, sorted[i]->name)) return sorted[i];
    map->as.of.sorted = sorted;
    return NULL;
}

static const gristmill_value *find(const gristmill_value *map, gristmill_string name) {
    size_t low = 0, high = map->as.of.count;
    if (!map->as.of.sorted) {
        for (size_t i = 0; i < high; i++)
            if (gm_equal(map->as.of.items[i]->name, name)) return map->as.of.items[i];
        return NULL;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = gm_compare(map->as.of.sorted[middle]->name, name);
        if (order == 0) return map->as.of.sorted[middle];
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return NULL;
}

const gristmill_value *gristmill_get(const gristmill_value *map, const char *name) {
    return map && map->type == GRISTMILL_M ? find(map, gristmill_text(name)) : NULL;
}

size_t gristmill_count(const gristmill_value *container) {
    return container && gm_is_container(container->type) ? container->as.of.count : 0;
}

const gristmill_value *gristmill_at(const gristmill_value *container, size_t index) {
    return index < gristmill_count(container) ? container->as.of.items[index] : NULL;
}

gristmill_string gristmill_name(const gristmill_value *attribute) {
    bool named = attribute && attribute->parent && attribute->parent->type == GRISTMILL_M;
    return named ? attribute->name : gristmill_text("");
}

bool gristmill_has(const gristmill_value *map, const char *name) {
    const gristmill_value *value = gristmill_get(map, name);
    return value && value->type != GRISTMILL_NULL;
}

// ---- Values as types of C

bool gristmill_as_string(const gristmill_value *value, gristmill_string *string) {
    if (!value || value->type != GRISTMILL_S) return wrong_type(value, "a string (S)");
    *string = value->as.text;
    return true;
}

bool gristmill_as_number_text(const gristmill_value *value, gristmill_string *text) {
    if (!value || value->type != GRISTMILL_N) return wrong_type(value, "a number (N)");
    *text = value->as.text;
    return true;
}

bool gristmill_as_bool(const gristmill_value *value, bool *boolean) {
    if (!value || value->type != GRISTMILL_BOOL) return wrong_type(value, "a boolean (BOOL)");
    *boolean = value->as.boolean;
    return true;
}

bool gristmill_as_bytes(const gristmill_value *value, gristmill_bytes *bytes) {
    if (!value || value->type != GRISTMILL_B) return wrong_type(value, "binary (B)");
    *bytes = value->as.bytes;
    return true;
}

static bool number_error(const gristmill_value *value, gm_number wrong, const char *target) {
    gm_writer message = {0};
    gm_put_number_error(&message, wrong, value->as.text.ptr, value->as.text.len, target);
    gm_error(value, NULL, gm_written(&message));
    return false;
}

// An integer from -below to above.
static bool as_integer(const gristmill_value *value, const char *target, uint64_t below, uint64_t above, bool *negative,
                       uint64_t *magnitude) {
    if (!value || value->type != GRISTMILL_N) return wrong_type(value, "a number (N)");
    bool fraction;
    gm_number wrong = gm_number_magnitude(value->as.text.ptr, value->as.text.len, 0, negative, magnitude, &fraction);
    if (wrong == GM_NUMBER_OK && fraction) wrong = GM_FRACTION;
    if (wrong == GM_NUMBER_OK && *magnitude > (*negative ? below : above)) wrong = GM_DOES_NOT_FIT;
    return wrong == GM_NUMBER_OK || number_error(value, wrong, target);
}

static int64_t with_sign(bool negative, uint64_t magnitude) {
    // The lowest one has no positive counterpart.
    return negative ? -(int64_t)(magnitude - 1) - 1 : (int64_t)magnitude;
}

bool gristmill_as_i64(const gristmill_value *value, int64_t *number) {
    bool negative;
    uint64_t magnitude;
    if (!as_integer(value, "int64_t", (uint64_t)INT64_MAX + 1, INT64_MAX, &negative, &magnitude)) return false;
    *number = with_sign(negative, magnitude);
    return true;
}

bool gristmill_as_i32(const gristmill_value *value, int32_t *number) {
    bool negative;
    uint64_t magnitude;
    if (!as_integer(value, "int32_t", (uint64_t)INT32_MAX + 1, INT32_MAX, &negative, &magnitude)) return false;
    *number = (int32_t)with_sign(negative, magnitude);
    return true;
}

bool gristmill_as_u64(const gristmill_value *value, uint64_t *number) {
    bool negative;
    return as_integer(value, "uint64_t", 0, UINT64_MAX, &negative, number);
}

bool gristmill_as_u32(const gristmill_value *value, uint32_t *number) {
    bool negative;
    uint64_t magnitude;
    if (!as_integer(value, "uint32_t", 0, UINT32_MAX, &negative, &magnitude)) return false;
    *number = (uint32_t)magnitude;
    return true;
}

// The attribute, and an error that names the place when there is none.
static const gristmill_value *attribute(const gristmill_value *map, const char *name) {
    const gristmill_value *value = gristmill_get(map, name);
    if (value) return value;
    if (map && map->type != GRISTMILL_M) wrong_type(map, "a map (M)");
    else gm_error_text(map, name, "the attribute is missing");
    return NULL;
}

#define GET(type, suffix)                                                                                              \
    bool gristmill_get_##suffix(const gristmill_value *map, const char *name, type *found) {                           \
        const gristmill_value *value = attribute(map, name);                                                           \
        return value && gristmill_as_##suffix(value, found);                                                           \
    }
GET(gristmill_string, string)
GET(int64_t, i64)
GET(uint64_t, u64)
GET(int32_t, i32)
GET(uint32_t, u32)
GET(double, double)
GET(gristmill_string, number_text)
GET(bool, bool)
GET(gristmill_bytes, bytes)

bool gristmill_get_typed(const gristmill_value *map, const char *name, gristmill_type type,
                         const gristmill_value **value) {
    const gristmill_value *found = attribute(map, name);
    if (!found) return false;
    if (found->type != type) return wrong_type(found, gristmill_type_name(type));
    *value = found;
    return true;
}

// ---- What is the same

static bool same_set(const gristmill_value *a, const gristmill_value *b);

// The levels are bounded when the values were read; those that were made by hand are cut where no text can be.
static bool same(const gristmill_value *a, const gristmill_value *b, size_t levels) {
    if (!a || !b || a->type != b->type || !levels) return a == b;
    switch (a->type) {
    case GRISTMILL_S: return gm_equal(a->as.text, b->as.text);
    case GRISTMILL_N: return gm_number_same(a->as.text, b->as.text);
    case GRISTMILL_B:
        return a->as.bytes.len == b->as.bytes.len &&
               (!a->as.bytes.len || !memcmp(a->as.bytes.ptr, b->as.bytes.ptr, a->as.bytes.len));
    case GRISTMILL_BOOL: return a->as.boolean == b->as.boolean;
    case GRISTMILL_NULL: return true;
    case GRISTMILL_SS:
    case GRISTMILL_NS:
    case GRISTMILL_BS: return same_set(a, b);
    case GRISTMILL_M:
    case GRISTMILL_L: break;
    }
    if (a->as.of.count != b->as.of.count) return false;
    for (size_t i = 0; i < a->as.of.count; i++) {
        const gristmill_value *element = a->as.of.items[i];
        const gristmill_value *other = a->type == GRISTMILL_M ? find(b, element->name) : b->as.of.items[i];
        if (!same(element, other, levels - 1)) return false;
    }
    return true;
}

static int by_element(const void *a, const void *b) {
    const gristmill_value *x = *(gristmill_value *const *)a, *y = *(gristmill_value *const *)b;
    if (x->type == GRISTMILL_N) return gm_number_compare(x->as.text, y->as.text);
    if (x->type == GRISTMILL_S) return gm_compare(x->as.text, y->as.text);
    return gm_compare((gristmill_string){(const char *)x->as.bytes.ptr, x->as.bytes.len},
                      (gristmill_string){(const char *)y->as.bytes.ptr, y->as.bytes.len});
}

static gristmill_value **sorted_set(const gristmill_value *set) {
    gristmill_value **sorted = gm_allocate((set->as.of.count + 1) * sizeof *sorted, sizeof(void *));
    if (set->as.of.count) memcpy(sorted, set->as.of.items, set->as.of.count * sizeof *sorted);
    qsort(sorted, set->as.of.count, sizeof *sorted, by_element);
    return sorted;
}

static bool same_set(const gristmill_value *a, const gristmill_value *b) {
    if (a->as.of.count != b->as.of.count) return false;
    gristmill_value **x = sorted_set(a), **y = sorted_set(b);
    for (size_t i = 0; i < a->as.of.count; i++)
        if (!same(x[i], y[i], 1)) return false;
    return true;
}

bool gristmill_same(const gristmill_value *a, const gristmill_value *b) { return same(a, b, GM_MAX_DEPTH + 1); }
