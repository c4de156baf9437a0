"""The page of an estimate: which weights the data carry, the costs of a chosen group, all weights.

Without scripts the tables remain.
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from grouper.report import weighing_charts as charts
from grouper.report.page import HTML_LANG, embedded_script, environment, script_json, style
from grouper.report.weighing import WeighingReport
from grouper.report.words import Words
from weights.record import choices_record, facts_record, places

#: groups of the table beside the older one
_OLDER = 50


def render_weighing_page(report: WeighingReport) -> str:
    """The page as text (to be written as UTF-8); the same estimate gives the same text."""
    words = Words(report.lang)
    scatter = charts.scatter_chart(report, words)
    groups = charts.group_data(report, words)
    context: dict[str, Any] = {
        "data": _Head(report),
        "report": report,
        "found": report.found,
        "words": words,
        "html_lang": HTML_LANG[report.lang],
        "sections": _sections(report),
        "prefix": "weigh.",
        "folder": "weigh_",
        "style": style(),
        "facts": facts_record(report.found),
        "rests_on": rests_on(report, words),
        "scatter": None if scatter is None else script_json(scatter),
        "frames": [
            script_json(frame)
            for frame in (charts.distribution_frame(words), charts.years_frame(words))
        ],
        "groups": groups,
        "group_json": script_json(groups),
        "with_years": any(year for year in report.found.years),
        "level": f"{float(report.found.choices.level * 100):g}%",
        "interval_text": charts.interval_text,
        "marks_text": lambda one: charts.marks_text(one, words),
        "places": places,
        "older": () if report.comparison is None else report.comparison.rows[:_OLDER],
        "library": embedded_script("echarts.min.js", "static"),
        "scripts": [embedded_script(name, "templates") for name in ("weigh.js", "page.js")],
    }
    return environment().get_template("weigh.html").render(context)


class _Head:
    """What the frame of all pages says at the top."""

    def __init__(self, report: WeighingReport) -> None:
        self.title, self.lang = report.title, report.lang
        self.program, self.made = report.program, Markup("")


def _sections(report: WeighingReport) -> tuple[str, ...]:
    parts = {
        "overview": True,
        "group": report.distributions,
        "older": report.comparison,
        "groups": True,
        "steps": True,
        "choices": True,
        "notes": report.found.issues,
    }
    return tuple(name for name, content in parts.items() if content)


def rests_on(report: WeighingReport, words: Words) -> list[tuple[str, str]]:
    """Table, facts and choices: title and value, in the order of table.toml."""
    head = {
        "table": report.head.id,
        "scheme": report.head.scheme_id,
        "area": report.head.area,
        "valid_from": report.head.span.start,
        "valid_to": report.head.span.end or "-",
        "source": report.head.source,
    }
    left_out = {words(f"weigh_left.{key}"): n for key, n in report.found.left_out.items()}
    facts = {**facts_record(report.found), "left_out": left_out}
    record = {**head, **facts, **choices_record(report.found.choices)}
    return [(words(f"weigh_choice.{key}"), _shown(value)) for key, value in record.items()]


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {one}" for key, one in value.items()) or "-"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return str(value)
