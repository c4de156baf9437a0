"""A DIP catalogue, and what changed from one to another, in words, as data, as a workbook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields
from io import BytesIO
from typing import Any

from grouper.errors import Lang
from grouper.report.book import Book, Cell, Column
from grouper.report.changes import ChangeWords
from grouper.run.results import words as result_words
from grouper.scheme.dip import CatalogueHead, CatalogueRow, Published
from grouper.scheme.dip_diff import CHANGE_KINDS, CatalogueChange, diff_catalogues
from grouper.scheme.dip_form import expression_text

#: changes of a whole row or entry: it has one side only
_WHOLE = ("added", "removed", "listed", "unlisted")
#: columns of the sheet that tells what is compared
_WIDTHS = (28, 72, 72)


def head_of(published: Published) -> dict[str, Any]:
    """What identifies a catalogue, with its counts; stable keys for `--json`."""
    catalogue = published.catalogue
    head = {one.name: getattr(catalogue.head, one.name) for one in fields(CatalogueHead)}
    return {
        "id": catalogue.id,
        "kind": "dip",
        "title": catalogue.title,
        "file": catalogue.file,
        **{key: None if value is None else str(value) for key, value in head.items()},
        "confidence": catalogue.confidence,
        "groups": len(catalogue.rows),
        "kinds": dict(Counter(row.kind for row in catalogue.rows)),
        "layers": dict(Counter(row.layer for row in catalogue.rows if row.layer)),
        "excluded_dx": len(catalogue.excluded_dx),
        "excluded_ops": len(catalogue.excluded_ops),
        "primary": len(catalogue.primary),
        "resistant_dx": len(catalogue.resistant_dx),
        "warnings": len(catalogue.issues),
        "digest": catalogue.digest,
    }


def head_lines(published: Published, lang: Lang) -> Iterator[tuple[str, object]]:
    """The same for a reader: title and value, what is empty left out."""
    words, kinds = ChangeWords(lang), result_words(lang)["kind"]
    for key, value in head_of(published).items():
        if isinstance(value, dict):
            yield from ((f"  {kinds.get(name, name)}", n) for name, n in value.items())
        elif value not in (None, "", 0) and (key, value) != ("scores", "asked"):
            yield words(f"catalogue.{key}"), value


def when_text(row: CatalogueRow) -> str:
    """What a group asks for, in the names and signs of the canonical table."""
    days = row.age_days_below
    asked: list[tuple[str, object]] = [
        ("dx_key", "|".join(row.dx_keys)),
        ("cls", row.cls),
        ("main_ops", expression_text(row.main)),
        ("related_ops", expression_text(row.related)),
        ("other_dx", "|".join(row.other_dx)),
        ("age_days", None if days is None else f"< {days}"),
        ("weight_lo", row.weight_lo),
        ("weight_hi", row.weight_hi),
        ("drug_resistant", row.resistant),
    ]
    return "; ".join(f"{name} {value}" for name, value in asked if value not in ("", None))


def as_data(first: Published, second: Published) -> dict[str, Any]:
    """Both heads, counts by kind of change, every change; stable keys for `--json`."""
    changes = diff_catalogues(first, second)
    return {
        "from": head_of(first),
        "to": head_of(second),
        "counts": _counts(changes),
        "changes": [
            {one.name: getattr(change, one.name) for one in fields(change)} for change in changes
        ],
    }


def text(first: Published, second: Published, lang: Lang, *, limit: int | None) -> Iterator[str]:
    """The lines of a text; limit: so many changes of a kind."""
    words, changes = ChangeWords(lang), diff_catalogues(first, second)
    yield words("catalogue.diff", first=first.catalogue.id, second=second.catalogue.id)
    if not changes:
        yield words("catalogue.same")
    for kind, n in _counts(changes).items():
        if not n:
            continue
        yield f"{words(f'catalogue.{kind}')}: {n}"
        alike = [change for change in changes if change.kind == kind]
        yield from (f"  {_line(change, words)}" for change in alike[:limit])
        if limit is not None and n > limit:
            yield f"  {words('catalogue.more', n=n - limit)}"


def _line(change: CatalogueChange, words: ChangeWords) -> str:
    if change.kind in _WHOLE:
        name = words(f"catalogue.{change.code}") if "listed" in change.kind else change.code
        return f"{name}  {change.before or change.after}"
    field = words(f"catalogue.{change.field}")
    return f"{change.code}  {field}  {change.before or '-'} -> {change.after or '-'}"


def render(first: Published, second: Published, lang: Lang, *, program: str) -> bytes:
    """The workbook: what is compared, counts, every change; the same catalogues, the same bytes."""
    words, changes = ChangeWords(lang), diff_catalogues(first, second)
    title = words("catalogue.diff", first=first.catalogue.id, second=second.catalogue.id)
    target = BytesIO()
    book = Book(target, lang, title=title, program=program)
    book.words = words
    _notes_sheet(book, title, _notes(first, second, words, program))
    counts: list[list[Cell]] = [
        [words(f"catalogue.{kind}"), n] for kind, n in _counts(changes).items()
    ]
    book.table("summary", [Column(words("column.change")), Column(words("column.count"), "count")],
               counts)  # fmt: skip
    keys = ("kind", "code", "field", "before", "after")
    columns = [Column(words(f"catalogue.change_{key}")) for key in keys]
    book.table("groups", columns, [_row(change, words) for change in changes])
    book.close()
    return target.getvalue()


def _notes_sheet(book: Book, title: str, rows: Sequence[tuple[str, str, str]]) -> None:
    """Both catalogues side by side, long texts wrapped."""
    sheet, widths = book.sheet("notes"), dict(enumerate(_WIDTHS))
    for column, width in widths.items():
        sheet.set_column(column, column, width)
    book.put(sheet, 0, 0, title, "text", book.title)
    for column, key in enumerate(("column.item", "head.before", "head.after")):
        book.put(sheet, 2, column, book.words(key), "text", book.header)
    for row, cells in enumerate(rows, 3):
        book.wrap(sheet, row, dict(enumerate(cells)), widths)


def _notes(
    first: Published, second: Published, words: ChangeWords, program: str
) -> list[tuple[str, str, str]]:
    before, after = (dict(head_lines(one, words.lang)) for one in (first, second))
    rows = [
        (name.strip(), str(before.get(name, "")), str(after.get(name, "")))
        for name in dict.fromkeys((*before, *after))
    ]
    return [*rows, (words("head.program"), program, "")]


def _row(change: CatalogueChange, words: ChangeWords) -> list[Cell]:
    is_list = change.kind in ("listed", "unlisted")
    return [
        words(f"catalogue.{change.kind}"),
        words(f"catalogue.{change.code}") if is_list else change.code,
        words(f"catalogue.{change.field}") if change.field else "",
        change.before,
        change.after,
    ]


def _counts(changes: Sequence[CatalogueChange]) -> dict[str, int]:
    found = Counter(change.kind for change in changes)
    return {kind: found[kind] for kind in CHANGE_KINDS}
