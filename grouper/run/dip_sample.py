"""Made-up discharges of a DIP catalogue: most are steered into one of its groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache

import numpy as np
import pyarrow as pa

from grouper.codes.dictionary import load_dictionary
from grouper.datafile import data_folder, read_tsv
from grouper.money import to_fen
from grouper.policy.load import load_policy
from grouper.policy.model import Policy
from grouper.records.synthetic import Hospital, synthesize
from grouper.run.catalogues import PricedCatalogue, read_catalogue
from grouper.scheme.dip import CatalogueRow
from grouper.scheme.dip_preset import load_classes

#: the invented area whose hospitals samples come from
DEMO = "demo-dip"
#: groups that a diagnosis and operations lead to; blank and chapter groups are for those astray
_STEERED = ("core", "primary", "tcm", "bedday")
#: days of stay of bed-day cases, and how long they are on average
_BEDDAYS, _MEAN_BEDDAYS = (15, 60), 28
#: share of cases with an auxiliary coefficient, and how far from 1 it lies
_ADJUSTED, _SPREAD = 0.08, 0.22
_SHARES = {"三级": 5.0, "二级": 2.0}

Pool = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Way:
    """What a case needs to reach a group, as the maker of discharges reads it."""

    mdc: str
    adrg: str
    drg: str
    principal: Pool
    px: tuple[tuple[str, Pool], ...] = ()
    numbers: tuple[tuple[str, int, int], ...] = ()
    dx: tuple[tuple[str, Pool], ...] = ()
    no_dx: tuple[tuple[str, Pool], ...] = ()
    no_px: tuple[tuple[str, Pool], ...] = ()
    mcc: int = -1
    cc: int = -1


@dataclass(frozen=True, slots=True)
class _NoComplications:
    """DIP knows no complications."""

    mcc_codes: Pool = ()
    cc_codes: Pool = ()
    table_of: Mapping[str, str] = field(default_factory=dict)
    excluded_table: Mapping[str, str] = field(default_factory=dict)


def dip_sample(
    n: int, seed: int, priced: PricedCatalogue, policy: Policy, *, period: str = "2025-06"
) -> pa.Table:
    """Make n discharges that left in `period` (2025 or 2025-06) from an area's hospitals.

    Columns of the plain layout, and the area's column of auxiliary coefficients if it has one. The
    same arguments give the same table.
    """
    hospitals = [
        Hospital(one.code, one.name, one.level, _SHARES.get(one.level, 0.6))
        for one in policy.area.hospitals
    ]
    table = synthesize(
        n,
        seed,
        tuple(_ways(priced.catalogue.rows)),
        _NoComplications(),
        period=period,
        hospitals=hospitals or None,
        area=policy.area.code,
        means=_means(priced),
    )
    rules = policy.terms[-1].dip
    if rules is None or not rules.adjustment_columns:
        return table
    return table.append_column(rules.adjustment_columns[0], _coefficients(n, seed))


def dip_sample_of(n: int, seed: int, catalogue: str, *, period: str = "2025-06") -> pa.Table:
    """The same for a catalogue file, from the hospitals of the invented DIP area."""
    return dip_sample(n, seed, read_catalogue(catalogue), load_policy(DEMO), period=period)


def _ways(rows: Sequence[CatalogueRow]) -> Iterator[_Way]:
    for row in rows:
        principal = tuple(code for key in row.dx_keys for code in _diagnoses(key))
        if not principal or not row.dx_keys:
            continue
        letter = _letters().get(principal[0][:1], "")
        numbers = (("los", *_BEDDAYS),) if row.kind == "bedday" else ()
        if row.kind in _STEERED:
            needed = row.operations[0] if row.operations else ()
            spelled = [_operation(code) for code in needed]
            px = tuple(
                ("other" if at else "main", (code,)) for at, code in enumerate(spelled) if code
            )
            yield _Way(letter, letter, row.code, principal, px, numbers)
        elif row.kind == "comprehensive":
            pool = _of_class(row.cls)
            yield _Way(letter, letter, row.code, principal, (("main", pool),) if pool else ())


@cache
def _diagnoses(key: str) -> Pool:
    """The codes of a diagnosis key that payers take as principal diagnosis."""
    known = load_dictionary().dx
    head = key.removesuffix(".X")
    found = [code for code in known.codes if code.upper().startswith(head)]
    return tuple(code for code in found if not known.is_gray(code))


@cache
def _spellings() -> Mapping[str, str]:
    return {code.upper(): code for code in load_dictionary().px.codes}


def _operation(code: str) -> str:
    """An operation of a catalogue (upper case) as the dictionary spells it."""
    return _spellings().get(code, "")


@cache
def _of_class(name: str) -> Pool:
    """Operations of a class; none for conservative treatment."""
    found = [_operation(code) for code, own in load_classes(None).items() if own == name]
    return tuple(sorted(filter(None, found))) if name != "conservative" else ()


@cache
def _letters() -> Mapping[str, str]:
    """First letter of a diagnosis -> letter under which departments and stays are kept."""
    table = read_tsv(data_folder("synthetic", "dx_departments.tsv"))
    return dict(zip(table.column("dx"), table.column("mdc"), strict=True))


def _means(priced: PricedCatalogue) -> dict[str, int]:
    """Group -> mean cost of a case in fen."""
    means = {}
    for row, mean in zip(priced.catalogue.rows, priced.tie_figures.mean_costs, strict=True):
        if mean is not None:
            days = _MEAN_BEDDAYS if row.kind == "bedday" else 1
            means[row.code] = to_fen(mean * days, rounding="half_up")
    return means


def _coefficients(n: int, seed: int) -> pa.Array:
    """Auxiliary coefficients with four decimals; most cases have none."""
    rng = np.random.Generator(np.random.PCG64([seed, 7]))
    has = rng.random(n) < _ADJUSTED
    drawn = np.rint(np.exp(rng.normal(0, _SPREAD, n)) * 10_000).astype(np.int64)
    texts = [
        str(Decimal(units).scaleb(-4)) if own else None
        for units, own in zip(drawn.tolist(), has.tolist(), strict=True)
    ]
    return pa.array(texts, pa.string())
