// `make test`, natively.
#include <gristmill_testing.h>
#include <stdio.h>

gristmill_result file(gristmill_record *record);

static int a_change_is_handled(void) {
    gristmill_test *test = gristmill_test_modify("test-table");
    gristmill_test_key(test, "id", gristmill_make_string("1"));
    gristmill_test_old(test, "name", gristmill_make_string("Tung"));
    gristmill_test_new(test, "name", gristmill_make_string("Tung Nguyen"));
    gristmill_result result = gristmill_test_call(file, gristmill_test_record(test));
    if (result.outcome != GRISTMILL_OUTCOME_OK) fprintf(stderr, "a_change_is_handled: %s\n", result.text.ptr);
    return result.outcome != GRISTMILL_OUTCOME_OK;
}

int main(void) {
    int failures = a_change_is_handled();
    gristmill_test_end();
    return failures;
}
