// The new image into a tree, and what is asked of it.
#include <gristmill.h>

static bool is_in_order(const gristmill_value *order) {
    gristmill_string id, customer, text;
    uint32_t pieces = 0;
    size_t texts = 0;
    double total;
    bool paid;
    if (!gristmill_get_string(order, "id", &id) || !gristmill_get_string(order, "customer", &customer) ||
        !gristmill_get_double(order, "total", &total) || !gristmill_get_bool(order, "paid", &paid))
        return false;
    GRISTMILL_EACH(line, gristmill_get(order, "lines")) {
        uint32_t of_line;
        if (!gristmill_get_string(line, "sku", &text) || !gristmill_get_u32(line, "pieces", &of_line)) return false;
        if (text.len) pieces += of_line;
    }
    GRISTMILL_EACH(part, gristmill_get(order, "address")) {
        if (!gristmill_as_string(part, &text)) return false;
        texts += text.len;
    }
    return pieces > 0 && texts + id.len + customer.len > 0 && paid && total > 0;
}

gristmill_result read_order(gristmill_record *record) {
    const gristmill_value *order = gristmill_new_image(record);
    if (!order || !is_in_order(order)) return gristmill_reject("no such order");
    return gristmill_ok();
}

GRISTMILL_HANDLER(read_order);
