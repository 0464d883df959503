"""Records, what changed in them, and records by hand."""

import dataclasses
import json
import pathlib
import unittest
from decimal import Decimal
from typing import Optional
from unittest import mock

import gristmill
from gristmill import (
    ABSENT,
    Change,
    ChangeError,
    EventName,
    ImageError,
    RecordError,
    StreamRecord,
    UserIdentity,
    invocation,
)
from gristmill.testing import Record, event

# The event that Lambda sends for a change of one item.
MODIFY = (
    '{"eventID":"1a87201789a6e14315b8038ebbd3b99d","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb",'
    '"awsRegion":"us-west-2","dynamodb":{"ApproximateCreationDateTime":1550272599,"Keys":{"id":{"S":"1"}},'
    '"NewImage":{"id":{"S":"1"},"name":{"S":"Tung Nguyen"}},"OldImage":{"id":{"S":"1"},"name":{"S":"Tung"}},'
    '"SequenceNumber":"261800000000059086429283","SizeBytes":32,"StreamViewType":"NEW_AND_OLD_IMAGES"},'
    '"eventSourceARN":"arn:aws:dynamodb:us-west-2:112233445566:table/test-table/stream/2019-02-15T23:01:06.871"}'
)


class Reading(unittest.TestCase):
    def test_a_record_has_everything_that_its_json_has(self) -> None:
        record = StreamRecord.from_json(MODIFY)
        self.assertEqual(record.event_id, "1a87201789a6e14315b8038ebbd3b99d")
        self.assertIs(record.event_name, EventName.MODIFY)
        self.assertEqual(record.event_name, "MODIFY")
        self.assertEqual(record.table, "test-table")
        self.assertTrue(record.stream_arn.endswith("2019-02-15T23:01:06.871"))
        self.assertEqual(record.region, "us-west-2")
        self.assertEqual(record.sequence_number, "261800000000059086429283")
        self.assertEqual(record.size_bytes, 32)
        self.assertEqual(record.created_at_ms, 1_550_272_599_000)
        self.assertIsNone(record.user_identity)
        self.assertEqual(record.keys_json, '{"id":{"S":"1"}}')
        self.assertEqual(record.json, MODIFY)
        self.assertEqual(record.keys, {"id": "1"})
        self.assertEqual(record.old_image, {"id": "1", "name": "Tung"})
        self.assertIs(record.old_image, record.old_image)
        line = (
            'MODIFY test-table keys {"id":{"S":"1"}} old {"id":{"S":"1"},"name":{"S":"Tung"}} '
            'new {"id":{"S":"1"},"name":{"S":"Tung Nguyen"}}'
        )
        self.assertEqual(str(record), line)
        self.assertEqual(f"{record}", line)
        self.assertIn(line, repr(record))

    def test_the_times_of_records(self) -> None:
        for text, expected in [
            ("1.5", 1500),
            ("1550272599.1239", 1550272599123),
            ("1E3", 1000000),
            ('"x"', None),
            ("-1", None),
            ("null", None),
            ("{}", None),
            ("1e99999", None),
        ]:
            record = StreamRecord.from_json(MODIFY.replace("1550272599,", f"{text},"))
            self.assertEqual(record.created_at_ms, expected, text)

    def test_absent_and_empty_images_are_two_things(self) -> None:
        removed = Record.remove("t").key("id", "1").build()
        self.assertEqual((removed.new_image_json, removed.new_image), (None, None))
        empty = StreamRecord.from_json(MODIFY.replace('{"id":{"S":"1"},"name":{"S":"Tung"}}', "{}"))
        self.assertEqual((empty.old_image_json, empty.old_image), ("{}", {}))

    def test_errors_name_the_image(self) -> None:
        record = StreamRecord.from_json(MODIFY.replace('"S":"Tung"', '"N":"x"').replace('{"S":"1"}', '{"X":1}', 1))
        for image, read in [("keys: id", lambda: record.keys), ("old image: name", lambda: record.old_image)]:
            with self.assertRaisesRegex(ImageError, f"^{image}: "):
                read()

    def test_what_is_no_record_is_refused(self) -> None:
        for before, after in [
            ("MODIFY", "UPSERT"),
            ('"Keys":{"id":{"S":"1"}},', ""),
            ("261800000000059086429283", "26x"),
            ("261800000000059086429283", ""),
            ("arn:aws:dynamodb", "arn:aws:sqs"),
            ("/stream/", "/index/"),
            ('"eventSourceARN"', '"arn"'),
        ]:
            with self.subTest(after), self.assertRaisesRegex(RecordError, "is missing or wrong$"):
                StreamRecord.from_json(MODIFY.replace(before, after))
        for end in range(len(MODIFY)):
            with self.assertRaises(RecordError):
                StreamRecord.from_json(MODIFY[:end])
        with self.assertRaises(RecordError):
            StreamRecord.from_json("[" * 100_000)

    def test_time_to_live_is_told_from_a_caller_and_from_other_services(self) -> None:
        expired = Record.ttl_delete("t").key("id", "1")
        self.assertTrue(expired.build().is_ttl_delete)
        self.assertEqual(expired.build().user_identity, UserIdentity("Service", "dynamodb.amazonaws.com"))
        self.assertFalse(Record.remove("t").key("id", "1").build().is_ttl_delete)
        for other in [
            UserIdentity("Service", "replication.dynamodb.amazonaws.com"),
            UserIdentity("User", "dynamodb.amazonaws.com"),
        ]:
            self.assertFalse(expired.user_identity(other).build().is_ttl_delete)
        changed = Record.modify("t").key("id", "1").user_identity(UserIdentity("Service", "dynamodb.amazonaws.com"))
        self.assertFalse(changed.build().is_ttl_delete)


