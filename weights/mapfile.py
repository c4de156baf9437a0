"""The file of a column map, read key by key; whatever is wrong with it is named at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

from grouper.datafile import read_toml
from grouper.errors import Issue, WeightError
from grouper.sheet import column_number
from weights.head import head_issues, head_of
from weights.maps import SHEET, Block, ColumnMap, Correction, Extract, Filter, Part, Source
from weights.table import COLUMNS, NUMBERS
from weights.words import data_folder, words

FORMAT = 1
#: what a block of a wide table may fix by its headers
WIDE_KEYS = ("insurance", "level", "hospital")
TEXTS = tuple(name for name in COLUMNS if name not in NUMBERS)

_SECTIONS: Mapping[str, type] = {
    "format": int,
    "table": dict,
    "sheet": dict,
    "rows": dict,
    "columns": dict,
    "wide": list,
    "extract": list,
    "correct": list,
}
_SHEET_KEYS: Mapping[str, tuple[type, ...]] = {
    "name": (str, list),
    "parts": (list, dict),
    "header_rows": (int,),
    "encoding": (str,),
}
_ROW_KEYS: Mapping[str, tuple[type, ...]] = {
    "group_pattern": (str,),
    "only": (dict,),
    "except": (dict,),
    "fill_down": (list,),
    "stop": (str, list),
}
_SOURCE_KEYS: Mapping[str, tuple[type, ...]] = {
    "column": (str, list),
    "value": (str, int, Decimal),
    "values": (dict,),
    "empty": (list,),
    "default": (str, int, Decimal),
    "yes": (str, list),
    "unit": (str,),
    "match": (str,),
    "decimals": (int,),
    "text_to": (str,),
}
_CORRECT_KEYS = ("group", "column", "from", "to", "why")


def map_ids() -> tuple[str, ...]:
    """The ids of the maps that come with the package."""
    return tuple(sorted(path.stem for path in _folder().glob("*.toml")))


def read_map(name: str | Path) -> ColumnMap:
    """A map by its file, or by the id of one that comes with the package.

    Raises WeightError (WT116, WT106) with every key that is wrong; DataFileError.
    """
    path = Path(name)
    if isinstance(name, str) and name in map_ids():
        path = _folder() / f"{name}.toml"
    return read_keys(read_toml(path), str(path))


def read_keys(keys: Mapping[str, Any], name: str) -> ColumnMap:
    """A map by its keys, as TOML gives them; `name` stands in messages. Raises as `read_map`."""
    return _Reader(name).read(keys)


def _folder() -> Path:
    return data_folder() / "maps"


class _Reader:
    """Reads the keys of one map; collects what is wrong with them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.issues: list[Issue] = []

    def read(self, raw: Mapping[str, Any]) -> ColumnMap:
        raw = self._known(raw, {key: (kind,) for key, kind in _SECTIONS.items()}, "")
        if raw.get("format") != FORMAT:
            self.wrong("format", "wrong" if "format" in raw else "missing")
        head = raw.get("table", {})
        self.issues += head_issues(head, f"{self.name}: table")
        sheet = self._known(raw.get("sheet", {}), _SHEET_KEYS, "sheet")
        rows = self._known(raw.get("rows", {}), _ROW_KEYS, "rows")
        columns = self._columns(raw.get("columns", {}), "columns", {})
        if "group" not in columns:
            self.wrong("columns.group", "missing")
        blocks = [b for n, one in self._list(raw, "wide") for b in self._blocks(one, f"wide[{n}]")]
        extracts = [self._extract(one, f"extract[{n}]") for n, one in self._list(raw, "extract")]
        corrections = [self._correct(one, f"correct[{n}]") for n, one in self._list(raw, "correct")]
        pattern = rows.get("group_pattern", r"[A-Za-z0-9*][A-Za-z0-9*_.:|+/-]*")
        made = dict(
            name=self.name,
            sheets=_texts(sheet.get("name", ())),
            parts=tuple(self._parts(sheet.get("parts", ()))),
            header_rows=sheet.get("header_rows", 0),
            encoding=sheet.get("encoding"),
            group_pattern=self._pattern(pattern, "rows.group_pattern"),
            only=self._filter(rows.get("only", {}), "rows.only", {}),
            but=self._filter(rows.get("except", {}), "rows.except", {}),
            fill_down=_texts(rows.get("fill_down", ())),
            stop=_texts(rows.get("stop", ())),
            columns=columns,
            blocks=tuple(blocks),
            extracts=tuple(one for one in extracts if one),
            corrections=tuple(one for one in corrections if one),
        )
        if self.issues:
            raise WeightError.of(self.issues)
        found = ColumnMap(head=head_of(head), **made)
        for letter in found.letters():
            if not re.fullmatch("@[A-Z]{1,3}", letter):
                self.wrong(letter, "wrong", f"@A, @B ... {SHEET}")
        if self.issues:
            raise WeightError.of(self.issues)
        return found

    def wrong(self, key: str, problem: str, near: str = "-") -> None:
        """Note a key that is unknown, missing or wrong, once."""
        where = f"{self.name}: {key}"
        if all(issue.where != where for issue in self.issues):
            params = {"key": key, "problem": problem, "near": near}
            self.issues.append(Issue("WT116", where, params))

    def _known(
        self, raw: Mapping[str, Any], kinds: Mapping[str, tuple[type, ...]], place: str
    ) -> dict[str, Any]:
        """The entries of a section that are known and of a right type."""
        good = {}
        for key, value in raw.items():
            full = f"{place}.{key}".strip(".")
            if key not in kinds:
                near = difflib.get_close_matches(key, kinds, 1, 0.4)
                self.wrong(full, "unknown", near[0] if near else ", ".join(kinds))
            elif type(value) in kinds[key] and _is_filled(key, value, place):
                good[key] = value
            else:
                self.wrong(full, "wrong")
        return good

    def _list(self, raw: Mapping[str, Any], key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
        for number, one in enumerate(raw.get(key, ())):
            if isinstance(one, dict):
                yield number, one
            else:
                self.wrong(f"{key}[{number}]", "wrong")

    def _columns(
        self, raw: Mapping[str, Any], place: str, labels: Mapping[str, str]
    ) -> dict[str, Source]:
        found = {}
        for ours, value in raw.items():
            key = f"{place}.{ours}"
            if ours not in COLUMNS:
                near = difflib.get_close_matches(ours, COLUMNS, 1, 0.4)
                self.wrong(key, "unknown", near[0] if near else ", ".join(COLUMNS))
                continue
            if isinstance(value, str | list):
                value = {"column": value}
            elif type(value) in (int, Decimal):
                value = {"value": value}
            if not isinstance(value, dict):
                self.wrong(key, "wrong")
                continue
            found[ours] = self._source(value, key, labels)
        return found

    def _source(self, raw: Mapping[str, Any], place: str, labels: Mapping[str, str]) -> Source:
        known = self._known(raw, _SOURCE_KEYS, place)
        if ("column" in known) == ("value" in known):
            self.wrong(f"{place}.column", "missing" if "value" not in known else "wrong")
        unit, text_to = known.get("unit", ""), known.get("text_to", "")
        if unit and unit not in words().unit:
            self.wrong(f"{place}.unit", "wrong", ", ".join(words().unit))
        if text_to and text_to not in TEXTS:
            self.wrong(f"{place}.text_to", "wrong", ", ".join(TEXTS))
        value = known.get("value")
        values = known.get("values", {})
        if not _all_texts([*values.values()]):
            self.wrong(f"{place}.values", "wrong")
            values = {}
        return Source(
            headers=tuple(_fill(name, labels) for name in _texts(known.get("column", ()))),
            value=None if value is None else _fill(_number_text(value), labels),
            values=values,
            empty=frozenset(known.get("empty", ())) | words().empty,
            yes=_texts(known.get("yes", words().yes)),
            match=self._pattern(known["match"], f"{place}.match") if "match" in known else None,
            unit=words().unit.get(unit, Decimal(1)),
            decimals=known.get("decimals"),
            text_to=text_to,
            default=_number_text(known.get("default", "")),
        )

    def _blocks(self, raw: Mapping[str, Any], place: str) -> Iterator[Block]:
        """One block for every combination of the keys."""
        keys: dict[str, list[tuple[str, str]]] = {}
        for key in WIDE_KEYS:
            value = raw.get(key, [])
            pairs = (
                list(value.items()) if isinstance(value, dict) else [(t, t) for t in _texts(value)]
            )
            if not _all_texts([text for pair in pairs for text in pair]):
                self.wrong(f"{place}.{key}", "wrong")
            elif pairs:
                keys[key] = pairs
        if not keys:
            self.wrong(f"{place}.level", "missing", ", ".join(WIDE_KEYS))
        filters = {key: raw.get(key, {}) for key in ("only", "except")}
        columns = {k: v for k, v in raw.items() if k not in (*WIDE_KEYS, *filters)}
        if not columns:
            self.wrong(f"{place}.standard", "missing")
        for combination in product(*keys.values()):
            labels = {key: label for key, (label, _) in zip(keys, combination, strict=True)}
            yield Block(
                keys={key: ours for key, (_, ours) in zip(keys, combination, strict=True)},
                columns=self._columns(columns, place, labels),
                only=self._filter(filters["only"], f"{place}.only", labels),
                but=self._filter(filters["except"], f"{place}.except", labels),
            )

    def _filter(self, raw: Any, place: str, labels: Mapping[str, str]) -> Filter:
        if not isinstance(raw, dict) or not all(_all_texts(_listed(v)) for v in raw.values()):
            self.wrong(place, "wrong")
            return {}
        return {_fill(header, labels): _texts(value) for header, value in raw.items()}

    def _parts(self, raw: Mapping[str, Any] | Sequence[str]) -> Iterator[Part]:
        """Ranges of columns such as `A:E`, with titles or without."""
        pairs = raw.items() if isinstance(raw, Mapping) else [("", text) for text in raw]
        end = -1
        for title, text in pairs:
            found = re.fullmatch("([A-Z]{1,3}):([A-Z]{1,3})", text) if _all_texts([text]) else None
            first, last = map(column_number, found.groups()) if found else (0, 0)
            if not found or not end < first <= last:
                self.wrong("sheet.parts", "wrong", "A:E, F:J ...")
                return
            yield Part(title, first, last)
            end = last

    def _extract(self, raw: Mapping[str, Any], place: str) -> Extract | None:
        known = self._known(raw, {"column": (str,), "match": (str,)}, place)
        if len(known) < 2:
            self.wrong(place, "missing")
            return None
        pattern = self._pattern(known["match"], f"{place}.match")
        unknown = [name for name in pattern.groupindex if name not in COLUMNS]
        if unknown or not pattern.groupindex:
            self.wrong(f"{place}.match", "wrong", ", ".join(COLUMNS))
        return Extract(known["column"], pattern)

    def _correct(self, raw: Mapping[str, Any], place: str) -> Correction | None:
        known = self._known(raw, dict.fromkeys(_CORRECT_KEYS, (str,)), place)
        if len(known) < len(_CORRECT_KEYS):
            self.wrong(place, "missing", ", ".join(_CORRECT_KEYS))
            return None
        return Correction(*(known[key] for key in _CORRECT_KEYS))

    def _pattern(self, text: str, place: str) -> re.Pattern[str]:
        try:
            return re.compile(text)
        except re.error:
            self.wrong(place, "wrong")
            return re.compile("")


def _is_filled(key: str, value: Any, place: str) -> bool:
    """Whether a value says something: no empty text or list, no negative count."""
    if isinstance(value, list):
        return bool(value) and (not place or _all_texts(value))
    if key in ("header_rows", "decimals"):
        return bool(value >= 0)
    # a correction may empty a cell
    return value != "" or key == "to"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _all_texts(values: Sequence[Any]) -> bool:
    return all(isinstance(one, str) for one in values)


def _number_text(value: object) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _fill(text: str, labels: Mapping[str, str]) -> str:
    """A header with `{level}` and its like replaced by the labels of a block."""
    for key, label in labels.items():
        text = text.replace(f"{{{key}}}", label)
    return text
