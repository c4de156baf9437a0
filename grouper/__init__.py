"""chs-grouper: DRG/DIP grouping and settlement for China's medical insurance.

Public names are found lazily, so that `import grouper` is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_NAMES = {
    "Case": "grouper.records.case",
    "GroupResult": "grouper.api",
    "GrouperError": "grouper.errors",
    "Issue": "grouper.errors",
    "Scheme": "grouper.scheme.model",
    "DipResult": "grouper.run.dip_case",
    "explain_case": "grouper.api",
    "group_case": "grouper.api",
    "group_table": "grouper.api",
    "load_catalogue": "grouper.api",
    "load_policy": "grouper.policy.load",
    "load_scheme": "grouper.api",
}
_PACKAGES = ("codes", "engine", "monitor", "policy", "records", "report", "scheme", "settle")

__all__ = ["__version__", *_NAMES, *_PACKAGES]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(import_module(_NAMES[name]), name)
    if name in _PACKAGES:
        return import_module(f"grouper.{name}")
    raise AttributeError(f"module 'grouper' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
