// Values made by hand.
#include "internal.h"

#include <string.h>

gristmill_value *gm_make(gristmill_type type) {
    gristmill_value *value = gm_allocate(sizeof *value, _Alignof(gristmill_value));
    memset(value, 0, sizeof *value);
    value->type = type;
    return value;
}

void gm_append(gristmill_value *container, gristmill_value *value) {
    size_t count = container->as.of.count, capacity = container->as.of.capacity;
    if (count == capacity) {
        capacity = capacity ? capacity * 2 : 4;
        container->as.of.items = gm_reallocate(container->as.of.items, count * sizeof(void *), sizeof(void *),
                                               capacity * sizeof(void *));
        container->as.of.capacity = capacity;
    }
    value->parent = container;
    value->index = count;
    container->as.of.items[container->as.of.count++] = value;
}

gristmill_value *gristmill_make_string_of(const char *text, size_t len) {
    gristmill_value *value = gm_make(GRISTMILL_S);
    gristmill_string given = {text, len}, checked = gm_utf8(given);
    value->as.text = checked.ptr == text ? gm_copy(text, len) : checked;
    return value;
}

gristmill_value *gristmill_make_string(const char *text) { return gristmill_make_string_of(text, gm_length(text)); }

gristmill_value *gristmill_make_number(const char *text) {
    size_t len = gm_length(text);
    gm_number wrong = gm_number_check(text, len);
    if (wrong != GM_NUMBER_OK) {
        gm_writer message = {0};
        gm_put_number_error(&message, wrong, text, len, "");
        gm_error(NULL, NULL, gm_written(&message));
        return NULL;
    }
    gristmill_value *value = gm_make(GRISTMILL_N);
    value->as.text = gm_copy(text, len);
    return value;
}

static gristmill_value *integer(bool negative, uint64_t magnitude) {
    gm_writer text = {0};
    if (negative) gm_put_char(&text, '-');
    gm_put_u64(&text, magnitude);
    gristmill_value *value = gm_make(GRISTMILL_N);
    value->as.text = gm_written(&text);
    return value;
}

gristmill_value *gristmill_make_i64(int64_t number) {
    return integer(number < 0, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

gristmill_value *gristmill_make_u64(uint64_t number) { return integer(false, number); }

gristmill_value *gristmill_make_bytes(const void *bytes, size_t len) {
    gristmill_value *value = gm_make(GRISTMILL_B);
    value->as.bytes = (gristmill_bytes){(const uint8_t *)gm_copy(bytes, len).ptr, len};
    return value;
}

gristmill_value *gristmill_make_bool(bool boolean) {
    gristmill_value *value = gm_make(GRISTMILL_BOOL);
    value->as.boolean = boolean;
    return value;
}

gristmill_value *gristmill_make_null(void) { return gm_make(GRISTMILL_NULL); }
gristmill_value *gristmill_make_map(void) { return gm_make(GRISTMILL_M); }
gristmill_value *gristmill_make_list(void) { return gm_make(GRISTMILL_L); }

gristmill_value *gristmill_make_set(gristmill_type type) {
    if (type == GRISTMILL_SS || type == GRISTMILL_NS || type == GRISTMILL_BS) return gm_make(type);
    gm_error_text(NULL, NULL, "a set is of strings (SS), of numbers (NS) or of binaries (BS)");
    return NULL;
}

static bool refused(const gristmill_value *at, const char *name, const char *message) {
    gm_error_text(at, name, message);
    return false;
}

// The value as one that can be put into the container: a value that is in another stays there, and what goes in is a copy
// that shares what is in it. NULL when the container is in the value.
static gristmill_value *to_put(const gristmill_value *container, gristmill_value *value) {
    for (const gristmill_value *outer = container; outer; outer = outer->parent)
        if (outer == value) return NULL;
    if (!value->parent) return value;
    gristmill_value *copy = gm_make(value->type);
    *copy = *value;
    if (gm_is_container(copy->type) && copy->as.of.count) {
        // What is put into one of the two must not be in the other.
        size_t size = copy->as.of.count * sizeof *copy->as.of.items;
        copy->as.of.items = memcpy(gm_allocate(size, sizeof(void *)), value->as.of.items, size);
        copy->as.of.capacity = copy->as.of.count;
    }
    return copy;
}

bool gristmill_put(gristmill_value *map, const char *name, gristmill_value *value) {
    // NULL came from a function that failed, and its error says more.
    if (!map || !value) return false;
    if (map->type != GRISTMILL_M) return refused(map, NULL, "an attribute can be put into a map (M) only");
    gristmill_value *put = to_put(map, value);
    if (!put) return refused(map, name, "a map cannot be in itself");
    put->name = gm_utf8(gm_copy(name, gm_length(name)));
    const gristmill_value *old = gristmill_get(map, put->name.ptr);
    map->as.of.sorted = NULL;
    if (!old) {
        gm_append(map, put);
        return true;
    }
    // The old one may be in a copy of the map still, and keeps its name: it is no value that is in nothing.
    put->index = old->index;
    put->parent = map;
    map->as.of.items[put->index] = put;
    return true;
}

bool gristmill_add(gristmill_value *list, gristmill_value *value) {
    if (!list || !value) return false;
    bool fits = list->type == GRISTMILL_L || (list->type == GRISTMILL_SS && value->type == GRISTMILL_S) ||
                (list->type == GRISTMILL_NS && value->type == GRISTMILL_N) ||
                (list->type == GRISTMILL_BS && value->type == GRISTMILL_B);
    if (!fits) {
        gm_writer message = {0};
        gm_put_text(&message, gristmill_type_name(value->type));
        gm_put_text(&message, " cannot be added to ");
        gm_put_text(&message, gristmill_type_name(list->type));
        gm_error(list, NULL, gm_written(&message));
        return false;
    }
    gristmill_value *added = to_put(list, value);
    if (!added) return refused(list, NULL, "a list cannot be in itself");
    gm_append(list, added);
    return true;
}
