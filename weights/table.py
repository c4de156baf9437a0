"""WeightTable: what a group is worth in an area, at a date, by insurance and hospital level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from grouper.dated import Confidence, Span
from grouper.errors import Issue, WeightError

#: in int64 columns: the table publishes no such value
NO_VALUE = -(2**63)

#: bits of `WeightTable.flags`
BASIC_GROUP = 1
ADJUSTED = 2


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """Decimals of one column as int64 units of 10**-decimals; NO_VALUE where none is published."""

    units: NDArray[np.int64]
    decimals: int

    def decimal(self, row: int) -> Decimal | None:
        """The value of one row, exactly as published."""
        units = int(self.units[row])
        return None if units == NO_VALUE else Decimal(units).scaleb(-self.decimals)


@dataclass(frozen=True, slots=True)
class Head:
    """What a table says about itself (table.toml).

    `scheme_id` is the grouping its group codes belong to; `area` the code of the pooling area;
    `base_rate` yuan per weight 1 where the table prints standards (None otherwise).
    """

    id: str
    title: str
    title_en: str
    scheme_id: str
    area: str
    span: Span
    source: str
    confidence: Confidence
    base_rate: Decimal | None = None
    file: str = "weights.tsv"
    columns: Mapping[str, str] = field(default_factory=dict)
    no_weight: frozenset[str] = frozenset()
    standard_rounding: str = "exact"


@dataclass(frozen=True, slots=True, eq=False)
class BoundWeights:
    """The values of a table in the order of some group codes, (n,) int64 each.

    weight is in units of 10**-weight_decimals, coefficient of 10**-coefficient_decimals;
    payment_standard_fen and mean_cost_fen in fen; NO_VALUE where the table has none.
    """

    weight: NDArray[np.int64]
    weight_decimals: int
    coefficient: NDArray[np.int64]
    coefficient_decimals: int
    payment_standard_fen: NDArray[np.int64]
    mean_cost_fen: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class WeightTable:
    """The rows of a published weight table.

    Row i says what group `groups[i]` is worth for `insurances[i]` at `levels[i]` (empty = all).
    A value that the most specific row leaves empty comes from the next one: level and insurance,
    level alone, insurance alone, all.
    """

    head: Head
    groups: tuple[str, ...]
    names: tuple[str, ...]
    insurances: tuple[str, ...]
    levels: tuple[str, ...]
    classes: tuple[str, ...]
    weights: Numbers
    points: Numbers
    coefficients: Numbers
    mean_los: Numbers
    payment_standard_fen: NDArray[np.int64]
    mean_cost_fen: NDArray[np.int64]
    flags: NDArray[np.uint8]
    _rows: Mapping[tuple[str, str, str], int] = field(repr=False)
    _known: frozenset[str] = field(repr=False)

    def __len__(self) -> int:
        return len(self.groups)

    @property
    def id(self) -> str:
        """The id of the table."""
        return self.head.id

    @property
    def scheme_id(self) -> str:
        """The grouping scheme whose group codes the table prices."""
        return self.head.scheme_id

    @property
    def confidence(self) -> Confidence:
        """How firmly the figures are known."""
        return self.head.confidence

    @property
    def group_codes(self) -> tuple[str, ...]:
        """Every group of the table once, in order."""
        return tuple(dict.fromkeys(self.groups))

    def covers(self, day: date) -> bool:
        """Whether the table is in force on a day."""
        return self.head.span.covers(day)

    def __contains__(self, group_code: str) -> bool:
        return group_code in self._known

    def weight(self, group_code: str, *, insurance: str = "", level: str = "") -> Decimal:
        """The relative weight of a group, exactly as published.

        Raises WeightError WT101 for a group the table does not have, WT108 for one without weight.
        """
        weight = self.find_weight(group_code, insurance=insurance, level=level)
        if weight is None:
            code = "WT108" if group_code in self._known else "WT101"
            raise WeightError(code, self.id, group=group_code, table=self.id)
        return weight

    def find_weight(
        self, group_code: str, *, insurance: str = "", level: str = ""
    ) -> Decimal | None:
        """The relative weight of a group, None if the table has none."""
        return self._number(self.weights, group_code, insurance, level)

    def coefficient(
        self, group_code: str, *, insurance: str = "", level: str = ""
    ) -> Decimal | None:
        """The coefficient the table prints for a group at a hospital level, None if it has none."""
        return self._number(self.coefficients, group_code, insurance, level)

    def standard_fen(self, group_code: str, *, insurance: str = "", level: str = "") -> int | None:
        """The payment standard the table prints, in fen, None if it has none."""
        row = self._row(self.payment_standard_fen, group_code, insurance, level)
        return None if row is None else int(self.payment_standard_fen[row])

    def bind(
        self, group_codes: Sequence[str], *, insurance: str = "", level: str = ""
    ) -> BoundWeights:
        """The table's values in the order of some group codes; unknown codes have NO_VALUE."""

        def take(values: NDArray[np.int64]) -> NDArray[np.int64]:
            rows = [self._row(values, code, insurance, level) for code in group_codes]
            taken = [NO_VALUE if row is None else int(values[row]) for row in rows]
            return np.array(taken, np.int64)

        return BoundWeights(
            take(self.weights.units),
            self.weights.decimals,
            take(self.coefficients.units),
            self.coefficients.decimals,
            take(self.payment_standard_fen),
            take(self.mean_cost_fen),
        )

    def lacking(self, group_codes: Sequence[str]) -> list[Issue]:
        """Groups of a scheme that the table does not price: WT201 unknown, WT202 no weight."""
        return [
            Issue(
                "WT202" if code in self._known else "WT201",
                self.id,
                {"group": code, "table": self.id},
            )
            for code in group_codes
            if code and not self._has_weight(code)
        ]

    def _has_weight(self, code: str) -> bool:
        units = self.weights.units
        keys = (key for key in self._rows if key[0] == code) if code in self._known else ()
        return any(units[self._rows[key]] != NO_VALUE for key in keys)

    def _number(self, column: Numbers, code: str, insurance: str, level: str) -> Decimal | None:
        row = self._row(column.units, code, insurance, level)
        return None if row is None else column.decimal(row)

    def _row(self, values: NDArray[np.int64], code: str, insurance: str, level: str) -> int | None:
        """The most specific row of a group that has a value in this column."""
        keys = ((insurance, level), ("", level), (insurance, ""), ("", ""))
        for own_insurance, own_level in dict.fromkeys(keys):
            row = self._rows.get((code, own_insurance, own_level))
            if row is not None and values[row] != NO_VALUE:
                return row
        return None
