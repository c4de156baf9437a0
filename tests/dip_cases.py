"""Cases for DIP, and catalogues and rules invented over the whole grammar."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random

import numpy as np
from dip_catalogues import real
from hypothesis import strategies as st

from grouper.engine.dip_reference import DipCase, DipReference
from grouper.engine.dip_ties import TieFigures
from grouper.records.batch import MISSING, CaseBatch, CodeColumn
from grouper.scheme.dip import CLASSES, KINDS, LAYERS, Catalogue, CatalogueRow, Exclusion
from grouper.scheme.dip_operations import tokens
from grouper.scheme.dip_preset import CLASS_WORDS, ENDS, STEPS, Layer, Layers, Preset

CORE = [row for row in real().catalogue.rows if row.kind == "core"]
OPERATIONS = sorted({t for row in CORE for t in tokens(row.operations)})[::9]
COSTS = st.none() | st.integers(10_000, 9_000_000).map(lambda fen: Decimal(fen) / 100)


@st.composite
def dip_cases(draw: st.DrawFn) -> DipCase:
    """The own case of a core row, of a comprehensive one or of none, with other operations."""
    row = draw(st.sampled_from(CORE))
    others = [r for r in CORE if r.dx_keys == row.dx_keys and r.operations]
    near = sorted({t for r in others for t in tokens(r.operations)})
    pool = st.sampled_from(near or OPERATIONS) | st.sampled_from(OPERATIONS)
    px = draw(st.permutations([*tokens(row.operations), *draw(st.lists(pool, max_size=3))]))
    dx = row.dx_keys[0] + ("" if len(row.dx_keys[0]) > 5 else "00")
    return DipCase((dx.replace("X", "x"),), tuple(px), draw(COSTS))


def batch_of(some: Sequence[DipCase]) -> CaseBatch:
    n = len(some)
    numbers = {
        name: np.full(n, MISSING, np.int32) for name in ("age_years", "los_days", "icu_hours")
    }
    return CaseBatch(
        dx=CodeColumn.from_lists([case.dx for case in some]),
        px=CodeColumn.from_lists([case.px for case in some]),
        sex=np.zeros(n, np.uint8),
        age_days=np.array([_or_missing(c.age_days) for c in some], np.int32),
        admission_weight=np.array(
            [MISSING if c.weight is None else int(c.weight * 1000) for c in some], np.int32
        ),
        discharge_disposition=np.zeros(n, np.uint8),
        reject=np.zeros(n, np.uint16),
        total_cost_fen=np.array(
            [-(2**63) if c.cost is None else int(c.cost * 100) for c in some], np.int64
        ),
        **numbers,
    )


def _or_missing(value: int | None) -> int:
    return MISSING if value is None else value


# --- spellings

_WAYS = (
    str, str, str, str.lower, lambda c: f" {c}", lambda c: c.replace(".", "．"),
    lambda c: f"{c}9", lambda c: c[:5], lambda c: "", lambda c: " ",
)  # fmt: skip


def dirtied(case: DipCase, rng: Random) -> DipCase:
    """A case with its codes in other letters, with blanks, full width, repeated or unknown."""
    dx = [rng.choice(_WAYS)(code) for code in case.dx]
    px = [rng.choice(_WAYS)(code) for code in case.px]
    px += rng.choices([*px, "", " ", "99.9999", "00.0000x001"], k=rng.randrange(4))
    others = rng.choices(["I10.x00", "", "C50.900", "U84.300"], k=rng.randrange(3))
    return DipCase((*dx, *others), tuple(px), case.cost, case.age_days, case.weight)


# --- invented catalogues: few codes, so that rows compete. By a seed: draws of Hypothesis are small
# and plain, and hardly ever give two rows that fit one case.

_DX = ("A15.0", "A15", "A16.X", "B20.1", "B20")
_KEYS = (
    *_DX,
    "A15.0",
    "A15",
    "A15.0",
    "A15",
    "B20",
    "A",
    "A15-A16",
    "A00-B99",
    "*",
    "A15.000",
    "B20.100X001",
)
_PX = ("45.2", "45.2300", "45.2300X001", "45.2300X002", "06.3100", "99.2800X005", "99.2800")
_CASE_PX = (*_PX, *_PX, "45.2301", "99.9999", "06.3100X003")
_SETS = ((), (), ("C00-C75",), ("U84.3", "C81"), ("*",))
_OWN_DX = (
    "A15.000",
    "A15.002",
    "A15.000",
    "A15.001",
    "A16.x00",
    "A16.X00",
    "B20.100x001",
    "B20.900",
    "A15.900",
    "C99.900",
)
_OTHER_DX = ("C50.900", "C81.000", "U84.300", "I10.x00")


def _expression(rng: Random, least: int = 0) -> tuple[tuple[str, ...], ...]:
    parts = (
        tuple(dict.fromkeys(rng.choices(_PX, k=rng.choice((1, 1, 1, 2)))))
        for _ in range(rng.choice((least, 1, 1, 2, 3)))
    )
    return tuple(dict.fromkeys(parts))


def _row(rng: Random, number: int, *, layered: bool) -> CatalogueRow:
    kind = rng.choice(("core", "core", "core", "core", *KINDS))
    wide = kind in ("comprehensive", "default")
    layer = rng.choice(("", *LAYERS, *LAYERS)) if layered and kind in ("core", "primary") else ""
    keys = tuple(dict.fromkeys(rng.choices(_KEYS, k=rng.choice((1, 1, 2)))))
    asks = layer and rng.random() < 0.5
    grams = (None, 500, 999, 1000, 1500)
    main = () if wide else _expression(rng)
    return CatalogueRow(
        # spelled in either letter case, as catalogues print C56.x and C56.X
        code=f"{keys[0].replace('X', 'x') if main else keys[0]}:{number}",
        name="",
        kind=kind,
        where="",
        dx_keys=() if kind == "blank" else keys,
        layer=layer,
        cls=rng.choice(CLASSES) if wide else "",
        main=main,
        related=() if wide or rng.random() < 0.8 else _expression(rng),
        other_dx=rng.choice(_SETS) if asks else (),
        age_days_below=rng.choice((None, 0, 10, 40)) if asks else None,
        weight_lo=rng.choice(grams) if asks else None,
        weight_hi=rng.choice(grams) if asks else None,
        resistant=rng.choice(("", "yes", "no")) if asks else "",
    )


def invented_catalogue(rng: Random) -> Catalogue:
    """A catalogue of few rows over few codes, of either form."""
    layered = rng.random() < 0.4
    problems, scopes = ("conservative", "not_main", "scope"), (("A15-A16",), ("B20", "D01"), ())
    excluded = {
        op: Exclusion(rng.choice(problems), rng.choice(scopes))
        for op in rng.choices(_CASE_PX, k=rng.randrange(4))
    }
    marks = [(rng.choice(_DX), rng.choice((*_PX, "", ""))) for _ in range(rng.randrange(12))]
    numbers = rng.sample(range(30), rng.randrange(1, 25))
    return Catalogue(
        id="invented",
        title="",
        file="",
        digest="",
        confidence="constructed",
        rows=tuple(_row(rng, number, layered=layered) for number in numbers),
        excluded_dx=frozenset(("A15.900",) if rng.random() < 0.5 else ()),
        excluded_ops=excluded if layered else {},
        primary=frozenset(marks if layered else ()),
        resistant_dx=frozenset(("A15.001", "A16.X", "B20")[: numbers[0] % 4]),
    )


def invented_preset(rng: Random) -> Preset:
    """Any choice of options; some leave ties."""
    steps = [step for step in STEPS if step not in ENDS]
    end = rng.choice(ENDS) if rng.random() < 0.97 else ""
    ways = rng.sample(("letter", "blank", "chapter"), rng.randrange(4))
    return Preset(
        id="invented",
        title="",
        source="",
        confidence="constructed",
        tie=tuple(filter(None, (*rng.sample(steps, rng.randrange(6)), end))),
        fallback=tuple(ways),
        op_class_of_case=rng.choice(("main", "highest")),
        core_vs_comp=rng.choice(("core_first", "by_class", "unmatched_surgery")),
        conservative_def=rng.choice(("none", "class")),
        ext_match=rng.choice(("exact", "prefix", "v30")),
        interventional=rng.choice(("surgical", "therapeutic")),
        unlisted_class=rng.choice(CLASSES),
        excluded_ops=frozenset(rng.sample(_PX, rng.choice((0, 0, 1)))),
    )


def _invented_layers(rng: Random) -> Layers:
    prefer = ("longest_key", "with_related", "most_operations")
    return Layers(
        tuple(
            Layer(
                code,
                rng.choice(("anywhere", "main")),
                rng.choice(("any", "none")),
                rng.choice(("asked", "ignored")),
                (*rng.sample(prefer, rng.randrange(4)), "first"),
            )
            for code in rng.sample(LAYERS, 4)
        ),
        rng.choice(("exact", "prefix", "v30")),
        rng.choice(("code", "case")),
        ("U84.3",),
    )


def _figures(rng: Random, n: int) -> TieFigures:
    scores = (None, Decimal(100), Decimal("100.0"), Decimal(7), Decimal(8))
    means = (None, Decimal("1E+20"), Decimal("0.1234567890123"))
    return TieFigures(
        rng.choices(scores, k=n),
        [
            rng.choice(means) if rng.random() < 0.1 else Decimal(rng.randrange(1, 9_000_000)) / 1000
            for _ in range(n)
        ],
    )


def invented_reference(rng: Random) -> DipReference:
    """A catalogue, rules and classes."""
    classes = {op: rng.choice(CLASS_WORDS) for op in _CASE_PX if rng.random() < 0.8}
    of = invented_catalogue(rng)
    layers, figures = _invented_layers(rng), _figures(rng, len(of.rows))
    return DipReference(of, invented_preset(rng), classes, layers, figures)


def invented_case(rng: Random) -> DipCase:
    """A case of the codes that invented catalogues have, and of some more."""
    costs = (None, Decimal("90071992547409.91"), Decimal(rng.randrange(100, 900_000)) / 100)
    return DipCase(
        (rng.choice(_OWN_DX), *rng.choices(_OTHER_DX, k=rng.randrange(3))),
        tuple(rng.choices(_CASE_PX, k=rng.choice((0, 1, 2, 3, 4, 5)))),
        rng.choice((*costs, costs[-1], costs[-1])),
        rng.choice((None, 0, 9, 10, 41)),
        rng.choice((None, Decimal(499), Decimal("999.5"), Decimal(1000), Decimal(2500))),
    )
