"""What changed between two schemes as an Excel workbook: one sheet for each subject."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from grouper.errors import Lang
from grouper.report.book import NOTES, Book, Cell, Column
from grouper.report.changes import GROUPS, ChangeWords, CodeNames, head, some
from grouper.scheme.change import SUBJECTS, Change, Diff, Side, Subject

_Row = Callable[[Change], list[Cell]]


def render_changes(diff: Diff, lang: Lang, names: CodeNames, *, program: str) -> bytes:
    """The workbook file; the same differences give the same bytes."""
    target = BytesIO()
    book = _ChangesBook(target, diff, lang, names, program)
    book.notes()
    book.summary()
    for subject in SUBJECTS:
        if any(diff.of(subject)):
            book.subject(subject)
    book.close()
    return target.getvalue()


class _ChangesBook(Book):
    """A workbook being written; one method a sheet."""

    words: ChangeWords

    def __init__(
        self, target: BytesIO, diff: Diff, lang: Lang, names: CodeNames, program: str
    ) -> None:
        title = ChangeWords(lang).title(diff)
        super().__init__(target, lang, title=title, program=program)
        self.words = ChangeWords(lang)
        self.diff = diff
        self.names = names
        self.text = title, program

    def notes(self) -> None:
        """The two schemes side by side, and what the reader must know."""
        words, (title, program) = self.words, self.text
        sheet = self.sheet("notes")
        widths = (NOTES[0], *[(NOTES[1] + NOTES[2]) // 2] * 2)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        self.put(sheet, 0, 0, title, "text", self.title)
        for column, key in enumerate(("column.item", "head.before", "head.after")):
            self.put(sheet, 2, column, words(key), "text", self.header)
        first, second = (head(one, words) for one in (self.diff.first, self.diff.second))
        rows = [(words(f"head.{key}"), first[key], second[key]) for key in first]
        rows += [
            (note.code, note.what(words.lang), note.fix(words.lang)) for note in self.diff.notes
        ]
        if limits := words.limits(self.diff):
            rows.append((words("head.limits"), limits, ""))
        rows.append((words("head.program"), program, ""))
        if nothing := words.empty(self.diff):
            rows.insert(0, (nothing, "", ""))
        for row, cells in enumerate(rows, 3):
            self.wrap(sheet, row, dict(enumerate(cells)), dict(enumerate(widths)))

    def summary(self) -> None:
        """How many changes there are of each kind."""
        words = self.words
        columns = [
            Column(words("column.subject")),
            Column(words("column.change")),
            Column(words("column.count"), "count"),
        ]
        rows: list[list[Cell]] = [
            [words(f"subject.{subject}"), words(f"kind.{kind}"), n]
            for subject, kinds in self.diff.counts().items()
            for kind, n in kinds.items()
        ]
        self.table("summary", columns, rows)

    def subject(self, subject: Subject) -> None:
        """Every change of a subject, one a row."""
        keys, row = {
            "groups": (_GROUPS, self._group),
            "conditions": (_CONDITIONS, self._condition),
            "lists": (_LISTS, self._list),
        }.get(subject, (_CODES, self._code))
        columns = [
            Column(self.words(f"column.{key}"), "count" if key.endswith("_count") else "text")
            for key in ("change", "mdc", *keys)
        ]
        rows: list[list[Cell]] = [
            [self.words(f"kind.{change.kind}"), self._mdcs(change), *row(change)]
            for change in self.diff.of(subject)
        ]
        sheet = self.table(subject, columns, rows)
        wide = {
            number: _WIDTHS[key]
            for number, key in enumerate(("change", "mdc", *keys))
            if subject in ("groups", "conditions") and key in _WIDTHS
        }
        for number, width in wide.items():
            sheet.set_column(number, number, width)
        for number, cells in enumerate(rows, 1):
            if wide:
                texts = {column: str(cells[column] or "") for column in wide}
                self.wrap(sheet, number, texts, wide)

    def _mdcs(self, change: Change) -> str:
        """The letters of the MDCs, or how many: all procedures that count concern nearly all."""
        if len(change.mdcs) > GROUPS:
            return self.words("head.many_mdcs", n=len(change.mdcs))
        return " ".join(change.mdcs)

    def _sides(self, change: Change, value: Callable[[Side], Cell]) -> list[Cell]:
        return [value(side) if side else "" for side in (change.before, change.after)]

    def _group(self, change: Change) -> list[Cell]:
        return [
            *self._sides(change, lambda side: " ".join(side.codes)),
            *self._sides(change, lambda side: self.words("head.joiner").join(side.names)),
            *self._sides(
                change, lambda side: self.words.detail(change, side) or " ".join(side.groups)
            ),
        ]

    def _condition(self, change: Change) -> list[Cell]:
        side = change.after or change.before
        codes = dict.fromkeys(" ".join(s.codes) for s in (change.before, change.after) if s)
        return [
            " → ".join(codes),
            " ".join(side.names) if side else "",
            self.words(f"relation.{change.relation}"),
            *self._sides(change, lambda side: side.text),
        ]

    def _list(self, change: Change) -> list[Cell]:
        is_list = change.kind.startswith("list_")
        side = change.after or change.before or Side(("",))
        code = "" if is_list else side.codes[0]
        counts = self._sides(change, lambda side: side.count) if is_list else [None, None]
        return [
            self.words(f"code_kind.{change.code_kind}"),
            code,
            self.names(change.code_kind, code) if code else "",
            *self._sides(change, lambda side: " ".join(side.codes if is_list else side.lists)),
            *self._sides(change, lambda side: some(side.groups)),
            *(count if isinstance(count, int) else None for count in counts),
        ]

    def _code(self, change: Change) -> list[Cell]:
        side = change.after or change.before or Side(("",))
        is_table = change.kind.startswith("table_")
        code = "" if is_table else side.codes[0]
        counts = self._sides(change, lambda side: side.count) if is_table else [None, None]
        return [
            self.words(f"code_kind.{change.code_kind}"),
            code,
            self.names(change.code_kind, code) if code else "",
            *self._sides(
                change,
                lambda side: side.codes[0] if is_table else self.words.detail(change, side),
            ),
            *(count if isinstance(count, int) else None for count in counts),
        ]


#: columns whose texts are broken into lines
_WIDTHS = {
    "before_codes": 16,
    "after_codes": 16,
    "name": 30,
    "before": 46,
    "after": 46,
    "before_names": 36,
    "after_names": 36,
    "before_text": 40,
    "after_text": 40,
}
_GROUPS = (
    "before_codes",
    "after_codes",
    "before_names",
    "after_names",
    "before_text",
    "after_text",
)
_CONDITIONS = ("code", "name", "relation", "before", "after")
_CODES = ("code_kind", "code", "name", "before", "after", "before_count", "after_count")
_LISTS = (*_CODES[:5], "before_groups", "after_groups", *_CODES[5:])
