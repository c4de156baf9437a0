import numpy as np
from numpy.typing import NDArray

I16 = NDArray[np.int16]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
U64 = NDArray[np.uint64]

def whole_numbers(
    offsets: I32,
    data: U8,
    low: int,
    high: int,
    scale: int,
    missing: int,
    out: I64,
    odd: I32,
) -> int: ...
def amounts(offsets: I32, data: U8, missing: int, out: I64, odd: I32) -> int: ...
def days(offsets: I32, data: U8, missing: int, out: I64, odd: I32) -> int: ...
def letters(offsets: I32, data: U8, meaning: I16, out: I64, odd: I32) -> int: ...
def odd_texts(offsets: I32, data: U8, odd: I32) -> int: ...
def fingerprints(offsets: I32, data: U8, factors: U64, out: U64) -> None: ...
