import numpy as np
from numpy.typing import NDArray

from grouper.scheme.compile import CompiledScheme

U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
I32 = NDArray[np.int32]

class Kernel:
    def __init__(self, scheme: CompiledScheme) -> None: ...
    def group(
        self,
        dx: U32,
        dx_offsets: I32,
        px: U32,
        px_offsets: I32,
        sex: U8,
        age: I32,
        age_days: I32,
        weight: I32,
        los: I32,
        leaving: U8,
        icu_hours: I32,
        reject: U16,
        rule_id: U32,
        group_id: U32,
        severity: U8,
        status: U8,
        reason: U16,
    ) -> int: ...
    def group_one(
        self,
        dx: list[int],
        px: list[int],
        sex: int,
        age: int,
        age_days: int,
        weight: int,
        los: int,
        leaving: int,
        icu_hours: int,
    ) -> tuple[int, int, int, int, int]: ...

def sum_ids(dx: U32, dx_offsets: I32, px: U32, px_offsets: I32, out: U32) -> None: ...
