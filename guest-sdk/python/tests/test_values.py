"""DynamoDB JSON, both ways."""

import dataclasses
import datetime
import decimal
import enum
import json
import random
import unittest
import uuid
from decimal import Decimal

from gristmill import (
    DECIMAL,
    ImageError,
    from_dynamodb_json,
    to_dynamodb_json,
    value_from_dynamodb_json,
    value_to_dynamodb_json,
)
from gristmill import _scan
from gristmill.values import is_same


def refused(text: str) -> str:
    """What is said of a text that is no item: the same by both readers."""
    for read in (from_dynamodb_json, _scan.read_item):
        try:
            value = read(text)
        except ImageError as error:
            message = str(error)
        else:
            raise AssertionError(f"{text[:200]} was taken as {value!r}")
    return message


class Reading(unittest.TestCase):
    def test_every_type_becomes_what_python_has(self) -> None:
        item = from_dynamodb_json(
            '{"s":{"S":"a"},"n":{"N":"1.50"},"b":{"B":"AQI="},"ss":{"SS":["a","b"]},"ns":{"NS":["1","2.0"]},'
            '"bs":{"BS":["AQ=="]},"m":{"M":{"S":{"S":"x"},"N":{"M":{}}}},"l":{"L":[{"S":"a"},{"L":[]},{"NULL":true}]},'
            '"t":{"BOOL":true},"f":{"BOOL":false},"null":{"NULL":true}}'
        )
        expected = {
            "s": "a",
            "n": Decimal("1.50"),
            "b": b"\x01\x02",
            "ss": {"a", "b"},
            "ns": {Decimal(1), Decimal(2)},
            "bs": {b"\x01"},
            "m": {"S": "x", "N": {}},
            "l": ["a", [], None],
            "t": True,
            "f": False,
            "null": None,
        }
        self.assertEqual(item, expected)
        self.assertEqual(str(item["n"]), "1.50")
        self.assertEqual([type(value) for value in item.values()], [type(value) for value in expected.values()])

    def test_numbers_keep_their_38_digits(self) -> None:
        for text in [
            "0",
            "-0",
            "1",
            "-1",
            "99999999999999999999999999999999999999",
            "0.12345678901234567890123456789012345678",
            "1E-130",
            "9.9999999999999999999999999999999999999E+125",
            "-1E-130",
            "1.0",
            "0.0000001",
            "100000",
        ]:
            number = value_from_dynamodb_json(f'{{"N":"{text}"}}')
            self.assertEqual(number, Decimal(text))
            self.assertEqual(value_from_dynamodb_json(value_to_dynamodb_json(number)), number)
            self.assertEqual(from_dynamodb_json(f'{{"v":{{"N":"{text}"}}}}')["v"], number)
        # In other words than DynamoDB's, the same number.
        for text, number in [
            ("1e5", "100000"),
            ("+1", "1"),
            ("0001", "1"),
            (".5", "0.5"),
            ("5.", "5"),
            ("0e999999999", "0"),
        ]:
            self.assertEqual(from_dynamodb_json(f'{{"v":{{"N":"{text}"}}}}')["v"], Decimal(number), text)
        zeros = "1" + "0" * 100
        self.assertEqual(from_dynamodb_json(f'{{"v":{{"N":"{zeros}"}}}}')["v"], Decimal(zeros))
        self.assertEqual(from_dynamodb_json('{"v":{"N":"1.' + "0" * 100 + '"}}')["v"], 1)

    def test_what_dynamodb_has_no_number_for_is_refused(self) -> None:
        for text in [
            "",
            "-",
            ".",
            "e1",
            "1e",
            "0x1",
            "1_000",
            "NaN",
            "inf",
            "1.2.3",
            " 1",
            "1 ",
            "--1",
            "1e1.5",
            "٣",
            "Infinity",
            "sNaN",
            "1\\n",
        ]:
            self.assertRegex(refused(f'{{"v":{{"N":"{text}"}}}}'), "^v: .* is not a decimal number$")
        digits = "123456789012345678901234567890123456789"
        self.assertEqual(refused(f'{{"v":{{"N":"{digits}"}}}}'), f"v: the number {digits} has more than 38 digits")
        for text in ["1e126", "1e-131", "1e999999999999999999999", "-1e-99999999999999999999", "1" + "0" * 126]:
            self.assertRegex(refused(f'{{"v":{{"N":"{text}"}}}}'), "is beyond what DynamoDB has$")
        refused('{"v":{"N":"' + "9" * 1_000_000 + '"}}')

    def test_errors_name_the_place(self) -> None:
        self.assertEqual(refused('{"a":{"L":[{"M":{"b":{"N":"x"}}}]}}'), 'a[0].b: "x" is not a decimal number')
        self.assertEqual(refused('{"a":{"M":{"b":{"NS":["1","y"]}}}}'), 'a.b[1]: "y" is not a decimal number')
        self.assertEqual(refused('{"a.b":{"M":{"c\\n":{"S":1}}}}')[:15], '["a.b"]["c\\n"]:')
        self.assertEqual(
            refused('{"v":{"X":"a"}}'), 'v: "X" is no attribute type (S, N, B, SS, NS, BS, M, L, BOOL, NULL)'
        )
        self.assertEqual(refused('{"v":{"S":"a","N":"1"}}'), "v: an attribute value with more than one type")
        self.assertEqual(refused('{"v":{}}'), "v: an attribute value without a type: {}")
        self.assertEqual(refused('{"v":{"S":"a"},"v":{"S":"b"}}'), "v: the attribute is there twice")
        self.assertEqual(refused('{"m":{"M":{"a":{"S":""},"a":{"S":""}}}}'), "m.a: the attribute is there twice")
        self.assertEqual(refused('{"v":{"B":"A*"}}'), "v: not base64")
        self.assertEqual(refused('{"v":{"S":1}}'), "v: not JSON at byte 10: expected a string, found '1'")
        self.assertEqual(refused('{"é":{"S":1}}'), "é: not JSON at byte 11: expected a string, found '1'")
        self.assertEqual(refused("{"), "the text ends at byte 1, where a string should be")

    def test_hostile_texts_are_errors(self) -> None:
        for text in [
            "", " ", "{", "[]", "null", "1", '"x"', '{"v"}', '{"v":}', '{"v":1}', '{"v":null}', '{"v":"x"}', '{"v":"xy"}',
            '{"v":[]}', '{"v":{}}', '{"v":[["S","a"]]}', '{"v":[{"S":"a"}]}', '{"v":{"S"}}', '{"v":{"S":}}', '{"v":{"S":1}}', '{"v":{"S":null}}',
            '{"v":{"S":"a"}', '{"v":{"S":"a"},}', '{"v":{"S":"a",}}', '{,"v":{"S":"a"}}', '{"v":{"S":"a"}} x',
            '{"v":{"S":"a"}}{}', '{"v":{"S":"a","N":"1"}}', '{"v":{"S":"a","S":"b"}}', '{"v":{"X":"a"}}', '{"v":{"s":"a"}}',
            '{"v":{"S":"a"},"v":{"S":"b"}}', '{"v":{"S":"a"},"\\u0076":{"S":"b"}}', '{"v":{"M":{"a":{"S":""},"a":{"S":""}}}}',
            '{"v":{"S":"\\ud800"}}', '{"v":{"S":"\\udc00"}}', '{"v":{"S":"\\ud800\\ud800"}}', '{"v":{"S":"\\ud800x"}}',
            '{"v":{"S":"\\ud800\\u"}}', '{"v":{"S":"\\u12"}}', '{"v":{"S":"\\u+123"}}', '{"v":{"S":"\\uéé"}}', '{"v":{"S":"\\x"}}',
            '{"v":{"S":"\\é"}}', '{"v":{"S":"\\', '{"v":{"S":"a\0"}}', '{"v":{"S":"a\n"}}', '{"v\0":{"S":"a"}}', '{"\\ud800":{"S":"a"}}',
            '{"v":{"BOOL":"true"}}', '{"v":{"BOOL":tru}}', '{"v":{"BOOL":1}}', '{"v":{"BOOL":null}}', '{"v":{"NULL":false}}', '{"v":{"NULL":1}}', '{"v":{"NULL":null}}', '{"v":{"SS":["a",]}}',
            '{"v":{"SS":[{"S":"a"}]}}', '{"v":{"SS":{}}}', '{"v":{"SS":"ab"}}', '{"v":{"NS":[1]}}', '{"v":{"N":1}}', '{"v":{"N":true}}', '{"v":{"N":[]}}', '{"v":{"N":NaN}}', '{"v":{"L":["a"]}}', '{"v":{"L":["ab"]}}', '{"v":{"L":[["S","a"]]}}',
            '{"v":{"L":{}}}', '{"v":{"L":[{"S":"a"}}}', '{"v":{"M":[]}}', '{"v":{"M":[["a",[["S","b"]]]]}}', '{"v":{"B":"%%%"}}', '{"v":{"B":"AQ"}}', '{"v":{"B":"AQ=="," ":1}}', '{"v":{"B":"AR=="}}', '{"v":{"B":"AQ==\\n"}}', '{"v":{"B":1}}', '{"v":{"B":"é"}}',
            '{"v":{"N":"1e99999999999999999999"}}', "\ufeff{}",
        ]:  # fmt: skip
            with self.subTest(text):
                refused(text)

    def test_every_truncation_is_an_error(self) -> None:
        text = '{"a":{"S":"x\\u00e9é"},"b":{"L":[{"N":"1"},{"BOOL":true}]},"c":{"M":{"d":{"NULL":true}}},"e":{"BS":["AQ=="]}}'
        from_dynamodb_json(text)
        for end in range(len(text)):
            refused(text[:end])

    def test_nesting_is_bounded(self) -> None:
        for begin, end in [('{"L":[', "]}"), ('{"M":{"known":', "}}")]:

            def nested(levels: int) -> str:
                return f'{{"known":{begin * (levels - 1)}{{"NULL":true}}{end * (levels - 1)}}}'

            deepest = nested(64)
            self.assertEqual(to_dynamodb_json(from_dynamodb_json(deepest)), deepest)
            for levels in (65, 100_000):
                self.assertRegex(refused(nested(levels)), "nested deeper than 64 levels$")
        refused(f'{{"x":{"[" * 1_000_000}')
        refused("{" + '"x":{' * 100_000)
        sets = '{"v":' + '{"L":[' * 63 + '{"SS":["a"]}' + "]}" * 63 + "}"
        self.assertRegex(refused(sets), "nested deeper than 64 levels$")
        self.assertEqual(from_dynamodb_json(sets.replace('{"SS":["a"]}', '{"S":"a"}'))["v"].__class__, list)

    def test_white_space_may_be_anywhere(self) -> None:
        text = '\n{ "a" : { "L" : [ { "N" : "1" } , { "BOOL" : true } ] } , "b":{"M":{ }} }\t\r\n'
        self.assertEqual(
            to_dynamodb_json(from_dynamodb_json(text)), '{"a":{"L":[{"N":"1"},{"BOOL":true}]},"b":{"M":{}}}'
        )

    def test_strings_of_every_kind(self) -> None:
        text = '{"v":{"S":"\\u00e9\\ud83d\\ude00\\n\\"\\\\\\/\\b\\f\\r\\t\\u0000"}}'
        self.assertEqual(from_dynamodb_json(text), {"v": 'é😀\n"\\/\b\f\r\t\0'})
        for string in [
            "",
            "\0",
            "😀",
            "\u2028",
            '":',
            ":",
            '\\":',
            "\\",
            "\\\\",
            "\ufeff",
            "\uffff",
            "x" * 1_000_000,
            "\\ud800",
        ]:
            for item in ({"v": string}, {string: "v", ":": "x"}):
                self.assertEqual(from_dynamodb_json(to_dynamodb_json(item)), item)
                self.assertEqual(_scan.read_item(to_dynamodb_json(item)), item)

    def test_sets_without_elements_keep_their_type(self) -> None:
        for tag in ("SS", "NS", "BS"):
            text = f'{{"v":{{"{tag}":[]}}}}'
            self.assertEqual(from_dynamodb_json(text), {"v": set()})
            self.assertEqual(to_dynamodb_json(from_dynamodb_json(text)), text)

    def test_both_readers_read_the_same(self) -> None:
        """Random items, and such texts with a piece changed: what one takes the other takes, with the same result."""
        chance = random.Random(7)
        pieces = [
            '"',
            "\\",
            ":",
            ",",
            "{",
            "}",
            "[",
            "]",
            " ",
            "\n",
            "a",
            "1",
            "true",
            "null",
            '"S":',
            '"M":{',
            "\\u00e9",
            "\\ud83d",
            "é",
        ]
        taken = 0
        for _ in range(20_000):
            text = to_dynamodb_json({_text(chance): _value(chance, 3) for _ in range(chance.randrange(4))})
            if chance.random() < 0.8:
                at = chance.randrange(len(text) + 1)
                text = text[:at] + chance.choice(pieces) + text[at + chance.randrange(3) :]
            results = []
            for read in (from_dynamodb_json, _scan.read_item):
                try:
                    results.append(repr(_in_order(read(text))))
                except ImageError as error:
                    results.append(error.args)
            self.assertEqual(results[0], results[1], text)
            taken += isinstance(results[0], str)
        self.assertGreater(taken, 5_000)


