// clerk-c-file: called for each record of a table's stream.
#include <gristmill.h>
#include <stdio.h>

// Called once for each record. gristmill_ok() means that it need not come again; gristmill_retry("…") that it must, and
// gristmill_reject("…") that it will never go better.
gristmill_result file(gristmill_record *record) {
    printf("event: %s\n", gristmill_display(record).ptr);
    return gristmill_ok();
}

GRISTMILL_HANDLER(file);
