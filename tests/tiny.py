"""Schemes of a few lines, written inside the test that needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grouper.scheme.condition import parse
from grouper.scheme.model import AdrgRule, CodeKind, CodeList, Complication, Drg, Mdc, Scheme


def tiny_scheme(
    *,
    mdcs: Mapping[str, str],
    rules: Sequence[tuple[str, str]],
    drgs: Sequence[tuple[str, str]] = (),
    lists: Mapping[str, str] | None = None,
    cc: Mapping[str, str] | None = None,
    exclusions: Mapping[str, str] | None = None,
    not_for_grouping: Mapping[tuple[CodeKind, str], str] | None = None,
) -> Scheme:
    """A scheme from (code, condition) pairs in order; lists as text, their kind by their ending.

    The MDC of a rule is its first letter; `xQY` is ambiguous; an ADRG without DRG rows gets one
    without condition. cc: code -> "MCC 12" or "CC" (no table).
    """
    return Scheme(
        id="tiny", title="Tiny", base="CHS-DRG 2.0", status="draft", publication="", date="",
        source="invented", confidence="constructed", codes="", folder="", digest="test",
        mdcs=tuple(
            Mdc(row, mdc, f"MDC {mdc}", parse(when), row + 1)
            for row, (mdc, when) in enumerate(mdcs.items(), 1)
        ),
        adrgs=tuple(_rule(row, adrg, when) for row, (adrg, when) in enumerate(rules, 1)),
        drgs=tuple(
            Drg(row, drg[:3], drg, f"group {drg}", parse(when), row + 1)
            for row, (drg, when) in enumerate(_complete(rules, drgs), 1)
        ),
        lists={
            name: CodeList(name, "px" if name.endswith("px") else "dx", tuple(codes.split()))
            for name, codes in (lists or {}).items()
        },
        cc={code: _complication(text) for code, text in (cc or {}).items()},
        exclusions=exclusions or {},
        not_for_grouping=not_for_grouping or {},
    )  # fmt: skip


def _rule(row: int, adrg: str, when: str) -> AdrgRule:
    kind = "ambiguous" if adrg.endswith("QY") else "medical"
    return AdrgRule(row, adrg[0], adrg, f"rule {adrg}", kind, parse(when), row + 1)


def _complete(
    rules: Sequence[tuple[str, str]], drgs: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    refined = {drg[:3] for drg, _ in drgs}
    bare = dict.fromkeys(adrg for adrg, _ in rules if adrg not in refined and adrg[1:] != "QY")
    return [*drgs, *((f"{adrg}9", "True") for adrg in bare)]


def _complication(text: str) -> Complication:
    level, _, table = text.partition(" ")
    return Complication("MCC" if level == "MCC" else "CC", table)
