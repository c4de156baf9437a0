"""What a case's group is worth by a weight table: its weight, and its standard where one is known.

For comparison and forecast only. Outliers, coefficients and special cases are the settlement's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import weights
from grouper.datafile import data_folder, read_tsv
from grouper.dated import Span
from grouper.errors import RunError, WeightError
from grouper.money import FEN_PER_YUAN, round_half_up
from grouper.records.check import Findings
from grouper.records.layout import clean_header
from grouper.records.read import SUFFIXES, read_source
from grouper.records.texts import text_column
from grouper.scheme.model import Scheme
from grouper.settle.batch import factorize
from weights.table import NO_VALUE, Head, WeightTable

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Worth:
    """A weight table, and the rate (yuan per weight 1) to use in place of its own amounts."""

    table: WeightTable
    rate: Decimal | None
    _known: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict, repr=False)

    @property
    def decimals(self) -> int:
        """Weights are units of 10**-decimals."""
        return self.table.weights.decimals

    def values(
        self, labels: Ids, codes: Sequence[str], insurance: Sequence[str], level: Sequence[str]
    ) -> tuple[Ids, Ids]:
        """Weight units and fen of each case, NO_VALUE where the table has none.

        labels: (n,) positions in `codes` ("" = no group); insurance, level: (n,) texts as the
        records have them, or empty.
        """
        ids: Ids = labels
        texts = [codes]
        for column in (insurance, level):
            # a column that is not there is all empty
            given = column if len(column) == len(labels) else [""] * len(labels)
            own, spelled = factorize(given)
            ids = ids * len(spelled) + own
            texts.append(spelled)
        distinct, index = np.unique(ids, return_inverse=True)
        found = []
        for cell in distinct.tolist():
            rest, at_level = divmod(cell, len(texts[2]))
            label, at_insurance = divmod(rest, len(texts[1]))
            found.append(self._cell(codes[label], texts[1][at_insurance], texts[2][at_level]))
        cells = np.array(found, np.int64).reshape(-1, 2)
        return cells[index, 0], cells[index, 1]

    def _cell(self, code: str, insurance: str, level: str) -> tuple[int, int]:
        key = (code, insurance, level)
        if key not in self._known:
            self._known[key] = self._looked_up(*key) if code else (NO_VALUE, NO_VALUE)
        return self._known[key]

    def _looked_up(self, code: str, insurance: str, level: str) -> tuple[int, int]:
        weight = self.table.find_weight(code, insurance=insurance, level=level)
        standard = self.table.standard_fen(code, insurance=insurance, level=level)
        units = NO_VALUE if weight is None else int(weight.scaleb(self.decimals))
        rate = self.rate or self.table.head.base_rate
        if weight is not None and rate and (self.rate or standard is None):
            # one rounding a cell: the standard of a group is an amount in whole fen
            standard = round_half_up(Fraction(weight) * Fraction(rate) * FEN_PER_YUAN)
        return units, NO_VALUE if standard is None else standard


def load_worth(name: str, scheme: Scheme, *, rate: Decimal | None = None) -> Worth:
    """The weight table of a shipped id, a table folder, or a file with columns of group and weight.

    rate: yuan per weight 1; without it the standards that the table prints, or its own rate.
    Raises RunError RN126 for a table of another scheme, WeightError and DataFileError for one that
    cannot be read.
    """
    path = Path(name)
    if path.suffix.lower() in SUFFIXES and path.is_file():
        table = _from_file(path, scheme)
    else:
        table = weights.load(name)
    if table.scheme_id != scheme.id:
        raise RunError("RN126", name, table=table.id, theirs=table.scheme_id, scheme=scheme.id)
    return Worth(table, rate)


def _from_file(path: Path, scheme: Scheme) -> WeightTable:
    """A table that is nothing but its rows, taken to be of the scheme it is named for."""
    known = _headers()

    def score(headers: Sequence[str]) -> int:
        return sum(clean_header(header) in known for header in headers)

    raw = read_source(path, score, None, Findings())
    columns = {
        known[clean_header(header)]: text_column(column).to_pylist()
        for header, column in zip(raw.names, raw.columns, strict=True)
        if clean_header(header) in known
    }
    if "group" not in columns or not {"weight", "standard"} & set(columns):
        lacking = "group" if "group" not in columns else "weight"
        raise WeightError("WT104", path.name, column=lacking, problem="missing")
    head = Head(
        id=path.name,
        title=path.name,
        title_en=path.name,
        scheme_id=scheme.id,
        area="",
        span=Span(date.min),
        source=path.name,
        confidence="unofficial",
        # offices print standards with the decimals of their spreadsheets
        standard_rounding="half_up",
    )
    return weights.from_columns(head, columns, where=lambda row, column: raw.where(row))


@cache
def _headers() -> dict[str, str]:
    table = read_tsv(data_folder("layouts", "weight_columns.tsv"))
    columns = dict(zip(table.columns, table.cells, strict=True))
    return {
        clean_header(header): column
        for header, column in zip(columns["header"], columns["column"], strict=True)
    }
