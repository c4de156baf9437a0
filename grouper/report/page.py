"""One HTML page that needs nothing but itself: words, tables, styles and charts in one file.

Everything a user can have written (names of hospitals, groups, areas) is escaped; the page forbids
itself every outside request by its content security policy. Without scripts the tables remain.
"""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from grouper.monitor.ratio import percent
from grouper.report import charts
from grouper.report.data import ReportData, Statement, line_titles, sum_statements
from grouper.report.words import SIGNS, Words, amount, grouped, money, share

_FOLDER = Path(__file__).parent
HTML_LANG = {"zh": "zh-CN", "en": "en"}
#: groups listed on the page; the workbook has all
TOP_GROUPS = 20


def render_page(data: ReportData) -> str:
    """The page as text (to be written as UTF-8); the same data give the same text."""
    words = Words(data.lang)
    context: dict[str, Any] = {
        "data": data,
        "words": words,
        "html_lang": HTML_LANG[data.lang],
        "sections": _sections(data),
        "prefix": "page.",
        "folder": "part_",
        "groups": data.groups_by_cost[:TOP_GROUPS],
        "statements": _statement_table(data.statements, words),
        "charts": _charts(data, words),
        "most_bars": charts.MOST_BARS,
        "bars": charts.coverage_count(data.coverage),
        "library": embedded_script("echarts.min.js", "static"),
        "script": embedded_script("page.js", "templates"),
        "style": style(),
    }
    return environment().get_template("page.html").render(context)


def library_digest() -> str:
    """SHA-256 of the chart library that pages embed, as static/README.md states it."""
    return sha256((_FOLDER / "static" / "echarts.min.js").read_bytes()).hexdigest()


def style() -> Markup:
    """The style sheet of all pages."""
    return Markup((_FOLDER / "templates" / "page.css").read_text("utf-8"))


@cache
def environment() -> Environment:
    """The templates, with the number forms they use."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"money": money, "amount": amount, "grouped": grouped}
    environment.filters["percent"] = lambda bp: "" if bp is None else percent(bp)
    environment.globals |= {"share": share, "signs": SIGNS, "chart_height": charts.height}
    return environment


def _sections(data: ReportData) -> tuple[str, ...]:
    """The parts that have something to show, in the order of the page."""
    parts = {
        "summary": data.counts,
        "coverage": data.coverage,
        "statements": data.statements,
        "groups": data.groups,
        "basis": data.basis,
        "notes": data.notes,
    }
    return tuple(name for name, content in parts.items() if content)


def _charts(data: ReportData, words: Words) -> dict[str, tuple[charts.Option, Markup]]:
    """Chart name -> its option and the same as JSON fit for a script element."""
    options = {
        "coverage": charts.coverage_chart(data.coverage, words),
        "groups": charts.group_chart(data.groups_by_cost, words),
    }
    return {
        name: (option, script_json(option))
        for name, option in options.items()
        if option is not None
    }


def script_json(value: object) -> Markup:
    """JSON that cannot end the script element it stands in, whatever texts it holds."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)


def embedded_script(name: str, folder: str) -> Markup:
    """A script of ours or of the library, which must not contain the end of its element."""
    text = (_FOLDER / folder / name).read_text("utf-8")
    if "</script" in text.lower():
        raise ValueError(f"{name} would end the script element it is put in")
    return Markup(text)


def _statement_table(statements: tuple[Statement, ...], words: Words) -> dict[str, Any]:
    """Rows of the month table: lines that are zero everywhere are only named."""
    titles = line_titles(statements)
    used = {line.id for one in statements for line in one.lines if line.amount}
    shown = [title for title in titles if title.id in used] or list(titles)
    totals = sum_statements(statements, label=words("page.total"))
    return {
        "lines": titles,
        "shown": shown,
        "zero": [title for title in titles if title not in shown],
        "rows": [(one, _amounts(one, shown)) for one in statements],
        "totals": [(one, _amounts(one, shown)) for one in totals],
        "place": any(one.place for one in statements),
    }


def _amounts(statement: Statement, shown: list[Any]) -> list[str]:
    lines = {line.id: line for line in statement.lines}
    return [
        amount(lines[title.id].amount, title.unit) if title.id in lines else "" for title in shown
    ]