def modification(old: str, new: str) -> StreamRecord:
    return (
        Record.modify("t")
        .key("id", "1")
        .attribute("same", True)
        .old_image_json(f'{{"v":{old}}}')
        .new_image_json(f'{{"v":{new}}}')
        .build()
    )


def raw(old: str, new: str) -> StreamRecord:
    """Images as they are here: a builder would write both in one way."""
    text = Record.modify("t").key("id", "1").to_json()
    known = '"NewImage":{"id":{"S":"1"}},"OldImage":{"id":{"S":"1"}}'
    assert known in text
    return StreamRecord.from_json(text.replace(known, f'"NewImage":{new},"OldImage":{old}'))


class Changes(unittest.TestCase):
    def test_what_means_the_same_has_not_changed(self) -> None:
        for old, new in [
            ('{"S":"é\\n"}', '{ "S" : "\\u00e9\\u000a" }'),
            ('{"N":"1"}', '{"N":"1.0"}'),
            ('{"N":"0.010"}', '{"N":"+1e-2"}'),
            ('{"N":"-0"}', '{"N":"0E5"}'),
            ('{"SS":["a","b"]}', '{"SS":["b","a"]}'),
            ('{"NS":["1","20","-3"]}', '{"NS":["-3.0","2E1","1"]}'),
            ('{"M":{"a":{"N":"1"},"b":{"NULL":true}}}', '{"M":{"b":{"NULL":true},"a":{"N":"1.0"}}}'),
            ('{"L":[{"NS":["1","2"]},{"M":{}}]}', '{"L":[{"NS":["2","1.0"]},{"M":{}}]}'),
        ]:
            record = raw(f'{{"v":{old}}}', f'{{"v":{new}}}')
            self.assertFalse(record.changed("v"), old)
            self.assertEqual(record.changes(), {})

    def test_what_means_another_thing_has_changed(self) -> None:
        for old, new in [
            ('{"S":"a"}', '{"S":"A"}'),
            ('{"S":"1"}', '{"N":"1"}'),
            ('{"S":"a"}', '{"SS":["a"]}'),
            ('{"N":"1"}', '{"BOOL":true}'),
            ('{"N":"0"}', '{"N":"1E-130"}'),
            ('{"N":"0.1234567890123456789012345678901234567"}', '{"N":"0.1234567890123456789012345678901234568"}'),
            ('{"B":"AQI="}', '{"B":"AQM="}'),
            ('{"NS":["1"]}', '{"L":[{"N":"1"}]}'),
            ('{"L":[{"N":"1"},{"N":"2"}]}', '{"L":[{"N":"2"},{"N":"1"}]}'),
            ('{"L":[]}', '{"L":[{"NULL":true}]}'),
            ('{"NULL":true}', '{"BOOL":true}'),
        ]:
            record = modification(old, new)
            self.assertTrue(record.changed("v"), old)
            self.assertFalse(record.changed("same"))
            self.assertEqual(
                {name: str(change) for name, change in record.changes().items()}, {"v": f"modified from {old} to {new}"}
            )

    def test_absent_is_another_thing_than_null(self) -> None:
        record = Record.modify("t").key("id", "1").old_attribute("gone", None).new_attribute("new", 1).build()
        self.assertTrue(record.changed("gone") and record.changed("new"))
        self.assertFalse(record.changed("id") or record.changed("nothing"))
        changes = record.changes()
        self.assertEqual(changes, {"gone": Change(None, ABSENT), "new": Change(ABSENT, Decimal(1))})
        self.assertEqual([change.kind for change in changes.values()], ["removed", "added"])
        self.assertEqual([str(change) for change in changes.values()], ['removed {"NULL":true}', 'added {"N":"1"}'])
        self.assertFalse(ABSENT)

    def test_of_an_insert_and_of_a_removal_everything_has_changed(self) -> None:
        for make, kind, view_type in [
            (Record.insert, "added", "NEW_IMAGE"),
            (Record.remove, "removed", "OLD_IMAGE"),
            (Record.ttl_delete, "removed", "NEW_AND_OLD_IMAGES"),
        ]:
            record = make("t").key("id", "1").attribute("a", 1).view_type(view_type).build()
            self.assertEqual({name: change.kind for name, change in record.changes().items()}, {"a": kind, "id": kind})
            self.assertTrue(record.changed("id"))
            self.assertFalse(record.changed("b"))

    def test_an_image_that_is_kept_back_is_an_error_and_never_unchanged(self) -> None:
        for make, view_type, image in [
            (Record.insert, "KEYS_ONLY", "new"),
            (Record.insert, "OLD_IMAGE", "new"),
            (Record.modify, "KEYS_ONLY", "old"),
            (Record.modify, "NEW_IMAGE", "old"),
            (Record.modify, "OLD_IMAGE", "new"),
            (Record.remove, "KEYS_ONLY", "old"),
            (Record.remove, "NEW_IMAGE", "old"),
        ]:
            record = make("t").key("id", "1").attribute("a", 1).view_type(view_type).build()
            text = (
                f"the {record.event_name} record has no {image} image, so what changed is not known; the stream's view type "
                "must be NEW_AND_OLD_IMAGES"
            )
            for ask in (lambda: record.changed("a"), lambda: record.changed("id"), record.changes):
                with self.assertRaises(ChangeError) as caught:
                    ask()
                self.assertEqual(str(caught.exception), text)
        self.assertFalse(raw("{}", "{}").changed("a"))
        self.assertTrue(raw("{}", '{"a":{"N":"1"}}').changed("a"))

    def test_what_cannot_be_read_is_an_error_that_names_image_and_attribute(self) -> None:
        good = '{"v":{"N":"1"}}'
        for old, new, text in [
            (good, '{"v":{"N":"x"}}', 'new image: v: "x" is not a decimal number'),
            (good, '{"v":{"N":"1"},"v":{"N":"1"}}', "new image: v: the attribute is there twice"),
            (
                '{"v":{"L":[{"NULL":1}]}}',
                good,
                "old image: v[0]: not JSON at byte 19: expected true, which is what NULL holds, found '1'",
            ),
        ]:
            for ask in (lambda record: record.changed("v"), lambda record: record.changes()):
                with self.assertRaises(ImageError) as caught:
                    ask(raw(old, new))
                self.assertEqual(str(caught.exception), text)


