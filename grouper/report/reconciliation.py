"""A reconciliation as the plain values of its reports: JSON, CSV and the rows of the workbook."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from grouper import __version__
from grouper.engine.decision import verdict_text
from grouper.errors import Lang
from grouper.records.fields import base_field, fields
from grouper.report.words import Words
from grouper.run.differences import CaseDifference, Evidence, Item
from grouper.run.explain import code_name
from grouper.run.reconciliation import Reconciliation
from grouper.run.verdicts import PRICES, GroupCode

_SIDES: tuple[Literal["ours", "theirs"], ...] = ("ours", "theirs")


@dataclass(frozen=True)
class ReconciliationReport:
    """What JSON, CSV and workbook say; texts in the language of `lang`."""

    found: Reconciliation
    lang: Lang

    @property
    def program(self) -> str:
        """Name and version of the program."""
        return f"chs-grouper {__version__}"

    @property
    def title(self) -> str:
        """The heading of the workbook."""
        names = {"ours": self.found.ours.name, "theirs": self.found.theirs.name}
        return Words(self.lang)("reconcile.title", **names)

    def field(self, item: Item) -> str:
        """What an item is about, in words."""
        words = Words(self.lang)
        name = item.field
        if name in ("drg", "rejected") or item.step in ("code", "price"):
            return words(f"reconcile.field_{name}")
        return fields()[base_field(name)].title_zh if self.lang == "zh" else name

    def items(self, one: CaseDifference) -> str:
        """All fields that differ, in the order of the steps."""
        words = Words(self.lang)
        return words("reconcile.between").join(
            words("reconcile.item", field=self.field(i), ours=i.ours or "-", theirs=i.theirs or "-")
            for i in one.items
        )

    def evidence(self, one: CaseDifference) -> str:
        """Why our group is ours and not theirs, and what our price is made of."""
        parts = [self._of_group(one), self._of_price(one)]
        return Words(self.lang)("reconcile.between").join(filter(None, parts))

    def _of_price(self, one: CaseDifference) -> str:
        """The figures of our price; "" where no price differs."""
        if all(item.step != "price" for item in one.items):
            return ""
        words, prices = Words(self.lang), self.found.prices
        figures = [
            f"{words(f'reconcile.field_{name}')} {prices[name][one.ours]}"
            for name in PRICES
            if name in prices and prices[name][one.ours]
        ]
        text = words("reconcile.listing").join(figures)
        return words("reconcile.our_price", text=text) if figures else ""

    def _of_group(self, one: CaseDifference) -> str:
        words, proof = Words(self.lang), one.evidence
        if proof is None:
            reasons = self.found.ours.reasons
            differs = any(item.field == "drg" for item in one.items)
            return reasons[one.ours] if reasons and differs else ""
        parts = []
        if proof.ours is not None:
            said = verdict_text(proof.ours, proof.record, self.lang, names=code_name, own=True)
            parts.append(words("reconcile.our_rule", text=said))
        if proof.theirs is not None:
            said = verdict_text(proof.theirs, proof.record, self.lang, names=code_name)
            parts.append(words("reconcile.their_group", text=said))
        if proof.with_theirs is not None:
            key = "reconcile.explained" if self.explained(one) else "reconcile.with_theirs"
            parts.append(words(key, group=proof.with_theirs.drg or "-"))
        return words("reconcile.between").join(parts)

    def explained(self, one: CaseDifference) -> bool | None:
        """Whether the payer's values alone give the payer's group; None where not tried."""
        if one.evidence is None or one.evidence.with_theirs is None:
            return None
        return one.evidence.with_theirs.drg == self.found.theirs.groups[one.theirs].drg

    def counts(self) -> dict[str, int]:
        """The figures, by name, in the order in which they are told."""
        found = self.found
        repairs = Counter(one.kind for one in found.matching.repairs)
        unclear = len(found.matching.unclear_ours) + len(found.matching.unclear_theirs)
        return {
            "rows_ours": len(found.ours),
            "rows_theirs": len(found.theirs),
            "matched": len(found.matching.pairs),
            "equal": found.equal,
            "different": len(found.differences),
            **{f"step_{step}": n for step, n in found.by_step().items()},
            "only_ours": len(found.only("ours")),
            "only_theirs": len(found.only("theirs")),
            "unclear_keys": unclear,
            "no_key_ours": len(found.without_key("ours")),
            "no_key_theirs": len(found.without_key("theirs")),
            "total_lines": found.ours.total_lines + found.theirs.total_lines,
            "merged_lines": found.ours.merged_lines + found.theirs.merged_lines,
            "repaired_keys": len(found.matching.repairs),
            **{f"key_{kind}": n for kind, n in sorted(repairs.items())},
        }

    @property
    def is_clean(self) -> bool:
        """Whether the two files say the same of the same cases."""
        counts = self.counts()
        odd = ("different", "only_ours", "only_theirs", "unclear_keys", "no_key_ours")
        return not any(counts[name] for name in (*odd, "no_key_theirs"))

    def basis(self) -> list[tuple[str, str]]:
        """What the reconciliation rests on."""
        words, scheme = Words(self.lang), self.found.scheme
        rows = [
            (words("reconcile.file_ours"), self.found.ours.name),
            (words("reconcile.file_theirs"), self.found.theirs.name),
        ]
        if scheme is None:
            rows.append((words("reconcile.scheme"), words("reconcile.no_scheme")))
        else:
            draft = f" ({words('compare.draft')})" if scheme.is_draft else ""
            rows.append((words("reconcile.scheme"), f"{scheme.id} {scheme.title}{draft}"))
            rows.append((words("compare.digest"), scheme.digest))
        if self.found.regrouped:
            text = words("reconcile.regrouped", n=self.found.regrouped)
            rows.append((words("page.notes"), text))
        rows.append((words("page.notes"), words("reconcile.note_steps")))
        return rows


def reconciliation_dict(report: ReconciliationReport) -> dict[str, Any]:
    """The machine form; `official` is the payer's file, groups are null where there is none."""
    found, counts = report.found, report.counts()
    sums = found.standards()
    plain = {
        name.replace("theirs", "official"): n
        for name, n in counts.items()
        if not name.startswith(("step_", "key_"))
    }
    return {
        "program": report.program,
        "ours": found.ours.name,
        "official": found.theirs.name,
        "scheme": found.scheme.id if found.scheme else None,
        "digest": found.scheme.digest if found.scheme else None,
        **plain,
        "steps": dict(found.by_step()),
        "damage": {n[4:]: counts[n] for n in counts if n.startswith("key_")},
        "regrouped": found.regrouped,
        "standard_ours": None if sums is None else f"{sums[0]:.2f}",
        "standard_official": None if sums is None else f"{sums[1]:.2f}",
        "differences": [_difference(report, one) for one in found.differences],
        "rows_only_ours": [_single(report, "ours", row) for row in found.only("ours")],
        "rows_only_official": [_single(report, "theirs", row) for row in found.only("theirs")],
        "keys": [
            {
                "kind": one.kind,
                "ours": found.ours.keys[one.ours].text,
                "official": found.theirs.keys[one.theirs].text,
                "where_ours": found.ours.where(one.ours),
                "where_official": found.theirs.where(one.theirs),
            }
            for one in found.matching.repairs
        ],
        "keys_unclear": [
            {"file": file, "key": key, "where": where, "candidates": candidates}
            for file, key, where, candidates in unclear(found)
        ],
    }


