"""Chinese text in bytes: is it UTF-8, and the double-byte encodings of China as UTF-8.

The tables are made from Python's own codecs, which stay in charge of every text that is not all
ASCII and characters of two bytes.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa

from grouper.records._lines import DoubleBytes


def is_utf8(data: bytes | memoryview) -> bool:
    """Whether bytes are UTF-8; less than 2 GiB of them."""
    bounds = pa.py_buffer(np.array([0, len(data)], np.int32))
    try:
        pa.StringArray.from_buffers(1, bounds, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def utf8_of(data: bytes | memoryview, encoding: str) -> bytes | memoryview:
    """A text in another encoding as UTF-8. Raises UnicodeDecodeError."""
    if encoding in ("gb18030", "gbk"):
        found = two_bytes(encoding).to_utf8(data)
        if found is not None:
            return memoryview(found)
    return str(data, encoding).encode()


@cache
def two_bytes(encoding: str) -> DoubleBytes:
    """The characters of two bytes of an encoding."""
    utf8 = np.zeros(1 << 16, np.uint32)
    for first in range(0x81, 0xFF):
        for second in range(0x40, 0xFF):
            try:
                text = bytes((first, second)).decode(encoding)
            except UnicodeDecodeError:
                continue
            encoded = text.encode()
            if len(text) == 1 and len(encoded) <= 3:
                utf8[first << 8 | second] = int.from_bytes(encoded, "little") | len(encoded) << 24
    return DoubleBytes(utf8)
