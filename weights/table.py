"""WeightTable: what a group is worth in an area, at a date, by insurance, level and hospital."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
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

#: what the columns `flag` and `adjusted` say of such a group
YES = "是"

#: what a row is about; empty = all
KEYS = ("group", "insurance", "level", "hospital", "condition")
#: what a row says in numbers
NUMBERS = (
    "weight",
    "points",
    "coefficient",
    "rate",
    "point_value",
    "standard",
    "mean_cost",
    "ref_stay",
    "cases",
    "cv",
)
#: columns of the normal form, in the order of the file; only `group` must be there
COLUMNS = (
    "group",
    "name",
    "insurance",
    "level",
    "hospital",
    "condition",
    "weight",
    "points",
    "coefficient",
    "rate",
    "point_value",
    "class",
    "flag",
    "standard",
    "adjusted",
    "mean_cost",
    "ref_stay",
    "cases",
    "cv",
)


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """Decimals of one column as int64 units of 10**-decimals; NO_VALUE where none is published.

    printed: how many decimals each row prints, (n,) uint8, none above `decimals`.
    """

    units: NDArray[np.int64]
    decimals: int
    printed: NDArray[np.uint8]

    def decimal(self, row: int) -> Decimal | None:
        """The value of one row with the digits it is published with."""
        units, places = int(self.units[row]), int(self.printed[row])
        if units == NO_VALUE:
            return None
        return Decimal(units // 10 ** (self.decimals - places)).scaleb(-places)


@dataclass(frozen=True, slots=True)
class Proof:
    """How the amounts a table prints follow from its weights or points (weights.proof).

    column   `standard` or `mean_cost`: the printed amounts
    formula  the factors: `w r`, `w r c`, `p v` or `p v c`
    within, within_weight, within_relative: how far the printed amount may lie from the computed
             one, in yuan, in weight (times rate and coefficient) and as a share of the amount
    """

    column: str = "standard"
    formula: str = "w r"
    within: Decimal = Decimal(0)
    within_weight: Decimal = Decimal(0)
    within_relative: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Head:
    """What a table says about itself (table.toml).

    `scheme_id` is the grouping its group codes belong to; `area` the code of the pooling area;
    `base_rate` yuan per weight 1 and `point_value` yuan per point, where the table itself has one
    for all its rows. `levels` are the hospital levels the table speaks of, empty = those that its
    rows name; `severity_order` the last characters of group codes from the severest down,
    `residual` patterns of codes outside the scheme, empty = the usual ones.
    """

    id: str
    title: str
    title_en: str
    scheme_id: str
    area: str
    span: Span
    source: str
    confidence: Confidence
    area_name: str = ""
    base_rate: Decimal | None = None
    point_value: Decimal | None = None
    standard_rounding: str = "exact"
    levels: tuple[str, ...] = ()
    severity_order: tuple[str, ...] = ()
    residual: tuple[str, ...] = ()
    proof: Proof | None = None


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


@dataclass(frozen=True, slots=True)
class Facts:
    """Whose worth is asked for; empty = not known. Rows that ask for more than is known do not fit.

    `condition` picks rows that hold under a condition only, by its text.
    """

    insurance: str = ""
    level: str = ""
    hospital: str = ""
    condition: str = ""

    def __str__(self) -> str:
        parts = (self.insurance, self.level, self.hospital, self.condition)
        return ", ".join(part for part in parts if part) or "*"


@dataclass(frozen=True, slots=True, eq=False)
class WeightTable:
    """The rows of a weight table.

    Row i says what group `groups[i]` is worth for `facts[i]` (empty = all). Every value comes from
    the most specific row that has it: a hospital is narrower than its level, and whatever names
    more of insurance, level, hospital and condition is narrower than what names less.
    """

    head: Head
    groups: tuple[str, ...]
    names: tuple[str, ...]
    facts: tuple[Facts, ...]
    classes: tuple[str, ...]
    numbers: Mapping[str, Numbers]
    payment_standard_fen: NDArray[np.int64]
    mean_cost_fen: NDArray[np.int64]
    flags: NDArray[np.uint8]
    places: Sequence[str] = field(repr=False)
    _rows: Mapping[str, tuple[int, ...]] = field(repr=False)

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
    def weights(self) -> Numbers:
        """The relative weights, row by row."""
        return self.numbers["weight"]

    @property
    def group_codes(self) -> tuple[str, ...]:
        """Every group of the table once, in order."""
        return tuple(self._rows)

    def rows_of(self, group_code: str) -> tuple[int, ...]:
        """The rows of a group, in the order of the file; empty if the table lacks it."""
        return self._rows.get(group_code, ())

    def covers(self, day: date) -> bool:
        """Whether the table is in force on a day."""
        return self.head.span.covers(day)

    def __contains__(self, group_code: str) -> bool:
        return group_code in self._rows

    def weight(
        self, group_code: str, *, insurance: str = "", level: str = "", hospital: str = ""
    ) -> Decimal:
        """The relative weight of a group, exactly as published.

        Raises WeightError WT101 for a group the table does not have, WT108 for one without weight,
        WT112 when two rows fit equally well and differ.
        """
        weight = self.find_weight(group_code, insurance=insurance, level=level, hospital=hospital)
        if weight is None:
            raise WeightError.of([self.no_weight(group_code)])
        return weight

    def find_weight(
        self, group_code: str, *, insurance: str = "", level: str = "", hospital: str = ""
    ) -> Decimal | None:
        """The relative weight of a group, None if the table has none. Raises WT112."""
        return self.find("weight", group_code, Facts(insurance, level, hospital))

    def coefficient(
        self, group_code: str, *, insurance: str = "", level: str = "", hospital: str = ""
    ) -> Decimal | None:
        """The coefficient the table prints for a group, None if it has none. Raises WT112."""
        return self.find("coefficient", group_code, Facts(insurance, level, hospital))

    def standard_fen(
        self, group_code: str, *, insurance: str = "", level: str = "", hospital: str = ""
    ) -> int | None:
        """The payment standard the table prints, in fen, None if it has none. Raises WT112."""
        row = self._row(self.payment_standard_fen, group_code, Facts(insurance, level, hospital))
        return None if row is None else int(self.payment_standard_fen[row])

    def find(self, column: str, group_code: str, facts: Facts) -> Decimal | None:
        """One of NUMBERS for a group and facts, None if no fitting row has it. Raises WT112."""
        numbers = self.numbers[column]
        row = self._row(numbers.units, group_code, facts)
        return None if row is None else numbers.decimal(row)

    def labels(self, group_code: str, facts: Facts) -> dict[str, str]:
        """What the table says of a group in words: `class`, and 是 under `flag` and `adjusted`."""
        rows = self.fitting(group_code, facts)
        flags = 0
        for row in rows:
            flags |= int(self.flags[row])
        labels = {"class": next((self.classes[row] for row in rows if self.classes[row]), "")}
        for column, bit in (("flag", BASIC_GROUP), ("adjusted", ADJUSTED)):
            labels[column] = YES if flags & bit else ""
        return labels

    def fitting(self, group_code: str, facts: Facts) -> list[int]:
        """The rows of a group that hold for some facts, the most specific ones first."""
        rows = [row for row in self.rows_of(group_code) if fits(self.facts[row], facts)]
        return sorted(rows, key=lambda row: -len(_named(self.facts[row])))

    def bind(
        self, group_codes: Sequence[str], *, insurance: str = "", level: str = ""
    ) -> BoundWeights:
        """The table's values in the order of some group codes; unknown codes have NO_VALUE."""
        facts = Facts(insurance, level)

        def take(values: NDArray[np.int64]) -> NDArray[np.int64]:
            rows = [self._row(values, code, facts) for code in group_codes]
            taken = [NO_VALUE if row is None else int(values[row]) for row in rows]
            return np.array(taken, np.int64)

        weight, coefficient = self.numbers["weight"], self.numbers["coefficient"]
        return BoundWeights(
            take(weight.units),
            weight.decimals,
            take(coefficient.units),
            coefficient.decimals,
            take(self.payment_standard_fen),
            take(self.mean_cost_fen),
        )

    def lacking(self, group_codes: Iterable[str]) -> list[Issue]:
        """Groups of a scheme that the table does not price: WT201 unknown, WT202 no weight."""
        return [
            Issue("WT202" if code in self else "WT201", self.id, {"group": code, "table": self.id})
            for code in group_codes
            if code and not self.has_weight(code)
        ]

    def no_weight(self, group_code: str) -> Issue:
        """Why a group has no weight: WT108 none is published, WT101 the table lacks the group."""
        params = {"group": group_code, "table": self.id}
        if group_code in self:
            return Issue("WT108", self.id, params)
        near = near_groups(group_code, self.group_codes)
        return Issue("WT101", self.id, {**params, "near": near})

    def has_weight(self, group_code: str) -> bool:
        """Whether any row of a group has a weight or points."""
        columns = (self.numbers["weight"].units, self.numbers["points"].units)
        return any(units[row] != NO_VALUE for units in columns for row in self.rows_of(group_code))

    def _row(self, values: NDArray[np.int64], code: str, facts: Facts) -> int | None:
        """The most specific row that has a value; None if there is none.

        Rows that are equally specific must agree, else the price would depend on their order.
        """
        found = [row for row in self.fitting(code, facts) if values[row] != NO_VALUE]
        narrowest = list(_narrowest(found, self.facts))
        if len({int(values[row]) for row in narrowest}) > 1:
            near = "; ".join(f"{self.facts[row]} ({self.places[row]})" for row in narrowest)
            raise WeightError("WT112", self.id, group=code, facts=facts, near=near)
        return narrowest[0] if narrowest else None


