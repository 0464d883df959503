// Memory that lives until the handler returns.
#include "internal.h"

#include <stdlib.h>
#include <string.h>

// What malloc is asked for at a time, at least. The first of them serves many calls without malloc; a test of the SDK sets
// it to 0, which gives every allocation its own end, for a sanitizer to watch.
#ifndef GRISTMILL_CHUNK_BYTES
#define GRISTMILL_CHUNK_BYTES 8192
#endif
#define ALIGN_MAX 16

typedef struct gm_chunk {
    struct gm_chunk *before;
    size_t size;
} gm_chunk;

static gm_chunk *chunks;
static char *free_from, *free_to;

static size_t rounded(size_t size, size_t align) { return (size + align - 1) & ~(align - 1); }

void *gm_allocate(size_t size, size_t align) {
    if (free_from) {
        size_t skip = rounded((uintptr_t)free_from, align) - (uintptr_t)free_from;
        size_t left = (size_t)(free_to - free_from);
        if (skip <= left && size <= left - skip) {
            char *found = free_from + skip;
            free_from = found + size;
            return found;
        }
    }
    size_t header = rounded(sizeof(gm_chunk), ALIGN_MAX);
    size_t wanted = size > GRISTMILL_CHUNK_BYTES ? size : GRISTMILL_CHUNK_BYTES;
    if (wanted > SIZE_MAX - header) gm_die("gristmill: no memory of this size");
    gm_chunk *chunk = malloc(header + wanted);
    if (!chunk) gm_die("gristmill: out of memory: give the handler a larger memory-mb, or have it keep less");
    chunk->before = chunks;
    chunk->size = wanted;
    chunks = chunk;
    char *start = (char *)chunk + header;
    // What the last chunk has left is more worth than what is left of one that was made for a single large allocation.
    if (!free_from || wanted - size > (size_t)(free_to - free_from)) {
        free_from = start + size;
        free_to = start + wanted;
    }
    return start;
}

void *gm_reallocate(void *old, size_t old_size, size_t align, size_t size) {
    if (old && old_size && (char *)old + old_size == free_from && size <= (size_t)(free_to - (char *)old)) {
        free_from = (char *)old + size;
        return old;
    }
    void *moved = gm_allocate(size, align);
    if (old && old_size) memcpy(moved, old, old_size < size ? old_size : size);
    return moved;
}

void gm_free_all(void) {
    free_from = free_to = NULL;
    while (chunks) {
        gm_chunk *before = chunks->before;
        // The first one stays for the next call, which nearly always needs no other.
        if (!before && chunks->size == GRISTMILL_CHUNK_BYTES && GRISTMILL_CHUNK_BYTES > 0) {
            free_from = (char *)chunks + rounded(sizeof(gm_chunk), ALIGN_MAX);
            free_to = free_from + chunks->size;
            return;
        }
        free(chunks);
        chunks = before;
    }
}

void *gristmill_alloc(size_t size_bytes) { return gm_allocate(size_bytes ? size_bytes : 1, ALIGN_MAX); }

_Noreturn void gm_die(const char *text) {
    host_log_write(GRISTMILL_CRITICAL, text, gm_length(text), NULL, 0);
    __builtin_trap();
}
