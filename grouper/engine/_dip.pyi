import numpy as np
from numpy.typing import NDArray

from grouper.engine.dip_layout import Layout
from grouper.engine.dip_tables import Tables

U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
U64 = NDArray[np.uint64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

class DipKernel:
    def __init__(self, layout: Layout, layered: bool) -> None: ...
    def group(
        self,
        tables: Tables,
        dx: I32,
        dx_offsets: I32,
        principal: I32,
        others: U64,
        px: I32,
        px_offsets: I32,
        op: I32,
        age_days: I32,
        weight: I32,
        cost: I64,
        reject: U16,
        row: I32,
        reason: U16,
        marked: U8,
        status: U8,
    ) -> None: ...