class ByHand(unittest.TestCase):
    def test_a_record_is_written_as_aws_writes_it(self) -> None:
        record = (
            Record.modify("test-table")
            .key("id", "1")
            .old_attribute("name", "Tung")
            .new_attribute("name", "Tung Nguyen")
            .created_at_ms(1_550_272_599_000)
            .stream_arn("arn:aws:dynamodb:us-west-2:112233445566:table/test-table/stream/2019-02-15T23:01:06.871")
        )
        self.assertEqual(record.to_json(), MODIFY)
        self.assertEqual(record.build().json, MODIFY)

    def test_what_is_not_said_could_have_come_from_aws(self) -> None:
        record = Record.insert("orders").key("id", "1").build()
        self.assertEqual(record.region, "us-east-1")
        self.assertEqual(
            record.stream_arn, "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-01-05T09:30:00.000"
        )
        self.assertEqual(record.created_at_ms, 1_767_605_400_000)
        self.assertRegex(record.event_id, "^[0-9a-f]{32}$")
        self.assertEqual(len(record.sequence_number), 24)
        self.assertEqual(record.size_bytes, 6)

    def test_what_is_said_is_in_the_record(self) -> None:
        record = (
            Record.remove("orders").key("id", 7).event_id('e"').sequence_number("42").created_at_ms(1_500)
            .user_identity(UserIdentity('a "b"', "c")).build()
        )  # fmt: skip
        self.assertEqual((record.event_id, record.sequence_number, record.created_at_ms), ('e"', "42", 1500))
        self.assertIn('"ApproximateCreationDateTime":1.500,', record.json)
        self.assertEqual(record.user_identity, UserIdentity('a "b"', "c"))
        self.assertEqual(record.keys, {"id": 7})

    def test_an_image_may_be_a_dataclass(self) -> None:
        @dataclasses.dataclass
        class Order:
            cents: int
            note: Optional[str] = None

        record = Record.modify("t").key("id", "1").old_image({"cents": 1}).new_image(Order(2)).build()
        self.assertEqual((record.old_image, record.new_image), ({"cents": 1, "id": "1"}, {"cents": 2, "id": "1"}))
        with self.assertRaisesRegex(TypeError, "an item is a dict or a dataclass"):
            Record.insert("t").new_image("x")

    def test_the_view_type_says_what_is_carried(self) -> None:
        for view_type, insert, modify, remove in [
            ("KEYS_ONLY", (False, False), (False, False), (False, False)),
            ("NEW_IMAGE", (True, False), (True, False), (False, False)),
            ("OLD_IMAGE", (False, False), (False, True), (False, True)),
            ("NEW_AND_OLD_IMAGES", (True, False), (True, True), (False, True)),
        ]:
            for make, expected in [(Record.insert, insert), (Record.modify, modify), (Record.remove, remove)]:
                record = make("t").key("id", "1").attribute("a", 1).view_type(view_type).build()
                self.assertEqual((record.new_image_json is not None, record.old_image_json is not None), expected)
                self.assertIn(f'"StreamViewType":"{view_type}"', record.json)

    def test_sizes(self) -> None:
        for text, size_bytes in [
            ('{"S":"Tung"}', 4), ('{"S":"ü"}', 2), ('{"B":"AAAAAAA="}', 5), ('{"BOOL":false}', 1), ('{"N":"42"}', 2),
            ('{"N":"-42"}', 3), ('{"N":"12.50"}', 3), ('{"N":"0"}', 1), ('{"NULL":true}', 1), ('{"SS":["a","bc"]}', 3),
            ('{"NS":["42","1"]}', 4), ('{"BS":["AAA=","AA=="]}', 3), ('{"M":{}}', 3), ('{"M":{"a":{"BOOL":true}}}', 6),
            ('{"L":[{"NULL":true}]}', 5),
        ]:  # fmt: skip
            record = Record.insert("t").key("id", "1").new_image_json(f'{{"v":{text}}}').build()
            self.assertEqual(record.size_bytes, 6 + 1 + size_bytes, text)

    def test_an_events_records_count_on(self) -> None:
        one = Record.insert("t").key("id", "1")
        text = event([one, one.sequence_number("9").event_id("e"), one])
        records = json.loads(text)["Records"]
        self.assertEqual(
            [record["dynamodb"]["SequenceNumber"] for record in records],
            ["261800000000059086429283", "9", "261800000000059086429285"],
        )
        self.assertEqual(records[1]["eventID"], "e")
        self.assertEqual(records[2]["dynamodb"]["ApproximateCreationDateTime"], 1_767_605_402)
        self.assertEqual(event([]), '{"Records":[]}\n')
        self.assertEqual(json.loads(one.to_json()), records[0])

    def test_a_record_that_cannot_be_says_why(self) -> None:
        one = Record.modify("t").key("id", "1")
        for text, make in [
            ("is no table's name", lambda: Record.insert("a/stream/b")),
            ("is no table's name", lambda: Record.insert("")),
            ("the record has no key", lambda: Record.insert("t").build()),
            ("is the third", lambda: one.key("b", "1").key("c", "1")),
            ("the key 'id' is True", lambda: Record.insert("t").key("id", True)),
            (
                'the key \'id\' of the item is {"S":"1"}, and {"N":"1"} in an image',
                lambda: one.new_attribute("id", 1).build(),
            ),
            ("an insert has no old image", lambda: Record.insert("t").old_attribute("a", 1)),
            ("a removal has no new image", lambda: Record.remove("t").new_image_json("{}")),
            ("a: an attribute value without a type", lambda: one.new_image_json('{"a":{}}')),
            ("is no sequence number", lambda: one.sequence_number("26x")),
            ("is no stream's ARN", lambda: one.stream_arn("arn:aws:sqs:eu-west-1:1:q")),
            ("is no view type", lambda: one.view_type("ALL")),
            ("an event is of one stream", lambda: event([one, Record.insert("u").key("id", "1")])),
        ]:
            with self.assertRaises(ValueError) as caught:
                make()
            self.assertIn(text, str(caught.exception))
        self.assertEqual(one.new_image_json('{"id":{"S":"1"}}').to_json(), one.to_json())