def _text(chance: random.Random) -> str:
    return "".join(chance.choice('abSN:,{}[]"\\\n\0 é😀') for _ in range(chance.randrange(4)))


def _value(chance: random.Random, levels: int) -> object:
    kind = chance.randrange(10 if levels else 8)
    if kind == 0:
        return Decimal(chance.randrange(-1000, 1000)).scaleb(chance.randrange(-5, 5))
    if kind == 1:
        return chance.randbytes(chance.randrange(4))
    if kind == 2:
        return {_text(chance) for _ in range(3)}
    if kind == 3:
        return {Decimal(chance.randrange(9)) for _ in range(3)}
    if kind == 4:
        return {chance.randbytes(2) for _ in range(2)}
    if kind == 5:
        return chance.choice([True, False, None])
    if kind == 8:
        return [_value(chance, levels - 1) for _ in range(chance.randrange(3))]
    if kind == 9:
        return {_text(chance): _value(chance, levels - 1) for _ in range(chance.randrange(3))}
    return _text(chance)


def _in_order(value: object) -> object:
    if isinstance(value, dict):
        return {name: _in_order(held) for name, held in value.items()}
    if isinstance(value, list):
        return [_in_order(held) for held in value]
    return sorted(value) if isinstance(value, (set, frozenset)) else value


