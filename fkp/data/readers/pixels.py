"""Pixels written out as text: one row's numbers 0-255 between spaces."""

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
    if text.strip() and not text.translate(None, b"0123456789 "):
        values = np.fromstring(text, np.int64, sep=" ")
        if len(values) == count and values.max() < 256:
            return values.astype(np.uint8)
    # Slowly: knows other white space, and names the value at fault.
    tokens = text.split()
    if len(tokens) != count:
        raise fault(expected=f"{count} pixels", got=f"{len(tokens)} pixels", **where)
    for i, token in enumerate(tokens):
        if not token.isdigit() or int(token) > 255:
            expected = f"a whole number 0-255 as pixel {i + 1} of {count}"
            raise fault(expected=expected, got=token.decode("latin-1"), **where)
    return np.array([int(token) for token in tokens], dtype=np.uint8)
