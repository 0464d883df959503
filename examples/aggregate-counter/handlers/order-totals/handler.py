"""order-totals: what each change of an order means for its customer's totals.

What a change means is found by a function that only reads, and told by another: a unit test sees what the first gives.
"""

from __future__ import annotations

import decimal
import logging
from dataclasses import dataclass
from decimal import Decimal

from gristmill import DECIMAL, EventName, ImageError, Reject, StreamRecord, handler

log = logging.getLogger(__name__)

# The exponent of a cent.
CENT = -2


@dataclass
class Order:
    """What the totals need of an order. An item has more attributes, which are skipped."""

    customer: str
    amount: Decimal

    def __post_init__(self) -> None:
        if not self.customer:
            raise Reject("not an order: it has no customer")
        # Half a cent is nobody's.
        if self.amount.normalize(DECIMAL).as_tuple().exponent < CENT:
            raise Reject(f"not an order: {self.amount} is not a number of cents")


@dataclass(frozen=True)
class Delta:
    """What to add to the totals of one customer."""

    customer: str
    orders: int
    amount: Decimal
    token: str
    """The same whenever this record comes again: whoever adds it up can tell that it was added already."""


@handler
def count(record: StreamRecord) -> None:
    """Called once for each record. When it returns, the record need not come again; any exception means that it must."""
    for delta in deltas(record):
        fields = {"customer": delta.customer, "orders": delta.orders, "amount": delta.amount, "token": delta.token}
        log.info("add", extra=fields)


def deltas(record: StreamRecord) -> list[Delta]:
    """One for each customer whose totals change. An order that moves to another customer changes two."""
    old, new = orders(record)
    counts: dict[str, int] = {}
    amounts: dict[str, Decimal] = {}
    # Exact, or an error: Python's own context rounds what has more than 28 digits.
    with decimal.localcontext(DECIMAL):
        for order, sign in ((old, -1), (new, 1)):
            if order is not None:
                counts[order.customer] = counts.get(order.customer, 0) + sign
                amounts[order.customer] = amounts.get(order.customer, Decimal("0.00")) + sign * order.amount
    return [
        Delta(customer, orders, amounts[customer], f"{record.event_id}/{customer}")
        for customer, orders in counts.items()
        if orders or amounts[customer]
    ]


def orders(record: StreamRecord) -> tuple[Order | None, Order | None]:
    """The order before the change and after it. What is no order will be none the next time: that is a rejection."""
    try:
        old, new = record.old_image_as(Order), record.new_image_as(Order)
    except ImageError as error:
        raise Reject("not an order") from error
    if old is None and record.event_name != EventName.INSERT:
        raise Reject("the stream does not carry old images")
    if new is None and record.event_name != EventName.REMOVE:
        raise Reject("the stream does not carry new images")
    return old, new
