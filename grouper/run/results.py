"""Groups as columns of text: what is appended to the user's own columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from grouper import __version__
from grouper.engine.groups import Groups, Status
from grouper.errors import Lang
from grouper.run.pipeline import GroupedRun

#: the result columns of DRG grouping, in the order of the files
COLUMNS = ("status", "reason", "mdc", "adrg", "drg", "drg_name")

#: a condition longer than this is cut in the reason column; `explain` shows it whole
_LONGEST = 300

_WORD = re.compile(r"[A-Za-z_]\w*")


@cache
def words(lang: Lang) -> Mapping[str, Mapping[str, str]]:
    """The words of result columns and sheets in one language."""
    import tomllib
    from importlib.resources import files

    path = files("grouper").joinpath("data", "messages", f"results_{lang}.toml")
    table: dict[str, Mapping[str, str]] = tomllib.loads(path.read_text("utf-8"))
    return table


def result_columns(groups: Groups, lang: Lang) -> list[tuple[str, pa.Array]]:
    """Status, reason and group codes of every row, by English column name.

    Group columns of ungrouped and rejected rows are null; an ambiguous row has the code of its
    rule (`BQY`) as ADRG and as DRG. Texts are built once a distinct value, never once a row.
    """
    codes = groups.codes
    ambiguous = groups.status == Status.AMBIGUOUS
    rule = _masked(groups.rule_id, (groups.status == Status.GROUPED) | ambiguous)
    drg = _masked(groups.group_id, groups.status == Status.GROUPED)
    # an ambiguous case has no row of drg.tsv: its rule's code stands after those of the groups
    drg_or_rule = np.where(ambiguous, groups.rule_id + np.uint32(len(codes.drg)), drg)
    return [
        ("status", _texts([words(lang)["status"][s.word] for s in Status], groups.status)),
        ("reason", _reasons(groups, lang)),
        ("mdc", _codes(codes.mdc, rule)),
        ("adrg", _codes(codes.adrg, rule)),
        ("drg", _codes(codes.drg + codes.adrg, drg_or_rule)),
        ("drg_name", _codes(codes.drg_name, drg)),
    ]


def reason_text(token: str, lang: Lang) -> str:
    """Why a row was rejected, or has its DIP group, for a reader; in English the token itself."""
    said = words(lang)
    for table in ("reason", "dip_reason", "dip_step"):
        if token in said[table]:
            return said[table][token]
    return token


def run_info(run: GroupedRun, lang: Lang) -> list[tuple[str, str]]:
    """What a result rests on: program, scheme with digest, sources, counts."""
    counts, scheme = run.counts, run.scheme
    values: dict[str, object] = {
        "program": f"chs-grouper {__version__}",
        "scheme": scheme.id,
        "scheme_title": scheme.title,
        "digest": scheme.digest,
        "confidence": scheme.confidence,
        "engine": run.engine,
        "rows": counts.rows,
        "grouped": counts.grouped,
        "ambiguous": counts.ambiguous,
        "ungrouped": counts.ungrouped,
        "rejected": counts.rejected,
    }
    titles = words(lang)["info"]
    return [(titles[key], str(value)) for key, value in values.items()]


def _reasons(groups: Groups, lang: Lang) -> pa.Array:
    """One text for each distinct (status, reason, rule, group), then one index a row."""
    n_rules, n_groups = len(groups.codes.adrg), len(groups.codes.drg)
    rejected = groups.status == Status.REJECTED
    key = groups.rule_id.astype(np.int64) * n_groups + groups.group_id
    key = np.where(rejected, n_rules * n_groups + groups.reason.astype(np.int64), key)
    distinct, index = np.unique(key, return_inverse=True)
    texts = []
    for value in distinct.tolist():
        rule, group = divmod(value, n_groups)
        if rule >= n_rules:
            texts.append(_rejection(groups, value - n_rules * n_groups, lang))
        else:
            texts.append(_decision(groups, rule, group, lang))
    return _texts(texts, index)


def _rejection(groups: Groups, reason: int, lang: Lang) -> str:
    return reason_text(groups.reasons[reason - 1], lang) if reason else ""


def _decision(groups: Groups, rule: int, group: int, lang: Lang) -> str:
    codes, templates = groups.codes, words(lang)["rule"]
    if not rule:
        return templates["ungrouped"]
    form = templates["grouped" if group else "ambiguous"]
    return form.format(
        adrg=codes.adrg[rule],
        rule=_condition(codes.rule_text[rule], lang),
        drg=codes.drg[group],
        refinement=_condition(codes.drg_text[group], lang),
    )


@lru_cache(maxsize=1 << 13)
def _condition(text: str, lang: Lang) -> str:
    """A condition in the reader's words; names of lists stay as they are."""
    known = words(lang)["word"]
    said = _WORD.sub(lambda match: known.get(match[0], match[0]), text)
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}..."


def _masked(ids: NDArray[np.uint32], keep: NDArray[np.bool_]) -> NDArray[np.uint32]:
    return np.where(keep, ids, np.uint32(0))


def _codes(names: tuple[str, ...], ids: NDArray[np.uint32]) -> pa.Array:
    """The names behind ids; id 0 is null."""
    return pa.array([None, *names[1:]], pa.string()).take(pa.array(ids))


def _texts(texts: list[str], index: NDArray[np.integer]) -> pa.Array:
    return pa.array(texts, pa.string()).take(pa.array(index))
