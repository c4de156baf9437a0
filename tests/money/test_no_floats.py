"""No float touches money: the modules that hold money are read for anything that makes one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import grouper
import weights

#: what is installed: the tests may run far from the sources
GROUPER, WEIGHTS = (Path(str(package.__file__)).parent for package in (grouper, weights))
MONEY_PATHS = [
    GROUPER / "money.py",
    *sorted((GROUPER / "settle").glob("*.py")),
    *sorted((GROUPER / "policy").glob("*.py")),
    *(
        WEIGHTS / f"{name}.py"
        for name in (
            "table", "load", "lookup", "cells", "convert", "proof", "rates", "calculate_rates",
            "inputs", "head", "write",
        )
    ),
]  # fmt: skip
#: likeness of spellings, where a mistyped name is answered with near ones
NO_MONEY = {
    "policy/model.py": {"literal 0.1"},
    "weights/table.py": {"literal 0.5"},
    "weights/lookup.py": {"float"},
}
_FLOATING = ("float16", "float32", "float64", "double", "true_divide", "average")
_DTYPES = ("f2", "f4", "f8", "<f4", "<f8", ">f8", "float", "float16", "float32", "float64", "d")


def floats(source: str) -> list[tuple[int, str]]:
    """(line, what) of everything in a source that is a float or makes one.

    Whole fen divided by `/` are found by the type checker: no annotation of an amount takes a
    float. Here only what is an int by its form is looked at.
    """
    lines = source.splitlines()
    found = [
        (node.lineno, what) for node in ast.walk(ast.parse(source)) for what in _kinds(node, lines)
    ]
    return sorted(found)


def _kinds(node: ast.AST, lines: list[str]) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
        yield f"literal {node.value}"
    if isinstance(node, ast.Name) and node.id == "float":
        yield "float"
    if isinstance(node, ast.Attribute) and node.attr in _FLOATING:
        yield f".{node.attr}"
    if isinstance(node, ast.Constant) and node.value in _DTYPES:
        line = lines[node.lineno - 1]
        if any(word in line for word in ("dtype", "astype", "np.")):
            yield f"dtype {node.value}"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and _is_int(node.left, node):
        yield f"division {ast.unparse(node)}"


def _is_int(node: ast.expr, whole: ast.BinOp) -> bool:
    """Whether a numerator is an int, or an array of ints, by its form.

    A literal over a name may be exact: 1 / Fraction.
    """
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int) and isinstance(whole.right, ast.Constant)
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        # the sum that starts at a Fraction is one
        exact = "Fraction" in ast.unparse(node)
        return name in ("int", "len", "sum", "total", "count_nonzero") and not exact
    return False


@pytest.mark.parametrize("path", MONEY_PATHS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_float_on_a_money_path(path):
    name = f"{path.parent.name}/{path.name}"
    found = {what for _, what in floats(path.read_text("utf-8"))}
    assert found <= NO_MONEY.get(name, set())


@pytest.mark.parametrize(
    "planted",
    [
        "rate = 0.05",
        "x = float(y)",
        "def f(x: float) -> int: ...",
        "a = np.zeros(3, np.float64)",
        "a = b.astype('f8')",
        "a = np.zeros(3, dtype='float64')",
        "m = total(x) / n",
        "m = len(rows) / 3",
        "m = 1 / 3",
        "m = payable_fen.sum() / n",
    ],
)
def test_a_planted_float_is_found(planted):
    source = (GROUPER / "settle" / "fund.py").read_text("utf-8")
    assert floats(source) == []
    assert len(floats(f"{source}\n{planted}\n")) >= 1


@pytest.mark.parametrize(
    "sound", ["m = Fraction(fen, 100)", "p = folder / name", "r = cost / basis.base", "q = n // 2"]
)
def test_exact_arithmetic_and_paths_are_left_alone(sound):
    assert floats(sound) == []


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("def f(payable_fen: int) -> int: return payable_fen / 100", True),
        ("def f(payable_fen: int) -> int: return payable_fen // 100", False),
        ("def f(payable_fen: int, ratio: Fraction) -> Fraction: return payable_fen / ratio", False),
    ],
)
def test_the_type_checker_refuses_a_quotient_of_whole_fen(line, refused):
    api = pytest.importorskip("mypy.api")
    said, _, code = api.run(
        ["--config-file=", "--strict", "-c", f"from fractions import Fraction\n{line}"]
    )
    assert (code != 0) == refused, said
