"""Codes of operations in a cell; what a spreadsheet or a copy from PDF lost comes back."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache

from grouper.codes.dictionary import load_dictionary, plain_number
from grouper.scheme.dip_operations import Expression, is_operation, operation, parse_operations
from grouper.scheme.dip_reading import Reading

_NUMBER = re.compile(r"\d{1,2}\.?\d{0,4}", re.ASCII)
#: characters before the dot of an operation
_BEFORE_DOT = 2


def operations_of(reading: Reading, row: int, name: str) -> Expression:
    """The operations of a cell; SE56 for what is no code, SW60 for what was repaired."""
    text = reading.cell(row, name)
    try:
        expression = parse_operations(text, reading.dialect.syntax)
    except ValueError:
        reading.note("SE56", row, name, text=text)
        return ()
    found = []
    for part in expression:
        codes = []
        for token in part:
            code = _repaired(token) if reading.dialect.short == "repaired" else token
            if not is_operation(code):
                reading.note("SE56", row, name, text=token)
            elif code != token:
                reading.note("SW60", row, name, text=token, code=code)
            codes.append(code)
        found.append(tuple(codes))
    return tuple(found)


def _repaired(token: str) -> str:
    """The one code that a token can only be: of `6.31` `06.3100`, of `786900X002` `78.6900X002`.

    Numbers lose zeros at both ends, copies from PDF lose dots. Where two codes fit, or none, the
    token stays.
    """
    known = known_operations()
    if token in known:
        return token
    if _NUMBER.fullmatch(token):
        number = load_dictionary().px.by_number.get(plain_number(Decimal(token)))
        if number is not None:
            return number
    dotted = f"{token[:_BEFORE_DOT]}.{token[_BEFORE_DOT:]}"
    fitting = [code for code in (f"0{token}", dotted) if code in known]
    return fitting[0] if len(fitting) == 1 else token


@cache
def known_operations() -> frozenset[str]:
    """Every operation of the dictionary, as catalogues are compared."""
    return frozenset(operation(code) for code in load_dictionary().px.codes)
