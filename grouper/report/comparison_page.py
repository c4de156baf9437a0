"""The page of a comparison: figures, a picture of the largest flows, tables; no script at all."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from grouper.money import decimal_text
from grouper.monitor.movement import KINDS, Breakdown
from grouper.report.comparison import ComparisonReport
from grouper.report.flow_picture import COLOURS, MOST_FLOWS, flow_picture
from grouper.report.page import HTML_LANG, environment, style
from grouper.report.words import Words, share_bp

#: rows of a table on the page; the workbook has all
TOP_ROWS = 30


def render_comparison_page(report: ComparisonReport) -> str:
    """The page as text (to be written as UTF-8); the same comparison gives the same text."""
    words = Words(report.lang)
    titles = report.scheme_names
    context: dict[str, Any] = {
        "data": report,
        "words": words,
        "html_lang": HTML_LANG[report.lang],
        "sections": _sections(report),
        "prefix": "compare.",
        "folder": "compare_",
        "style": style(),
        "titles": titles,
        "picture": flow_picture(report.movement.moves, words, titles=titles),
        "legend": [(COLOURS[kind], words(f"move.{kind}")) for kind in COLOURS],
        "kinds": [(kind, report.whole.of_kind(kind)) for kind in KINDS],
        "moves": report.movement.moves[:TOP_ROWS],
        "shown_flows": min(MOST_FLOWS, len(report.movement.moves)),
        "groups": _groups(report),
        "top": TOP_ROWS,
        "row": lambda part: _row(report, part),
        "weight": _weight,
    }
    return environment().get_template("compare.html").render(context)


def _sections(report: ComparisonReport) -> tuple[str, ...]:
    parts = {
        "overview": True,
        "flows": report.movement.moves,
        "by": report.dimensions,
        "samples": report.comparison.samples,
        "groups": report.movement.groups(),
        "basis": True,
    }
    return tuple(name for name, content in parts.items() if content)


def _groups(report: ComparisonReport) -> list[Any]:
    """The groups with most cases that leave or arrive."""
    groups = [one for one in report.movement.groups() if one.leave or one.arrive]
    return sorted(groups, key=lambda one: (-one.leave - one.arrive, one.code))[:TOP_ROWS]


def _row(report: ComparisonReport, part: Breakdown) -> dict[str, Any]:
    """The figures of all cases or of one value of a dimension."""
    return {
        "cases": part.totals["cases"],
        "moved": part.moved["cases"],
        "recoded": part.recoded,
        "share": share_bp(part.moved["cases"], part.totals["cases"]),
        "cost": part.totals["cost"],
        "cost_moved": part.moved["cost"],
        "rate": [report.rate_bp(part, "from"), report.rate_bp(part, "to")],
        "cmi": [_weight(report.cmi(part, "from")), _weight(report.cmi(part, "to"))],
        "payment": [part.payment_fen("from"), part.payment_fen("to")],
        "difference": part.payment_difference_fen,
    }


def _weight(value: int | None) -> str:
    """A number in 1/10000 as text; empty where there is none."""
    if value is None:
        return ""
    whole = decimal_text(Fraction(value, 10_000), places=4)
    left, _, right = whole.partition(".")
    return f"{left}.{right:0<4}"
