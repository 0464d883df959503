"""`python3 -m unittest` in this folder: no WebAssembly, no AWS."""

import os
import sys
import unittest
from decimal import Decimal
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "../../../../guest-sdk/python")]

from gristmill import Reject
from gristmill.testing import Record, event
from handler import Delta, count, deltas

TABLE = "shop-dev_orders"


def order(record: Record, customer: str, amount: str) -> Record:
    return record.key("id", "1").attribute("customer", customer).attribute("amount", Decimal(amount))


def moved(customer: str, amount: str) -> Record:
    """An order of Zoë's over 12.00 that has changed."""
    record = Record.modify(TABLE).key("id", "1").attribute("note", "ring twice")
    record = record.old_image({"customer": "Zoë", "amount": Decimal("12.00")})
    return record.new_image({"customer": customer, "amount": Decimal(amount)})


# In the order of event.json.
RECORDS = [
    order(Record.insert(TABLE), "Zoë", "12.00"),
    moved("Zoë", "19.99"),
    moved("Tung", "12.00"),
    moved("Zoë", "12"),
    order(Record.remove(TABLE), "Tung", "12.00"),
    order(Record.ttl_delete(TABLE), "Zoë", "0.10"),
    Record.insert(TABLE).key("id", "2").attribute("customer", "Zoë"),
]


class Test(unittest.TestCase):
    def found(self, record: Record) -> list[tuple[str, int, str]]:
        return [(delta.customer, delta.orders, str(delta.amount)) for delta in deltas(record.build())]

    def test_a_new_order_adds_one(self) -> None:
        self.assertEqual(self.found(order(Record.insert(TABLE), "Zoë", "12.00")), [("Zoë", 1, "12.00")])

    def test_a_removed_order_takes_one_away_whoever_removed_it(self) -> None:
        for make in (Record.remove, Record.ttl_delete):
            self.assertEqual(self.found(order(make(TABLE), "Zoë", "12.00")), [("Zoë", -1, "-12.00")])

    def test_another_amount_adds_the_difference(self) -> None:
        self.assertEqual(self.found(moved("Zoë", "19.99")), [("Zoë", 0, "7.99")])
        self.assertEqual(self.found(moved("Zoë", "0.01")), [("Zoë", 0, "-11.99")])

    def test_another_customer_gets_the_order_of_the_first(self) -> None:
        self.assertEqual(self.found(moved("Tung", "12.50")), [("Zoë", -1, "-12.00"), ("Tung", 1, "12.50")])

    def test_what_changes_no_total_makes_no_line(self) -> None:
        self.assertEqual(self.found(moved("Zoë", "12")), [])

    def test_sums_are_exact_or_fail(self) -> None:
        large = "99999999999999999999999999999999999.99"
        self.assertEqual(self.found(order(Record.insert(TABLE), "Zoë", large)), [("Zoë", 1, large)])
        with self.assertRaises(ArithmeticError):
            deltas(moved("Zoë", "-" + large.replace(".99", ".00") + "0").build())

    def test_the_token_is_the_same_on_every_delivery(self) -> None:
        record = moved("Tung", "12.00").event_id("e1").build()
        self.assertEqual([delta.token for delta in deltas(record)], ["e1/Zoë", "e1/Tung"])
        self.assertEqual(deltas(record), deltas(record))
        self.assertEqual(deltas(record)[1], Delta("Tung", 1, Decimal("12.00"), "e1/Tung"))

    def test_each_delta_is_a_log_line(self) -> None:
        with self.assertLogs("handler", "INFO") as logs:
            count(moved("Tung", "12.00").build())
        fields = [(line.customer, line.orders, str(line.amount)) for line in logs.records]  # type: ignore[attr-defined]
        self.assertEqual(fields, [("Zoë", -1, "-12.00"), ("Tung", 1, "12.00")])

    def test_what_is_no_order_is_rejected(self) -> None:
        record = Record.insert(TABLE).key("id", "1").attribute("customer", "Zoë")
        for attributes, text in [
            ({}, "^not an order$"),
            ({"amount": "12.00"}, "^not an order$"),
            ({"amount": Decimal("0.001")}, "^not an order: 0.001 is not a number of cents$"),
            ({"amount": 1, "customer": ""}, "^not an order: it has no customer$"),
        ]:
            with self.assertRaisesRegex(Reject, text):
                deltas(record.new_image(attributes).build())
        for view_type, image in [("NEW_IMAGE", "old"), ("OLD_IMAGE", "new")]:
            with self.assertRaisesRegex(Reject, f"^the stream does not carry {image} images$"):
                deltas(moved("Zoë", "1.00").view_type(view_type).build())

    def test_the_event_is_of_these_records(self) -> None:
        """`event.json` is made of the records above; `GRISTMILL_BLESS=1 python3 -m unittest` writes it anew."""
        file = HERE / "../../event.json"
        if "GRISTMILL_BLESS" in os.environ:
            file.write_text(event(RECORDS), encoding="utf-8")
        self.assertEqual(file.read_text(encoding="utf-8"), event(RECORDS))


if __name__ == "__main__":
    unittest.main()
