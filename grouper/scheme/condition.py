"""The language of the `when` columns: parse, print, and the names it may use.

A strict subset of Python's expression syntax: `ast` parses it, this module walks the tree and
accepts only what the grammar names. Nothing is ever evaluated by Python.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args

Codes = Literal["main_dx", "other_dx", "any_dx", "main_px", "other_px", "any_px"]
NumberName = Literal["age", "age_days", "weight", "los", "icu_hours", "sex", "leaving"]
FlagName = Literal["mcc", "cc"]
RelOp = Literal["<", "<=", ">", ">=", "=="]

CODES: tuple[Codes, ...] = get_args(Codes)
NUMBER_NAMES: tuple[NumberName, ...] = get_args(NumberName)
FLAGS: tuple[FlagName, ...] = get_args(FlagName)
FUNCTIONS = ("sites", "hits")
_OPS: dict[type[ast.cmpop], RelOp] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
}


@dataclass(frozen=True, slots=True)
class Constant:
    """`True` or `False`."""

    value: bool


@dataclass(frozen=True, slots=True)
class Flag:
    """`mcc` or `cc`: some other diagnosis is one that the principal does not exclude."""

    name: FlagName


@dataclass(frozen=True, slots=True)
class Member:
    """`main_dx in L` and its kin."""

    codes: Codes
    list_name: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class Field:
    """A number of the record, such as `age`; may be missing."""

    name: NumberName


@dataclass(frozen=True, slots=True)
class Sites:
    """`sites(L1, ..., Ln)`: how many of the lists hold at least one diagnosis of the record."""

    lists: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hits:
    """`hits(codes, L)`: how many distinct codes of the record are in L."""

    codes: Codes
    list_name: str


Term = Number | Field | Sites | Hits


@dataclass(frozen=True, slots=True)
class Compare:
    """A chain `t0 op0 t1 op1 t2 ...`; false when any number in it is missing."""

    terms: tuple[Term, ...]
    ops: tuple[RelOp, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Two-valued negation."""

    operand: Condition


@dataclass(frozen=True, slots=True)
class And:
    """All operands hold; at least two, none of them an And."""

    operands: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one operand holds; at least two, none of them an Or."""

    operands: tuple[Condition, ...]


Condition = Constant | Flag | Member | Compare | Not | And | Or

TRUE = Constant(True)
FALSE = Constant(False)


class ConditionError(ValueError):
    """Text that is not a condition.

    `column` is the 1-based character in the text, `what` the problem in English, `near` the
    nearest known word or "". `kind` is `syntax` (outside the grammar) or `name` (unknown name or
    wrong arguments), which the linter reports under different ids.
    """

    def __init__(
        self, what: str, column: int, *, near: str = "", kind: Literal["syntax", "name"] = "syntax"
    ) -> None:
        self.what = what
        self.column = column
        self.near = near
        self.kind = kind
        super().__init__(f"column {column}: {what}" + (f" (nearest: {near})" if near else ""))


def nearest(word: str, known: Iterator[str] | tuple[str, ...] | list[str]) -> str:
    """The known word closest to `word`, or "" when none is close."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else ""


def parse(text: str) -> Condition:
    """The condition that `text` denotes. Raises ConditionError for anything outside the grammar."""
    if not text.strip():
        raise ConditionError("the condition is empty", 1)
    if not text.isascii():
        at = next(i for i, char in enumerate(text) if ord(char) > 127)
        raise ConditionError(f"character {text[at]!r} outside ASCII", at + 1)
    if "\\" in text or "#" in text or "\n" in text:
        at = next(i for i, char in enumerate(text) if char in "\\#\n")
        raise ConditionError(f"character {text[at]!r} is not part of the language", at + 1)
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        column = getattr(error, "offset", None) or 1
        raise ConditionError("not a valid expression", column) from None
    return _condition(tree.body, text)


#: deeper than any condition that can be meant; the interpreter's own limit differs from day to day
_DEEPEST = 200


def _condition(node: ast.expr, text: str, depth: int = 0) -> Condition:
    if depth > _DEEPEST:
        raise ConditionError("nested too deeply", 1)
    match node:
        case ast.BoolOp(op=operator, values=values):
            kind = And if isinstance(operator, ast.And) else Or
            operands: list[Condition] = []
            for value in values:
                operand = _condition(value, text, depth + 1)
                # `a and (b and c)` means `a and b and c`: kept flat, so it prints one way only
                operands.extend(operand.operands if isinstance(operand, kind) else (operand,))
            return kind(tuple(operands))
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return Not(_condition(inner, text, depth + 1))
        case ast.Constant(value=bool(value)):
            return Constant(value)
        case ast.Name(id=name) if name in FLAGS:
            return Flag(name)
        case ast.Name(id=name):
            known = (*FLAGS, *NUMBER_NAMES, *CODES, *FUNCTIONS)
            what = (
                f"{name!r} alone is not a condition" if name in known else f"unknown name {name!r}"
            )
            near = "" if name in known else nearest(name, known)
            raise ConditionError(what, node.col_offset + 1, near=near, kind="name")
        case ast.Compare(left=left, ops=[ast.In()], comparators=[right]):
            return _member(left, right)
        case ast.Compare():
            return _compare(node, text)
    raise ConditionError(
        f"{ast.get_source_segment(text, node)!r} is not part of the language", node.col_offset + 1
    )


