"""The indicators of a settled DIP run, by hospital, as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa

from grouper.errors import Lang
from grouper.money import round_half_up, yuan, yuan_decimal
from grouper.monitor.dip_indicators import DipFacts, DipIndicators, indicators
from grouper.records.batch import MISSING, MISSING_FEN
from grouper.run.dip_grouped import DipGrouped
from grouper.run.results import words
from grouper.run.settlement import SettledRun
from grouper.scheme.dip import CatalogueRow
from grouper.settle.amounts import CaseType
from grouper.settle.batch import factorize
from grouper.settle.dip_groups import KIND_NAMES
from weights.table import Numbers

_FEN = 100
_PLACES = 4
_NUMBER = pa.decimal128(38, _PLACES)


def indicators_of(settled: SettledRun, lang: Lang) -> list[DipIndicators]:
    """The area first, then its hospitals. Raises ValueError for a run that is none of DIP."""
    run, amounts = settled.run, settled.amounts
    if not isinstance(run, DipGrouped) or amounts.score is None:
        raise ValueError("indicators of DIP need a run of DIP")
    batch, n = run.records.batch, len(amounts)
    hospital, hospitals = factorize(batch.hospital if len(batch.hospital) else [""] * n)
    numbers = settled.table.numbers
    los = batch.los_days.astype(np.int64) if len(batch.los_days) else np.full(n, MISSING, np.int64)
    facts = DipFacts(
        hospital=hospital,
        group=run.groups.group_id.astype(np.int64) - 1,
        kind=run.cases.kind.astype(np.int64),
        score=amounts.score,
        los=np.where(los == MISSING, -1, los),
        cost=amounts.total_fen,
        paid=amounts.payable_fen,
        pool=np.where(amounts.pool_fen < 0, MISSING_FEN, amounts.pool_fen),
        fund=amounts.fund_fen,
        low=amounts.case_type == CaseType.LOW_OUTLIER,
        high=amounts.case_type == CaseType.HIGH_OUTLIER,
        hospitals=[_name(settled, code, lang) for code in hospitals],
        kinds=KIND_NAMES,
        los_means=_by_row(numbers["ref_stay"], 1),
        cost_means=_cost_means(run, numbers["mean_cost"], numbers["ref_stay"]),
        categories=[_category(row) for row in run.scheme.rows],
        unit=10**amounts.score_decimals,
    )
    return indicators(facts)


def _category(row: CatalogueRow) -> str:
    """Core groups of one 3-character diagnosis are siblings; the others are too wide for it."""
    is_one = row.kind in ("core", "primary") and len(row.dx_keys) == 1
    return row.dx_keys[0][:3] if is_one else ""


def _name(settled: SettledRun, code: str, lang: Lang) -> str:
    found = settled.policy.hospital(code)
    if found is None:
        return code
    return found.name if lang == "zh" else found.name_en


def _by_row(numbers: Numbers, factor: int) -> list[Fraction | None]:
    values = (numbers.decimal(row) for row in range(len(numbers.units)))
    return [None if value is None else Fraction(value) * factor for value in values]


def _cost_means(run: DipGrouped, mean: Numbers, stay: Numbers) -> list[Fraction | None]:
    """Mean costs in fen; those of bed-day groups are a day's, so times the mean stay."""
    costs, stays = _by_row(mean, _FEN), _by_row(stay, 1)
    found: list[Fraction | None] = []
    for row, cost, days in zip(run.scheme.rows, costs, stays, strict=True):
        by_day = row.kind == "bedday"
        found.append(cost * (days or 1) if by_day and cost is not None else cost)
    return found


def indicator_table(found: Sequence[DipIndicators], lang: Lang) -> pa.Table:
    """One row for the area and each hospital; ratios with four decimals, money in yuan."""
    titles = words(lang)["dip_indicator"]
    kinds = words(lang)["kind"]
    columns: dict[str, pa.Array] = {
        titles["hospital"]: pa.array([one.hospital or titles["area"] for one in found]),
        titles["cases"]: pa.array([one.cases for one in found], pa.int64()),
        titles["groups"]: pa.array([one.groups for one in found], pa.int64()),
        titles["score"]: pa.array([_decimal(one.score) for one in found], _NUMBER),
    }
    ratios: dict[str, Callable[[DipIndicators], Fraction | None]] = {
        "cmi": lambda one: one.cmi,
        "time_index": lambda one: one.time_index,
        "cost_index": lambda one: one.cost_index,
        "grouping_rate": lambda one: one.grouping_rate,
        "low_share": lambda one: one.low_share,
        "high_share": lambda one: one.high_share,
        "pay_rate": lambda one: one.pay_rate,
        "fund_rate": lambda one: one.fund_rate,
        "upcoded_share": lambda one: one.upcoded_share,
        "undercoded_share": lambda one: one.undercoded_share,
    }
    for name, of in ratios.items():
        columns[titles[name]] = pa.array([_decimal(of(one)) for one in found], _NUMBER)
    surplus = [yuan_decimal(one.surplus_fen) for one in found]
    columns[titles["surplus"]] = pa.array(surplus, pa.decimal128(21, 2))
    for kind in KIND_NAMES:
        if any(kind in one.kinds for one in found):
            title = titles["share_of"].format(kind=kinds.get(kind, kind))
            shares = [_decimal(one.kinds.get(kind, Fraction(0))) for one in found]
            columns[title] = pa.array(shares, _NUMBER)
    return pa.table(columns)


def _decimal(value: Fraction | None) -> Decimal | None:
    return None if value is None else Decimal(round_half_up(value * 10**_PLACES)).scaleb(-_PLACES)


def indicator_dict(one: DipIndicators) -> dict[str, object]:
    """Stable keys for `--json`: ratios and the score as text, exact to four decimals."""
    found: dict[str, object] = {}
    for each in fields(one):
        value = getattr(one, each.name)
        if each.name == "kinds":
            found["kinds"] = {kind: str(_decimal(share)) for kind, share in value.items()}
        elif each.name == "surplus_fen":
            found["surplus"] = yuan(value)
        elif isinstance(value, Fraction):
            found[each.name] = str(_decimal(value))
        else:
            found[each.name] = value
    return found
