"""Rows of a catalogue that are no groups: what is excluded, marked primary, or says resistant."""

from __future__ import annotations

import re
from collections.abc import Mapping

from grouper.scheme.dip import Exclusion, dx_key, is_dx_key
from grouper.scheme.dip_operations import Expression
from grouper.scheme.dip_patterns import read_patterns
from grouper.scheme.dip_reading import Reading
from grouper.scheme.dip_tokens import operations_of

_CODES = re.compile(r"[A-Z]\d\d(?:\.[0-9A-Z]+)?(?:[-~～—][A-Z]\d\d)?", re.ASCII)


def read_list_row(reading: Reading, row: int, listed: str) -> None:
    """A row of a list; SE52, SE56, SE58 for one that is not understood."""
    if listed == "excluded_ops":
        _excluded_operation(reading, row)
        return
    keys = _diagnoses(reading, row)
    if listed == "primary":
        # without operation: the conservative case only
        ops: Expression = operations_of(reading, row, "main_ops") or (("",),)
        reading.primary |= {(key, code) for key in keys for part in ops for code in part}
    else:
        getattr(reading, listed).update(keys)


def _diagnoses(reading: Reading, row: int) -> list[str]:
    keys = [key for key in dx_key(reading.cell(row, "dx_key")).split("|") if key]
    if not keys:
        reading.note("SE52", row, "dx_key", field="dx_key")
    for key in keys:
        if not is_dx_key(key):
            reading.note("SE74", row, "dx_key", text=key)
    return keys


def _excluded_operation(reading: Reading, row: int) -> None:
    ops = operations_of(reading, row, "main_ops")
    if not ops:
        reading.note("SE52", row, "main_ops", field="main_ops")
    if reading.dialect.treatments:
        exclusion = _treatment(reading, row)
    else:
        said, _ = read_patterns(reading, row)
        exclusion = _said(said)
    if exclusion is not None:
        reading.excluded_ops |= {code: exclusion for part in ops for code in part}


def _said(said: Mapping[str, str]) -> Exclusion:
    scope = tuple(said["scope"].split("|")) if "scope" in said else ()
    return Exclusion(said.get("exclusion", ""), scope)


def _treatment(reading: Reading, row: int) -> Exclusion | None:
    """What the remark says is done with an operation; SE58 for one that is not understood."""
    text = dx_key(reading.cell(row, "remark"))
    for one in reading.dialect.treatments:
        if not one.pattern.search(text):
            continue
        if one.exclusion != "scope":
            return Exclusion(one.exclusion)
        named = tuple(re.sub("[~～—]", "-", code) for code in _CODES.findall(text))
        if not named:
            known = "|".join(reading.dialect.scope)
            reading.note("SW74", row, "remark", text=text, known=known)
        return Exclusion("scope", named or reading.dialect.scope)
    reading.note("SE58", row, "remark", text=text)
    return None
