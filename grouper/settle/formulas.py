"""The named rules as formulas a reader can check with a pocket calculator (payment.md 2 to 7).

w weight, c coefficient, r base rate, M mean cost per weight 1, P points per weight 1, v value of a
point, G published standard or mean cost of the group, C cost, S payment standard, x = C / ratio
base, k the multiple of the threshold, f = P v / M (1 in money), s score, d days.
"""

from __future__ import annotations

from collections.abc import Mapping

STANDARD_FORMULAS: Mapping[str, str] = {
    "S1": "w r",
    "S2": "w r c",
    "S3": "w P c v",
    "S4": "G",
    "S5": "w c v 10000",
    "S6": "s c r",
}
RULE_FORMULAS: Mapping[str, str] = {
    **{name: f"S = {formula}" for name, formula in STANDARD_FORMULAS.items()},
    "L1": "C",
    "L2": "C f",
    "L3": "C f c",
    "L5": "C",
    "H0": "S",
    "H1": "C f",
    "H2": "S + (C - k M w) f",
    "H2k": "S + (C - k' M w) f",
    "H3": "S + (C - k S / f) f",
    "H4": "c (C - (k - 1) w r)",
    "H5": "S (1 + 0.7 (x - k))",
    "H7": "S (1.7 + 0.5 (x - k))",
    "H8": "(C - S / f) f",
    "D1": "w d P v",
    "B4": "(C + 0.2 M w) f",
    "b0": "C",
    "b1": "x s c r",
    "b2": "s c r",
    "b3": "(x - 0.4) s c r",
    "b4": "2.1 s c r",
}
FUND_FORMULAS: Mapping[str, str] = {
    "A": "payment - (C - pool)",
    "B": "payment x pool / C",
    "C": "max(0, payment - own - pre - deductible) x ratio",
    "D": "max(0, payment - deductible) x ratio",
    "P1": "payment",
    "P2": "payment - (C - pool)",
}


def formula_of(rule: str) -> str:
    """The formula of a rule that decided: its name, `los<=2 L1`, `0.8C`, `1.1S`."""
    name = rule.rpartition(" ")[2]
    if name in RULE_FORMULAS:
        return RULE_FORMULAS[name]
    share, unit = name[:-1], name[-1:]
    return f"{share} {unit}" if share and unit in ("C", "S") else name
