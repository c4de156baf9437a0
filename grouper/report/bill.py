"""Single cases as settlement statements (结算单): every step from the group to the fund's part."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from grouper import __version__
from grouper.errors import Lang
from grouper.report.book import Book
from grouper.report.forms import Form, FormLine, put_forms
from grouper.report.words import Words
from grouper.run.coverage import area_name
from grouper.run.settlement import SettledRun, facts_at, settle_row
from grouper.settle.amounts import mark_text
from grouper.settle.trail import CaseAmount


def render_bills(settled: SettledRun, rows: Sequence[int], lang: Lang) -> bytes:
    """A workbook with a page for each of some rows (from 0); the same rows give the same bytes."""
    target, words = BytesIO(), Words(lang)
    program = f"chs-grouper {__version__}"
    book = Book(target, lang, title=words("form.bill"), program=program)
    put_forms(book, "bill_forms", [_form(settled, row, words) for row in rows])
    book.close()
    return target.getvalue()


def _form(settled: SettledRun, row: int, words: Words) -> Form:
    batch, policy, lang = settled.run.records.batch, settled.policy, words.lang
    amount, facts = settle_row(settled, row), facts_at(batch, row)
    hospital = policy.hospital(facts.hospital)
    name = "" if hospital is None else hospital.name if lang == "zh" else hospital.name_en
    code = policy.insurance(facts.insurance)
    title = policy.insurance_title(code) if code else None
    known = "" if title is None else title.title if lang == "zh" else title.title_en
    case_id = str(batch.case_id[row]) if len(batch.case_id) else ""
    shown = {
        "area": area_name(policy, lang),
        "case": " ".join(filter(None, (str(row + 1), case_id))),
        "hospital": f"{facts.hospital} {name}".strip(),
        "level": facts.hospital_level,
        "insurance": known or facts.insurance,
        "place": amount.place.word(lang),
        "discharge": "" if facts.discharge_date is None else facts.discharge_date.isoformat(),
        "case_type": amount.case_type.word(lang),
        "group": f"{amount.group_code} {_group_name(settled, row)}".strip(),
    }
    return Form(
        title=words("form.bill"),
        mark=mark_text(amount.confidence, is_demo=amount.is_demo, lang=lang),
        facts=tuple((words(f"form.{key}"), value) for key, value in shown.items()),
        lines=tuple(_lines(amount, words)),
        notes=(
            words("year.scheme", scheme=settled.run.scheme.id, table=settled.table.id),
            *(words("year.policy", title=one) for one in policy.titles),
            words("form.weakest", mark=words(f"confidence.{amount.confidence}")),
        ),
    )


def _lines(amount: CaseAmount, words: Words) -> list[FormLine]:
    zh = words.lang == "zh"
    lines = [
        FormLine(
            str(at),
            step.label_zh if zh else step.label_en,
            step.value_zh if zh and step.value_zh else step.value,
            "text",
            step.source,
        )
        for at, step in enumerate(amount.steps, 1)
    ]
    for issue in (amount.issue, amount.notice):
        if issue is not None:
            text = f"{issue.what(words.lang)}; {issue.fix(words.lang)}"
            lines.append(FormLine(issue.code, words("form.unpriced"), "", "text", text))
    return lines


def _group_name(settled: SettledRun, row: int) -> str:
    groups = settled.run.groups
    return str(groups.codes.drg_name[int(groups.group_id[row])])
