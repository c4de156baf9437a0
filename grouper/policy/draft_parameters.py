"""The national parameters as comments of a new policy file, ready to be overridden."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from grouper.datafile import toml_text
from grouper.policy.parameter_files import national_parameters
from grouper.policy.parameters import Band, Entry, ScoreStep, Value


def parameter_comments(year: int) -> Iterator[str]:
    """Every national parameter as a comment, ready to be overridden."""
    yield "# 以下为全国缺省值；本区另有规定的，去掉注释并改写"
    yield "# National defaults follow; uncomment what the area decided otherwise"
    parameters = national_parameters()
    for key, definition in parameters.definitions.items():
        entries = parameters.national.get(key, ())
        yield f"# [parameters.{key}] # {definition.title}"
        yield f'# unit = "{definition.unit}"'
        yield '# source = ""'
        yield '# confidence = "official"'
        yield f"# values = [{{ from = {year}-01-01, {_shown(entries)} }}]"


def _shown(entries: Sequence[Entry]) -> str:
    values: Mapping[str, Value] = entries[-1].values if entries else {}
    return (
        ", ".join(
            f"{'value' if key == '*' else key} = {_value(value)}" for key, value in values.items()
        )
        or "value = 0"
    )


def _value(value: Value) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, str):
        return toml_text(value)
    parts = []
    for one in value:
        if isinstance(one, Band):
            border = "" if one.up_to is None else f"up_to = {one.up_to}, "
            parts.append(f"{{ {border}rate = {one.rate} }}")
        elif isinstance(one, ScoreStep):
            factor = '"score"' if one.factor is None else one.factor
            parts.append(f"{{ lowest = {one.lowest}, factor = {factor} }}")
        else:
            parts.append(toml_text(one))
    return f"[{', '.join(parts)}]"
