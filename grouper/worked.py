"""What a worked example gives: the results that are compared, and the steps on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Worked:
    """The outputs of an example, compared exactly, and its named intermediates, for the reader."""

    outputs: Mapping[str, object]
    steps: Mapping[str, object] = field(default_factory=dict)
