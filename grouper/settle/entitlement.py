"""What a hospital is entitled to from the year's pool (Y5): floating, fixed or elastic rates.

Source: 医保发〔2025〕18号 art. 16; 按病种付费医疗保障经办管理规程（2025版） art. 16. The elastic
method (base volume at a fixed, growth at a floating rate) is that of the DIP 3.0 draft.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from grouper.errors import SettlementError
from grouper.money import FEN_PER_YUAN, round_half_up, units_by_remainder, yuan
from grouper.settle.clearing import Account, Clearing, HospitalYear, Method, YearRules
from weights.rates import point_value


def _float(clearing: Clearing) -> None:
    """The numerator over all volume; parts by largest remainder, so that they sum to the pool."""
    found = clearing.rules.joint
    if found is None:
        volumes = {code: one.given.volume for code, one in clearing.accounts.items()}
        pool_fen, others = clearing.pool.pool_fen, _others(clearing)
        found = point_value(pool_fen, volumes, others_fen=others)
        gross = sum(share.gross_fen for share in found.shares.values())
        clearing.splits["entitlement"] = (found.numerator_fen, gross)
    clearing.numerator_fen, clearing.unit_yuan = found.numerator_fen, found.value
    clearing.by_remainder = found.by_remainder
    for code, share in found.shares.items():
        account = clearing.accounts[code]
        account.share_fen, account.due_fen = share.gross_fen, share.net_fen


def _fix(clearing: Clearing) -> None:
    """round(volume x rate), or what the months accrued; scaled to the pool where the area does so.

    A fixed rate stays for its period (医保发〔2025〕18号 art. 16): by default nothing is
    scaled, and a deficit goes to the reserve.
    """
    rules = clearing.rules
    if rules.rate_fen is not None:
        clearing.unit_yuan = rules.rate_fen / FEN_PER_YUAN
    for account in clearing.accounts.values():
        given = account.given
        if rules.rate_fen is None:
            account.due_fen = given.accrued_fen
            account.share_fen = given.accrued_fen + _of_others(rules, given)
        else:
            account.share_fen = round_half_up(given.volume * rules.rate_fen)
            account.due_fen = account.share_fen - _of_others(rules, given)
        _refuse_negative(account)
    owed = clearing.total("due_fen")
    if rules.total_control == "scale" and owed > clearing.pool.pool_fen:
        clearing.scaled_from_fen = owed
        _hand_out(clearing, [one.due_fen for one in clearing.accounts.values()])


def _hand_out(clearing: Clearing, shares: Sequence[int]) -> None:
    """The pool by shares, to the fen."""
    total = clearing.pool.pool_fen
    clearing.by_remainder = units_by_remainder(total, shares)
    parts = clearing.split("entitlement", total, shares)
    for account, part in zip(clearing.accounts.values(), parts, strict=True):
        account.due_fen = part


def _bend(clearing: Clearing) -> None:
    """Base volume at the fixed rate, growth at what the pool then leaves (弹性费率)."""
    rules = clearing.rules
    if rules.rate_fen is None:
        raise SettlementError("ST103", "rate", field="rate")
    accounts = list(clearing.accounts.values())
    bases = [min(one.given.volume, _base_volume(rules, one.given)) for one in accounts]
    growth = [one.given.volume - base for one, base in zip(accounts, bases, strict=True)]
    fixed = [round_half_up(base * rules.rate_fen) for base in bases]
    others = _others(clearing) or {}
    clearing.numerator_fen = clearing.pool.pool_fen + sum(others.values())
    left = clearing.numerator_fen - sum(fixed)
    grown = sum(growth, Fraction(0))
    if left < 0:
        detail = f"{yuan(clearing.numerator_fen)} - {yuan(sum(fixed))}"
        raise SettlementError("ST301", "base_volume", detail=detail)
    parts = [0] * len(accounts)
    if grown:
        clearing.unit_yuan = Fraction(left, FEN_PER_YUAN) / grown
        clearing.by_remainder = units_by_remainder(left, growth)
        parts = clearing.split("growth", left, growth)
    for account, base, part in zip(accounts, fixed, parts, strict=True):
        account.share_fen = base + part
        account.due_fen = account.share_fen - others.get(account.given.code, 0)
        _refuse_negative(account)


def entitle(clearing: Clearing) -> None:
    """Y5: the entitlement A of every hospital, by the method of the area.

    Raises SettlementError ST301 (nothing to divide), ST304 (less than nothing), ST103.
    """
    _METHODS[clearing.rules.method](clearing)
    for account in clearing.accounts.values():
        account.entitled_fen = account.due_fen


_METHODS: Mapping[Method, Callable[[Clearing], None]] = {
    "floating": _float,
    "fixed": _fix,
    "elastic": _bend,
}


def _others(clearing: Clearing) -> dict[str, int] | None:
    """What patients and other funds paid, of a total basis; None on the fund basis."""
    if clearing.rules.basis == "fund":
        return None
    return {code: _of_others(clearing.rules, one.given) for code, one in clearing.accounts.items()}


def _of_others(rules: YearRules, given: HospitalYear) -> int:
    return given.patient_fen + given.other_fen if rules.basis == "total" else 0


def _base_volume(rules: YearRules, given: HospitalYear) -> Fraction:
    if given.base_volume is not None:
        return given.base_volume
    if rules.base_share is None:
        raise SettlementError("ST103", given.code, field="base_volume")
    return given.volume * rules.base_share


def _refuse_negative(account: Account) -> None:
    """Patients' parts above the share of their hospital (ST304)."""
    if account.due_fen < 0:
        code = account.given.code
        raise SettlementError("ST304", code, hospital=code, amount=yuan(account.due_fen))
