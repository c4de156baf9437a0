"""Values of options that are numbers: decimals, ways of trimming, weights of years."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, cast

import click

from grouper.cli.options import terminal


def decimal_value(ctx: click.Context, _: click.Parameter, value: str | None) -> Fraction | None:
    """An exact decimal number."""
    return None if value is None else fraction(ctx, value, "est_number", value)


def fraction(ctx: click.Context, text: str, key: str, whole: str) -> Fraction:
    """A decimal number; wrong usage otherwise, said with all of the value."""
    try:
        if not text.isascii() or "_" in text:
            raise ValueError
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise click.BadParameter(terminal(ctx).text(f"usage.{key}", text=whole)) from None


def trim_value(
    ctx: click.Context, _: click.Parameter, value: str
) -> tuple[str, Fraction, Fraction]:
    """A method of trimming with its low and high limit: `METHOD[:LOW][:HIGH]`."""
    from weights.trim import DEFAULTS

    name, *ends = value.split(":")
    if name not in DEFAULTS or len(ends) > 2:
        known = ", ".join(DEFAULTS)
        text = terminal(ctx).text("usage.est_trim", text=value, known=known)
        raise click.BadParameter(text)
    low, high = DEFAULTS[cast(Any, name)]
    numbers = [fraction(ctx, end, "est_number", end) for end in ends]
    if len(numbers) == 1:
        # one number is both widths, or the upper limit
        low = numbers[0] if name in ("iqr", "log_sd") else low
        high = numbers[0]
    elif numbers:
        low, high = numbers
    return name, low, high


def year_weights_value(
    ctx: click.Context, _: click.Parameter, value: str | None
) -> list[Fraction] | dict[int, Fraction] | None:
    """Weights of years: in order, or by year."""
    if value is None:
        return None
    if "=" not in value:
        return [fraction(ctx, part, "est_years", value) for part in value.split(":")]
    found = {}
    for part in value.split(","):
        year, _mark, weight = part.partition("=")
        if not (year.strip().isascii() and year.strip().isdigit()):
            raise click.BadParameter(terminal(ctx).text("usage.est_years", text=value))
        found[int(year)] = fraction(ctx, weight, "est_years", value)
    return found


def weights_by_year(
    given: list[Fraction] | Mapping[int, Fraction] | None, years: Sequence[int]
) -> Mapping[int, Fraction]:
    """The weights of some years, oldest first; none were given: none.

    Raises WeightError WT140 for weights in order that are not as many as the years.
    """
    from grouper.errors import WeightError

    if not isinstance(given, list):
        return given or {}
    if len(given) != len(years):
        listed = ", ".join(map(str, years))
        raise WeightError("WT140", years=listed, given=":".join(map(str, given)))
    return dict(zip(years, given, strict=True))
