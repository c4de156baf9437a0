"""A history of discharges -> a DIP catalogue: groups, scores, and where every case went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from grouper.engine.dip_directory import (
    Directory,
    DirectoryChoices,
    build_directory,
    threshold_of_share,
)
from grouper.errors import RunError
from grouper.records.batch import MISSING
from grouper.run.dip_history import KeyedCases
from grouper.scheme.dip_keys import Key, key_of
from grouper.scheme.dip_preset import Layers, Preset
from weights.dip_scores import (
    Inversion,
    ScoreChoices,
    Scores,
    inversions,
    printed,
    repaired,
    scores,
)
from weights.history import NO_YEAR, History, history

#: beside all groups
NO_GROUP = "no_group"
#: more cases than this in a group of the threshold is a slip of the pen
_MOST = 1_000_000_000

_Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BuildChoices:
    """What is chosen about a catalogue.

    share: instead of a threshold, the share of cases that core keys must cover; max_cv: of a
    comprehensive group, above which it is given up; repair: whether scores of the wrong order are
    pooled.
    """

    directory: DirectoryChoices = field(default_factory=DirectoryChoices)
    scores: ScoreChoices = field(default_factory=ScoreChoices)
    share: Fraction | None = None
    max_cv: Fraction | None = None
    repair: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """Where all rows went: kept + merged + the sum of dropped = rows.

    kept: in the core group of their own key; merged: in a wider group; dropped: by reason.
    """

    rows: int
    kept: int
    merged: int
    dropped: Mapping[str, int]

    @property
    def holds(self) -> bool:
        """Whether the parts add up to the whole."""
        return self.kept + self.merged + sum(self.dropped.values()) == self.rows


@dataclass(frozen=True, eq=False)
class Built:
    """A catalogue that was built.

    choices: with the threshold that was used; score: group -> exact score after any repair;
    inversions: found before it; group: (n,) int32, row of the directory of every case, -1 = none;
    mean_los: group -> mean days of the stays that are known, untrimmed.
    """

    choices: BuildChoices
    directory: Directory
    scores: Scores
    score: Mapping[str, Fraction]
    inversions: tuple[Inversion, ...]
    account: Account
    years: Mapping[int, tuple[int, int]]
    group: NDArray[np.int32]
    mean_los: Mapping[str, Fraction]

    def printed(self, code: str) -> Decimal:
        """The score of a group as it is published."""
        return printed(self.score[code])


def build(
    cases: KeyedCases,
    choices: BuildChoices,
    preset: Preset,
    classes: Mapping[str, str],
    layers: Layers,
) -> Built:
    """The catalogue that some cases make.

    Raises RunError RN146 for a threshold that no case can meet or that makes no sense, and what
    `weights.dip_scores.scores` raises.
    """
    of_key, fen = cases.of_keys()
    choices = _with_threshold(choices, of_key)
    without = choices.directory.without
    while True:
        wanted = replace(choices.directory, without=without)
        directory = build_directory(cases.keys, of_key, fen, wanted, preset, classes, layers)
        if not any(row.kind == "core" for row in directory.rows):
            least = int(of_key.max())
            raise RunError("RN146", threshold=choices.directory.threshold, most=least)
        group = directory.row.astype(np.int32)[cases.key]
        found = scores(_history(cases, directory, group), cases.of_years(), choices.scores)
        wild = _wild(directory, found, choices.max_cv)
        if not wild:
            break
        without |= wild
    milder = _milder(directory)
    score = {one.code: one.exact for one in found.groups}
    wrong = inversions(found, milder)
    if choices.repair and wrong:
        score = repaired(found, milder)
    account = _account(cases, directory, of_key)
    return Built(
        choices,
        directory,
        found,
        score,
        tuple(wrong),
        account,
        cases.of_years(),
        group,
        _stays(cases, directory, group),
    )


def _with_threshold(choices: BuildChoices, of_key: _Ints) -> BuildChoices:
    """The choices with a threshold in cases."""
    directory = choices.directory
    if choices.share is not None:
        if not 0 < choices.share <= 1:
            raise RunError("RN147", share=float(choices.share))
        found = threshold_of_share(of_key, choices.share)
        directory = replace(directory, threshold=found)
    asked = (directory.threshold, directory.comprehensive, directory.listed_threshold)
    for least in asked:
        if least is not None and not 1 <= least <= _MOST:
            raise RunError("RN146", threshold=least, most=int(of_key.max()))
    return replace(choices, directory=directory)


def _history(cases: KeyedCases, directory: Directory, group: NDArray[np.int32]) -> History:
    """The costs of the cases that have a group."""
    rows = group >= 0
    year = None if set(cases.of_years()) == {NO_YEAR} else cases.year[rows]
    codes = [row.code for row in directory.rows]
    return history(codes, group[rows], cases.fen[rows], adrgs=[""] * len(codes), year=year)


def _stays(
    cases: KeyedCases, directory: Directory, group: NDArray[np.int32]
) -> dict[str, Fraction]:
    """The mean stay of each group."""
    known = (group >= 0) & (cases.los != MISSING)
    counts, days = (np.zeros(len(directory.rows), np.int64) for _ in range(2))
    np.add.at(counts, group[known], 1)
    np.add.at(days, group[known], cases.los[known])
    both = zip(directory.rows, days.tolist(), counts.tolist(), strict=True)
    return {row.code: Fraction(total, n) for row, total, n in both if n}


def _wild(directory: Directory, found: Scores, max_cv: Fraction | None) -> frozenset[str]:
    """The comprehensive groups whose costs vary too much."""
    if max_cv is None:
        return frozenset()
    kinds = {row.code: row.kind for row in directory.rows}
    return frozenset(
        one.code
        for one in found.groups
        if kinds[one.code] == "comprehensive" and one.cv_squared > max_cv**2
    )


def _milder(directory: Directory) -> dict[str, str]:
    """Core group -> the nearest milder core group of its diagnosis, where there is one."""
    core = {row.code for row in directory.rows if row.kind == "core"}
    found = {}
    for row in directory.rows:
        if row.kind != "core":
            continue
        key: Key | None = key_of(row)
        while key is not None and (key := key.wider) is not None:
            if key.code in core:
                found[row.code] = key.code
                break
    return found


def _account(cases: KeyedCases, directory: Directory, of_key: _Ints) -> Account:
    kept = int(of_key[directory.exact].sum())
    nowhere = int(of_key[directory.row < 0].sum())
    dropped = dict(cases.dropped) | ({NO_GROUP: nowhere} if nowhere else {})
    return Account(cases.rows, kept, len(cases.key) - kept - nowhere, dropped)
