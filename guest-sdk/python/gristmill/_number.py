"""DynamoDB's numbers: decimal text to `Decimal`, never rounded on the way."""

from __future__ import annotations

import re
from decimal import Clamped, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow, Rounded, Underflow

from .errors import ImageError, quoted

# DynamoDB keeps 38 significant digits.
MAX_DIGITS = 38
# The exponents of the first significant digit, from 1E-130 to 9.99…E+125.
MIN_EXPONENT, MAX_EXPONENT = -130, 125

DECIMAL = Context(
    prec=MAX_DIGITS,
    Emin=MIN_EXPONENT,
    Emax=MAX_EXPONENT,
    traps=[Clamped, Inexact, InvalidOperation, DivisionByZero, Overflow, Rounded, Underflow],
)
"""A context in which arithmetic is exact or an error, with the digits and magnitudes that DynamoDB has.

`with decimal.localcontext(gristmill.DECIMAL): …`. Python's own context has 28 digits, and rounds in silence.
"""

_plain = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)").fullmatch
_decimal = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?)([0-9]+))?").fullmatch


def from_text(text: str) -> Decimal:
    """The number that a text stands for.

    Raises `ImageError` when it is none, or has more digits or a larger or smaller magnitude than DynamoDB's.
    """
    # Nearly every number: so short that it can be neither too long nor too large nor too small.
    if len(text) <= MAX_DIGITS and _plain(text):
        return Decimal(text)
    match = _decimal(text)
    if match is None or not (match[2] or match[3]):
        raise ImageError(f"{quoted(text[:48])} is not a decimal number")
    sign, whole, fraction, exponent_sign, exponent_digits = match.groups(default="")
    digits = (whole + fraction).lstrip("0")
    significant = digits.rstrip("0")
    if not significant:
        return Decimal(f"{sign}0")
    if len(significant) > MAX_DIGITS:
        raise ImageError(f"the number {text[:48]} has more than {MAX_DIGITS} digits")
    # An exponent may have any length, and what is beyond a million is out of every range.
    exponent_digits = exponent_digits.lstrip("0")
    exponent = int(exponent_digits or "0") if len(exponent_digits) < 8 else 10_000_000
    # Of the last digit that was written.
    last = (-exponent if exponent_sign == "-" else exponent) - len(fraction)
    if not MIN_EXPONENT <= last + len(digits) - 1 <= MAX_EXPONENT:
        raise ImageError(f"the number {text[:48]} is beyond what DynamoDB has")
    if len(digits) <= MAX_DIGITS:
        return Decimal(f"{sign}{digits}E{last}")
    # Zeros that say nothing are what makes it too long.
    return Decimal(f"{sign}{significant}E{last + len(digits) - len(significant)}")


def to_text(number: Decimal | int) -> str:
    """The text of a number. Raises `ValueError` when DynamoDB has no such number."""
    if isinstance(number, int):
        # Python refuses to print an integer of thousands of digits, in words of its own.
        if abs(number) >= 10**126:
            raise ValueError("the number is beyond what DynamoDB has")
        number = Decimal(number)
    # Nearly every number: so short that it can be neither too long nor too large nor too small.
    text = str(number)
    if len(text) <= MAX_DIGITS and _plain(text):
        return text
    if not number.is_finite():
        raise ValueError(f"{number} is not a decimal number")
    sign, digits, exponent = number.as_tuple()
    significant = len("".join(map(str, digits)).strip("0"))
    if significant == 0:
        return str(number) if abs(int(exponent)) <= MAX_EXPONENT else "0"
    if significant > MAX_DIGITS:
        raise ValueError(f"the number {str(number)[:48]} has more than {MAX_DIGITS} digits")
    if not MIN_EXPONENT <= number.adjusted() <= MAX_EXPONENT:
        raise ValueError(f"the number {str(number)[:48]} is beyond what DynamoDB has")
    return str(number)
