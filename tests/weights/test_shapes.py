"""One table printed in any shape is the same table, once a map has told the shape."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import weights
from grouper.records.grids import read_grids
from weights.table import Facts

HEAD = """format = 1
[table]
id = "t"
title = "表"
title_en = "table"
scheme = "s"
area = "1"
valid_from = 2025-01-01
source = "s"
confidence = "constructed"
"""
LEVELS = ("三级", "二级", "一级")
INSURANCES = {"职工": "310", "居民": "390"}

AMOUNT = st.decimals("0.01", "99999.99", places=2)
WEIGHT = st.decimals("0.0001", "30", places=4)
CODE = st.from_regex(r"[A-Z]{2}[1-9][1359]", fullmatch=True)


@dataclass
class City:
    """Groups with a weight, and an amount for every level and insurance."""

    weights: dict[str, Decimal]
    amounts: dict[tuple[str, str, str], Decimal]


@st.composite
def cities(draw) -> City:
    groups = draw(st.lists(CODE, min_size=1, max_size=5, unique=True))
    keys = list(product(groups, LEVELS, INSURANCES))
    return City({group: draw(WEIGHT) for group in groups}, {key: draw(AMOUNT) for key in keys})


def wide(city: City, print_number):
    """One row a group, a column for each level and insurance, a header of one row."""
    pairs = list(product(LEVELS, INSURANCES))
    rows = [["DRG编码", "权重", *(f"支付标准（{a}{b}）" for a, b in pairs)]]
    rows += [
        [g, str(w), *(print_number(city.amounts[g, a, b]) for a, b in pairs)]
        for g, w in city.weights.items()
    ]
    block = (
        '[[wide]]\nlevel = ["三级", "二级", "一级"]\ninsurance = ["职工", "居民"]\n'
        'standard = "支付标准（{level}{insurance}）"\n'
    )
    return rows, '[columns]\ngroup = "DRG编码"\nweight = "权重"\n' + block, []


def tall_header(city: City, print_number):
    """The same under a header of three rows, whose cells are joined in a workbook."""
    rows, _, _ = wide(city, print_number)
    blank = [""] * 2
    top = [["DRG编码", "权重", "支付标准", *[""] * 5], [*blank]]
    for level in LEVELS:
        top[1] += [level, ""]
    top.append([*blank, *list(INSURANCES) * 3])
    block = (
        '[[wide]]\nlevel = ["三级", "二级", "一级"]\ninsurance = ["职工", "居民"]\n'
        'standard = "支付标准-{level}-{insurance}"\n'
    )
    merged = ["A1:A3", "B1:B3", "C1:H1", "C2:D2", "E2:F2", "G2:H2"]
    by = '[columns]\ngroup = "DRG编码"\nweight = "权重"\n' + block
    return top + rows[1:], by, merged


def long(city: City, print_number):
    """One row for each group, level and insurance; the code stands in the first of them only."""
    rows, merged = [["DRG编码", "等级", "险种", "权重", "支付标准"]], []
    for group, weight in city.weights.items():
        start = len(rows) + 1
        for level, insurance in product(LEVELS, INSURANCES):
            amount = print_number(city.amounts[group, level, insurance])
            code = group if len(rows) + 1 == start else ""
            rows.append([code, level, insurance, str(weight), amount])
        merged.append(f"A{start}:A{len(rows)}")
    by = '[rows]\nfill_down = ["DRG编码"]\n[columns]\ngroup = "DRG编码"\nlevel = "等级"\n'
    return rows, by + 'insurance = "险种"\nweight = "权重"\nstandard = "支付标准"\n', merged


def plain(number: Decimal) -> str:
    return str(number)


def thousands(number: Decimal) -> str:
    return f"{number:,}"


def in_yuan(number: Decimal) -> str:
    return f"￥{number:,}元"


def write(path: Path, rows, merged, title: bool, notes: bool, encoding: str) -> None:
    """The rows as CSV or workbook, with a title above and remarks below on request."""
    shift = 1 if title else 0
    above = [["某市病组支付标准表（2025年）"]] if title else []
    below = [["注：1. 本表自2025年起执行。"], ["2. 未列入的按项目付费。"]] if notes else []
    if path.suffix == ".csv":
        lines = [",".join(f'"{cell}"' for cell in row) for row in [*above, *rows, *below]]
        path.write_bytes(("\r\n".join(lines) + "\r\n").encode(encoding))
        return
    book = openpyxl.Workbook()
    for row in [*above, *rows, *below]:
        book.active.append([cell or None for cell in row])
    for area in merged:
        cells = book.active[area]
        top, bottom = cells[0][0].row + shift, cells[-1][-1].row + shift
        left, right = cells[0][0].column, cells[-1][-1].column
        book.active.merge_cells(start_row=top, end_row=bottom, start_column=left, end_column=right)
    book.save(path)


@pytest.mark.property
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    city=cities(),
    shape=st.sampled_from([wide, tall_header, long]),
    print_number=st.sampled_from([plain, thousands, in_yuan]),
    suffix=st.sampled_from([".csv", ".xlsx"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]),
    title=st.booleans(),
    notes=st.booleans(),
)
def test_the_shape_makes_no_difference(
    tmp_path, city, shape, print_number, suffix, encoding, title, notes
):
    rows, by, merged = shape(city, print_number)
    path, map_path = tmp_path / f"city{suffix}", tmp_path / "map.toml"
    write(path, rows, merged, title, notes, encoding)
    map_path.write_text(HEAD + by, "utf-8")
    table = weights.convert(read_grids(path), weights.read_map(map_path)).table
    assert set(table.group_codes) == set(city.weights)
    for (group, level, insurance), amount in city.amounts.items():
        facts = Facts(INSURANCES[insurance], level)
        assert table.find("standard", group, facts) == amount
        assert table.find("weight", group, facts) == city.weights[group]


def test_the_order_of_columns_and_rows_makes_no_difference(tmp_path):
    rng = random.Random(1)
    city = City(
        {f"A{letter}19": Decimal(n) for n, letter in enumerate("ABCDE", 1)},
        {(f"A{g}19", a, b): Decimal(1) for g in "ABCDE" for a in LEVELS for b in INSURANCES},
    )
    rows, by, _ = wide(city, plain)
    (tmp_path / "map.toml").write_text(HEAD + by, "utf-8")
    order = list(range(len(rows[0])))
    rng.shuffle(order)
    body = rows[1:]
    rng.shuffle(body)
    shuffled = [[row[at] for at in order] for row in [rows[0], *body]]
    tables = []
    for name, some in (("a.csv", rows), ("b.csv", shuffled)):
        write(tmp_path / name, some, [], False, False, "utf-8")
        read = weights.read_map(tmp_path / "map.toml")
        tables.append(weights.convert(read_grids(tmp_path / name), read).table)
    assert weights.diff(*tables) == ()
