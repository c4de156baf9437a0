"""A comparison of two schemes as the plain values of its reports: JSON, page and workbook."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

from grouper import __version__
from grouper.engine.decision import difference_text
from grouper.engine.groups import Status
from grouper.errors import Lang
from grouper.money import decimal_text, round_half_up, yuan
from grouper.monitor.movement import KINDS, Breakdown, Flow, Label, Movement
from grouper.report.words import Words
from grouper.run.comparison import Comparison, Sample, Side
from grouper.run.explain import code_name
from grouper.scheme.model import names_apart

_SIDES: tuple[Literal["from", "to"], ...] = ("from", "to")


@dataclass(frozen=True)
class ComparisonReport:
    """What page and workbook draw; texts in the language of `lang`."""

    comparison: Comparison
    lang: Lang
    made: str = ""

    @property
    def program(self) -> str:
        """Name and version of the program."""
        return f"chs-grouper {__version__}"

    @property
    def title(self) -> str:
        """The heading of page and workbook."""
        before, after = self.scheme_names
        return Words(self.lang)("compare.title", before=before, after=after)

    @cached_property
    def scheme_names(self) -> tuple[str, str]:
        """What the schemes before and after are called; never the same."""
        return names_apart(self.comparison.before.scheme, self.comparison.after.scheme)

    @property
    def movement(self) -> Movement:
        """The flows."""
        return self.comparison.movement

    @property
    def whole(self) -> Breakdown:
        """All cases."""
        return self.comparison.movement.whole

    @property
    def is_weighed(self) -> bool:
        """Whether a side has weights."""
        return bool(self.comparison.before.worth or self.comparison.after.worth)

    @property
    def is_priced_twice(self) -> bool:
        """Whether both sides have amounts, so that they can be subtracted."""
        return self.whole.payment_difference_fen is not None

    @cached_property
    def dimensions(self) -> dict[str, tuple[Breakdown, ...]]:
        """The breakdowns asked for, those with most moved cases first."""
        return {
            name: tuple(
                sorted(self.movement.by(name), key=lambda one: (-one.moved["cases"], one.value))
            )
            for name in self.comparison.dimensions
        }

    def name(self, dimension: str, part: Breakdown) -> str:
        """The name of a hospital or MDC, "" if none is known or the value is a name already."""
        return self.comparison.names.get(dimension, {}).get(part.value, "")

    def sides(self) -> tuple[tuple[Literal["from", "to"], Side], ...]:
        """`from` and `to` with what they are."""
        return (("from", self.comparison.before), ("to", self.comparison.after))

    def cmi(self, part: Breakdown, side: Literal["from", "to"]) -> int | None:
        """The CMI in 1/10000; None without weights."""
        named = dict(self.sides())
        found = part.cmi(side, named[side].decimals)
        return None if found is None else round_half_up(found * 10_000)

    def rate_bp(self, part: Breakdown, side: Literal["from", "to"]) -> int | None:
        """The grouping rate in hundredths of a percent."""
        found = part.grouping_rate(side)
        return None if found is None else round_half_up(found * 10_000)

    def why(self, sample: Sample) -> str:
        """The first rule that decides otherwise, in words."""
        before, after = self.scheme_names
        return difference_text(
            sample.difference,
            sample.record,
            self.lang,
            before=before,
            after=after,
            names=code_name,
        )

    def label(self, label: Label) -> str:
        """A result as code, or as the word for having none."""
        return label.code or Words(self.lang)(f"status.{label.status.word}")

    def basis(self) -> list[tuple[str, str]]:
        """What the comparison rests on."""
        words, rows = Words(self.lang), []
        for side, one in self.sides():
            scheme, which = one.scheme, words(f"compare.{side}")
            draft = f" ({words('compare.draft')})" if scheme.is_draft else ""
            rows.append((which, f"{scheme.id} {scheme.title}{draft}"))
            rows.append((f"{which} · {words('compare.digest')}", scheme.digest))
            if one.worth:
                table = one.worth.table
                rate = one.worth.rate or table.head.base_rate
                text = f"{table.id} {table.head.title}; {words(f'confidence.{table.confidence}')}"
                rows.append((f"{which} · {words('compare.weights')}", text))
                if rate:
                    rows.append((f"{which} · {words('compare.rate')}", f"{rate:f}"))
        sources = self.comparison.outcome.notes["sources"]
        assert isinstance(sources, list)
        names = (str(one["path"]).replace("\\", "/").rpartition("/")[2] for one in sources)
        return [*rows, *((words("compare.source"), name) for name in names)]

    def warnings(self) -> list[str]:
        """What the figures leave out."""
        words, whole = Words(self.lang), self.whole.totals
        notes = []
        if whole["cost_known"] < whole["cases"]:
            notes.append(words("compare.note_cost", n=whole["cases"] - whole["cost_known"]))
        for side, one in self.sides():
            lacking = self.whole.status(side, Status.GROUPED) - whole[f"weight_{side}_known"]
            if one.worth and lacking > 0:
                notes.append(words("compare.note_lacking", n=lacking, table=one.worth.table.id))
        return notes

    def notes(self) -> list[str]:
        """How the figures are to be read."""
        words = Words(self.lang)
        notes = [words("compare.note_moved"), words("compare.note_rate"), *self.warnings()]
        if self.is_weighed:
            notes.append(words("compare.note_payment"))
        if any(side.scheme.is_draft for _, side in self.sides()):
            notes.append(words("compare.note_draft"))
        return notes


def comparison_dict(report: ComparisonReport) -> dict[str, Any]:
    """The machine form: amounts as text in yuan, ratios as decimal text, codes null where none."""
    comparison, whole = report.comparison, report.whole
    return {
        "program": report.program,
        "from": _side(comparison.before),
        "to": _side(comparison.after),
        "sources": comparison.outcome.notes["sources"],
        **_figures(report, whole),
        "flows": [_flow(flow, comparison) for flow in whole.flows],
        "groups": [
            {
                "code": group.code,
                "name_from": group.name_from,
                "name_to": group.name_to,
                "from": group.before,
                "stay": group.stay,
                "leave": group.leave,
                "arrive": group.arrive,
                "to": group.after,
                "cost_leave": yuan(group.cost_leave_fen),
                "cost_arrive": yuan(group.cost_arrive_fen),
            }
            for group in report.movement.groups()
        ],
        "by": {
            name: [
                {"value": one.value, "name": report.name(name, one), **_figures(report, one)}
                | {"flows": [_flow(flow, comparison) for flow in one.flows]}
                for one in report.movement.by(name)
            ]
            for name in comparison.dimensions
        },
        "samples": [_sample(report, sample) for sample in comparison.samples],
        "notes": report.notes(),
    }


def _side(side: Side) -> dict[str, Any]:
    scheme = side.scheme
    found: dict[str, Any] = {
        "scheme": scheme.id,
        "title": scheme.title,
        "digest": scheme.digest,
        "status": scheme.status,
        "weights": None,
        "rate": None,
    }
    if side.worth:
        rate = side.worth.rate or side.worth.table.head.base_rate
        found |= {"weights": side.worth.table.id, "rate": f"{rate:f}" if rate else None}
    return found


def _figures(report: ComparisonReport, part: Breakdown) -> dict[str, Any]:
    totals, moved = part.totals, part.moved
    return {
        "rows": totals["cases"],
        "moved": moved["cases"],
        "unmoved": part.of_kind("same")["cases"],
        "recoded": part.recoded,
        "kinds": {kind: part.of_kind(kind)["cases"] for kind in KINDS},
        "cost": {
            "all": yuan(totals["cost"]),
            "moved": yuan(moved["cost"]),
            "unmoved": yuan(part.of_kind("same")["cost"]),
            "unknown_cases": totals["cases"] - totals["cost_known"],
        },
        "sides": {side: _side_figures(report, part, side) for side in _SIDES},
        "payment_difference": _yuan(part.payment_difference_fen),
    }


def _side_figures(
    report: ComparisonReport, part: Breakdown, side: Literal["from", "to"]
) -> dict[str, Any]:
    decimals = dict(report.sides())[side].decimals
    return {
        **{status.word: part.status(side, status) for status in Status},
        "grouping_rate": _ratio(part.grouping_rate(side)),
        "cmi": _ratio(part.cmi(side, decimals)),
        "weighed_cases": part.totals[f"weight_{side}_known"],
        "payment": _yuan(part.payment_fen(side)),
        "paid_cases": part.totals[f"payment_{side}_known"],
    }


def _yuan(fen: int | None) -> str | None:
    return None if fen is None else yuan(fen)


def _ratio(value: Fraction | None) -> str | None:
    return None if value is None else decimal_text(value, places=6)


def _flow(flow: Flow, comparison: Comparison) -> dict[str, Any]:
    totals = flow.totals
    found: dict[str, Any] = {
        "from": flow.before.code or None,
        "from_status": flow.before.status.word,
        "from_name": flow.before.name,
        "to": flow.after.code or None,
        "to_status": flow.after.status.word,
        "to_name": flow.after.name,
        "kind": flow.kind,
        "recoded": flow.recoded,
        "renamed": flow.renamed,
        "cases": totals["cases"],
        "cost": yuan(totals["cost"]),
    }
    for side, one in (("from", comparison.before), ("to", comparison.after)):
        if one.worth:
            weight = Fraction(totals[f"weight_{side}"], 10**one.decimals)
            found[f"weight_{side}"] = decimal_text(weight)
            found[f"payment_{side}"] = yuan(totals[f"payment_{side}"])
    return found


def _sample(report: ComparisonReport, sample: Sample) -> dict[str, Any]:
    record = sample.record
    return {
        "id": sample.case_id,
        "where": sample.where,
        "from": sample.flow.before.code or None,
        "to": sample.flow.after.code or None,
        "kind": sample.flow.kind,
        "dx": list(record.dx),
        "px": list(record.px),
        "difference": sample.difference.to_dict(),
        "why": report.why(sample),
    }