class Invocation(unittest.TestCase):
    def test_there_is_a_stand_in_for_everything(self) -> None:
        self.assertEqual(len(invocation.request_id()), 36)
        self.assertEqual(invocation.handler(), "handler")
        self.assertEqual(invocation.function_name(), "function")
        self.assertEqual(invocation.function_version(), "$LATEST")
        self.assertEqual(invocation.attempt(), 1)
        self.assertIsNone(invocation.deadline_ms())
        self.assertIsNone(invocation.remaining_ms())
        self.assertIsNone(invocation.trace_header())

    def test_another_can_be_put_in_its_place(self) -> None:
        with mock.patch("gristmill.invocation.deadline_ms", return_value=0):
            self.assertEqual(invocation.remaining_ms(), 0)
        with mock.patch("gristmill.invocation.deadline_ms", return_value=2**52):
            self.assertGreater(invocation.remaining_ms() or 0, 0)


class Package(unittest.TestCase):
    def test_its_version_is_that_of_its_pyproject(self) -> None:
        project = (pathlib.Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
        self.assertIn(f'version = "{gristmill.__version__}"', project)

    def test_all_that_it_promises_is_there(self) -> None:
        for name in gristmill.__all__:
            self.assertTrue(hasattr(gristmill, name), name)


if __name__ == "__main__":
    unittest.main()
