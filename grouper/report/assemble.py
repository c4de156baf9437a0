"""A settled run as the plain values of a report: what page and workbook draw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from grouper import __version__
from grouper.engine.groups import Status
from grouper.errors import Issue, Lang
from grouper.monitor.coverage import Coverage
from grouper.policy.model import Policy
from grouper.records.batch import MISSING_FEN
from grouper.report.data import (
    Basis,
    GroupRow,
    Problem,
    ReportData,
    Statement,
    StatementLine,
    StatusCount,
    summarize_groups,
)
from grouper.run.coverage import area_name
from grouper.run.results import words
from grouper.run.settlement import SettledRun, statements
from grouper.settle.amounts import mark_text
from grouper.settle.place import Place
from grouper.settle.statement import Statement as MonthStatement

#: problems of the records that a report lists
MOST_PROBLEMS = 10


def settled_report(
    settled: SettledRun,
    *,
    lang: Lang,
    month: str | None = None,
    coverage: Coverage | None = None,
    closed: Sequence[MonthStatement] | None = None,
) -> ReportData:
    """The whole report of a settled run; `month` (2025-03) adds that month's statements.

    closed: the statements where the month was closed in a book or with entries.
    """
    amounts, policy = settled.amounts, settled.policy
    made = closed if closed is not None else statements(settled, month) if month else []
    by_place = any(one.place != Place.LOCAL.key for one in made)
    issues = [*settled.run.records.issues, *(coverage.issues if coverage else ())]
    name = "statement" if month else "report"
    name += "" if amounts.score is None else "_dip"
    return ReportData(
        title=words(lang)["title"][name].format(area=area_name(policy, lang), month=month),
        area=area_name(policy, lang),
        lang=lang,
        program=f"chs-grouper {__version__}",
        basis=_basis(settled, lang),
        confidence=amounts.confidence,
        origin="invented" if amounts.is_demo else "real",
        counts=_counts(settled),
        problems=_problems(issues, settled, lang),
        groups=_groups(settled),
        statements=tuple(_statement(one, policy, lang, by_place=by_place) for one in made),
        coverage=coverage.rows if coverage else (),
        notes=_notes(settled, made, lang),
    )


def _basis(settled: SettledRun, lang: Lang) -> tuple[Basis, ...]:
    titles, scheme, table = words(lang)["basis"], settled.run.scheme, settled.table
    policy = settled.policy
    sources = settled.run.records.user.inputs
    return (
        Basis(
            titles["scheme"],
            f"{scheme.id} {scheme.title}",
            scheme.confidence,  # type: ignore[arg-type]
        ),
        Basis(titles["digest"], scheme.digest),
        Basis(titles["table"], f"{table.id} {table.head.title}", table.confidence),
        Basis(titles["policy"], "; ".join(policy.titles), policy.confidence),
        *(Basis(titles["source"], source.replace("\\", "/").split("/")[-1]) for source in sources),
    )


def _counts(settled: SettledRun) -> tuple[StatusCount, ...]:
    counts = settled.run.counts
    return tuple(StatusCount(s.word, getattr(counts, s.word)) for s in Status)


def _problems(issues: Sequence[Issue], settled: SettledRun, lang: Lang) -> tuple[Problem, ...]:
    """The commonest issues of records and bills, the first of each code as its example."""
    found = Counter(issue.code for issue in issues)
    counted = settled.run.records.notes.get("counts")
    if isinstance(counted, dict):
        found |= Counter({str(code): int(n) for code, n in counted.items()})
    example = {issue.code: issue for issue in reversed(issues)}
    for issue, n in settled.amounts.issue_counts():
        found[issue.code] += n
        example.setdefault(issue.code, issue)
    order = sorted(example, key=lambda code: (-found[code], code))[:MOST_PROBLEMS]
    return tuple(
        Problem(code, example[code].what(lang), example[code].fix(lang), found[code])
        for code in order
    )


def _groups(settled: SettledRun) -> tuple[GroupRow, ...]:
    """Cost and payment of every DRG that has cases."""
    groups, amounts = settled.run.groups, settled.amounts
    return summarize_groups(
        groups.group_id.astype(np.int64),
        groups.codes.drg,
        groups.codes.drg_name,
        np.where(amounts.total_fen < 0, MISSING_FEN, amounts.total_fen),
        amounts.payable_fen,
    )


def _statement(one: MonthStatement, policy: Policy, lang: Lang, *, by_place: bool) -> Statement:
    listed = policy.hospital(one.hospital) if lang == "en" else None
    return Statement(
        hospital=one.hospital,
        hospital_name=listed.name_en if listed and listed.name_en else one.hospital_name,
        insurance=one.insurance_zh if lang == "zh" else one.insurance_en,
        month=one.month,
        place=Place[one.place.upper()].word(lang) if by_place else "",
        lines=tuple(
            StatementLine(
                line.id,
                line.label_zh if lang == "zh" else line.label_en,
                line.amount_fen,
                "count" if line.is_count else "fen",
                line.formula_zh if lang == "zh" else line.formula_en,
            )
            for line in one.lines
        ),
    )


def _notes(settled: SettledRun, made: Sequence[MonthStatement], lang: Lang) -> tuple[str, ...]:
    """What a reader must know beside the figures."""
    amounts, texts = settled.amounts, words(lang)["note"]
    notes = [mark_text(amounts.confidence, is_demo=amounts.is_demo, lang=lang)]
    left_out = sum(sum(one.not_counted.values()) for one in made)
    if left_out:
        notes.append(texts["left_out"].format(n=left_out))
    return tuple(note for note in notes if note)
