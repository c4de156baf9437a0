"""The ledger of lists (结算清单): what of each list entered a month, line by line.

Nothing in it is ever edited. A correction is a reversal, which takes the old line back, and a new
line; both name the old list. So the sum over all lines is what the lists are worth as they stand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import Enum
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from grouper.money import yuan
from grouper.policy.model import Policy
from grouper.records.batch import MISSING, CaseBatch
from grouper.settle.amounts import Amounts, CaseType
from grouper.settle.batch import factorize
from grouper.settle.month_lines import CaseSums
from grouper.settle.place import Place

Rows = NDArray[np.int64]


class Key(NamedTuple):
    """Whose statement a line belongs to: hospital and insurance code, place of insurance."""

    hospital: str
    insurance: str
    place: str


class LineKind(Enum):
    """How a line came to its month; the value is the word in files."""

    ACCEPTED = "accepted"
    LATE = "late"
    REVERSAL = "reversal"
    CORRECTION = "correction"
    SPECIAL = "special"
    APPROVED = "approved"
    REFUSED = "refused"


_AMOUNTS = (
    *("total_fen", "patient_fen", "other_fen", "pool_fen"),
    *("payment_fen", "fund_fen", "accrued_fen"),
)
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("line", *Key._fields, "list", "names")),
        ("special", pa.int64()),
        *((name, pa.date32()) for name in ("discharge", "accepted")),
        ("case_type", pa.string()),
        *((name, pa.int64()) for name in _AMOUNTS),
    ]
)


@dataclass(frozen=True, slots=True)
class ListLine:
    """One line of the ledger, amounts in fen; those of a reversal have the other sign.

    names: the list that a reversal, correction or decision is about. special: 1 for a special case,
    which enters as recorded until it is decided. payment_fen: what the case is paid by its group;
    fund_fen: of it the pooled fund's part; accrued_fen: what entered the month.
    """

    line: str
    hospital: str
    insurance: str
    place: str
    list: str
    names: str
    special: int
    discharge: date | None
    accepted: date | None
    case_type: str
    total_fen: int
    patient_fen: int
    other_fen: int
    pool_fen: int
    payment_fen: int
    fund_fen: int
    accrued_fen: int

    @property
    def key(self) -> Key:
        """Whose statement it belongs to."""
        return Key(self.hospital, self.insurance, self.place)

    def reversed(self, *, names: str) -> ListLine:
        """The line that takes this one back."""
        back = {name: -getattr(self, name) for name in _AMOUNTS}
        return replace(self, line=LineKind.REVERSAL.value, names=names, **back)

    def to_dict(self) -> dict[str, str]:
        """Stable keys for `--json`; amounts as text in yuan."""
        amounts = {name.removesuffix("_fen"): yuan(getattr(self, name)) for name in _AMOUNTS}
        return {"line": self.line, "list": self.list, "names": self.names, **amounts}


def ledger_of(lines: Sequence[ListLine]) -> pa.Table:
    """Some lines as a table of SCHEMA."""
    return pa.Table.from_pylist([asdict(line) for line in lines], SCHEMA)


def line_at(ledger: pa.Table, row: int) -> ListLine:
    """One row of a ledger."""
    return ListLine(**ledger.slice(row, 1).to_pylist()[0])


def keys_of(batch: CaseBatch, amounts: Amounts, policy: Policy, rows: Rows) -> list[pa.Array]:
    """Hospital, insurance and place of some rows.

    An insurance the area does not know keeps its own text: its cases are shown, not counted.
    """
    columns = []
    for values, resolve in (
        (batch.hospital, str.strip),
        (batch.insurance, lambda text: policy.insurance(text) or text.strip()),
    ):
        ids, texts = factorize(values if len(values) == len(batch) else [""] * len(batch))
        codes = pa.array([resolve(text) for text in texts], pa.string())
        columns.append(codes.take(pa.array(ids[rows])))
    places = pa.array([place.key for place in Place])
    return [*columns, places.take(pa.array(amounts.place[rows]))]


def list_ids(batch: CaseBatch) -> pa.Array:
    """The id of every list, "" where the source has none."""
    if len(batch.case_id) != len(batch):
        return pa.array([""] * len(batch), pa.string())
    ids, texts = factorize(batch.case_id)
    return pa.array([text.strip() for text in texts], pa.string()).take(pa.array(ids))


def book_rows(
    batch: CaseBatch,
    amounts: Amounts,
    policy: Policy,
    rows: Rows,
    kind: LineKind,
    *,
    special: NDArray[np.bool_],
    accepted: NDArray[np.int32],
    as_recorded: bool = False,
) -> pa.Table:
    """Some counted rows of a batch as lines of one kind.

    special, accepted: (n,) for all rows of the batch; accepted: day numbers, MISSING where not
    known. as_recorded: every list is paid as recorded and settled by group at the year's end only.
    """
    n = len(rows)
    payable = amounts.total_fen[rows] if as_recorded else amounts.payable_fen[rows]
    fund = amounts.pool_fen[rows] if as_recorded else amounts.fund_fen[rows]
    columns = {
        "line": pa.array([kind.value], pa.string()).take(pa.array(np.zeros(n, np.int64))),
        **dict(zip(Key._fields, keys_of(batch, amounts, policy, rows), strict=True)),
        "list": list_ids(batch).take(pa.array(rows)),
        "names": pa.array([""], pa.string()).take(pa.array(np.zeros(n, np.int64))),
        "special": pa.array(special[rows].astype(np.int64)),
        "discharge": _dates(discharge_days(batch)[rows]),
        "accepted": _dates(accepted[rows]),
        "case_type": _words(amounts.case_type[rows]),
        "total_fen": pa.array(amounts.total_fen[rows]),
        "patient_fen": pa.array(amounts.patient_fen[rows]),
        "other_fen": pa.array(amounts.other_fen[rows]),
        "pool_fen": pa.array(amounts.pool_fen[rows]),
        "payment_fen": pa.array(payable),
        "fund_fen": pa.array(fund),
        "accrued_fen": pa.array(np.where(special[rows], amounts.pool_fen[rows], fund)),
    }
    return pa.table(columns, SCHEMA)


def discharge_days(batch: CaseBatch) -> NDArray[np.int32]:
    """The day number of every discharge, MISSING where it is not known."""
    dates = batch.discharge_date
    return dates if len(dates) == len(batch) else np.full(len(batch), MISSING, np.int32)


def _dates(days: NDArray[np.int32]) -> pa.Array:
    return pa.array(days, pa.int32(), mask=days == MISSING).cast(pa.date32())


def _words(types: NDArray[np.uint8]) -> pa.Array:
    return pa.array([kind.word("en") for kind in CaseType], pa.string()).take(pa.array(types))


@dataclass(frozen=True, slots=True)
class LineSums:
    """The lines of a ledger that have key, kind, special mark and case type in common, summed."""

    key: Key
    kind: LineKind
    special: bool
    case_type: CaseType
    lines: int
    total_fen: int
    patient_fen: int
    other_fen: int
    pool_fen: int
    payment_fen: int
    fund_fen: int
    accrued_fen: int


def line_sums(ledger: pa.Table) -> list[LineSums]:
    """The sums of a ledger by all that its statements ask for, in the order of the keys."""
    by = [*Key._fields, "line", "special", "case_type"]
    made = ledger.group_by(by).aggregate(
        [("list", "count", pa.compute.CountOptions(mode="all")), *((n, "sum") for n in _AMOUNTS)]
    )
    cells = [
        LineSums(
            key=Key(row["hospital"], row["insurance"], row["place"]),
            kind=LineKind(row["line"]),
            special=bool(row["special"]),
            case_type=CaseType[row["case_type"].upper()],
            lines=row["list_count"],
            **{name: row[f"{name}_sum"] for name in _AMOUNTS},
        )
        for row in made.to_pylist()
    ]
    order = list(LineKind)
    return sorted(cells, key=lambda c: (c.key, order.index(c.kind), c.special, c.case_type))


def case_sums(cells: Sequence[LineSums]) -> CaseSums:
    """What the lists accepted in time come to (M1 to M6)."""
    in_time = [cell for cell in cells if cell.kind is LineKind.ACCEPTED]
    plain = [cell for cell in in_time if not cell.special]
    return CaseSums(
        cases=sum(cell.lines for cell in in_time),
        total=sum(cell.total_fen for cell in in_time),
        standard=sum(cell.payment_fen for cell in plain),
        patient=sum(cell.patient_fen for cell in plain),
        other=sum(cell.other_fen for cell in plain),
        cut=sum(c.fund_fen - (c.payment_fen - c.patient_fen - c.other_fen) for c in plain),
        pool=sum(cell.pool_fen for cell in plain),
    )


#: kinds of lines that are differences to what was booked before
DIFFERENCES = frozenset(LineKind) - {LineKind.ACCEPTED, LineKind.LATE}


def entered(cells: Sequence[LineSums]) -> tuple[int, int, int]:
    """M7, M8 and M8b: special cases, differences of other lists, late lists."""
    plain = [cell for cell in cells if not cell.special]
    return (
        sum(cell.accrued_fen for cell in cells if cell.special),
        sum(cell.accrued_fen for cell in plain if cell.kind in DIFFERENCES),
        sum(cell.accrued_fen for cell in plain if cell.kind is LineKind.LATE),
    )


#: of cases that are priced, while the area has no rule for the pooled fund's part (leads)
_NO_FUND = "ST213"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Cases of a key that are in no line: issue code -> cases, and what they cost in fen."""

    cases: Mapping[str, int]
    cost_fen: int


def left_out(
    batch: CaseBatch, amounts: Amounts, policy: Policy, rows: Rows
) -> Mapping[Key, LeftOut]:
    """The rows that have no price or whose bill does not add up, by key."""
    table = pa.table(
        {
            **dict(zip(Key._fields, keys_of(batch, amounts, policy, rows), strict=True)),
            "issue": pa.array(amounts.issue[rows].astype(np.int64)),
            "cost": pa.array(np.maximum(amounts.total_fen[rows], 0)),
        }
    )
    made = table.group_by([*Key._fields, "issue"]).aggregate([("cost", "sum"), ("cost", "count")])
    counts: dict[Key, Counter[str]] = {}
    costs: Counter[Key] = Counter()
    for row in made.to_pylist():
        key = Key(row["hospital"], row["insurance"], row["place"])
        code = amounts.issues[row["issue"] - 1].code if row["issue"] else _NO_FUND
        counts.setdefault(key, Counter())[code] += row["cost_count"]
        costs[key] += row["cost_sum"]
    return {k: LeftOut(dict(sorted(found.items())), costs[k]) for k, found in counts.items()}
