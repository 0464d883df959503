// Whatever takes a format as printf does. In a file of its own, so that a handler that uses none of it is without printf.
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>

static gristmill_string formatted(const char *format, va_list arguments) {
    char small[256];
    va_list again;
    va_copy(again, arguments);
    int len = vsnprintf(small, sizeof small, format, arguments);
    gristmill_string text;
    if (len < 0) text = gristmill_text(format); // what cannot be formatted, for example a wide character
    else if ((size_t)len < sizeof small) text = gm_copy(small, (size_t)len);
    else {
        char *large = gm_allocate((size_t)len + 1, 1);
        vsnprintf(large, (size_t)len + 1, format, again);
        text = (gristmill_string){large, (size_t)len};
    }
    va_end(again);
    return text;
}

#define FORMATTED(text)                                                                                                \
    va_list arguments;                                                                                                 \
    va_start(arguments, format);                                                                                       \
    gristmill_string text = formatted(format, arguments);                                                              \
    va_end(arguments)

gristmill_string gristmill_format(const char *format, ...) {
    FORMATTED(text);
    return text;
}

gristmill_result gristmill_retryf(const char *format, ...) {
    FORMATTED(text);
    return (gristmill_result){GRISTMILL_OUTCOME_RETRY, text};
}

gristmill_result gristmill_rejectf(const char *format, ...) {
    FORMATTED(text);
    return (gristmill_result){GRISTMILL_OUTCOME_REJECT, text};
}

void gristmill_logf(gristmill_level level, const char *format, ...) {
    FORMATTED(text);
    gristmill_log_strings(level, text, NULL, 0);
}

#define LOGF(name, level)                                                                                              \
    void name(const char *format, ...) {                                                                               \
        FORMATTED(text);                                                                                               \
        gristmill_log_strings(level, text, NULL, 0);                                                                   \
    }
LOGF(gristmill_tracef, GRISTMILL_TRACE)
LOGF(gristmill_debugf, GRISTMILL_DEBUG)
LOGF(gristmill_infof, GRISTMILL_INFO)
LOGF(gristmill_warnf, GRISTMILL_WARN)
LOGF(gristmill_errorf, GRISTMILL_ERROR)
LOGF(gristmill_criticalf, GRISTMILL_CRITICAL)
