"""The canonical form of a scheme: bytes, digest, and a folder written whole or not at all.

Rows are sorted by `order`, codes by Unicode code point; conditions are spelled one way only. Any
loaded scheme written again gives the same bytes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from grouper.datafile import toml_text, write_folder
from grouper.errors import SchemeError
from grouper.scheme.condition import to_text
from grouper.scheme.extends import check_base, difference_files
from grouper.scheme.lint_structure import FORMAT
from grouper.scheme.model import Scheme
from grouper.scheme.source import COLUMNS, EXTENDS, HEAD, OPTIONAL, README, finding


def canonical_files(scheme: Scheme, *, base: Scheme | None = None) -> dict[str, bytes]:
    """The files of a scheme folder in their fixed order: name -> content.

    The scheme is written whole, or as the difference from a base. `notgrouped.tsv` and `README.md`
    are left out when the scheme has none.
    """
    files = {HEAD: _head(scheme, base), **table_files(scheme)}
    if base is not None:
        files |= difference_files(scheme, base)
    if scheme.readme:
        files[README] = scheme.readme.encode()
    return files


def table_files(scheme: Scheme) -> dict[str, bytes]:
    """The tables alone: what decides grouping and what the digest covers."""
    rows: dict[str, Iterable[str]] = {
        "mdc.tsv": (f"{m.order}\t{m.mdc}\t{m.name}\t{to_text(m.when)}" for m in scheme.mdcs),
        "adrg.tsv": (
            f"{a.order}\t{a.mdc}\t{a.adrg}\t{a.name}\t{a.kind}\t{to_text(a.when)}"
            for a in scheme.adrgs
        ),
        "drg.tsv": (
            f"{d.order}\t{d.adrg}\t{d.drg}\t{d.name}\t{to_text(d.when)}" for d in scheme.drgs
        ),
        # one join a list: these are 100,000 rows, written for every digest
        "lists.tsv": (
            f"{name}\t{part.kind}\t" + f"\n{name}\t{part.kind}\t".join(part.codes)
            for name, part in sorted(scheme.lists.items())
        ),
        "cc.tsv": (f"{code}\t{c.level}\t{c.table}" for code, c in sorted(scheme.cc.items())),
        "exclusions.tsv": map("\t".join, sorted(scheme.exclusions.items())),
    }
    if scheme.not_for_grouping:
        rows[OPTIONAL] = (
            f"{kind}\t{code}\t{reason}"
            for (kind, code), reason in sorted(scheme.not_for_grouping.items())
        )
    return {
        name: "\n".join(("\t".join(COLUMNS[name]), *lines, "")).encode()
        for name, lines in rows.items()
    }


def digest(scheme: Scheme) -> str:
    """SHA-256 (hex) over the canonical tables: name, NUL, content; head and README left out."""
    total = hashlib.sha256()
    for name, content in table_files(scheme).items():
        total.update(name.encode() + b"\0" + content)
    return total.hexdigest()


def write_scheme(
    scheme: Scheme,
    folder: Path,
    *,
    base: Scheme | None = None,
    overwrite: Literal["refuse", "replace"] = "refuse",
) -> None:
    """Write a scheme folder, named like the scheme's id, whole or as the difference from a base.

    The files are written beside it first and moved there together, so that a reader never sees a
    folder half-written. Raises SchemeError when the folder has another name (SE02) or the base
    cannot be one or would not be found from there (SE14), DataFileError when it exists (DF122; a
    folder without scheme.toml is never replaced unless empty) or cannot be written (DF123).
    """
    folder = Path(os.path.abspath(folder))
    if folder.name != scheme.id:
        raise SchemeError.of(
            [finding("SE02", f"{HEAD}: id", "folder", scheme.id, near=folder.name)]
        )
    if base is not None:
        check_base(scheme, base, folder)
    files = canonical_files(scheme, base=base)
    write_folder(folder, files, mark=HEAD, overwrite=overwrite)


def _head(scheme: Scheme, base: Scheme | None) -> bytes:
    adrgs = {rule.adrg for rule in scheme.adrgs if not rule.is_ambiguous}
    values: dict[str, str | int] = {
        "id": scheme.id,
        "title": scheme.title,
        "base": scheme.base,
        **({EXTENDS: base.id} if base else {}),
        "status": scheme.status,
        "publication": scheme.publication,
        "date": scheme.date,
        "source": scheme.source,
        "confidence": scheme.confidence,
        "codes": scheme.codes,
        "format": FORMAT,
        "mdc_count": len(scheme.mdcs),
        "adrg_count": len(adrgs),
        "drg_count": len(scheme.drgs),
    }
    lines = (
        f"{key} = {toml_text(value) if isinstance(value, str) else value}\n"
        for key, value in values.items()
    )
    return "".join(lines).encode()
