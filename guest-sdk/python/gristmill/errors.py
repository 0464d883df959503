"""What can go wrong, as exceptions: a handler raises the first two, this package the others."""

from __future__ import annotations

import json
from typing import Iterable


class Failure(Exception):
    """Why a handler did not do what the record asks for: a `Retry` or a `Reject`."""


class Retry(Failure):
    """It may go better next time: deliver the record again. Any other exception means the same."""


class Reject(Failure):
    """It will never go better, however often the record comes."""


class ImageError(ValueError):
    """Why an image could not be read, and which attribute was in the way.

    Printed, it reads `new image: orders[3].price: expected a number (N), found a string (S)`.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.image: str | None = None
        # From the attribute outwards: it is put together while the error is on its way out.
        self._steps: list[str | int] = []

    @property
    def path(self) -> str:
        """The path of the attribute that is wrong, for example `orders[3].price`; empty when it is the image as a whole."""
        return path_of(reversed(self._steps))

    def within(self, step: str | int) -> ImageError:
        """The same error, of something that is in this attribute or element."""
        self._steps.append(step)
        return self

    def of(self, image: str) -> ImageError:
        """The same error, of this image."""
        self.image = image
        return self

    def __str__(self) -> str:
        return ": ".join(part for part in (self.image, self.path, self.message) if part)


class ChangeError(ValueError):
    """Why it cannot be told what a record changed: the stream's view type keeps back an image that the answer needs.

    The image will be missing the next time too. `raise Reject("…") from error` says that.
    """


class RecordError(ValueError):
    """Why a text is no stream record."""


def path_of(steps: Iterable[str | int]) -> str:
    """Names of attributes and numbers of elements, from the outermost inwards, as a path."""
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step and all(letter.isalnum() or letter in "_-" for letter in step):
            path += f".{step}" if path else step
        else:
            path += f"[{quoted(step)}]"
    return path


def quoted(text: str) -> str:
    """A text in quotes, with what could be taken for anything but text escaped."""
    return json.dumps(text, ensure_ascii=not text.isprintable())


def describe(error: BaseException) -> str:
    """What the host is told of an exception: its type and text, and those of what it was raised from.

    The errors of this package say all in their text, so that their type is left out.
    """
    parts = []
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        parts.append(_describe_one(cause))
        cause = cause.__cause__
    return ": ".join(part for part in parts if part)


def _describe_one(error: BaseException) -> str:
    name = type(error).__name__
    try:
        text = str(error)
    except Exception as second:  # A `__str__` of the handler's own may fail like anything else.
        return f"{name}: its text failed: {type(second).__name__}"
    if isinstance(error, (Failure, ImageError, ChangeError, RecordError)):
        return text
    return f"{name}: {text}" if text else name
