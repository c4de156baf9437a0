"""The statements of a month as one table: a row a statement, its lines as columns."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import csv, parquet

from grouper.errors import Lang
from grouper.money import yuan_decimal
from grouper.run.month import MonthRun
from grouper.settle.place import Place
from grouper.settle.statement import LINES, Statement

SUFFIXES = (".csv", ".tsv", ".parquet")
_MONEY = pa.decimal128(21, 2)


def statement_table(made: MonthRun, lang: Lang) -> pa.Table:
    """Key, lines M1 to M16 (yuan, decimal), what stands beside them, and what they rest on.

    In Chinese the columns have their titles, in English their ids.
    """
    statements = made.closed.statements
    columns: list[tuple[str, str, pa.Array]] = [
        ("area", "统筹区", _texts([one.area_id for one in statements])),
        ("month", "月份", _texts([one.month for one in statements])),
        ("hospital", "医疗机构代码", _texts([one.hospital for one in statements])),
        ("hospital_name", "医疗机构名称", _texts([one.hospital_name for one in statements])),
        ("insurance", "险种", _texts([_insurance(one, lang) for one in statements])),
        ("place", "参保地类别", _texts([Place[s.place.upper()].word(lang) for s in statements])),
    ]
    for line_id, (title, *_) in LINES.items():
        amounts = [one.line(line_id).amount_fen for one in statements]
        counted = pa.array(amounts, pa.int64()) if line_id == "M1" else _money(amounts)
        columns.append((line_id, f"{line_id} {title}", counted))
    left, due = [one.advance_left_fen for one in statements], made.due.isoformat()
    columns += [
        ("late_cases", "迟报病例数", pa.array([one.late_cases for one in statements], pa.int64())),
        ("advance_left", "预付金未抵余额", _money(left)),
        ("due", "拨付期限", _texts([due] * len(statements))),
        ("scheme", "分组方案", _texts([one.scheme_id for one in statements])),
        ("weight_table", "权重表", _texts([one.weight_table for one in statements])),
        ("confidence", "可信度", _texts([one.confidence for one in statements])),
    ]
    return pa.table({title if lang == "zh" else name: array for name, title, array in columns})


def table_file(table: pa.Table, path: Path) -> bytes:
    """The table in the form of a file's suffix (one of SUFFIXES)."""
    target = io.BytesIO()
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        parquet.write_table(table, target)
        return target.getvalue()
    # the mark makes spreadsheets read UTF-8
    target.write(b"\xef\xbb\xbf")
    options = csv.WriteOptions(delimiter="\t" if suffix == ".tsv" else ",", quoting_style="needed")
    csv.write_csv(table, target, options)
    return target.getvalue()


def _insurance(one: Statement, lang: Lang) -> str:
    return one.insurance_zh if lang == "zh" else one.insurance


def _texts(values: Sequence[str]) -> pa.Array:
    return pa.array(values, pa.string())


def _money(fen: Sequence[int]) -> pa.Array:
    return pa.array([yuan_decimal(one) for one in fen], _MONEY)
