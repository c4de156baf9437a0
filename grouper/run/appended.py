"""What may be appended behind the groups of a part: prices, or auxiliary types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from grouper.engine.dip import DipGroups
from grouper.engine.groups import Groups
from grouper.records.batch import CaseBatch
from grouper.records.user import Column
from grouper.run.decisions import Columns


class PartPricing(Protocol):
    """Prices parts as they come, in any thread and order: what is appended behind the groups."""

    @property
    def names(self) -> Sequence[str]:
        """The names of its columns."""

    def columns(self, number: int, batch: CaseBatch, groups: Groups) -> Columns:
        """The columns of one part; number: its place among the parts."""


class PartTyping(Protocol):
    """Types the cases of DIP groups, part by part, in any thread and order."""

    @property
    def names(self) -> Sequence[str]:
        """The names of its columns."""

    def columns(
        self, batch: CaseBatch, groups: DipGroups, by_field: Mapping[str, Column]
    ) -> Columns:
        """The columns of one part; by_field: the user's columns of single values, by field."""
