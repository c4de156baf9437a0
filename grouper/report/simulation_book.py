"""A simulation as an Excel workbook and as plain data: who gains and who pays."""

from __future__ import annotations

from io import BytesIO

from grouper.dated import lowest
from grouper.errors import Lang
from grouper.money import yuan
from grouper.report.book import Book, Cell, Column
from grouper.report.words import Words
from grouper.run.settlement import SettledRun
from grouper.run.simulation import Simulated
from grouper.settle.amounts import CaseType
from grouper.settle.simulate import Sums

#: columns of every sheet: key of the title -> what of the sums, in fen or a count
_COLUMNS: dict[str, str] = {
    "cases": "count",
    "cost": "fen",
    "before": "fen",
    "after": "fen",
    "change": "fen",
    "surplus_before": "fen",
    "surplus_after": "fen",
    "fund_before": "fen",
    "fund_after": "fen",
    "fund_change": "fen",
    "only_before": "count",
    "lost": "fen",
    "only_after": "count",
    "gained": "fen",
    "neither": "count",
}


def basis(one: SettledRun) -> dict[str, str]:
    """What a side of a simulation rests on."""
    return {
        "area": one.policy.area.id,
        "scheme": one.run.scheme.id,
        "weight_table": one.table.id,
        "confidence": one.amounts.confidence,
    }


def simulation_dict(simulated: Simulated, lang: Lang) -> dict[str, object]:
    """The simulation with stable keys; amounts are yuan as text."""
    result = simulated.result
    return {
        "before": basis(simulated.before),
        "after": basis(simulated.after),
        "settings": [str(setting) for setting in simulated.settings],
        "confidence": weakest(simulated),
        "total": _sums_dict(result.total),
        "by": {
            name: [
                {"label": shown(simulated, name, label, lang)[0], **_sums_dict(sums)}
                for label, sums in parts.items()
            ]
            for name, parts in result.by.items()
        },
    }


def weakest(simulated: Simulated) -> str:
    """The weakest mark of both sides."""
    return lowest([simulated.before.amounts.confidence, simulated.after.amounts.confidence])


def shown(simulated: Simulated, name: str, label: str, lang: Lang) -> tuple[str, str]:
    """A label as readers know it, and its name: of hospitals, groups and insurances."""
    policy, groups = simulated.before.policy, simulated.before.run.groups.codes
    if name == "hospital" and (found := policy.hospital(label)):
        return label, found.name if lang == "zh" else found.name_en
    if name == "group" and label in groups.drg:
        return label, groups.drg_name[groups.drg.index(label)]
    if name == "insurance" and (code := policy.insurance(label)):
        title = policy.insurance_title(code)
        return label, title.title if lang == "zh" else title.title_en
    if name == "case_type":
        return CaseType[label.upper()].word(lang), ""
    return label, ""


def _sums_dict(sums: Sums) -> dict[str, object]:
    return {
        key: yuan(getattr(sums, key)) if kind == "fen" else getattr(sums, key)
        for key, kind in _COLUMNS.items()
    }


def render_simulation(simulated: Simulated, lang: Lang, *, program: str) -> bytes:
    """The workbook file; the same simulation gives the same bytes."""
    target, words = BytesIO(), Words(lang)
    book = Book(target, lang, title=words("simulate.title"), program=program)
    warning = words("page.demo") if simulated.before.amounts.is_demo else ""
    book.notes_sheet(words("simulate.title"), _facts(simulated, words, program), warning=warning)
    for name, parts in simulated.result.by.items():
        columns = [
            Column(words(f"simulate.{name}")),
            Column(words("simulate.name")),
            *(
                Column(words(f"simulate.{key}"), "fen" if kind == "fen" else "count")
                for key, kind in _COLUMNS.items()
            ),
        ]
        rows: list[list[Cell]] = [
            [*shown(simulated, name, label, lang), *_cells(sums)] for label, sums in parts.items()
        ]
        total: list[Cell] = [words("page.total"), "", *_cells(simulated.result.total)]
        book.table(f"by_{name}", columns, rows, [total])
    book.close()
    return target.getvalue()


def _cells(sums: Sums) -> list[Cell]:
    return [int(getattr(sums, key)) for key in _COLUMNS]


def _facts(simulated: Simulated, words: Words, program: str) -> list[tuple[str, ...]]:
    """What the workbook rests on."""
    facts = [(words("page.program"), program)]
    for side, one in (("before", simulated.before), ("after", simulated.after)):
        rests = basis(one)
        for key in ("area", "scheme", "weight_table"):
            facts.append((words(f"simulate.{key}_{side}"), rests[key]))
        mark = words(f"confidence.{rests['confidence']}")
        facts.append((words(f"simulate.confidence_{side}"), mark))
    facts += [(words("simulate.setting"), str(setting)) for setting in simulated.settings]
    total = simulated.result.total
    facts += [
        (words("simulate.cases"), f"{total.cases:,}"),
        (words("simulate.before"), yuan(total.before)),
        (words("simulate.after"), yuan(total.after)),
        (words("simulate.change"), yuan(total.change)),
        (words("simulate.fund_change"), yuan(total.fund_change)),
        (words("page.notes"), words("simulate.counted")),
    ]
    return list(facts)
