"""What becomes of a call: failures, output, log lines."""

import io
import logging
import unittest
from typing import Any, Callable
from unittest import mock

from gristmill import ImageError, Reject, Retry, StreamRecord, handler
from gristmill import _build, _entry, _host, _logging, _register
from gristmill.errors import describe
from gristmill.testing import Record

RECORD = Record.insert("t").key("id", "1").build()


class Told(Exception):
    """In the place of what the generated code takes."""


class Call:
    def __init__(self, function: Callable[[StreamRecord], Any]) -> None:
        self.given_back = 0
        self.stderr = io.StringIO()
        parts = {
            "retry": lambda text: Told("retry", text),
            "reject": lambda text: Told("reject", text),
            "begin": lambda: None,
            "give_back": self._give_back,
        }
        with mock.patch.multiple(_host, create=True, **parts), mock.patch("sys.stderr", self.stderr):
            try:
                _entry.bind(function)().handle(RECORD._host)
                self.result: Any = "ok"
            except Told as failure:
                self.result = failure.args

    def _give_back(self, record: Any) -> None:
        self.given_back += 1


def raising(error: BaseException) -> Callable[[StreamRecord], None]:
    def function(record: StreamRecord) -> None:
        raise error

    return function


class Outcomes(unittest.TestCase):
    def test_a_return_is_a_success(self) -> None:
        call = Call(lambda record: None)
        self.assertEqual((call.result, call.given_back, call.stderr.getvalue()), ("ok", 1, ""))

    def test_every_exception_is_a_failure(self) -> None:
        for error, told in [
            (Retry("not yet"), ("retry", "not yet")),
            (Reject("never Zoë"), ("reject", "never Zoë")),
            (Reject(), ("reject", "")),
            (ValueError("x"), ("retry", "ValueError: x")),
            (ValueError(), ("retry", "ValueError")),
            (KeyError("total"), ("retry", "KeyError: 'total'")),
            (SystemExit(3), ("retry", "SystemExit: 3")),
            (SystemExit(0), ("retry", "SystemExit: 0")),
            (KeyboardInterrupt(), ("retry", "KeyboardInterrupt")),
            (MemoryError(), ("retry", "MemoryError")),
            (GeneratorExit(), ("retry", "GeneratorExit")),
            (ImageError("no").within("a").of("keys"), ("retry", "keys: a: no")),
            (ValueError("half \ud800"), ("retry", "ValueError: half \\ud800")),
        ]:
            with self.subTest(error):
                call = Call(raising(error))
                self.assertEqual((call.result, call.given_back), (told, 1))
        self.assertLess(len(Call(raising(ValueError("x" * 1_000_000))).result[1]), 10_000)

    def test_what_an_exception_was_raised_from_is_told(self) -> None:
        def function(record: StreamRecord) -> None:
            try:
                int("x")
            except ValueError as error:
                raise Reject("not an order") from error

        self.assertEqual(
            Call(function).result, ("reject", "not an order: ValueError: invalid literal for int() with base 10: 'x'")
        )
        round_about = ValueError("a")
        round_about.__cause__ = round_about
        self.assertEqual(describe(round_about), "ValueError: a")

    def test_an_error_that_cannot_be_printed_is_a_failure(self) -> None:
        class Odd(Exception):
            def __str__(self) -> str:
                raise RuntimeError("no")

        self.assertEqual(Call(raising(Odd())).result, ("retry", "Odd: its text failed: RuntimeError"))

    def test_the_traceback_is_on_stderr_unless_the_failure_was_meant(self) -> None:
        text = Call(raising(ValueError("x"))).stderr.getvalue()
        self.assertRegex(text, r"^Traceback \(most recent call last\):\n  File .*test_entry.py")
        self.assertTrue(text.endswith("ValueError: x\n"))
        self.assertNotIn("_entry.py", text.replace("test_entry.py", ""))
        self.assertEqual(Call(raising(Retry("x"))).stderr.getvalue(), "")
        self.assertIn("`import x` at the top", Call(raising(ModuleNotFoundError("no", name="x"))).stderr.getvalue())

    def test_a_recursion_without_end_is_told_in_a_few_lines(self) -> None:
        def recurse(record: StreamRecord) -> Any:
            return recurse(record)

        call = Call(recurse)
        self.assertEqual(call.result[0], "retry")
        self.assertRegex(call.result[1], "^RecursionError: ")
        self.assertLess(len(call.stderr.getvalue()), 5_000)

    def test_what_is_returned_is_no_success(self) -> None:
        async def waits(record: StreamRecord) -> None:
            raise AssertionError("it ran")

        def yields(record: StreamRecord) -> Any:
            yield 1

        for function, text in [
            (waits, "the handler returned a coroutine, which nobody runs"),
            (lambda record: waits(record), "the handler returned a coroutine, which nobody runs"),
            (yields, "the handler returned a generator, which nobody runs"),
            (lambda record: False, "the handler returned a value of type bool: "),
            (lambda record: Reject("x"), "the handler returned a value of type Reject: "),
        ]:
            kind, told = Call(function).result
            self.assertEqual(kind, "retry")
            self.assertTrue(told.startswith(text), told)


