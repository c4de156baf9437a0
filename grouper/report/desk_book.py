"""The desk list of special cases as a workbook and as an object with stable keys."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from grouper.errors import Lang
from grouper.money import decimal_text, yuan
from grouper.report.book import Book, Cell, Column
from grouper.report.words import Words
from grouper.run.settlement import SettledRun
from grouper.settle.desk import NEW, Candidate, Desk

_COLUMNS = {
    "rank": "count",
    "row": "count",
    "case_id": "text",
    "hospital": "text",
    "group": "text",
    "case_type": "text",
    "los_days": "count",
    "total": "fen",
    "standard": "fen",
    "loss": "fen",
    "recorded": "fen",
    "fund": "fen",
    "accepted": "fen",
    "gain": "fen",
    "place": "text",
    "situations": "text",
    "evidence": "text",
}


def desk_rows(desk: Desk, lang: Lang) -> Iterator[dict[str, Cell]]:
    """The candidates in their order, amounts in fen."""
    words = Words(lang)
    for rank, one in enumerate(desk.candidates, 1):
        yield {
            "rank": rank,
            "row": one.row + 1,
            "case_id": one.case_id,
            "hospital": one.hospital,
            "group": one.group,
            "case_type": one.case_type.word(lang),
            "los_days": one.los_days,
            "total": one.total_fen,
            "standard": one.standard_fen,
            "loss": one.loss_fen,
            "recorded": one.recorded_fen,
            "fund": one.fund_fen,
            "accepted": one.accepted_fen,
            "gain": one.gain_fen,
            "place": words("desk.inside" if rank <= desk.left else "desk.outside"),
            "situations": "; ".join(words(f"desk.{name}") for name in one.situations),
            "evidence": "; ".join(_evidence(one, words)),
        }


def _evidence(one: Candidate, words: Words) -> Iterator[str]:
    """What an application has to show; where the record shows nothing, what to look for."""
    for name in one.situations or (NEW,):
        yield words(f"desk.evidence_{name}")


def desk_dict(desk: Desk, settled: SettledRun, lang: Lang) -> dict[str, object]:
    """Stable keys for `--json`; amounts as text in yuan."""
    money = {name for name, kind in _COLUMNS.items() if kind == "fen"}
    return {
        "area": settled.policy.area.id,
        "discharges": desk.discharges,
        "quota_rate": decimal_text(desk.rate),
        "quota": desk.places,
        "used": desk.used,
        "left": desk.left,
        "confidence": settled.amounts.confidence,
        "candidates": [
            {key: yuan(int(cell or 0)) if key in money else cell for key, cell in row.items()}
            for row in desk_rows(desk, lang)
        ],
    }


def render_desk(desk: Desk, settled: SettledRun, lang: Lang, *, program: str) -> bytes:
    """The workbook file; the same list gives the same bytes."""
    target, words = BytesIO(), Words(lang)
    book = Book(target, lang, title=words("desk.title"), program=program)
    warning = words("page.demo") if settled.amounts.is_demo else ""
    facts = [
        (words("page.program"), program),
        (words("desk.area"), settled.policy.area.id),
        (words("desk.discharges"), f"{desk.discharges:,}"),
        (words("desk.quota"), f"{desk.places:,} ({decimal_text(desk.rate * 100)}%)"),
        (words("desk.used"), f"{desk.used:,}"),
        (words("desk.left"), f"{desk.left:,}"),
        (words("desk.confidence"), words(f"confidence.{settled.amounts.confidence}")),
        (words("page.notes"), words("desk.note")),
        (words("desk.evidence"), words("desk.evidence_all")),
    ]
    book.notes_sheet(words("desk.title"), facts, warning=warning)
    columns = [Column(words(f"desk.{key}"), kind) for key, kind in _COLUMNS.items()]  # type: ignore[arg-type]
    rows = [list(row.values()) for row in desk_rows(desk, lang)]
    book.table("desk", columns, rows)
    book.close()
    return target.getvalue()