def _member(left: ast.expr, right: ast.expr) -> Member:
    return Member(_codes(left), _list_name(right))


def _codes(node: ast.expr) -> Codes:
    if not isinstance(node, ast.Name):
        raise ConditionError(f"one of {', '.join(CODES)} expected", node.col_offset + 1)
    if node.id not in CODES:
        raise ConditionError(
            f"unknown codes {node.id!r}",
            node.col_offset + 1,
            near=nearest(node.id, CODES),
            kind="name",
        )
    return node.id


def _list_name(node: ast.expr) -> str:
    if not isinstance(node, ast.Name):
        raise ConditionError("the name of a list expected", node.col_offset + 1)
    if not node.id[0].isalpha():
        raise ConditionError(f"list name {node.id!r} must begin with a letter", node.col_offset + 1)
    return node.id


def _compare(node: ast.Compare, text: str) -> Compare:
    ops: list[RelOp] = []
    for op in node.ops:
        if type(op) not in _OPS:
            raise ConditionError(
                "only < <= > >= == and a single 'in' may compare", node.col_offset + 1
            )
        ops.append(_OPS[type(op)])
    terms = tuple(_term(part, text) for part in (node.left, *node.comparators))
    if all(isinstance(term, Number) for term in terms):
        raise ConditionError("a comparison of numbers only", node.col_offset + 1)
    return Compare(terms, tuple(ops))


def _term(node: ast.expr, text: str) -> Term:
    match node:
        case ast.Constant(value=value) if isinstance(value, int | float) and value is not True:
            written = ast.get_source_segment(text, node) or ""
            if value is False or not set(written) <= set("0123456789."):
                raise ConditionError(f"{written!r} is not a plain number", node.col_offset + 1)
            return Number(Decimal(written))
        case ast.Name(id=name) if name in NUMBER_NAMES:
            return Field(name)
        case ast.Name(id=name):
            raise ConditionError(
                f"unknown number {name!r}",
                node.col_offset + 1,
                near=nearest(name, NUMBER_NAMES),
                kind="name",
            )
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            return _call(node, name, args)
    raise ConditionError(
        f"{ast.get_source_segment(text, node)!r} is not part of the language", node.col_offset + 1
    )


def _call(node: ast.Call, name: str, args: list[ast.expr]) -> Sites | Hits:
    if name == "sites":
        if not args:
            raise ConditionError("sites() needs lists", node.col_offset + 1, kind="name")
        return Sites(tuple(_list_name(arg) for arg in args))
    if name == "hits":
        if len(args) != 2:
            raise ConditionError("hits(codes, list) needs both", node.col_offset + 1, kind="name")
        return Hits(_codes(args[0]), _list_name(args[1]))
    raise ConditionError(
        f"unknown function {name!r}",
        node.col_offset + 1,
        near=nearest(name, FUNCTIONS),
        kind="name",
    )


def to_text(condition: Condition) -> str:
    """The canonical spelling: single spaces, no redundant parentheses, operands in their order."""
    match condition:
        case Constant(value=value):
            return str(value)
        case Flag(name=name):
            return name
        case Member(codes=codes, list_name=name):
            return f"{codes} in {name}"
        case Compare(terms=terms, ops=ops):
            parts = [_term_text(terms[0])]
            for op, term in zip(ops, terms[1:], strict=True):
                parts += [op, _term_text(term)]
            return " ".join(parts)
        case Not(operand=inner):
            return f"not {_wrapped(inner, And | Or)}"
        case And(operands=operands):
            return " and ".join(_wrapped(part, Or) for part in operands)
        case Or(operands=operands):
            return " or ".join(to_text(part) for part in operands)


def _wrapped(condition: Condition, weaker: object) -> str:
    text = to_text(condition)
    return f"({text})" if isinstance(condition, weaker) else text  # type: ignore[arg-type]


def _term_text(term: Term) -> str:
    match term:
        case Number(value=value):
            return format(value, "f")  # never 1E-7, which is outside the grammar
        case Field(name=name):
            return name
        case Sites(lists=lists):
            return f"sites({', '.join(lists)})"
        case Hits(codes=codes, list_name=name):
            return f"hits({codes}, {name})"


def atoms(condition: Condition) -> Iterator[Flag | Member | Compare]:
    """The flags, memberships and comparisons of a condition, left to right."""
    match condition:
        case Flag() | Member() | Compare():
            yield condition
        case Not(operand=inner):
            yield from atoms(inner)
        case And(operands=operands) | Or(operands=operands):
            for operand in operands:
                yield from atoms(operand)


def list_uses(condition: Condition) -> Iterator[tuple[str, Literal["dx", "px"]]]:
    """Every list a condition names, with the kind of codes it is tested against."""
    for atom in atoms(condition):
        match atom:
            case Member(codes=codes, list_name=name):
                yield name, _kind(codes)
            case Compare(terms=terms):
                for term in terms:
                    if isinstance(term, Sites):
                        for name in term.lists:
                            yield name, "dx"
                    elif isinstance(term, Hits):
                        yield term.list_name, _kind(term.codes)


def _kind(codes: Codes) -> Literal["dx", "px"]:
    return "dx" if codes.endswith("dx") else "px"
