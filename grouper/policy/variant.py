"""A policy with some values changed: what a simulation asks about.

`base_rate.310=8300` changes the value `310` of every row of the section `base_rate`;
`high_outlier.multiple.2.k=1.8` goes deeper, lists are counted from 0; `scheme=...` and
`weight_table=...` change by what is grouped and weighed. What was changed is marked as
constructed, with the change as its source.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grouper.datafile import parse_toml
from grouper.errors import DataFileError, PolicyError

_ROWS = "values"


@dataclass(frozen=True, slots=True)
class Setting:
    """One change as the user wrote it: the path to a value, and the value as TOML reads it."""

    path: tuple[str, ...]
    value: object
    text: str

    def __str__(self) -> str:
        return self.text


def parse_setting(text: str) -> Setting:
    """`KEY=VALUE` with a dotted key. Raises PolicyError PO131 for another form."""
    key, sign, value = (part.strip() for part in text.partition("="))
    path = tuple(word.strip().strip('"') for word in key.split("."))
    if not sign or not value or not all(path):
        raise PolicyError("PO131", text=text)
    try:
        read = parse_toml(f"value = {value}".encode(), text)["value"]
    except DataFileError:
        read = value
    return Setting(path, read, f"{key}={value}")


@dataclass
class Changes:
    """Settings, and which of them were met in one of an area's policy files."""

    settings: Sequence[Setting]

    def __post_init__(self) -> None:
        self._met: set[Setting] = set()
        self._sections: set[str] = set()

    def applied(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """A policy file with the settings made, as far as it has their keys."""
        changed = copy.deepcopy(dict(raw))
        self._sections |= {key for key, value in changed.items() if key not in _HEAD}
        for setting in self.settings:
            if _set(changed, setting.path, setting):
                self._met.add(setting)
                _mark(changed, setting)
        return changed

    def check_all_met(self) -> None:
        """Raises PolicyError PO132 for a setting whose key is in no policy file of the area."""
        for setting in self.settings:
            if setting not in self._met:
                known = ", ".join(sorted(self._sections))
                raise PolicyError("PO132", key=".".join(setting.path), known=known)


#: keys of a policy file that say what it is, not what is paid
_HEAD = ("format", "title", "title_en", "valid_from", "valid_to", "source", "confidence")


def _set(node: object, path: Sequence[str], setting: Setting) -> bool:
    """Whether the path leads to a value that is there; the value is then changed."""
    if isinstance(node, list):
        if not path[0].isdecimal() or int(path[0]) >= len(node):
            return False
        return _put(node, int(path[0]), path, setting)
    if not isinstance(node, dict):
        return False
    rows = node.get(_ROWS)
    if isinstance(rows, list) and path[0] not in node:
        met = [_set(row, path, setting) for row in rows]
        if any(met):
            _mark(node, setting)
        return any(met)
    return path[0] in node and _put(node, path[0], path, setting)


def _put(node: Any, key: str | int, path: Sequence[str], setting: Setting) -> bool:
    if len(path) > 1:
        return _set(node[key], path[1:], setting)
    if isinstance(node[key], (dict, list)):
        return False
    node[key] = setting.value
    return True


def _mark(node: dict[str, Any], setting: Setting) -> None:
    node["confidence"] = "constructed"
    node["source"] = f"{node.get('source', '')} [{setting}]".strip()
