"""The deviation rules that have been seen, by name (data/dip/deviations.toml)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import ValidationError

from grouper.datafile import data_folder, read_toml
from grouper.dated import Confidence
from grouper.policy.dip import DeviationRule, KindRules
from grouper.policy.dip_schema import DeviationFile, KindFile

_ABOUT = ("title", "source", "confidence")


@dataclass(frozen=True, slots=True)
class Variant:
    """A deviation rule, rules for kinds of groups that go with it, and where they were seen."""

    rule: DeviationRule
    kinds: KindRules
    title: str
    source: str
    confidence: Confidence


@cache
def variants() -> Mapping[str, Variant]:
    """Name -> variant."""
    found = {}
    for name, raw in read_toml(data_folder("dip", "deviations.toml")).items():
        about = {key: raw.pop(key) for key in _ABOUT}
        kinds = {
            kind: KindFile.model_validate(one).rule() for kind, one in raw.pop("kinds", {}).items()
        }
        rule = DeviationFile.model_validate(raw).rule()
        found[name] = Variant(rule, KindRules(kinds), **about)
    return found


def deviation_rule(raw: Mapping[str, Any]) -> DeviationRule | None:
    """The rule that some values write out in full, None if they are none."""
    try:
        return DeviationFile.model_validate(raw).rule()
    except ValidationError:
        return None
