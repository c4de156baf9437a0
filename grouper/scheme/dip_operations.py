"""Operations a group asks for: text of a catalogue -> OR of AND, never evaluated.

`a|b` or `a/b`: one of them; `a+b`, `a,b` or, inside a group code, `a_b`: all. AND binds tighter,
except where a dialect says `and_of_or`: then `a/b+c` is (a or b) and c.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Literal

from grouper.sheet import half_width

#: alternatives, each the operations that are all needed; () asks for nothing
Expression = tuple[tuple[str, ...], ...]
Form = Literal["or_of_and", "and_of_or"]

_OPERATION = re.compile(r"\d\d\.\d[0-9A-Z]*", re.ASCII)
#: more alternatives than any catalogue has
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Syntax:
    """How a dialect joins operations: signs for any one and for all, and which binds tighter."""

    any: tuple[str, ...] = ("|", "/")
    all: tuple[str, ...] = ("+", ",")
    form: Form = "or_of_and"


#: inside a group code `_` joins main and related operations
IN_CODES = Syntax(all=("+", ",", "_"))


@lru_cache(maxsize=1 << 16)
def operation(text: str) -> str:
    """An operation code as catalogues are compared: half width, upper case, no blanks."""
    return "".join(half_width(text).split()).upper()


def is_operation(token: str) -> bool:
    """Whether a token looks like a code of an operation."""
    return bool(_OPERATION.fullmatch(token))


def parse_operations(text: str, syntax: Syntax) -> Expression:
    """The expression that a cell holds. Raises ValueError for one too large to spell out."""
    text = operation(text.replace("，", ",").replace("、", ","))
    if not text:
        return ()
    outer, inner = (
        (syntax.any, syntax.all) if syntax.form == "or_of_and" else (syntax.all, syntax.any)
    )
    parts = [_split(part, inner) for part in _split(text, outer)]
    if syntax.form == "or_of_and":
        return _distinct(parts)
    count = 1
    for part in parts:
        count *= len(part)
    if count > _MOST:
        raise ValueError(text)
    return _distinct(product(*parts))


def tokens(expression: Expression) -> tuple[str, ...]:
    """Every operation an expression names, once each, in order."""
    return tuple(dict.fromkeys(code for part in expression for code in part))


def hits(token: str, code: str, match: str) -> bool:
    """Whether an operation of a case is the one of the catalogue.

    match: `exact`; `prefix` (a short token stands for all codes that begin with it); `v30`, where
    a base code stands for its extensions, and an extension is hit by itself and its bare base only.
    """
    if token == code:
        return True
    if match == "prefix":
        return len(token) < _WHOLE and code.startswith(token)
    if match == "v30":
        base, extension = _parts(token)
        other, has = _parts(code)
        return base == other and (not extension or not has)
    return False


#: characters of a code without extension, `45.2300`
_WHOLE = 7


def _parts(code: str) -> tuple[str, str]:
    """Base and extension of a code: `99.2800X005` -> `99.2800`, `X005`."""
    return code[:_WHOLE], code[_WHOLE:]


def _split(text: str, signs: Iterable[str]) -> list[str]:
    for sign in signs:
        text = text.replace(sign, "\n")
    return [part for part in text.split("\n") if part]


def _distinct(parts: Iterable[Iterable[str]]) -> Expression:
    """Alternatives without repetitions, in order."""
    spelled = (tuple(dict.fromkeys(part)) for part in parts)
    return tuple(dict.fromkeys(part for part in spelled if part))
