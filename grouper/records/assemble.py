"""A table and the reading of its headers → a `CaseBatch`: cleaned, or exactly as it stands."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from grouper.codes.dictionary import CodeKind, load_dictionary
from grouper.errors import RecordError
from grouper.records import check, derive, ids, plain, values
from grouper.records.batch import MISSING_FEN, CaseBatch, CodeColumn
from grouper.records.cells import Slots, slots_of
from grouper.records.check import Findings
from grouper.records.code_column import CleanCodes, cleaned, verbatim
from grouper.records.derive import OTHER_FUNDS
from grouper.records.fields import bill_fields
from grouper.records.layout import ColumnMap
from grouper.records.scalars import Scalars
from grouper.records.sources import Sources
from grouper.records.spellings import load_spellings
from grouper.records.user import Column

#: findings that reject a row; others only warn
REJECTING = ("RE01", "RE02", "RE03", "RE04", "RE05", "RE07")
#: separators that may join codes in a cell; `|` is our own
_SEPARATORS = ("|", ";", "；", "、", ",", "，", "/", " ")
_BILL_PARTS = ("account_paid", "account_family_paid", "cash_paid")
#: what a batch is for
Use = Literal["group", "group_dip", "settle"]
#: the fields that grouping reads, and the one that names the row
_GROUPING = ("id", "sex", "age", "age_days", "weight", "los", "icu_hours", "leaving")
#: further ones that DIP reads
_COST, _BIRTH_WEIGHT = "total_cost", "birth_weight"
#: the fields that are checked beside them
_CHECKED = (
    *ids.KEYS,
    "visit_no",
    "birth_date",
    "admit_time",
    "discharge_time",
    _COST,
    "fund_basic",
    "fund_total",
    *OTHER_FUNDS,
    "cash_paid",
    *_BILL_PARTS,
)
#: above this share of words, a code column holds names
_NAMES = 0.5


@dataclass(frozen=True)
class _Input:
    """What both ways of reading start from."""

    table: Sources
    mapping: ColumnMap
    findings: Findings
    part: bool


def assemble(
    table: Sources,
    mapping: ColumnMap,
    findings: Findings,
    *,
    as_is: bool,
    part: bool = False,
    use: Use = "settle",
) -> CaseBatch:
    """The records as columns.

    use: a batch that is grouped only lacks the texts of settling, and taken as it stands the costs,
    save the total cost for DIP, which alone asks for the weight at birth.

    Raises RecordError (RE15) if a code column holds names; never for a `part` of a larger table,
    where a few odd rows may be all there is.
    """
    given = _Input(table, mapping, findings, part)
    reject = np.zeros(len(table), np.uint16)
    reader = Scalars(table, mapping, findings, REJECTING, reject)
    _unreadable(reader)
    if as_is:
        return _exact(given, reader, use)
    dx, px = (_codes(given, reader, kind) for kind in ("dx", "px"))
    batch = _standard(given, reader, dx, px)
    if use != "group":
        # only DIP looks at it: with DRG it is no matter for findings
        quiet = Scalars(table, mapping, Findings(), (), reject)
        batch = replace(batch, birth_weight=_int32(derive.weights(quiet, _BIRTH_WEIGHT)))
    if use == "settle":
        batch = _with_texts(batch, reader)
    place = table.where
    check.check_newborns(batch, findings, place)
    check.check_ids(batch, findings, place)
    return batch


def _unreadable(reader: Scalars) -> None:
    """RE03 for every record the file reader could not read."""
    for row, fault in sorted(reader.table.faults.items()):
        reader.findings.add("RE03", reader.table.where(row), fault=fault)
        reader.reject[row] = REJECTING.index("RE03") + 1


def _exact(given: _Input, reader: Scalars, use: Use) -> CaseBatch:
    """Values as they stand: codes verbatim, numbers only where numbers are written."""
    dx, px = (verbatim(_slots(given, kind, "as_is")) for kind in ("dx", "px"))
    quiet = Scalars(given.table, given.mapping, Findings(), (), reader.reject)
    number = quiet.numbers
    whole, thousandths = plain.whole(0, plain.MOST), plain.whole(0, plain.MOST // 1000, scale=1000)
    batch = CaseBatch(
        dx=dx,
        px=px,
        sex=_uint8(number("sex", values.sex_exact, plain=plain.exact("12"), missing=0)),
        age_years=_int32(number("age", values.count_exact, plain=whole)),
        age_days=_int32(number("age_days", values.count_exact, plain=whole)),
        admission_weight=_int32(number("weight", values.thousandths_exact, plain=thousandths)),
        los_days=_int32(number("los", values.count_exact, plain=whole)),
        icu_hours=_int32(number("icu_hours", values.thousandths_exact, plain=thousandths)),
        discharge_disposition=_uint8(
            number("leaving", values.leaving_exact, plain=plain.exact("123456789"), missing=0)
        ),
        reject=reader.reject,
        reject_codes=REJECTING,
        case_id=ids.exact_ids(quiet),
        source=given.table.label,
        row=given.table.numbers,
    )
    if use == "group":
        return batch
    born = _int32(number(_BIRTH_WEIGHT, values.thousandths_exact, plain=thousandths))
    batch = replace(batch, birth_weight=born)
    if use == "group_dip":
        return replace(batch, total_cost_fen=quiet.money(_COST))
    return _with_costs(batch, quiet)


def _with_costs(batch: CaseBatch, quiet: Scalars) -> CaseBatch:
    """The same cases with what settling needs, as it stands."""
    fund_basic = quiet.money("fund_basic")
    return replace(
        batch,
        hospital=quiet.texts("hospital", exact=True),
        hospital_level=quiet.texts("hospital_level", exact=True),
        insurance=quiet.texts("insurance", exact=True),
        area=quiet.texts("area", exact=True),
        area_insured=quiet.texts("area_insured", exact=True),
        discharge_date=_int32(quiet.day("discharge_time")),
        admission_date=_int32(quiet.day("admit_time")),
        settlement_date=_int32(quiet.day("settle_date")),
        bill=_bill(quiet),
        total_cost_fen=quiet.money("total_cost"),
        fund_basic_fen=fund_basic,
        other_funds_fen=derive.other_funds(quiet, fund_basic, _funds(quiet)),
    )


def columns_read(mapping: ColumnMap, *, as_is: bool, use: Use) -> set[int]:
    """The columns of a table that `assemble` looks at."""
    lists = {at for columns in mapping.lists.values() for at in columns}
    wanted: Collection[str] = mapping.scalars
    if use != "settle":
        wanted = (*_GROUPING, *(() if as_is else _CHECKED))
        wanted = (*wanted, *((_COST, _BIRTH_WEIGHT) if use == "group_dip" else ()))
    return lists | {at for name, at in mapping.scalars.items() if name in wanted}


def _standard(given: _Input, reader: Scalars, dx: CodeColumn, px: CodeColumn) -> CaseBatch:
    case_id = ids.case_ids(reader)
    years, days = derive.ages(reader)
    los, left = derive.stays(reader)
    total = reader.money("total_cost")
    fund_basic = reader.money("fund_basic")
    others = derive.other_funds(reader, fund_basic, _funds(reader))
    _check_bill(given, reader, total, (fund_basic, others))
    return CaseBatch(
        dx=dx,
        px=px,
        sex=_uint8(derive.coded(reader, "sex")),
        age_years=_int32(years),
        age_days=_int32(days),
        admission_weight=_int32(derive.weights(reader)),
        los_days=_int32(los),
        icu_hours=_int32(derive.icu_hours(reader)),
        discharge_disposition=_uint8(derive.leaving(reader)),
        reject=reader.reject,
        reject_codes=REJECTING,
        case_id=case_id,
        discharge_date=_int32(left),
        total_cost_fen=total,
        fund_basic_fen=fund_basic,
        other_funds_fen=others,
        source=given.table.label,
        row=given.table.numbers,
    )


def _with_texts(batch: CaseBatch, reader: Scalars) -> CaseBatch:
    """The same cases with who was where, insured how."""
    return replace(
        batch,
        hospital=reader.texts("hospital", exact=False),
        hospital_level=reader.texts("hospital_level", exact=False),
        insurance=derive.insurances(reader),
        area=reader.texts("area", exact=False),
        area_insured=reader.texts("area_insured", exact=False),
        admission_date=_int32(reader.day("admit_time")),
        settlement_date=_int32(reader.day("settle_date")),
        bill=_bill(reader),
    )


def _bill(reader: Scalars) -> dict[str, NDArray[np.int64]]:
    """The amounts of the bill that the source has, beside total cost and pooled fund."""
    return {name: reader.money(name) for name in bill_fields() if name in reader.mapping.scalars}


def _int32(numbers: NDArray[np.int64]) -> NDArray[np.int32]:
    return numbers.astype(np.int32)


def _uint8(numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
    return numbers.astype(np.uint8)


def _funds(reader: Scalars) -> dict[str, NDArray[np.int64]]:
    return {
        name: reader.money(name)
        for name in ("fund_total", *OTHER_FUNDS)
        if name in reader.mapping.scalars
    }


def _check_bill(
    given: _Input,
    reader: Scalars,
    total: NDArray[np.int64],
    funds: Sequence[NDArray[np.int64]],
) -> None:
    """RW10: funds, account and cash do not add up to the total cost."""
    if "cash_paid" not in given.mapping.scalars:
        return
    parts = [*funds]
    for name in _BILL_PARTS:
        if name in given.mapping.scalars:
            parts.append(reader.money(name))
    # an area may have neither other funds nor accounts: what is not told there is nothing
    parts = [parts[0], *(np.where(part == MISSING_FEN, 0, part) for part in parts[1:])]
    broken = check.check_bill(total, parts)
    if broken.any():
        where = given.table.where(int(broken.argmax()))
        given.findings.add("RW10", where, times=int(broken.sum()))


def _codes(given: _Input, reader: Scalars, kind: CodeKind) -> CodeColumn:
    """The codes of one kind, cleaned; RE02 for rows whose principal diagnosis alone is missing."""
    columns = given.mapping.lists.get(kind, ())
    table = load_dictionary().table(kind)
    clean: CleanCodes = cleaned(_slots(given, kind, "standard"), table)
    if not columns:
        return clean.column
    if given.part:
        given.findings.words.update({f"{kind}:words": clean.words, f"{kind}:filled": clean.filled})
    else:
        refuse_names(clean.words, clean.filled, given.mapping, kind, given.table.label)

    def place(row: int) -> str:
        return given.table.where(row, columns[0])

    if kind == "dx" and clean.headless.any():
        for row in np.flatnonzero(clean.headless)[: check.EXAMPLES].tolist():
            given.findings.add("RE02", place(row), id=check.short(_id(reader, row)))
        given.findings.counts["RE02"] = int(clean.headless.sum())
        reader.reject_rows("RE02", clean.headless)
    check.check_codes(clean, table, given.findings, place, part=given.part)
    return clean.column


def refuse_names(words: int, filled: int, mapping: ColumnMap, kind: CodeKind, where: str) -> None:
    """Raise RecordError (RE15) if more than half of the filled cells of codes hold words."""
    columns = mapping.lists.get(kind, ())
    if columns and words > _NAMES * filled:
        raise RecordError("RE15", where, header=mapping.headers[columns[0]], field=kind)


def separators_of(table: Sources, mapping: ColumnMap) -> dict[int, str]:
    """What joins the codes in each column of joined codes, by the first rows of a table."""
    return {
        at: _separator_of(table.columns[at])
        for kind, columns in mapping.lists.items()
        for at in columns
        if kind not in mapping.separators and not _is_alone(mapping.fields[at])
    }


def _is_alone(expression: str) -> bool:
    """Whether a column has one code a cell: the expression numbers it."""
    return "[" in expression and "[+n]" not in expression


def _id(reader: Scalars, row: int) -> str:
    for name in ("id", "record_no"):
        cells = reader.cells(name)
        if cells is not None:
            return values.cell_text(cells.values[int(cells.index[row])])
    return str(int(reader.table.numbers[row]))


def _slots(given: _Input, kind: CodeKind, cleaning: Literal["standard", "as_is"]) -> Slots:
    """The slots of all columns of one list of codes, in order."""
    columns = given.mapping.lists.get(kind, ())
    if not columns:
        return Slots([], np.zeros(0, np.int32), np.zeros(len(given.table) + 1, np.int32))
    asked = given.mapping.separators.get(kind)
    separators = []
    for at in columns:
        # one column a code: an empty cell is a slot, and only a separator asked for splits it
        alone = _is_alone(given.mapping.fields[at])
        if cleaning == "as_is":
            separators.append(asked or (None if alone else "|"))
        else:
            found = given.mapping.joined.get(at)
            separator = asked or (
                None if alone else found or _separator_of(given.table.columns[at])
            )
            separators.append(separator)
    cells = [given.table.columns[at] for at in columns]
    return slots_of(cells, separators, load_spellings(kind, cleaning))


def _separator_of(column: Column) -> str:
    """The separator that occurs in most of the first cells; what it leaves is split by spelling."""
    if isinstance(column, list):
        sample = [cell for cell in column[:2000] if isinstance(cell, str)]
    else:
        values_type = column.type
        if pa.types.is_dictionary(values_type):
            values_type = values_type.value_type
        if not (pa.types.is_string(values_type) or pa.types.is_large_string(values_type)):
            return "|"
        sample = pc.drop_null(column.slice(0, 2000).cast(pa.string())).to_pylist()

    def used(separator: str) -> int:
        return sum(separator in cell for cell in sample)

    found = max(_SEPARATORS, key=used)
    return found if used(found) else "|"
