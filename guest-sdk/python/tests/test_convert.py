"""Items as types of the handler's own."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import typing
import unittest
import uuid
from decimal import Decimal
from typing import Any, Dict, List, Literal, NewType, Optional, Set, Tuple, TypedDict, Union

from gristmill import ImageError
from gristmill.testing import Record


class Status(enum.Enum):
    OPEN = "open"
    PAID = "paid"


class Level(enum.IntEnum):
    LOW = 1


Sku = NewType("Sku", str)


@dataclasses.dataclass
class Line:
    sku: Sku
    pieces: int


@dataclasses.dataclass
class Order:
    id: str
    total: Decimal
    status: Status
    lines: List[Line]
    tags: Set[str] = dataclasses.field(default_factory=set)
    courier: Optional[str] = None
    unit_price: Optional[Decimal] = dataclasses.field(default=None, metadata={"attribute": "unit-price"})


@dataclasses.dataclass
class Tree:
    name: str
    parts: List[Tree]
    more: Optional[Tree]


class Address(TypedDict, total=False):
    city: str
    zip: int


@dataclasses.dataclass
class Everything:
    flag: bool
    data: bytes
    ratio: float
    day: datetime.date
    moment: datetime.datetime
    key: uuid.UUID
    level: Level
    kind: Literal["a", "b"]
    anything: Any
    nothing: None
    either: Union[int, str]
    pair: Tuple[str, int]
    many: Tuple[int, ...]
    names: Dict[str, List[Decimal]]
    frozen: typing.FrozenSet[int]
    address: Address
    plain_list: list
    plain_dict: dict
    noted: typing.Any


ORDER = Record.insert("t").key("id", "1").attribute("total", Decimal("1.50")).attribute("status", "open")
ORDER = ORDER.attribute("lines", [{"sku": "a", "pieces": 2}])


class Converting(unittest.TestCase):
    def test_an_item_becomes_a_dataclass(self) -> None:
        order = ORDER.attribute("more", 1).attribute("unit-price", 3).build().new_image_as(Order)
        self.assertEqual(order, Order("1", Decimal("1.5"), Status.OPEN, [Line(Sku("a"), 2)], set(), None, Decimal(3)))
        self.assertIsNone(Record.remove("t").key("id", "1").build().new_image_as(Order))
        old = Record.remove("t").key("id", "1").attribute("name", "x").attribute("parts", []).build().old_image_as(Tree)
        self.assertEqual(old, Tree("x", [], None))
        key = dataclasses.make_dataclass("Key", [("id", str)])
        self.assertEqual(ORDER.build().keys_as(key).id, "1")

    def test_a_type_may_hold_itself(self) -> None:
        tree = {"name": "a", "parts": [{"name": "b", "parts": [], "more": None}]}
        record = Record.insert("t").key("id", "1").new_image(tree).build()
        self.assertEqual(record.new_image_as(Tree), Tree("a", [Tree("b", [], None)], None))

    def test_every_annotation(self) -> None:
        item = {
            "flag": True, "data": b"x", "ratio": Decimal("0.1"), "day": "2026-01-05", "moment": "2026-01-05T09:30:00",
            "key": str(uuid.UUID(int=1)), "level": 1, "kind": "b", "anything": {"a": {"x"}}, "nothing": None, "either": "x",
            "pair": ["a", 1], "many": [1, 2], "names": {"a": [1]}, "frozen": {1, 2}, "address": {"city": "Z", "other": 1},
            "plain_list": [1, "a"], "plain_dict": {"a": 1}, "noted": "n",
        }  # fmt: skip
        found = Record.insert("t").key("id", "1").new_image(item).build().new_image_as(Everything)
        assert found is not None
        self.assertEqual(found.moment, datetime.datetime(2026, 1, 5, 9, 30))
        self.assertEqual((found.day, found.key, found.level), (datetime.date(2026, 1, 5), uuid.UUID(int=1), Level.LOW))
        self.assertEqual((found.pair, found.many, found.either, found.ratio), (("a", 1), (1, 2), "x", 0.1))
        self.assertEqual((found.frozen, found.address), (frozenset({1, 2}), {"city": "Z"}))
        self.assertIs(type(found.many[0]), int)

    def test_errors_name_the_attribute(self) -> None:
        for attribute, value, text in [
            ("total", "free", "new image: total: expected a number (N), found a string (S)"),
            (
                "lines",
                [{"sku": "a", "pieces": 1}, {"sku": "b", "pieces": "x"}],
                "new image: lines[1].pieces: expected a number (N), found a string (S)",
            ),
            (
                "lines",
                [{"sku": "a", "pieces": Decimal("1.5")}],
                "new image: lines[0].pieces: the number 1.5 has a fraction, and int has none",
            ),
            ("lines", [{"sku": "a"}], "new image: lines[0]: missing field `pieces`"),
            ("lines", {"a"}, "new image: lines: expected a list (L), found a string set (SS)"),
            ("lines", ["a"], "new image: lines[0]: expected a map (M), found a string (S)"),
            ("status", "gone", 'new image: status: "gone" is no Status'),
            ("status", 1, "new image: status: 1 is no Status"),
            ("status", None, "new image: status: null (NULL) is no Status"),
            ("tags", [], "new image: tags: expected a set (SS, NS, BS), found a list (L)"),
            ("tags", {1}, "new image: tags: an element: expected a string (S), found a number (N)"),
            ("courier", True, "new image: courier: expected a string (S), found a boolean (BOOL)"),
            ("unit-price", "x", "new image: unit-price: expected a number (N), found a string (S)"),
        ]:
            with self.assertRaises(ImageError) as caught:
                ORDER.attribute(attribute, value).build().new_image_as(Order)
            self.assertEqual(str(caught.exception), text)
        with self.assertRaisesRegex(ImageError, "^new image: missing field `total`$"):
            Record.insert("t").key("id", "1").build().new_image_as(Order)
        with self.assertRaisesRegex(ImageError, "^old image: missing field `total`$"):
            Record.remove("t").key("id", "1").build().old_image_as(Order)
        with self.assertRaisesRegex(ImageError, "^keys: missing field `total`$"):
            ORDER.build().keys_as(Order)

    def test_one_value_of_a_kind(self) -> None:
        for hint, value, text in [
            (bool, 1, "expected a boolean (BOOL), found a number (N)"),
            (int, True, "expected a number (N), found a boolean (BOOL)"),
            (datetime.date, "5.1.2026", '"5.1.2026" is no date'),
            (uuid.UUID, "x", '"x" is no UUID'),
            (Literal["a", 1], "b", "expected one of 'a', 1, found \"b\""),
            (Literal[1], True, "expected one of 1, found a boolean (BOOL)"),
            (Tuple[int, int], [1], "expected 2 elements, found 1"),
            (
                Union[int, bytes],
                "x",
                "expected a number (N), found a string (S), and expected binary (B), found a string (S)",
            ),
            (Optional[int], "x", "expected a number (N), found a string (S)"),
            (type(None), 0, "expected null (NULL), found a number (N)"),
        ]:
            kind = dataclasses.make_dataclass("Kind", [("v", hint)])
            with self.assertRaises(ImageError) as caught:
                Record.insert("t").key("id", "1").attribute("v", value).build().new_image_as(kind)
            self.assertEqual(str(caught.exception), f"new image: v: {text}")

    def test_a_type_that_no_attribute_can_become_is_the_handlers_mistake(self) -> None:
        for hint in (complex, Dict[int, str], typing.Callable[[], None], range):
            kind = dataclasses.make_dataclass("Kind", [("v", hint)])
            for _ in range(2):
                with self.assertRaisesRegex(TypeError, "^Kind.v: "):
                    ORDER.attribute("v", 1).build().new_image_as(kind)

    def test_the_class_may_check_its_fields(self) -> None:
        @dataclasses.dataclass
        class Positive:
            total: Decimal

            def __post_init__(self) -> None:
                if self.total < 2:
                    raise ValueError("too little")

        with self.assertRaisesRegex(ValueError, "^too little$"):
            ORDER.build().new_image_as(Positive)


if __name__ == "__main__":
    unittest.main()
