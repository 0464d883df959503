"""DynamoDB JSON, byte by byte: what is wrong with a text, and where.

Slow and exact. `values` reads what is right with `json`, whose scanner is written in C, and comes here when it finds
anything odd: so here alone it is decided what is an error and what the error says.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Callable

from . import _number
from .errors import ImageError, quoted

# How deep lists and maps may be nested. DynamoDB allows 32 levels.
MAX_DEPTH = 64

NAMES = {
    "S": "a string (S)",
    "N": "a number (N)",
    "B": "binary (B)",
    "SS": "a string set (SS)",
    "NS": "a number set (NS)",
    "BS": "a binary set (BS)",
    "M": "a map (M)",
    "L": "a list (L)",
    "BOOL": "a boolean (BOOL)",
    "NULL": "null (NULL)",
}

_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_SPACE = " \n\r\t"
_HEX = frozenset("0123456789abcdefABCDEF")


class EmptySet(frozenset):
    """A set without elements, which DynamoDB never sends and a text may have: it keeps its type."""

    tag: str

    def __new__(cls, tag: str) -> EmptySet:
        empty = super().__new__(cls)
        empty.tag = tag
        return empty


def bytes_from_text(text: str) -> bytes:
    """Binary, from base64 as it has to be: no other letters, padded, no bits left over."""
    try:
        data = binascii.a2b_base64(text)
    except ValueError:
        data = None
    if data is None or base64.b64encode(data).decode() != text:
        raise ImageError("not base64")
    return data


class Scanner:
    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"DynamoDB JSON is a str, and this is of type {type(text).__name__}")
        self.text = text
        self.at = 0
        self.depth = 0

    def peek(self) -> str:
        """The next character that is not white space, which stays where it is; empty at the end."""
        text, at = self.text, self.at
        while text[at : at + 1] in _SPACE and at < len(text):
            at += 1
        self.at = at
        return text[at : at + 1]

    def take(self, character: str) -> bool:
        if self.peek() != character:
            return False
        self.at += 1
        return True

    def expect(self, character: str) -> None:
        if not self.take(character):
            raise self.unexpected(f"`{character}`")

    def end(self) -> None:
        if self.peek():
            raise self.unexpected("the end")

    def unexpected(self, expected: str) -> ImageError:
        found = self.peek()
        if not found:
            return ImageError(f"the text ends at byte {self._byte(self.at)}, where {expected} should be")
        return ImageError(f"not JSON at byte {self._byte(self.at)}: expected {expected}, found {found!r}")

    def wrong(self, at: int, what: str) -> ImageError:
        return ImageError(f"not JSON at byte {self._byte(at)}: {what}")

    def _byte(self, at: int) -> int:
        return len(self.text[:at].encode("utf-8", "surrogatepass"))

    def open(self) -> str:
        """`{"S":` and the like: what type the attribute value is of."""
        if not self.take("{"):
            raise self.unexpected('an attribute value such as {"S":"…"}')
        if self.peek() == "}":
            raise ImageError("an attribute value without a type: {}")
        tag = self.string()
        if tag not in NAMES:
            raise ImageError(f"{quoted(tag[:16])} is no attribute type (S, N, B, SS, NS, BS, M, L, BOOL, NULL)")
        self.expect(":")
        return tag

    def close(self) -> None:
        if self.take("}"):
            return
        if self.peek() == ",":
            raise ImageError("an attribute value with more than one type")
        raise self.unexpected("`}`")

    def enter(self, bracket: str) -> None:
        self.expect(bracket)
        if self.depth == MAX_DEPTH:
            raise ImageError(f"nested deeper than {MAX_DEPTH} levels")
        self.depth += 1

    def leave(self) -> None:
        self.depth -= 1

    def next(self, first: bool, bracket: str) -> bool:
        """Whether there is another element, over the comma before it; at the end, over the closing bracket."""
        if self.take(bracket):
            return False
        if not first:
            if not self.take(","):
                raise self.unexpected(f"`,` or `{bracket}`")
            if self.peek() == bracket:
                raise self.unexpected("another value after `,`")
        return True

    def string(self) -> str:
        if not self.take('"'):
            raise self.unexpected("a string")
        text, parts, start = self.text, [], self.at
        at = start
        while True:
            character = text[at : at + 1]
            if character == '"':
                parts.append(text[start:at])
                self.at = at + 1
                return "".join(parts)
            if character == "\\":
                parts.append(text[start:at])
                self.at = at + 1
                parts.append(self._escape())
                start = at = self.at
            elif not character:
                raise ImageError("the text ends within a string")
            elif character < " ":
                raise self.wrong(at, "a control character in a string")
            else:
                at += 1

    def _escape(self) -> str:
        at = self.at
        character = self.text[at : at + 1]
        self.at += 1
        if character in _ESCAPES:
            return _ESCAPES[character]
        if character != "u":
            raise self.wrong(at, "an unknown escape in a string")
        first = self._four_hex_digits()
        if 0xD800 <= first < 0xDC00 and self.text[self.at : self.at + 2] == "\\u":
            self.at += 2
            second = self._four_hex_digits()
            if 0xDC00 <= second < 0xE000:
                return chr(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
            raise self.wrong(at, "half of a surrogate pair")
        if 0xD800 <= first < 0xE000:
            raise self.wrong(at, "half of a surrogate pair")
        return chr(first)

    def _four_hex_digits(self) -> int:
        at = self.at
        digits = self.text[at : at + 4]
        self.at += 4
        if len(digits) < 4 or not _HEX.issuperset(digits):
            raise self.wrong(at, "`\\u` without four hexadecimal digits")
        return int(digits, 16)

    def number(self) -> str:
        """The text of a number, which is in a string; not checked."""
        if self.peek() != '"':
            raise self.unexpected("the number in a string")
        return self.string()

    def word(self, word: str) -> bool:
        self.peek()
        if not self.text.startswith(word, self.at):
            return False
        self.at += len(word)
        return True

    def boolean(self) -> bool:
        if self.word("true"):
            return True
        if self.word("false"):
            return False
        raise self.unexpected("true or false")

    def null(self) -> None:
        if not self.word("true"):
            raise self.unexpected("true, which is what NULL holds")

    def raw(self) -> str:
        """Passes over one JSON value and gives its text. Brackets, commas and strings are checked, numbers are not."""
        self.peek()
        start = self.at
        # A level of DynamoDB's is two of JSON's, and the innermost value has braces of its own.
        self._skip(2 * (MAX_DEPTH - self.depth) + 1)
        return self.text[start : self.at]

    def _skip(self, levels: int) -> None:
        character = self.peek()
        if character == '"':
            self.string()
        elif character and character in "{[":
            if levels == 0:
                raise ImageError(f"nested deeper than {MAX_DEPTH} levels")
            self.at += 1
            close = "}" if character == "{" else "]"
            first = True
            while self.next(first, close):
                first = False
                if character == "{":
                    if self.peek() != '"':
                        raise self.unexpected("a name")
                    self.string()
                    self.expect(":")
                self._skip(levels - 1)
        elif character and character in "-0123456789":
            while self.text[self.at : self.at + 1] in "-+.eE0123456789" and self.at < len(self.text):
                self.at += 1
        elif not (self.word("true") or self.word("false") or self.word("null")):
            raise self.unexpected("a JSON value")


def read_item(text: str) -> dict[str, Any]:
    scan = Scanner(text)
    item = _read_map(scan)
    scan.end()
    return item


def read_value(text: str) -> Any:
    scan = Scanner(text)
    value = _read_value(scan)
    scan.end()
    return value


def attributes(text: str) -> dict[str, str]:
    """The text of each attribute's value, by name, with nothing of the values checked."""
    scan = Scanner(text)
    all_texts: dict[str, str] = {}
    scan.enter("{")
    while scan.next(not all_texts, "}"):
        name = scan.string()
        scan.expect(":")
        if name in all_texts:
            raise ImageError("the attribute is there twice").within(name)
        all_texts[name] = scan.raw()
    scan.leave()
    scan.end()
    return all_texts


