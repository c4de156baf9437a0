"""What can be wrong, and how it is said: the exception tree, Issue, and the message tables.

A mistake of the caller that stops all work is raised as a `GrouperError`. What is wrong with one
record, one row of a table or one cell is an `Issue`: collected, counted, reported at the end.
Both speak through a code (`RE02`, `SE08`, `ST101` ...) whose texts stand in
`data/messages/zh.toml` and `en.toml`; a code never changes its meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

Lang = Literal["zh", "en"]
Severity = Literal["error", "warning"]


@cache
def messages(lang: Lang) -> Mapping[str, Mapping[str, str]]:
    """The texts of all issue codes in one language: code -> {severity, what, why, fix}."""
    import tomllib
    from importlib.resources import files

    text = files("grouper").joinpath("data", "messages", f"{lang}.toml").read_text("utf-8")
    table: dict[str, Mapping[str, str]] = tomllib.loads(text)
    return table


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong, where, and with which values.

    `where` is `file:row:column`, `file:sheet!cell`, or `file: key.path` for TOML.
    `params` fill the placeholders of the message texts.
    """

    code: str
    where: str = ""
    params: Mapping[str, object] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """`error` or `warning`, as the message table says."""
        return "warning" if messages("en")[self.code].get("severity") == "warning" else "error"

    def what(self, lang: Lang = "en") -> str:
        """The one-line statement of what is wrong."""
        return self._fill(lang, "what")

    def why(self, lang: Lang = "en") -> str:
        """Why it matters; may be empty."""
        return self._fill(lang, "why")

    def fix(self, lang: Lang = "en") -> str:
        """What the reader can do about it."""
        return self._fill(lang, "fix")

    def text(self, lang: Lang = "en") -> str:
        """The whole message: code, place, what, why, fix, on up to three lines."""
        titles = {"zh": ("原因", "处理"), "en": ("why", "fix")}[lang]
        place = f" {self.where}" if self.where else ""
        lines = [f"{self.code}{place}  {self.what(lang)}"]
        for title, part in zip(titles, (self.why(lang), self.fix(lang)), strict=True):
            if part:
                lines.append(f"  {title}  {part}")
        return "\n".join(lines)

    def to_dict(self, lang: Lang = "en") -> dict[str, str]:
        """Stable keys for `--json`."""
        return {
            "code": self.code,
            "severity": self.severity,
            "where": self.where,
            "what": self.what(lang),
            "why": self.why(lang),
            "fix": self.fix(lang),
        }

    def _fill(self, lang: Lang, part: str) -> str:
        entry = messages(lang)[self.code]
        words = _Words({key: str(value) for key, value in self.params.items()})
        if lang == "en":
            # a text of the data that has an English form beside it, such as a title
            words |= {key[:-3]: word for key, word in words.items() if key.endswith("_en")}
        # a parameter with a table of phrases of its own is a key of that table: said per language
        for key, word in list(words.items()):
            phrases: object = entry.get(key)
            if isinstance(phrases, Mapping):
                # a word without a phrase is a name of the data: it stands for itself
                words[key] = str(phrases.get(word, word)).format_map(words)
        return entry.get(part, "").format_map(words)


class _Words(dict[str, str]):
    """What fills a message: a word that is not given is `?`, an error must not hide behind one."""

    def __missing__(self, key: str) -> str:
        return "?"


class GrouperError(Exception):
    """Base of all errors this package raises on purpose; carries one or more issues."""

    def __init__(self, code: str, where: str = "", /, **params: object) -> None:
        self.issues: tuple[Issue, ...] = (Issue(code, where, params),)
        super().__init__(code)

    @classmethod
    def of(cls, issues: Iterable[Issue]) -> GrouperError:
        """One error out of several collected issues (at least one)."""
        issues = tuple(issues)
        error = cls(issues[0].code, issues[0].where, **issues[0].params)
        error.issues = issues
        return error

    def text(self, lang: Lang = "en") -> str:
        """All messages, one after the other."""
        return "\n".join(issue.text(lang) for issue in self.issues)

    def __str__(self) -> str:
        return self.text("en")


class DataFileError(GrouperError):
    """A file cannot be read or written (DF codes)."""


class SchemeError(GrouperError):
    """A grouping scheme cannot be used (SE codes)."""


class CodeError(GrouperError):
    """A code dictionary or crosswalk cannot be used (CD codes)."""


class RecordError(GrouperError):
    """Discharge records cannot be read as such (RE codes)."""


class WeightError(GrouperError):
    """A weight table cannot be used (WT codes)."""


class PolicyError(GrouperError):
    """An area's policy cannot be used (PO codes)."""


class SettlementError(GrouperError):
    """Amounts cannot be computed (ST codes)."""


class RunError(GrouperError):
    """A run over many rows cannot go on (RN codes)."""
