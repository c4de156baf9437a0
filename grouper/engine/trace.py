"""Why a record got its group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Names = Callable[[str, str], str]


class Trace:
    """Placeholder."""


def trace(reference: Any, record: Any, *, names: Names | None = None) -> Trace:
    """Placeholder."""
    raise NotImplementedError