def near_groups(group: str, known: Iterable[str]) -> str:
    """Groups whose codes are nearest: those of the same ADRG, else similar spellings."""
    codes = list(known)
    same = [code for code in codes if len(group) > 3 and code[:3] == group[:3]]
    return ", ".join(same[:6] or difflib.get_close_matches(group, codes, 3, 0.5)) or "-"


def fits(row: Facts, facts: Facts) -> bool:
    """Whether a row about `row` holds for `facts`."""
    pairs = (
        (row.insurance, facts.insurance),
        (row.level, facts.level),
        (row.hospital, facts.hospital),
        (row.condition, facts.condition),
    )
    return all(not asked or asked == known for asked, known in pairs)


def _named(facts: Facts) -> frozenset[str]:
    """What a row names; a hospital names its level as well."""
    named = {
        name
        for name, text in (
            ("insurance", facts.insurance),
            ("level", facts.level or facts.hospital),
            ("hospital", facts.hospital),
            ("condition", facts.condition),
        )
        if text
    }
    return frozenset(named)


def _narrowest(rows: Sequence[int], facts: Sequence[Facts]) -> Iterator[int]:
    """The rows than which no other names more."""
    named = {row: _named(facts[row]) for row in rows}
    for row in rows:
        if not any(named[row] < other for other in named.values()):
            yield row
