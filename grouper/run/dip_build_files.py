"""What is written of a catalogue that was built: itself, its levels, its rules, the report."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from grouper import __version__
from grouper.datafile import toml_text
from grouper.money import decimal_text, yuan
from grouper.run.dip_auxiliary import auxiliary_table
from grouper.run.dip_build import Built
from grouper.scheme.dip import CLASS_CODES, Catalogue, CatalogueHead, Figures, Published
from grouper.scheme.dip_auxiliary import AuxiliaryRules
from grouper.scheme.dip_folder import ROWS, catalogue_files, catalogue_json
from grouper.scheme.dip_keys import category, key_of
from grouper.scheme.dip_preset import Preset
from weights.auxiliary import AuxiliaryGroup
from weights.dip_scores import GroupScore
from weights.history import NO_YEAR
from weights.record import places, root_places

#: the classes of operations, where they are not those of the program
CLASSES_FILE = "operation_classes.tsv"
LEVELS_FILE = "levels.tsv"
PRESET_FILE = "preset.toml"
REPORT_FILE = "build.json"
AUXILIARY_FILE = "auxiliary.tsv"
_LEVELS = (
    "level", "code", "part_of", "groups", "cases", "kept_cases", "mean_cost", "cv", "listed",
)  # fmt: skip
#: the level of groups
_GROUPS = 3
#: decimals of mean costs (yuan) and stays (days), and of coefficients of variation
_YUAN, _CV = 6, 6


#: how the catalogue alone is written, by suffix; as which forms a scheme is read
TABLES = (".tsv", ".csv", ".json")


@dataclass(frozen=True, slots=True)
class Auxiliary:
    """The auxiliary types that a history triggers, and the rules by which its cases were typed."""

    groups: Sequence[AuxiliaryGroup]
    rules: AuxiliaryRules


def report_files(
    built: Built,
    name: str,
    inputs: Sequence[str],
    auxiliary: Auxiliary | None = None,
    *,
    op_classes: bytes | None = None,
) -> dict[str, bytes]:
    """What stands beside a catalogue: file name -> content; the same cases, the same bytes."""
    report = build_record(built, name, inputs, auxiliary)
    text = json.dumps(report, ensure_ascii=False, indent=2) + "\n"
    files = {
        LEVELS_FILE: levels_table(built),
        PRESET_FILE: _preset(built.directory.preset, name),
        REPORT_FILE: text.encode(),
    }
    if op_classes is not None:
        files[CLASSES_FILE] = op_classes
    if auxiliary is not None:
        files[AUXILIARY_FILE] = auxiliary_table(auxiliary.groups, auxiliary.rules)
    return files


def folder_files(catalogue: Published, reports: Mapping[str, bytes]) -> dict[str, bytes]:
    """A catalogue folder with what belongs to it; the head names the rules beside it."""
    head = replace(
        catalogue.catalogue.head,
        preset=PRESET_FILE,
        op_classes=CLASSES_FILE if CLASSES_FILE in reports else "",
    )
    named = replace(catalogue, catalogue=replace(catalogue.catalogue, head=head))
    return {**catalogue_files(named), **reports}


def catalogue_alone(catalogue: Published, suffix: str) -> bytes:
    """The catalogue in one file of a form of TABLES."""
    if suffix == ".json":
        return catalogue_json(catalogue)
    rows = catalogue_files(catalogue)[ROWS]
    if suffix == ".tsv":
        return rows
    text = io.StringIO(newline="")
    lines = rows.decode().splitlines()
    csv.writer(text, lineterminator="\n").writerows(line.split("\t") for line in lines)
    return text.getvalue().encode("utf-8-sig")


def published(built: Built, name: str, inputs: Sequence[str]) -> Published:
    """The catalogue as it is published."""
    known = {one.code: one for one in built.scores.groups}
    rows = built.directory.rows
    head = CatalogueHead(
        source=f"built by chs-grouper {__version__} from {', '.join(inputs)}",
    )
    catalogue = Catalogue(name, name, name, "", "constructed", rows, head=head)
    return Published(catalogue, tuple(_figures(built, known[row.code]) for row in rows))


def _figures(built: Built, one: GroupScore) -> Figures:
    stay = built.mean_los.get(one.code)
    return Figures(
        score=built.printed(one.code),
        mean_cost=Decimal(places(one.mean_fen / 100, _YUAN)),
        cv=Decimal(root_places(one.cv_squared, _CV)),
        cases=one.cases,
        mean_los=Decimal(places(stay, _YUAN)) if stay is not None else None,
    )


@dataclass
class _Level:
    """Groups taken together: kept cases, cost, squared deviations from their common mean."""

    groups: int = 0
    cases: int = 0
    kept: int = 0
    fen: int = 0
    squares: Fraction = Fraction(0)

    def add(self, one: GroupScore) -> None:
        fen = sum(cost for _, _, cost in one.years)
        squares = one.cv_squared * Fraction(fen * fen, one.kept)
        if self.kept:
            apart = Fraction(fen, one.kept) - Fraction(self.fen, self.kept)
            squares += apart * apart * Fraction(self.kept * one.kept, self.kept + one.kept)
        self.squares += squares
        self.groups += 1
        self.cases += one.cases
        self.kept += one.kept
        self.fen += fen

    def line(self, level: int, code: str, part_of: str) -> list[str]:
        cv_squared = self.squares * self.kept / (self.fen * self.fen)
        mean = places(Fraction(self.fen, 100 * self.kept), _YUAN)
        numbers = map(str, (self.groups, self.cases, self.kept))
        return [str(level), code, part_of, *numbers, mean, root_places(cv_squared, _CV)]


def levels_table(built: Built) -> bytes:
    """The three levels of a directory: categories, categories by class, groups.

    Source: technical specification of DIP 1.0 (医保办发〔2020〕50号): the third level is for
    payment, the second puts together treatments of one class, the first serves the budget.
    """
    levels: dict[tuple[int, str, str], _Level] = {}
    known = {one.code: one for one in built.scores.groups}
    printed: dict[str, str] = {named: code for code, named in CLASS_CODES.items()}
    for row, cls in zip(built.directory.rows, built.directory.classes, strict=True):
        if row.kind not in ("core", "comprehensive"):
            continue
        first = category(row.dx_keys[0])
        second = f"{first}:{printed[cls]}"
        for place in ((1, first, ""), (2, second, first), (_GROUPS, row.code, second)):
            levels.setdefault(place, _Level()).add(known[row.code])
    listed = _listed(built)
    lines = [
        [*found.line(*place), listed.get(place[1], "") if place[0] == _GROUPS else ""]
        for place, found in sorted(levels.items())
    ]
    return _tsv([_LEVELS, *lines])


def _listed(built: Built) -> dict[str, str]:
    """Core group -> whether the wider directory has it; {} where none was given."""
    known = built.choices.directory.listed
    if not known:
        return {}
    core = [row for row in built.directory.rows if row.kind == "core"]
    return {row.code: "yes" if key_of(row) in known else "no" for row in core}


def build_record(
    built: Built, name: str, inputs: Sequence[str], auxiliary: Auxiliary | None = None
) -> dict[str, object]:
    """Everything that was chosen and everything that was found, numbers as exact text."""
    account, kinds = built.account, Counter(row.kind for row in built.directory.rows)
    of_kind = Counter[str]()
    known = {one.code: one for one in built.scores.groups}
    for row in built.directory.rows:
        of_kind[row.kind] += known[row.code].cases
    more = {} if auxiliary is None else {"auxiliary": _auxiliary(auxiliary)}
    return {
        "id": name,
        "program": f"chs-grouper {__version__}",
        "inputs": list(inputs),
        "cases": {
            "rows": account.rows,
            "kept": account.kept,
            "merged": account.merged,
            "dropped": dict(account.dropped),
        },
        "years": {
            _year(year): {
                "cases": n,
                "cost": yuan(fen),
                "mean_cost": places(Fraction(fen, 100 * n), _YUAN),
                "weight": decimal_text(Fraction(built.scores.year_weights[year])),
            }
            for year, (n, fen) in sorted(built.years.items())
            if year in built.scores.year_weights
        },
        "keys": len(built.directory.row),
        "groups": {kind: {"groups": n, "cases": of_kind[kind]} for kind, n in kinds.items()},
        "local_additions": sum(one == "no" for one in _listed(built).values()),
        "trimmed": sum(one.trimmed for one in built.scores.groups),
        "base": places(built.scores.base_fen / 100, _YUAN),
        "total_score": places(
            sum((one.cases * built.score[one.code] for one in known.values()), Fraction(0)), 6
        ),
        "inversions": [
            {
                "code": one.code,
                "score": places(one.score, 6),
                "milder": one.milder,
                "milder_score": places(one.milder_score, 6),
                "score_now": f"{built.printed(one.code):f}",
                "milder_score_now": f"{built.printed(one.milder):f}",
            }
            for one in built.inversions
        ],
        "choices": _choices(built),
        **more,
    }


def _auxiliary(found: Auxiliary) -> dict[str, object]:
    trigger = found.rules.trigger
    types = Counter(one.type for group in found.groups for one in group.types)
    return {
        "rules": found.rules.title,
        "source": found.rules.source,
        "group_cases_above": trigger.group_cases_above,
        "type_cases_above": trigger.type_cases_above,
        "cv_reduction": decimal_text(trigger.cv_reduction),
        "cv_from": decimal_text(trigger.cv_from),
        "groups": len(found.groups),
        "types": dict(sorted(types.items())),
        "cases": sum(one.cases for group in found.groups for one in group.types),
    }


def _choices(built: Built) -> dict[str, object]:
    choices, directory = built.choices, built.choices.directory
    trim, score = choices.scores.trim, choices.scores
    return {
        "threshold": directory.threshold,
        "threshold_share": _decimal(choices.share),
        "listed": len(directory.listed),
        "listed_threshold": directory.listed_threshold,
        "comprehensive_threshold": directory.comprehensive,
        "comprehensive_max_cv": _decimal(choices.max_cv),
        "related_gain": _decimal(directory.related_gain),
        "rest": list(directory.rest),
        "preset": built.directory.preset.id,
        "trim": trim.method,
        "trim_low": decimal_text(trim.low),
        "trim_high": decimal_text(trim.high),
        "trim_min_cases": trim.min_cases,
        "year_mean": score.year_mean,
        "base": score.base,
        "reference": score.reference or None,
        "standard": None if score.standard_fen is None else decimal_text(score.standard_fen / 100),
        "repair_inversions": choices.repair,
    }


def _decimal(value: Fraction | None) -> str | None:
    return None if value is None else decimal_text(value)


def _year(year: int) -> str:
    return "-" if year == NO_YEAR else str(year)


def _preset(preset: Preset, name: str) -> bytes:
    """The rules that sent cases to groups, as `--preset FILE` takes them."""
    lines = [
        "# The rules by which cases were sent to groups; `--preset` with this file repeats it.",
        f"title = {toml_text(preset.title)}",
        f"source = {toml_text(f'{preset.source}; without cost and score, for {name}')}",
        'confidence = "constructed"',
    ]
    for key in ("tie", "fallback"):
        steps = ", ".join(map(toml_text, getattr(preset, key)))
        lines.append(f"{key} = [{steps}]")
    lines += [f"{key} = {toml_text(getattr(preset, key))}" for key in _OPTIONS]
    excluded = ", ".join(map(toml_text, sorted(preset.excluded_ops)))
    lines.append(f"excluded_ops = [{excluded}]")
    return "".join(f"{line}\n" for line in lines).encode()


_OPTIONS = (
    "op_class_of_case",
    "core_vs_comp",
    "conservative_def",
    "ext_match",
    "interventional",
    "unlisted_class",
)


def _tsv(lines: Iterable[Sequence[str]]) -> bytes:
    return "".join("\t".join(line) + "\n" for line in lines).encode()
