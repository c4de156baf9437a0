"""Report files on disk: complete or not there at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from grouper.records.outfile import Overwrite, check_output, whole_file
from grouper.report.data import ReportData
from grouper.report.page import render_page
from grouper.report.workbook import render_workbook


def _page(data: ReportData) -> bytes:
    return render_page(data).encode()


#: suffix -> how the file is made
FORMS: Mapping[str, Callable[[ReportData], bytes]] = {
    ".html": _page,
    ".htm": _page,
    ".xlsx": render_workbook,
}


def json_file(value: object) -> bytes:
    """An object as a JSON file, line for line what `--json` writes to stdout."""
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def save_report(
    path: Path,
    data: ReportData,
    *,
    inputs: Sequence[str | Path] = (),
    overwrite: Overwrite = "refuse",
) -> None:
    """Write a page or a workbook, by the suffix of `path` (one of FORMS).

    Raises DataFileError for an output that must not or cannot be written.
    """
    save(path, FORMS[path.suffix.lower()](data), inputs=inputs, overwrite=overwrite)


def save(
    path: Path,
    content: bytes,
    *,
    inputs: Sequence[str | Path] = (),
    overwrite: Overwrite = "refuse",
) -> None:
    """Write a file under a temporary name beside its place and move it there when complete."""
    check_output(path, inputs, overwrite=overwrite)
    with whole_file(path) as file:
        file.write(content)