class Color(enum.Enum):
    RED = "red"


class Size(enum.Enum):
    SMALL = 9
    LARGE = 10


@dataclasses.dataclass
class Line:
    sku: str
    unit_price: Decimal = dataclasses.field(metadata={"attribute": "unit-price"})
    note: "str | None" = None


class Writing(unittest.TestCase):
    def test_what_python_has_becomes_an_attribute(self) -> None:
        for value, expected in [
            ("a", '{"S":"a"}'),
            (1, '{"N":"1"}'),
            (True, '{"BOOL":true}'),
            (Decimal("1.50"), '{"N":"1.50"}'),
            (10**37, '{"N":"1' + "0" * 37 + '"}'),
            (b"\x01\x02", '{"B":"AQI="}'),
            (bytearray(b"\x01"), '{"B":"AQ=="}'),
            (memoryview(b"\x01"), '{"B":"AQ=="}'),
            (None, '{"NULL":true}'),
            ((1, "a"), '{"L":[{"N":"1"},{"S":"a"}]}'),
            ({"b", "a"}, '{"SS":["a","b"]}'),
            (frozenset({2, Decimal("1.5")}), '{"NS":["1.5","2"]}'),
            ({b"b", b"a"}, '{"BS":["YQ==","Yg=="]}'),
            ({Color.RED, "red"}, '{"SS":["red"]}'),
            ({Size.LARGE, Size.SMALL}, '{"NS":["9","10"]}'),
            ({datetime.date(2026, 1, 6), datetime.date(2026, 1, 5)}, '{"SS":["2026-01-05","2026-01-06"]}'),
            ({"a": {}}, '{"M":{"a":{"M":{}}}}'),
            (Color.RED, '{"S":"red"}'),
            (datetime.date(2026, 1, 5), '{"S":"2026-01-05"}'),
            (datetime.datetime(2026, 1, 5, 9, 30), '{"S":"2026-01-05T09:30:00"}'),
            (uuid.UUID(int=1), '{"S":"00000000-0000-0000-0000-000000000001"}'),
            (Line("a", Decimal(2)), '{"M":{"sku":{"S":"a"},"unit-price":{"N":"2"}}}'),
        ]:
            self.assertEqual(value_to_dynamodb_json(value), expected)
            self.assertEqual(to_dynamodb_json({"v": value}), f'{{"v":{expected}}}')
        self.assertEqual(
            to_dynamodb_json(Line("a", Decimal(2), "x")), '{"sku":{"S":"a"},"unit-price":{"N":"2"},"note":{"S":"x"}}'
        )

    def test_what_has_no_type_is_refused(self) -> None:
        for value in [0.5, object(), set(), {"a", 1}, {1, True and b""}, {1: "a"}, Line, [0.5], 1j]:
            with self.subTest(value), self.assertRaises(TypeError):
                value_to_dynamodb_json({"v": value})
        for value in [
            Decimal("NaN"),
            Decimal("Infinity"),
            10**126,
            10**38 + 1,
            Decimal("1E-131"),
            -(10**5000),
            "\ud800",
        ]:
            with self.subTest(value), self.assertRaises(ValueError):
                value_to_dynamodb_json({"v": value})
        with self.assertRaisesRegex(TypeError, "an item is a dict or a dataclass"):
            to_dynamodb_json([])
        for value, told in [
            (0.5, "v: 0.5 is a float"),
            ([{"unit-price": 1}, {"unit-price": 0.5}], r"v\[1\].unit-price: 0.5 is a float"),
            (({"a b": Decimal("NaN")},), r'v\[0\]\["a b"\]: NaN is not a decimal number'),
            (Line("a", object()), "v.unit-price: DynamoDB has no type for object"),  # type: ignore[arg-type]
            ({"a": set()}, "v.a: an empty set"),
            (["\ud800"], r"v\[0\]: 'utf-8' codec can't encode"),
        ]:
            with self.subTest(value), self.assertRaisesRegex((TypeError, ValueError), f"^{told}"):
                to_dynamodb_json({"ok": 1, "v": value})
        deep: object = 1
        for _ in range(100):
            deep = [deep]
        with self.assertRaisesRegex(ValueError, "nested deeper than 64 levels"):
            to_dynamodb_json({"v": deep})

    def test_it_is_json(self) -> None:
        text = to_dynamodb_json({"é\n\0": "\u2028"})
        self.assertEqual(json.loads(text), {"é\n\0": {"S": "\u2028"}})


