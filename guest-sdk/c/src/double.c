// Numbers as doubles, and back. In a file of its own: strtod and printf are larger than the rest of the SDK.
#include "internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool gristmill_as_double(const gristmill_value *value, double *number) {
    gristmill_string text;
    if (!gristmill_as_number_text(value, &text)) return false;
    // Checked when it was read or made: every number that DynamoDB has is a double's text, and in its range.
    *number = strtod(text.ptr, NULL);
    return true;
}

gristmill_value *gristmill_make_double(double number) {
    char text[40];
    if (!isfinite(number)) {
        gm_error_text(NULL, NULL, isnan(number) ? "\"NaN\" is not a decimal number" : "\"inf\" is not a decimal number");
        return NULL;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) break;
    }
    return gristmill_make_number(text);
}
