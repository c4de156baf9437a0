"""Conditions that a catalogue prints as text, read through the patterns of its dialect."""

from __future__ import annotations

from grouper.scheme.dip_reading import Reading


def read_patterns(reading: Reading, row: int) -> tuple[dict[str, str], bool]:
    """What the text of conditions says, and whether the row can be decided with what is public."""
    said: dict[str, str] = {}
    usable = True
    for part in filter(None, (p.strip() for p in reading.cell(row, "condition").split(";"))):
        for one in reading.dialect.conditions:
            match = one.pattern.fullmatch(part)
            if match:
                said |= {k: v for k, v in match.groupdict().items() if v is not None}
                said |= {"exclusion": one.exclusion} if one.exclusion else {}
                usable = usable and not one.unusable
                break
        else:
            reading.note("SE58", row, "condition", text=part)
    return said, usable
