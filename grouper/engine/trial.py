"""A record grouped with another of its diagnoses as principal, beside the result as recorded.

A trial says what the rules would do, nothing more: which diagnosis is principal is decided by the
rules of coding, so trials stand in the order asked for and no amount is attached to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from grouper.engine.reference import Record
from grouper.engine.trace import Trace
from grouper.engine.trace_words import Names, Words
from grouper.errors import Lang


def with_principal(record: Record, code: str) -> Record:
    """The record with one of its other diagnoses put first, all others in their order.

    Raises ValueError if the code is not among the other diagnoses.
    """
    at = record.dx.index(code, 1)
    return replace(record, dx=(code, *record.dx[:at], *record.dx[at + 1 :]))


def side_by_side(
    traces: Sequence[Trace], lang: Lang, *, names: Names | None = None
) -> tuple[list[str], list[list[str]]]:
    """Titles and rows of a table: the result as recorded, then each trial."""
    words = Words(traces[0].record, lang, names or (lambda kind, code: ""))
    titles = ["", words.say("trial.recorded")]
    titles += [words.say("trial.principal", code=each.record.dx[0]) for each in traces[1:]]
    columns = [_column(each, replace(words, record=each.record)) for each in traces]
    rows = [[words.say(f"trial.{key}"), *(one[key] for one in columns)] for key in columns[0]]
    return titles, rows


def _column(trace: Trace, words: Words) -> dict[str, str]:
    found = trace.steps[-1]
    rule = next(
        (s for s in trace.steps if s["step"] == "rule" and s["result"] != "no_drg_fits"), {}
    )
    return {
        "dx": words.code("dx", trace.record.dx[0]),
        "status": words.say(f"trial.{found['status']}"),
        "mdc": found["mdc"] or "-",
        "adrg": found["adrg"] or "-",
        "drg": f"{found['drg']} {found['name']}" if found["drg"] else "-",
        "mcc": _complications(trace, words, "MCC"),
        "cc": _complications(trace, words, "CC"),
        "rule": words.parts(rule["parts"]) if rule else "-",
    }


def _complications(trace: Trace, words: Words, level: str) -> str:
    """The other diagnoses of a level; those that do not count say so."""
    found: list[dict[str, Any]] = [
        s for s in trace.steps if s["step"] == "complication" and s["level"] == level
    ]
    shown = [
        step["code"]
        if step["result"] == "counts"
        else words.say("trial.excluded", code=step["code"])
        for step in found
    ]
    return words.join("codes", shown) or "-"
