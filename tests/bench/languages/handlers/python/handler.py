"""The new image into a dict, as in tests/bench/functions/python."""

from gristmill import Reject, StreamRecord, handler


@handler
def read(record: StreamRecord) -> None:
    if not is_in_order(record.new_image):
        raise Reject("no such order")


def is_in_order(order):
    pieces = sum(line["pieces"] for line in order["lines"] if line["sku"])
    texts = len(order["id"]) + len(order["customer"]) + sum(map(len, order["address"].values()))
    return pieces > 0 and texts > 0 and order["paid"] and order["total"] > 0
