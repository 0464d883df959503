// DynamoDB's numbers: decimal text, never rounded on the way. Knows nothing of JSON.
#include "internal.h"

#include <string.h>

// DynamoDB keeps 38 significant digits, of magnitudes from 1E-130 to 9.99…E+125.
#define MAX_DIGITS 38
#define EXPONENT_MIN (-130)
#define EXPONENT_MAX 125

// `whole.fraction` times ten to the `exponent`, and where the digits that count begin and end.
typedef struct {
    const char *whole, *fraction;
    size_t whole_len, fraction_len, before, after, significant; // significant: 0 for zero
    int64_t exponent;
    bool negative;
} decimal;

static bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

static char digit_at(const decimal *number, size_t index) {
    return index < number->whole_len ? number->whole[index] : number->fraction[index - number->whole_len];
}

static bool parse(const char *text, size_t len, decimal *number) {
    const char *at = text, *end = text + len;
    *number = (decimal){0};
    if (at < end && (*at == '-' || *at == '+')) number->negative = *at++ == '-';
    number->whole = at;
    while (at < end && is_digit(*at)) at++;
    number->whole_len = (size_t)(at - number->whole);
    if (at < end && *at == '.') at++;
    number->fraction = at;
    while (at < end && is_digit(*at)) at++;
    number->fraction_len = (size_t)(at - number->fraction);
    size_t digits = number->whole_len + number->fraction_len;
    if (!digits) return false;
    if (at < end && (*at == 'e' || *at == 'E')) {
        bool below = false;
        if (++at < end && (*at == '-' || *at == '+')) below = *at++ == '-';
        if (at == end) return false;
        // What is beyond a million is a million, and out of every range.
        for (; at < end && is_digit(*at); at++)
            if (number->exponent < 1000000) number->exponent = number->exponent * 10 + (*at - '0');
        if (below) number->exponent = -number->exponent;
    }
    if (at != end) return false;
    while (number->before < digits && digit_at(number, number->before) == '0') number->before++;
    if (number->before == digits) return true;
    while (digit_at(number, digits - number->after - 1) == '0') number->after++;
    number->significant = digits - number->before - number->after;
    return true;
}

static gm_number check(const decimal *number) {
    if (!number->significant) return GM_NUMBER_OK;
    if (number->significant > MAX_DIGITS) return GM_TOO_MANY_DIGITS;
    int64_t first = number->exponent + (int64_t)number->whole_len - (int64_t)number->before - 1;
    return first < EXPONENT_MIN || first > EXPONENT_MAX ? GM_OUT_OF_RANGE : GM_NUMBER_OK;
}

gm_number gm_number_check(const char *text, size_t len) {
    decimal number;
    return parse(text, len, &number) ? check(&number) : GM_NOT_DECIMAL;
}

gm_number gm_number_magnitude(const char *text, size_t len, int shift, bool *negative, uint64_t *magnitude,
                              bool *fraction) {
    decimal number;
    if (!parse(text, len, &number)) return GM_NOT_DECIMAL;
    gm_number wrong = check(&number);
    if (wrong != GM_NUMBER_OK) return wrong;
    *magnitude = 0;
    *fraction = false;
    *negative = number.negative && number.significant;
    if (!number.significant) return GM_NUMBER_OK;
    int64_t scale = number.exponent + shift - (int64_t)number.fraction_len + (int64_t)number.after;
    size_t kept = number.significant;
    if (scale < 0) {
        *fraction = true;
        kept = (uint64_t)-scale >= kept ? 0 : kept - (size_t)-scale;
    }
    for (size_t i = 0; i < kept; i++) {
        uint64_t digit = (uint64_t)(digit_at(&number, number.before + i) - '0');
        if (*magnitude > (UINT64_MAX - digit) / 10) return GM_DOES_NOT_FIT;
        *magnitude = *magnitude * 10 + digit;
    }
    for (; scale > 0; scale--) {
        if (*magnitude > UINT64_MAX / 10) return GM_DOES_NOT_FIT;
        *magnitude *= 10;
    }
    return GM_NUMBER_OK;
}

// The order of two numbers, whatever they are written like.
int gm_number_compare(gristmill_string a, gristmill_string b) {
    decimal x, y;
    if (!parse(a.ptr, a.len, &x) || !parse(b.ptr, b.len, &y)) return gm_compare(a, b);
    int sign_x = !x.significant ? 0 : x.negative ? -1 : 1, sign_y = !y.significant ? 0 : y.negative ? -1 : 1;
    if (sign_x != sign_y || !sign_x) return (sign_x > sign_y) - (sign_x < sign_y);
    int64_t first_x = x.exponent + (int64_t)x.whole_len - (int64_t)x.before;
    int64_t first_y = y.exponent + (int64_t)y.whole_len - (int64_t)y.before;
    if (first_x != first_y) return first_x > first_y ? sign_x : -sign_x;
    for (size_t i = 0; i < x.significant || i < y.significant; i++) {
        char digit_x = i < x.significant ? digit_at(&x, x.before + i) : '0';
        char digit_y = i < y.significant ? digit_at(&y, y.before + i) : '0';
        if (digit_x != digit_y) return digit_x > digit_y ? sign_x : -sign_x;
    }
    return 0;
}

bool gm_number_same(gristmill_string a, gristmill_string b) { return gm_equal(a, b) || gm_number_compare(a, b) == 0; }

size_t gm_number_digits(gristmill_string number, bool *negative) {
    decimal parsed;
    if (!parse(number.ptr, number.len, &parsed)) return 0;
    *negative = parsed.negative && parsed.significant;
    return parsed.significant;
}

void gm_put_number_error(gm_writer *writer, gm_number error, const char *text, size_t len, const char *target) {
    // A text that is no number may hold anything, and any amount of it.
    size_t start = len < 48 ? len : 48;
    if (error == GM_NOT_DECIMAL) {
        gm_put_quoted(writer, text, len, 48, '"');
        gm_put_text(writer, " is not a decimal number");
        return;
    }
    gm_put_text(writer, "the number ");
    gm_put(writer, text, start);
    if (error == GM_TOO_MANY_DIGITS) gm_put_text(writer, " has more than 38 digits");
    else if (error == GM_OUT_OF_RANGE) gm_put_text(writer, " is beyond what DynamoDB has");
    else {
        bool fraction = error == GM_FRACTION;
        gm_put_text(writer, fraction ? " has a fraction, and " : " does not fit in ");
        gm_put_text(writer, target);
        if (fraction) gm_put_text(writer, " has none");
    }
}