def unclear(found: Reconciliation) -> list[tuple[str, str, str, list[str]]]:
    """Damaged keys that could stand for several: file, key, place, the keys meant."""
    matching = found.matching
    rows = []
    for row, candidates in sorted(matching.unclear_ours.items()):
        keys = [found.theirs.keys[other].text for other in candidates]
        rows.append((found.ours.name, found.ours.keys[row].text, found.ours.where(row), keys))
    for row, candidates in sorted(matching.unclear_theirs.items()):
        keys = [found.ours.keys[other].text for other in candidates]
        rows.append((found.theirs.name, found.theirs.keys[row].text, found.theirs.where(row), keys))
    return rows


def _difference(report: ReconciliationReport, one: CaseDifference) -> dict[str, Any]:
    found = report.found
    return {
        "key": found.ours.keys[one.ours].text,
        "step": one.step,
        "ours": found.groups[one.ours].drg or None,
        "official": found.theirs.groups[one.theirs].drg or None,
        "where_ours": found.ours.where(one.ours),
        "where_official": found.theirs.where(one.theirs),
        "items": [
            {"step": item.step, "field": item.field, "ours": item.ours, "official": item.theirs}
            for item in one.items
        ],
        "evidence": _evidence(report, one.evidence),
        "explained": report.explained(one),
        "text": report.evidence(one),
    }


def _evidence(report: ReconciliationReport, proof: Evidence | None) -> dict[str, Any] | None:
    if proof is None:
        return None
    return {
        "ours": proof.ours.to_dict() if proof.ours else None,
        "official": proof.theirs.to_dict() if proof.theirs else None,
        "with_official_values": proof.with_theirs.drg or None if proof.with_theirs else None,
    }


def _single(
    report: ReconciliationReport, side: Literal["ours", "theirs"], row: int
) -> dict[str, Any]:
    file = report.found.ours if side == "ours" else report.found.theirs
    return {
        "key": file.keys[row].text,
        "where": file.where(row),
        "group": group_of(report.found, side, row).drg or None,
    }


def group_of(found: Reconciliation, side: Literal["ours", "theirs"], row: int) -> GroupCode:
    """The group of a row of one file."""
    return found.groups[row] if side == "ours" else found.theirs.groups[row]


def difference_titles(report: ReconciliationReport) -> list[str]:
    """Titles of the rows of differences."""
    words = Words(report.lang)
    names = ("key", "step", "ours", "theirs", "items", "evidence", "where_ours", "where_theirs")
    return [words(f"reconcile.{name}") for name in names]


def difference_rows(report: ReconciliationReport) -> list[list[str]]:
    """Every case that differs, by step, then in our order: what is sent back to the payer."""
    words, found = Words(report.lang), report.found
    rows = []
    for step in found.by_step():
        for one in found.differences:
            if one.step != step:
                continue
            rows.append(
                [
                    found.ours.keys[one.ours].text,
                    words(f"step.{one.step}"),
                    found.groups[one.ours].drg or words(f"status.{found.groups[one.ours].status}"),
                    found.theirs.groups[one.theirs].drg
                    or words(f"status.{found.theirs.groups[one.theirs].status}"),
                    report.items(one),
                    report.evidence(one),
                    found.ours.where(one.ours),
                    found.theirs.where(one.theirs),
                ]
            )
    for side in _SIDES:
        for row in found.only(side):
            file = found.ours if side == "ours" else found.theirs
            code = group_of(found, side, row).drg
            own, place = [code, ""], [file.where(row), ""]
            if side == "theirs":
                own.reverse()
                place.reverse()
            kind = words(f"reconcile.only_{side}")
            rows.append([file.keys[row].text, kind, *own, "", "", *place])
    return rows


def reconciliation_csv(report: ReconciliationReport) -> bytes:
    """The rows of differences as CSV in UTF-8 with the mark that Excel looks for."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(difference_titles(report))
    writer.writerows(difference_rows(report))
    return b"\xef\xbb\xbf" + text.getvalue().encode()
