// What a component exports: the handler, and the memory that the host writes to. Not in a native build.
#include "internal.h"

#ifdef __wasm__
#include <stdio.h>
#include <stdlib.h>

#define EXPORT(name) __attribute__((export_name(name)))

// The host's texts: each is followed by a zero byte, which is not counted.
EXPORT("cabi_realloc") void *gm_cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
    char *text = gm_reallocate(old, old ? old_size + 1 : 0, align, size + 1);
    text[size] = 0;
    return text;
}

// What the adapter to WASI 0.2 asks for once and keeps for good; so it is not of the memory that a call gives back.
EXPORT("cabi_realloc_adapter") void *gm_cabi_realloc_adapter(void *old, size_t old_size, size_t align, size_t size) {
    (void)old_size;
    if (old) return realloc(old, size);
    void *memory = align > 8 ? aligned_alloc(align, (size + align - 1) & ~(align - 1)) : malloc(size);
    if (!memory) __builtin_trap();
    return memory;
}

EXPORT("gristmill:events/handler@0.1.0#handle") host_result *gm_handle(host_record handle) {
    static host_result returned;
    // The host takes it back after the call, dropped or not.
    gristmill_record record = {.handle = handle};
    gristmill_result result = gm_call(gristmill_handler_made_by_GRISTMILL_HANDLER, &record);
    // A component never exits, and what is printed would wait for that. Pulls in no stdio where nothing prints.
    fflush(NULL);
    returned.is_err = result.outcome != GRISTMILL_OUTCOME_OK;
    returned.failure.is_reject = result.outcome == GRISTMILL_OUTCOME_REJECT;
    returned.failure.text = result.text;
    return &returned;
}

EXPORT("cabi_post_gristmill:events/handler@0.1.0#handle") void gm_handle_post(host_result *result) {
    (void)result;
    gm_no_error();
    gm_free_all();
}
#endif