class Registering(unittest.TestCase):
    def setUp(self) -> None:
        patch = mock.patch.object(_register, "registered", [])
        patch.start()
        self.addCleanup(patch.stop)

    def test_the_function_stays_what_it_is(self) -> None:
        def file(record: StreamRecord) -> None:
            pass

        self.assertIs(handler(file), file)
        self.assertEqual(_build._the_one(_register.registered, "handler"), file)

    def test_a_function_that_would_not_run_is_refused(self) -> None:
        async def waits(record: StreamRecord) -> None:
            pass

        async def waits_and_yields(record: StreamRecord) -> Any:
            yield 1

        def yields(record: StreamRecord) -> Any:
            yield 1

        for function, text in [
            (waits, "is an `async def`"),
            (waits_and_yields, "is an `async def`"),
            (yields, "has a `yield`"),
            (lambda: None, "is called with one argument, the record"),
            (lambda event, context: None, "is called with one argument, the record"),
            (1, "is for a function"),
        ]:
            with self.assertRaisesRegex(TypeError, text):
                handler(function)

    def test_there_is_one(self) -> None:
        with self.assertRaisesRegex(_build.BuildFailed, "^handler.py has no handler"):
            _build._the_one([], "handler")
        first, second = handler(lambda record: None), handler(lambda record: None)
        with self.assertRaisesRegex(
            _build.BuildFailed, "^handler.py has 2 handlers, and a component has one:\n.*test_entry.py:"
        ):
            _build._the_one([first, second], "handler")
        self.assertIs(_build._the_one([first, first], "handler"), first)


class Logging(unittest.TestCase):
    def setUp(self) -> None:
        self.lines: list[Any] = []
        patch = mock.patch.object(_host, "write_log", lambda *line: self.lines.append(line))
        patch.start()
        self.addCleanup(patch.stop)
        self.log = logging.Logger("x", 1)
        self.log.addHandler(_logging.HostHandler())

    def test_levels(self) -> None:
        for level in (5, 10, 15, 20, 30, 40, 50, 99):
            self.log.log(level, "%s %d", "a", 1)
        names = ["trace", "debug", "debug", "info", "warn", "error", "critical", "critical"]
        self.assertEqual(self.lines, [(name, "a 1", []) for name in names])

    def test_extra_becomes_fields(self) -> None:
        self.log.info("x", extra={"event-id": 1, "half": "\ud800", "fields": {"name": "n", "message": 2}})
        self.assertEqual(
            self.lines, [("info", "x", [("event-id", "1"), ("half", "\\ud800"), ("name", "n"), ("message", "2")])]
        )

    def test_an_exception_is_a_field(self) -> None:
        try:
            int("x")
        except ValueError:
            self.log.exception("failed")
        ((level, message, [(name, text)]),) = self.lines
        self.assertEqual((level, message, name), ("error", "failed", "traceback"))
        self.assertTrue(text.startswith("Traceback") and "ValueError: invalid literal" in text)

    def test_the_stack_is_a_field_when_it_is_asked_for(self) -> None:
        with mock.patch.object(logging.Logger, "findCaller", _logging._find_caller):
            self.log.info("where", stack_info=True)
            self.log.info("nowhere")
        (_, _, [(name, text)]), plain = self.lines
        self.assertEqual((name, plain), ("stack", ("info", "nowhere", [])))
        self.assertTrue(text.splitlines()[-1].endswith('self.log.info("where", stack_info=True)'), text)

    def test_a_line_that_cannot_be_made_fails_nothing(self) -> None:
        with mock.patch("sys.stderr", io.StringIO()) as stderr:
            self.log.info("%d", "x")
        self.assertIn("Logging error", stderr.getvalue())

    def test_the_short_log_record_has_what_the_long_one_has(self) -> None:
        for args in [(), ("a",), ({"k": 1},), ({},), (1, 2)]:
            made = [kind("n", 20, "/p/f.py", 3, "m", args, None) for kind in (logging.LogRecord, _logging._Line)]
            self.assertEqual(made[0].args, made[1].args)
        missing = set(vars(made[0])) ^ set(vars(made[1]))
        self.assertEqual(missing, set())
        text = logging.Formatter("%(asctime)s %(levelname)s %(name)s %(filename)s:%(lineno)d %(process)s %(message)s")
        self.assertIn(
            "INFO n (unknown file):0 None m", text.format(_logging._Line("n", 20, "/p/f.py", 3, "m", (), None))
        )


class Reports(unittest.TestCase):
    def test_of_a_missing_module_it_is_said_where_it_comes_from(self) -> None:
        for error, told in [
            (ModuleNotFoundError("No module named 'x'"), "is named in `requirements.txt`"),
            (ImportError("cannot import name 'x'"), "ImportError: cannot import name 'x'"),
        ]:
            self.assertIn(told, _build.report(error).splitlines()[-1])


class LateImports(unittest.TestCase):
    def test_imports_within_functions_are_found(self) -> None:
        class Module:
            __file__ = __file__
            __package__ = "tests"

        def never() -> None:
            import colorsys
            from importlib import metadata
            from . import nothing

        found = set(_build._late_imports(Module))
        self.assertLessEqual({"colorsys", "importlib", "importlib.metadata", "tests", "tests.nothing"}, found)


if __name__ == "__main__":
    unittest.main()
