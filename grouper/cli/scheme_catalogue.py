"""`grouper scheme show` of a DIP catalogue: what it holds, and what its groups ask for."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from grouper.cli.options import terminal
from grouper.cli.output import DONE, sums

if TYPE_CHECKING:
    from grouper.run.catalogues import PricedCatalogue
    from grouper.scheme.dip import CatalogueRow
    from grouper.scheme.dip_operations import Expression


def show_catalogue(ctx: click.Context, name: str, codes: tuple[str, ...], *, json_: bool) -> int:
    """The head of a catalogue, or the rows of groups and diagnoses."""
    from grouper.run.catalogues import read_catalogue

    out, read = terminal(ctx), read_catalogue(name)
    rows = [row for code in codes for row in _rows(ctx, read, code)]
    if json_:
        out.json({"scheme": catalogue_head(read), "rules": rows})
    elif codes:
        keys = ("code", "name", "kind", "when", "score")
        titles = [out.text(f"column.{'rule' if key == 'when' else key}") for key in keys]
        out.table(titles, [[row[key] or "" for key in keys] for row in rows])
    else:
        out.data(sums(catalogue_head(read).items()))
    return DONE


def catalogue_head(read: PricedCatalogue) -> dict[str, object]:
    """Stable keys: what it is, how many groups of each kind and layer, what it excludes."""
    catalogue = read.catalogue
    kinds = Counter(row.kind for row in catalogue.rows)
    layers = Counter(row.layer for row in catalogue.rows if row.layer)
    return {
        "id": catalogue.id,
        "title": catalogue.title,
        "confidence": catalogue.confidence,
        "groups": len(catalogue.rows),
        **{f"{kind}_groups": n for kind, n in sorted(kinds.items())},
        **{f"{layer}_groups": n for layer, n in layers.items()},
        "excluded_dx": len(catalogue.excluded_dx),
        "excluded_ops": len(catalogue.excluded_ops),
        "warnings": len(catalogue.issues),
        "digest": catalogue.digest,
    }


def _rows(ctx: click.Context, read: PricedCatalogue, code: str) -> list[dict[str, Any]]:
    """The rows with a code, or of a diagnosis (`K35.3`)."""
    from grouper.scheme.dip import dx_key

    wanted, scores = dx_key(code), read.scores
    found = [
        {
            "code": row.code,
            "name": row.name,
            "kind": row.kind,
            "layer": row.layer or None,
            "when": when_text(row),
            "score": None if scores[at] is None else str(scores[at]),
            "where": row.where,
        }
        for at, row in enumerate(read.catalogue.rows)
        if dx_key(row.code) == wanted or wanted in row.dx_keys
    ]
    if not found:
        text = terminal(ctx).text("usage.no_group", code=code, scheme=read.catalogue.id)
        raise click.UsageError(text, ctx)
    return found


def when_text(row: CatalogueRow) -> str:
    """What a group asks for, in the names and signs of the canonical table."""
    asked: list[tuple[str, object]] = [
        ("dx_key", "|".join(row.dx_keys)),
        ("cls", row.cls),
        ("main_ops", _expression(row.main)),
        ("related_ops", _expression(row.related)),
        ("other_dx", "|".join(row.other_dx)),
        ("age_days", None if row.age_days_below is None else f"< {row.age_days_below}"),
        ("weight_lo", row.weight_lo),
        ("weight_hi", row.weight_hi),
        ("drug_resistant", row.resistant),
    ]
    return "; ".join(f"{name} {value}" for name, value in asked if value not in ("", None))


def _expression(expression: Expression) -> str:
    return "|".join("+".join(part) for part in expression)