class Same(unittest.TestCase):
    def test_values_are_compared_by_what_they_mean(self) -> None:
        one = Decimal("1")
        for a, b in [
            (one, Decimal("1.0")),
            ({one}, frozenset({Decimal("1E0")})),
            ([{"a": one}], [{"a": Decimal("1.00")}]),
        ]:
            self.assertTrue(is_same(a, b))
        for a, b in [
            (one, True),
            ([one], [True]),
            ("1", one),
            ("a", {"a"}),
            (["a"], {"a"}),
            (None, False),
            ("", None),
            ([one], [one, one]),
        ]:
            self.assertFalse(is_same(a, b))
            self.assertFalse(is_same(b, a))


class Exactly(unittest.TestCase):
    def test_arithmetic_is_exact_or_an_error(self) -> None:
        with decimal.localcontext(DECIMAL):
            self.assertEqual(Decimal("0.1") + Decimal("0.2"), Decimal("0.3"))
            self.assertEqual(Decimal("1E-130") + 0, Decimal("1E-130"))
            self.assertEqual(Decimal("1E+125") * 9, Decimal("9E+125"))
            for compute in (
                lambda: Decimal(1) / 3,
                lambda: Decimal(10**37) + Decimal("0.5"),
                lambda: Decimal("1E+125") * 10,
            ):
                with self.assertRaises(decimal.DecimalException):
                    compute()


if __name__ == "__main__":
    unittest.main()