def _read_value(scan: Scanner) -> Any:
    tag = scan.open()
    value = _READ[tag](scan)
    scan.close()
    return value


def _read_number(scan: Scanner) -> Any:
    return _number.from_text(scan.number())


def _read_bytes(scan: Scanner) -> bytes:
    return bytes_from_text(scan.string())


def _read_null(scan: Scanner) -> None:
    scan.null()


def _read_list(scan: Scanner, read: Callable[[Scanner], Any] = _read_value) -> list[Any]:
    elements: list[Any] = []
    scan.enter("[")
    while scan.next(not elements, "]"):
        try:
            elements.append(read(scan))
        except ImageError as error:
            raise error.within(len(elements))
    scan.leave()
    return elements


def _read_set(tag: str, read: Callable[[Scanner], Any]) -> Callable[[Scanner], Any]:
    return lambda scan: set(_read_list(scan, read)) or EmptySet(tag)


def _read_map(scan: Scanner) -> dict[str, Any]:
    item: dict[str, Any] = {}
    scan.enter("{")
    while scan.next(not item, "}"):
        name = scan.string()
        scan.expect(":")
        try:
            value = _read_value(scan)
        except ImageError as error:
            raise error.within(name)
        if name in item:
            raise ImageError("the attribute is there twice").within(name)
        item[name] = value
    scan.leave()
    return item


_READ: dict[str, Callable[[Scanner], Any]] = {
    "S": Scanner.string,
    "N": _read_number,
    "B": _read_bytes,
    "SS": _read_set("SS", Scanner.string),
    "NS": _read_set("NS", _read_number),
    "BS": _read_set("BS", _read_bytes),
    "M": _read_map,
    "L": _read_list,
    "BOOL": Scanner.boolean,
    "NULL": _read_null,
}
