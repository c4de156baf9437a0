"""A map broken in any place ends in a message, never in a traceback."""

from __future__ import annotations

import copy
import random
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import weights
from grouper.datafile import parse_toml, read_toml
from grouper.errors import GrouperError, Lang
from grouper.sheet import Grid
from weights.mapfile import read_keys
from weights.words import data_folder

EVERY_KEY = """
format = 1
sheet = {name = "S*", header_rows = 1, parts = {x = "A:L"}}
wide = [{level = {a = "b"}, insurance = ["职工"], standard = "s{level}", only = {q = "r"}}]
extract = [{column = "r", match = "(?P<condition>a)(?P<weight>1)"}]
correct = [{group = "A", column = "w", from = "1", to = "", why = "x"}]
[table]
id = "t"
title = "a"
scheme = "s"
area = "1"
valid_from = 2025-01-01
source = "s"
confidence = "published"
proof = {formula = "p v c", within = 0.1}
[rows]
only = {a = "x"}
except = {b = ["y"]}
fill_down = ["a"]
stop = "z"
group_pattern = "."
[columns]
group = {column = "g", match = "^(A)(B)?", values = {a = "b"}}
weight = {column = ["w", "x"], unit = "%", decimals = 3, empty = ["0"], default = 1}
flag = {column = "f", yes = ["是"]}
class = "f"
insurance = "@sheet"
name = "@B"
"""
JUNK: list[Any] = [
    0,
    -1,
    True,
    Decimal("1.5"),
    "",
    "x",
    "@Z",
    "@1",
    "(",
    "{level}",
    date(2025, 1, 1),
]
JUNK += [[], ["a"], [1], [[]], [{}], {}, {"a": 1}, {"column": "weight"}]
LANGS: tuple[Lang, ...] = ("zh", "en")
CELLS = ["AA19", "权重", "1.5", "x", "", "注：", "——", "0", "-1", "1e999", "９", "%", "5%", "1,000"]
HEADERS = ("group", "name", "weight", "standard", "class", "remark", "g", "w", "f", "a", "b", "r")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if not isinstance(value, dict | list):
        return
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, key)
        yield from places(inner, (*path, key))


def broken(keys: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    keys = copy.deepcopy(keys)
    *way, last = rng.choice(list(places(keys)))
    inner: Any = keys
    for key in way:
        inner = inner[key]
    if rng.random() < 0.2:
        del inner[last]
    else:
        inner[last] = rng.choice(JUNK)
    return keys


def test_every_broken_map_has_its_message():
    rng = random.Random(13)
    maps = [read_toml(path) for path in sorted((data_folder() / "maps").glob("*.toml"))]
    maps += [parse_toml(EVERY_KEY.encode(), "every key")] * 12
    seen: Counter[str] = Counter()
    silent: list[str] = []
    for _ in range(2000):
        keys = broken(rng.choice(maps), rng)
        rows = [HEADERS, *(tuple(rng.choices(CELLS, k=len(HEADERS))) for _ in range(3))]
        grid = Grid("f.csv", "S1", tuple(rows), tuple(range(1, 5)))
        try:
            made = weights.convert([grid], read_keys(keys, "map"))
            weights.check(made.table, scheme_groups=["AA19"])
            seen["made"] += 1
        except GrouperError as error:
            silent += [lang for lang in LANGS if not error.text(lang)]
            seen[error.issues[0].code] += 1
    assert not silent
    assert {"WT106", "WT116", "WT117", "WT119", "WT103"} <= set(seen)
