"""Tables in normal form as folders: table.toml, weights.tsv, and a README if there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from grouper.datafile import data_homes, write_folder
from grouper.errors import DataFileError, WeightError
from weights.head import head_text
from weights.load import HEAD_FILE, ROWS_FILE, read_head, table_ids
from weights.table import COLUMNS, Head
from weights.words import data_folder


def table_files(
    head: Head, columns: Mapping[str, Sequence[str]], *, remarks: Sequence[str] = ()
) -> dict[str, bytes]:
    """The files of a table folder: name -> content.

    columns: text named as in `COLUMNS`, written in that order; remarks: lines of comment for
    table.toml. The same arguments give the same bytes.
    """
    names = [name for name in COLUMNS if name in columns]
    rows = zip(*(columns[name] for name in names), strict=True)
    lines = ["\t".join(names), *("\t".join(row) for row in rows)]
    comment = "".join(f"# {line}\n" for line in remarks)
    return {
        HEAD_FILE: (comment + head_text(head)).encode(),
        ROWS_FILE: ("\n".join(lines) + "\n").encode(),
    }


def install(
    head: Head,
    columns: Mapping[str, Sequence[str]],
    *,
    remarks: Sequence[str] = (),
    home: Path | None = None,
    overwrite: Literal["refuse", "replace"] = "refuse",
) -> Path:
    """Write a table into a data folder (default: the user's first); its folder.

    Raises WeightError WT122 for the id of another table that comes with the package (which would
    go on being used), DataFileError DF122 when the table is there already, DF123 when it cannot be
    written.
    """
    place = home or next(iter(data_homes()), None)
    if place is None:
        raise DataFileError("DF123", head.id, path="GROUPER_DATA", detail="no home folder")
    folder = place / "weights" / head.id
    files = table_files(head, columns, remarks=remarks)
    if head.id in table_ids():
        own = data_folder() / head.id
        if read_head(own) != head or (own / ROWS_FILE).read_bytes() != files[ROWS_FILE]:
            raise WeightError("WT122", head.id, table=head.id)
    write_folder(folder, files, mark=HEAD_FILE, overwrite=overwrite)
    return folder
