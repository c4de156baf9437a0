"""What entries do to lists: corrections, decisions on special cases and audit deductions.

A line of the ledger is never edited. Each change takes the line of the old list back and adds a new
one; both name the old list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pyarrow as pa

from grouper.errors import Issue, SettlementError
from grouper.money import round_half_up, yuan
from grouper.policy.model import Policy
from grouper.settle.entries import Deduction, Entry
from grouper.settle.ledger import LineKind, ListLine, line_at
from grouper.settle.month_lines import allowed_deduction

Name = tuple[str, str]
#: the line of a new list that the file holds, None where it does not
FindNew = Callable[[Name], ListLine | None]


class Changes:
    """Applies entries in their order; what cannot be booked is collected in `issues`.

    lost: lists of the files that have no price or a bill that does not add up.
    """

    def __init__(
        self,
        ledgers: Iterable[pa.Table],
        deducted: Iterable[Deduction],
        entries: Sequence[Entry],
        policy: Policy,
        find_new: FindNew,
        *,
        lost: Collection[Name] = (),
    ) -> None:
        self.lines: list[ListLine] = []
        self.deductions: list[Deduction] = []
        self.issues: list[Issue] = []
        self.warnings: list[Issue] = []
        self._policy = policy
        self._find_new = find_new
        self._lost = lost
        named = {(one.hospital, one.list) for one in entries}
        named |= {(one.hospital, one.new_list) for one in entries if one.new_list}
        self._current = _last_lines(ledgers, named)
        self._deducted: Counter[Name] = Counter()
        for one in deducted:
            self._deducted[one.hospital, one.list] += one.taken_fen
        steps = {
            "correction": self._correct,
            "special": self._set_apart,
            "approved": self._decide,
            "refused": self._decide,
            "audit": self._deduct,
        }
        # a list is corrected before it is decided upon, and audited as it then stands
        for kinds in (("correction",), ("special",), ("approved", "refused"), ("audit",)):
            for entry in entries:
                if entry.kind in kinds:
                    steps[entry.kind](entry)

    def _correct(self, entry: Entry) -> None:
        old = self._current.get((entry.hospital, entry.list))
        if old is None or old.line == LineKind.REVERSAL.value:
            self._refuse(entry, "ST210", newest=self._newest(entry))
            return
        if (entry.hospital, entry.new_list) in self._current:
            self._refuse(entry, "ST206", list=entry.new_list)
            return
        new = self._find_new((entry.hospital, entry.new_list)) or self._given(entry, old)
        if new is not None:
            self._watch_days(entry, old)
            self._change(old, replace(new, line=LineKind.CORRECTION.value, names=old.list))

    def _watch_days(self, entry: Entry, old: ListLine) -> None:
        """ST308 for a correction after the days an area allows from acceptance on, if it does."""
        if entry.day is None or old.accepted is None:
            return
        allowed = self._policy.parameters.find("correction_days", entry.day)
        if allowed is not None and isinstance(allowed.value, Decimal):
            due = old.accepted + timedelta(days=int(allowed.value))
            if entry.day > due:
                params = {"period": entry.list, "due": due, "done": entry.day}
                self.warnings.append(Issue("ST308", entry.where, params))

    def _given(self, entry: Entry, old: ListLine) -> ListLine | None:
        """The new line from the amounts of the entry itself."""
        wanted = {
            "total_cost": entry.total_cost,
            "fund_basic": entry.fund_basic,
            "payment": entry.payment,
        }
        if all(value is None for value in wanted.values()):
            self._not_there(entry, entry.new_list)
            return None
        lacking = next((name for name, value in wanted.items() if value is None), None)
        if lacking:
            self._refuse(entry, "ST103", field=lacking)
            return None
        cost, pool, payment = (int(value or 0) for value in wanted.values())
        other = entry.other_funds or 0
        patient = cost - pool - other
        if patient < 0:
            self._refuse(entry, "ST203", difference=yuan(patient))
            return None
        fund = payment - patient - other
        if fund < 0 and self._cuts(old):
            fund = 0
        return replace(
            old,
            list=entry.new_list,
            total_fen=cost,
            patient_fen=patient,
            other_fen=other,
            pool_fen=pool,
            payment_fen=payment,
            fund_fen=fund,
            accrued_fen=pool if old.special else fund,
        )

    def _cuts(self, line: ListLine) -> bool:
        """Whether a negative part of the fund is set to zero on the day of discharge."""
        terms = self._policy.find_terms(line.discharge) if line.discharge else None
        return terms is not None and terms.fund.negative == "zero"

    def _set_apart(self, entry: Entry) -> None:
        """A list that applies for review after it was booked: paid as recorded from now on."""
        old = self._current.get((entry.hospital, entry.list))
        if old is None or old.line == LineKind.REVERSAL.value:
            self._not_there(entry, entry.list)
        elif not old.special:
            new = replace(old, special=1, accrued_fen=old.pool_fen)
            self._change(old, replace(new, line=LineKind.SPECIAL.value, names=old.list))

    def _decide(self, entry: Entry) -> None:
        old = self._current.get((entry.hospital, entry.list))
        if old is None or old.line == LineKind.REVERSAL.value:
            self._not_there(entry, entry.list)
            return
        if not old.special or old.line == LineKind.APPROVED.value:
            self._refuse(entry, "ST322", list=entry.list, problem="not_awaiting")
            return
        if entry.kind == "refused":
            new = replace(old, special=0, accrued_fen=old.fund_fen)
        elif entry.amount is not None:
            new = replace(old, accrued_fen=entry.amount)
        else:
            ratio = 1 if entry.ratio is None else entry.ratio
            new = replace(old, accrued_fen=round_half_up(old.pool_fen * ratio))
        kind = LineKind.REFUSED if entry.kind == "refused" else LineKind.APPROVED
        self._change(old, replace(new, line=kind.value, names=old.list))

    def _change(self, old: ListLine, new: ListLine) -> None:
        back = old.reversed(names=old.list)
        self.lines += [back, new]
        self._current[old.hospital, old.list] = back
        self._current[new.hospital, new.list] = new

    def _deduct(self, entry: Entry) -> None:
        name = (entry.hospital, entry.list)
        line = self._current.get(name)
        asked = entry.amount or 0
        if line is None or line.line == LineKind.REVERSAL.value:
            self._not_there(entry, entry.list)
            return
        if asked < 0:
            self._refuse(entry, "ST207", field="amount")
            return
        taken = allowed_deduction(asked, line.accrued_fen, self._deducted[name])
        if taken < asked:
            params = {"list": entry.list, "asked": yuan(asked), "taken": yuan(taken)}
            self.warnings.append(Issue("ST305", entry.where, params))
        self._deducted[name] += taken
        self.deductions.append(
            Deduction(*line.key, entry.list, asked, taken, entry.reason, entry.rule)
        )

    def _newest(self, entry: Entry) -> str:
        """The list that stands for a corrected one now."""
        followers = {one.names: one.list for one in self._current.values() if one.names != one.list}
        name = followers.get(entry.list, "")
        return name or "-"

    def _not_there(self, entry: Entry, list_id: str) -> None:
        """ST321, or ST322 for a list of the files that is not counted."""
        if (entry.hospital, list_id) in self._lost:
            self._refuse(entry, "ST322", list=list_id, problem="not_counted")
        else:
            self._refuse(entry, "ST321", list=list_id)

    def _refuse(self, entry: Entry, code: str, **params: object) -> None:
        self.issues.append(Issue(code, entry.where, {"list": entry.list, **params}))

    def check(self) -> None:
        """Raise SettlementError with all entries that cannot be booked, if there are any."""
        if self.issues:
            raise SettlementError.of(self.issues)


def _last_lines(ledgers: Iterable[pa.Table], named: set[Name]) -> dict[Name, ListLine]:
    """The last line of each list that is named, in the order of the ledgers."""
    found: dict[Name, ListLine] = {}
    ids = pa.array(sorted({list_id for _, list_id in named}), pa.string())
    for ledger in ledgers if named else ():
        # a correction is looked for by the list it corrects as well, to name the newest
        asked = pa.compute.or_(
            pa.compute.is_in(ledger["list"], ids), pa.compute.is_in(ledger["names"], ids)
        )
        rows = pa.compute.indices_nonzero(asked).to_pylist()
        for row in rows:
            line = line_at(ledger, row)
            found[line.hospital, line.list] = line
    return found
