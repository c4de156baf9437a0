"""The rule language of the official workbook -> conditions of ours.

A rule tests codes (`ZYZD` principal diagnosis, `QTZD` other diagnoses, `ZYSS` main procedure,
`QTSS` other procedures) against sets, and numbers (`NL` age, `XB` sex, `XSRTL` newborn days,
`XSRTZ` newborn weight) against numbers. An empty rule and a bare `1` mean always. What stands
outside this is an error at its character; nothing is guessed.

Source: the rules of CHS-DRG 3.0 (医保发〔2026〕22号); meaning `published`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, NamedTuple, NoReturn

from grouper.scheme.condition import (
    TRUE,
    And,
    Codes,
    Compare,
    Condition,
    Field,
    Flag,
    FlagName,
    Hits,
    Member,
    Not,
    Number,
    NumberName,
    Or,
    RelOp,
    Term,
    nearest,
)
from grouper.scheme.model import CodeKind
from grouper.sheet import half_width

_CODES: Mapping[frozenset[str], Codes] = {
    frozenset({"ZYZD"}): "main_dx",
    frozenset({"QTZD"}): "other_dx",
    frozenset({"ZYZD", "QTZD"}): "any_dx",
    frozenset({"ZYSS"}): "main_px",
    frozenset({"QTSS"}): "other_px",
    frozenset({"ZYSS", "QTSS"}): "any_px",
}
_CODE_FIELDS = ("ZYZD", "QTZD", "ZYSS", "QTSS")
_NUMBERS: Mapping[str, NumberName] = {
    "NL": "age",
    "XB": "sex",
    "XSRTL": "age_days",
    "XSRTZ": "weight",
}
#: sets without rows: complications that the principal diagnosis does not exclude
_FLAGS: Mapping[str, FlagName] = {"MCC": "mcc", "CC": "cc"}
_OPS: Mapping[str, RelOp] = {"=": "==", "==": "==", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_WORDS = ("AND", "OR", "NOT", "IN", "LENGTH")
_TOKEN = re.compile(
    r"(?P<blank>\s+)|(?P<name>[A-Za-z_]\w*)|(?P<number>\d+(?:\.\d+)?)|(?P<sign>[<>=]=?|[(){},∩])"
)
#: signs of Chinese keyboards that `half_width` does not know; a backslash continues the line
_SIGNS = str.maketrans({"≤": "<=", "≥": ">=", "\\": " "})
_DEPTH = 100
#: what may stand at a place, for messages
_ANY_FIELD = " ".join(_CODE_FIELDS)
_ANY_SET = "DI_..., OP_..."
_ANY_TERM = f"{_ANY_FIELD} {' '.join(_NUMBERS)} length( 1"

RuleProblem = Literal[
    "character", "end", "expected", "name", "set", "fields", "flag", "kind", "constant", "deep"
]


class RuleError(ValueError):
    """Text that is not a rule.

    problem: a phrase of SE32; at: the 1-based character; word: what stands there; near: the known
    word closest to it; expected: what should stand there.
    """

    def __init__(
        self, problem: RuleProblem, at: int, *, word: str = "", near: str = "", expected: str = ""
    ) -> None:
        self.problem = problem
        self.at = at
        self.word = word
        self.near = near
        self.expected = expected
        super().__init__(f"{problem} at {at}: {word}")


class _Token(NamedTuple):
    """`word` is the text in capitals: names and key words count in any letter case."""

    kind: str
    text: str
    at: int
    word: str


def translate(text: str, kinds: Mapping[str, CodeKind]) -> Condition:
    """The condition that a rule denotes; `kinds` are the sets of the workbook with their kinds.

    Raises RuleError.
    """
    if not text:
        return TRUE
    return _Parser(_tokens(text), kinds).rule()


def _tokens(text: str) -> list[_Token]:
    text = half_width(text).translate(_SIGNS)
    tokens: list[_Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise RuleError("character", position + 1, word=text[position])
        if match.lastgroup != "blank":
            found = match.group()
            tokens.append(_Token(str(match.lastgroup), found, position + 1, found.upper()))
        position = match.end()
    tokens.append(_Token("end", "", len(text) + 1, ""))
    return tokens


class _Parser:
    """Recursive descent; `or` binds weakest, then `and`, then `not`."""

    def __init__(self, tokens: list[_Token], kinds: Mapping[str, CodeKind]) -> None:
        self.tokens = tokens
        self.kinds = kinds
        self.next = 0
        self.depth = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.next]

    def rule(self) -> Condition:
        found = self.any_of()
        if self.token.kind != "end":
            self.fail("and / or")
        return found

    def any_of(self) -> Condition:
        self.depth += 1
        if self.depth > _DEPTH:
            raise RuleError("deep", self.token.at)
        operands = [self.all_of()]
        while self.takes("OR"):
            operands.append(self.all_of())
        self.depth -= 1
        return joined(Or, operands)

    def all_of(self) -> Condition:
        operands = [self.negated()]
        while self.takes("AND"):
            operands.append(self.negated())
        return joined(And, operands)

    def negated(self) -> Condition:
        negations = 0
        while self.takes("NOT"):
            negations += 1
        found = self.atom()
        return Not(found) if negations % 2 else found

    def atom(self) -> Condition:
        if self.takes("("):
            inner = self.any_of()
            self.expect(")")
            return inner
        if self.token.text == "{" or self.token.word in _CODE_FIELDS:
            return self.membership()
        if self.token.text == "1" and self.tokens[self.next + 1].text not in _OPS:
            self.next += 1
            return TRUE
        return self.comparison()

    def membership(self) -> Condition:
        codes = self.fields()
        is_negated = self.takes("NOT")
        self.expect("IN")
        members = [self.member(codes, name) for name in self.names(_ANY_SET)]
        found = joined(Or, members)
        return Not(found) if is_negated else found

    def member(self, codes: Codes, name: _Token) -> Condition:
        if name.word in _FLAGS:
            if codes != "other_dx":
                raise RuleError("flag", name.at, word=name.text)
            return Flag(_FLAGS[name.word])
        self.check_set(codes, name)
        return Member(codes, name.word)

    def check_set(self, codes: Codes, name: _Token) -> None:
        kind = self.kinds.get(name.word)
        if kind is None:
            near = nearest(name.word, [*self.kinds, *_FLAGS])
            raise RuleError("set", name.at, word=name.text, near=near)
        if not codes.endswith(kind):
            raise RuleError("kind", name.at, word=name.text)

    def fields(self) -> Codes:
        """`ZYSS`, or several fields of one kind in braces."""
        first = self.token
        names = self.names(_ANY_FIELD)
        for name in names:
            if name.word not in _CODE_FIELDS:
                self.unknown(name)
        codes = _CODES.get(frozenset(name.word for name in names))
        if codes is None:
            raise RuleError("fields", first.at, word=", ".join(name.text for name in names))
        return codes

    def names(self, expected: str) -> list[_Token]:
        """One name, or several in braces."""
        if not self.takes("{"):
            return [self.name(expected)]
        found = [self.name(expected)]
        while self.takes(","):
            found.append(self.name(expected))
        self.expect("}")
        return found

    def name(self, expected: str) -> _Token:
        token = self.token
        if token.kind != "name" or token.word in _WORDS:
            self.fail(expected)
        self.next += 1
        return token

    def comparison(self) -> Condition:
        start = self.token
        terms = [self.term()]
        ops: list[RelOp] = []
        while self.token.text in _OPS:
            ops.append(_OPS[self.token.text])
            self.next += 1
            terms.append(self.term())
        if not ops:
            self.fail("< <= > >= =")
        if all(isinstance(term, Number) for term in terms):
            raise RuleError("constant", start.at, word=start.text)
        return Compare(tuple(terms), tuple(ops))

    def term(self) -> Term:
        token = self.token
        if token.kind == "number":
            self.next += 1
            return Number(Decimal(token.text))
        if token.word in _NUMBERS:
            self.next += 1
            return Field(_NUMBERS[token.word])
        if self.takes("LENGTH"):
            return self.hits()
        if token.kind == "name" and token.word not in (*_WORDS, *_CODE_FIELDS):
            self.unknown(token)
        self.fail(_ANY_TERM)

    def hits(self) -> Hits:
        """`length(S ∩ {ZYSS, QTSS})`, either side first: distinct codes of the record in S."""
        self.expect("(")
        name = self.name(_ANY_SET) if self.token.text != "{" else None
        if name is not None:
            self.expect("∩")
        codes = self.fields()
        if name is None:
            self.expect("∩")
            name = self.name(_ANY_SET)
        self.expect(")")
        self.check_set(codes, name)
        return Hits(codes, name.word)

    def takes(self, word: str) -> bool:
        """Whether the next token is this word or sign; it is passed if so."""
        if self.token.word != word:
            return False
        self.next += 1
        return True

    def expect(self, word: str) -> None:
        if not self.takes(word):
            self.fail(word.lower())

    def unknown(self, token: _Token) -> NoReturn:
        near = nearest(token.word, [*_CODE_FIELDS, *_NUMBERS])
        raise RuleError("name", token.at, word=token.text, near=near)

    def fail(self, expected: str) -> NoReturn:
        """Something else was expected here."""
        problem: RuleProblem = "end" if self.token.kind == "end" else "expected"
        raise RuleError(problem, self.token.at, word=self.token.text, expected=expected)


def joined(kind: type[And | Or], operands: list[Condition]) -> Condition:
    """Operands under `and` or `or`, nested ones of the same kind kept flat; one stands alone."""
    flat: list[Condition] = []
    for operand in operands:
        flat.extend(operand.operands if isinstance(operand, kind) else (operand,))
    return flat[0] if len(flat) == 1 else kind(tuple(flat))
