"""What changed between two schemes, said in words: a text to read, and the data of its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from grouper.datafile import data_folder, read_toml
from grouper.errors import Lang
from grouper.report.words import Words
from grouper.scheme.change import KINDS, SUBJECTS, Change, Diff, Side
from grouper.scheme.model import Scheme, names_apart

#: (`dx` or `px`, code) -> its name, "" if not known
CodeNames = Callable[[str, str], str]

#: so many lines of each kind of change, and codes in each line, unless all are asked for
LINES, CODES = 10, 6
#: so many groups of those that use a list
GROUPS = 8
#: changes of codes, told together where the same happens to many
_BY_CODE = ("code_moved", "code_added", "code_removed")


@cache
def _table(lang: Lang) -> Mapping[str, Mapping[str, str]]:
    words: Mapping[str, Mapping[str, str]] = read_toml(
        data_folder("messages", f"changes_{lang}.toml")
    )
    return words


@dataclass(frozen=True, slots=True)
class ChangeWords(Words):
    """The words of one language, by `section.key`, in `data/messages/changes_<lang>.toml`."""

    def __call__(self, key: str, /, **params: object) -> str:
        """Fill the text of `section.key`."""
        section, _, name = key.partition(".")
        return _table(self.lang)[section][name].format_map(params)

    def title(self, diff: Diff) -> str:
        """Which two schemes are compared."""
        first, second = names_apart(diff.first, diff.second)
        return self("head.title", first=first, second=second)

    def detail(self, change: Change, side: Side) -> str:
        """The text of a side in words."""
        match change.kind:
            case "adrg_kind":
                return self(f"rule.{side.text}")
            case "rule_moved" | "mdc_moved":
                return self("line.after", code=side.text) if side.text else self("line.first")
        if change.subject == "notgrouped":
            return self(f"reason.{side.text}")
        return side.text

    def limits(self, diff: Diff) -> str:
        """What alone was asked for; "" when that is everything."""
        if diff.is_whole:
            return ""
        subjects = [self(f"subject.{subject}") for subject in diff.subjects]
        mdcs = [f"MDC{letter}" for letter in diff.mdcs or ()]
        return self("head.joiner").join([*subjects, " ".join(mdcs)] if mdcs else subjects)

    def empty(self, diff: Diff) -> str:
        """That there is no difference, as exactly as is known; "" where there is one."""
        if diff.changes:
            return ""
        if diff.first.digest == diff.second.digest:
            return self("head.none")
        return self("head.none_in_meaning" if diff.is_whole else "head.none_asked")


def some(groups: Sequence[str]) -> str:
    """Groups in one text, at most GROUPS of them, and how many more there are."""
    more = f" … +{len(groups) - GROUPS}" if len(groups) > GROUPS else ""
    return " ".join(groups[:GROUPS]) + more


def head(scheme: Scheme, words: ChangeWords) -> dict[str, str]:
    """What a scheme is and how much it holds, by the keys of the `head` words."""
    mcc = sum(found.level == "MCC" for found in scheme.cc.values())
    counts = {
        "mdcs": len(scheme.mdcs),
        "adrgs": len({rule.adrg for rule in scheme.adrgs if not rule.is_ambiguous}),
        "drgs": len(scheme.drgs),
        "lists": len(scheme.lists),
        "entries": sum(len(part.codes) for part in scheme.lists.values()),
        "mcc": mcc,
        "cc": len(scheme.cc) - mcc,
        "principals": len(scheme.exclusions),
    }
    return {
        "id": scheme.id,
        "name": scheme.title,
        "status": words(f"status.{scheme.status}"),
        "date": scheme.date,
        "confidence": scheme.confidence,
        "codes": scheme.codes,
        "digest": scheme.digest[:12],
        **{key: f"{value:,}" for key, value in counts.items()},
    }


def text(diff: Diff, lang: Lang, names: CodeNames, *, limit: int | None = LINES) -> Iterator[str]:
    """The differences as lines: counts first, then details; `limit` None shows all."""
    words = ChangeWords(lang)
    yield words.title(diff)
    heads = [head(scheme, words) for scheme in (diff.first, diff.second)]
    for key in heads[0]:
        was, now = (one[key] for one in heads)
        value = f"{was} → {now}" if was != now else was
        yield "  " + words("head.line", title=words(f"head.{key}"), value=value)
    if limits := words.limits(diff):
        yield "  " + words("head.line", title=words("head.limits"), value=limits)
    if nothing := words.empty(diff):
        yield nothing
        return
    counts = diff.counts()
    for subject, kinds in counts.items():
        if kinds:
            yield f"{words(f'subject.{subject}')}"
        for kind, n in kinds.items():
            yield "  " + words("head.line", title=words(f"kind.{kind}"), value=f"{n:,}")
    for subject in SUBJECTS:
        for kind in counts[subject]:
            yield ""
            title = f"{words(f'subject.{subject}')} · {words(f'kind.{kind}')}"
            yield f"{title} ({counts[subject][kind]:,})"
            lines = list(_lines(list(diff.of(subject, kind)), words, names, limit))
            yield from (f"  {line}" for line in lines[:limit])
            if limit is not None and len(lines) > limit:
                yield f"  {words('head.more', n=len(lines) - limit)}"


def _lines(
    changes: Sequence[Change], words: ChangeWords, names: CodeNames, limit: int | None
) -> Iterator[str]:
    first = changes[0]
    if first.subject in ("cc", "notgrouped") or first.kind.startswith(("principal", "code_")):
        yield from _flows(changes, words, names, limit)
        return
    for change in changes:
        yield _line(change, words)


def _flows(
    changes: Iterable[Change], words: ChangeWords, names: CodeNames, limit: int | None
) -> Iterator[str]:
    """Codes to which the same happens, together: `BR1_dx → BR2_dx (3): I60.000 ..., `."""
    flows: dict[tuple[str, str, str], list[str]] = {}
    for change in changes:
        sides = (change.before, change.after)
        was, now = (_place(change, side, words) if side else "" for side in sides)
        code = (change.after or change.before or Side(("",))).codes[0]
        flows.setdefault((was, now, change.code_kind), []).append(code)
    for (was, now, kind), codes in sorted(flows.items(), key=lambda flow: -len(flow[1])):
        shown = codes if limit is None else codes[:CODES]
        named = [f"{code} {names(kind, code)}".rstrip() for code in shown]
        rest = f", … +{len(codes) - len(shown)}" if len(codes) > len(shown) else ""
        nothing = words("head.nothing")
        yield f"{was or nothing} → {now or nothing} ({len(codes):,}): {', '.join(named)}{rest}"


def _place(change: Change, side: Side, words: ChangeWords) -> str:
    return " ".join(side.lists) if change.kind in _BY_CODE else words.detail(change, side)


def _line(change: Change, words: ChangeWords) -> str:
    before, after = (_named(change, side, words) for side in (change.before, change.after))
    if change.subject == "conditions":
        sides = [side for side in (change.before, change.after) if side]
        titles = dict.fromkeys(_title(side) for side in sides)
        relation = words(f"relation.{change.relation}")
        line = " → ".join(titles) + (f" [{relation}]" if relation else "")
        marked = zip("-+", (change.before, change.after), strict=True)
        return "\n".join([line, *(f"      {mark} {s.text}" for mark, s in marked if s)])
    return " → ".join(part for part in (before, after) if part)


def _named(change: Change, side: Side | None, words: ChangeWords) -> str:
    """A side in one line: codes with names, then what distinguishes it."""
    if side is None:
        return ""
    parts = [_title(side)]
    if change.subject == "lists":
        groups = words("line.used_by", groups=some(side.groups)) if side.groups else ""
        parts += [words("line.codes", n=f"{side.count:,}"), groups or words("line.unused")]
    elif change.subject == "exclusions":
        parts.append(words("line.codes", n=f"{side.count:,}"))
    elif change.kind in ("adrg_kind", "rule_moved", "mdc_moved"):
        parts.append(words.detail(change, side))
    elif change.kind.startswith("adrg_") and change.kind != "adrg_renamed":
        parts.append(" ".join(side.groups))
    more = " · ".join(part for part in parts[1:] if part)
    return f"{parts[0]} ({more})" if more else parts[0]


def _title(side: Side) -> str:
    named = zip(side.codes, (*side.names, *[""] * len(side.codes)), strict=False)
    return " + ".join(f"{code} {name}".rstrip() for code, name in named)


def as_data(diff: Diff, lang: Lang, names: CodeNames) -> dict[str, Any]:
    """Stable keys for `--json`; a change of a code has its name besides."""
    changes = []
    for change in diff.changes:
        entry = change.to_dict()
        side = change.after or change.before
        if change.code_kind and side and not change.kind.startswith(("list_", "table_")):
            entry["name"] = names(change.code_kind, side.codes[0])
        changes.append(entry)
    return {
        "from": _identity(diff.first),
        "to": _identity(diff.second),
        "same": diff.first.digest == diff.second.digest,
        "only": {"subjects": list(diff.subjects), "mdcs": diff.mdcs and list(diff.mdcs)},
        "notes": [note.to_dict(lang) for note in diff.notes],
        "counts": {
            subject: {kind: diff.counts()[subject].get(kind, 0) for kind in kinds}
            for subject, kinds in KINDS.items()
        },
        "changes": changes,
    }


def _identity(scheme: Scheme) -> dict[str, str]:
    keys = ("id", "title", "base", "status", "date", "confidence", "codes", "digest")
    return {key: getattr(scheme, key) for key in keys}
