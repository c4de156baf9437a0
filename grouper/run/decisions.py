"""The distinct results of a run and their texts: built once each, however many rows share them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from grouper.engine.dip import DipGroups
from grouper.engine.groups import Groups
from grouper.errors import Lang
from grouper.records.user import UserTable
from grouper.records.write import line_endings, output_of
from grouper.run.results import result_columns

_NOBODY = UserTable((), (), "text", 0)

Columns = list[tuple[str, pa.Array]]


@dataclass
class Decisions:
    """What can become of a row, numbered as it comes.

    Rows with the same rule and group, or rejected for the same reason, have the same texts. May be
    shared by threads. columns_of: the result columns of groups.
    """

    lang: Lang
    columns_of: Callable[[Any, Lang], Columns] = result_columns
    _numbers: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    _columns: Columns = field(default_factory=list)
    _endings: dict[tuple[str | None, str], tuple[NDArray[np.uint8], NDArray[np.int64]]] = field(
        default_factory=dict
    )
    _lock: Lock = field(default_factory=Lock)

    def number(self, groups: Groups | DipGroups) -> NDArray[np.int32]:
        """(n,) which decision each row is."""
        key = groups.decisions()
        if not len(self._numbers):
            with self._lock:
                if not len(self._numbers):
                    self._numbers = np.full(groups.n_decisions, -1, np.int32)
        found: NDArray[np.int32] = self._numbers[key]
        if (found < 0).any():
            self._meet(groups, key)
            found = self._numbers[key]
        return found

    def _meet(self, groups: Groups | DipGroups, key: NDArray[np.int32]) -> None:
        """Number the keys that have none."""
        with self._lock:
            new = np.flatnonzero(self._numbers[key] < 0)
            keys, first = np.unique(key[new], return_index=True)
            if not len(keys):
                return
            met = len(self._columns[0][1]) if self._columns else 0
            columns = self.columns_of(groups.some(new[first]), self.lang)
            if met:
                columns = [
                    (name, pa.concat_arrays([old, more]))
                    for (name, old), (_, more) in zip(self._columns, columns, strict=True)
                ]
            # the texts first: whoever sees a number finds its texts
            self._columns = columns
            self._endings = {}
            self._numbers[keys] = np.arange(met, met + len(keys), dtype=np.int32)

    def columns(self, numbers: NDArray[np.int32]) -> Columns:
        """The result columns of rows by their decisions."""
        index = pa.array(numbers)
        return [(name, texts.take(index)) for name, texts in self._columns]

    def endings(
        self, encoding: str | None, delimiter: str
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """The texts behind the user's cells by decision, as `write.line_endings` gives them."""
        kept = self._endings
        found = kept.get((encoding, delimiter))
        if found is None:
            output = output_of(_NOBODY, self._columns, self.lang, encoding, (), nested=False)
            found = kept[encoding, delimiter] = line_endings(output, delimiter)
        return found
