"""Pixels written out as text: one row's numbers 0-255 between spaces, read by array arithmetic."""

import numpy as np

from fkp.data.readers import fault


def parse_pixels(text: bytes, count: int, **where: object) -> np.ndarray:
    """The pixels of a row.

    Args:
        text: bytes, whole numbers 0-255 between spaces.
        count: how many are expected.
        **where: passed to `fault` (path, row, line, column).

    Returns:
        uint8 (count,).

    Raises:
        SourceError: another count, or a value that is no whole number 0-255.
    """
    pixels = _by_array(text, count)
    return _one_by_one(text, count, where) if pixels is None else pixels


def _by_array(text, count):
    """None unless the text is `count` numbers 0-255 between spaces.

    A number ends where a digit is followed by none; the two characters before that end are its
    tens and hundreds, where they are digits.
    """
    value = np.frombuffer(b"   " + text + b" ", dtype=np.uint8) - np.uint8(48)
    digit = value < 10
    if np.count_nonzero(digit) + text.count(b" ") != len(text):
        return None
    value *= digit
    end = np.flatnonzero(digit[:-1] > digit[1:])
    if end.size != count:
        return None
    second = digit.take(end - 1)
    below = value.take(end) + value.take(end - 1) * np.uint8(10)
    hundreds = value.take(end - 2) * second
    fourth = digit.take(end - 3) & digit.take(end - 2) & second
    if (fourth | (hundreds > 2) | ((hundreds == 2) & (below > 55))).any():
        return None
    return below + hundreds * np.uint8(100)


def _one_by_one(text, count, where):
    """The same, slowly: knows other white space and leading zeros, and names the value at fault."""
    tokens = text.split()
    if len(tokens) != count:
        raise fault(expected=f"{count} pixels", got=f"{len(tokens)} pixels", **where)
    for i, token in enumerate(tokens):
        if not token.isdigit() or int(token) > 255:
            expected = f"a whole number 0-255 as pixel {i + 1} of {count}"
            raise fault(expected=expected, got=token.decode("latin-1"), **where)
    return np.array([int(token) for token in tokens], dtype=np.uint8)
