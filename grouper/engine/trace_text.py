"""An explanation as text for a coding clerk: one function for each kind of step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from grouper.engine.trace_words import Names, Words, texts
from grouper.errors import Lang
from grouper.scheme.condition import NUMBER_NAMES

if TYPE_CHECKING:
    from grouper.engine.trace import Trace

Step = Mapping[str, Any]
_INDENT = "  "
#: what to say in a section when there was no step of a kind
_NOTHING_FOUND = (
    ("complication", "complication", "complication.none"),
    ("procedure", "procedure", "procedure.none"),
    ("mdc", "path", "mdc.none"),
)


def trace_text(trace: Trace, lang: Lang, *, names: Names | None = None) -> str:
    """The whole explanation, one line a statement, ending with a line break."""
    words = Words(trace.record, lang, names or (lambda kind, code: ""))
    sections: dict[str, list[str]] = {name: [] for name in texts(lang)["section"]}
    sections["record"].append(_record(words))
    for step in trace.steps:
        if _is_plain(step):
            continue
        section, write = _WRITERS[step["step"]]
        sections[section] += [_INDENT + line for line in write(words, step)]
    if any(step["step"] == "exclusion" for step in trace.steps):  # a record that was not rejected
        for step_kind, section, key in _NOTHING_FOUND:
            if not any(step["step"] == step_kind for step in trace.steps):
                sections[section].append(_INDENT + words.say(key))
    sections["near"] += _plain_near(words, trace.steps)
    lines = [
        line
        for name, body in sections.items()
        if body
        for line in (words.say(f"section.{name}"), *body)
    ]
    lines.append(_INDENT + _scheme(words, trace))
    return "\n".join(lines) + "\n"


def _record(words: Words) -> str:
    record = words.record
    sex = [words.say(f"sex.{record.sex}")] if record.sex in (1, 2) else []
    known = {name: getattr(record, name) for name in NUMBER_NAMES if name != "sex"}
    numbers = [words.number(name, value) for name, value in known.items() if value is not None]
    return _INDENT + words.join("fields", [*sex, *numbers])


def _scheme(words: Words, trace: Trace) -> str:
    scheme = trace.scheme
    return words.say("result.scheme", scheme=scheme.id, title=scheme.title, digest=scheme.digest)


def _finding(words: Words, step: Step) -> list[str]:
    what, params = step["what"], dict(step)
    if "code" in step:
        params["code"] = words.code(step["kind"], step["code"])
        params["which"] = words.which(step["kind"], step["position"])
    if what == "not_in_scheme" and step["near"]:
        what, params["near"] = "not_in_scheme_near", words.code(step["kind"], step["near"])
    if what == "too_many_codes":
        params["of"] = words.say(f"of.any_{step['kind']}")
    if what == "sex_conflict":
        what = what if step["codes"] else "sex_conflict_plain"
        params["sex"] = words.say(f"sex.{step['sex']}")
        params["codes"] = words.codes("dx", step["codes"])
        params["lists"] = words.shortened(step["lists"])
    return [words.say(f"finding.{what}", **params)]


def _exclusion(words: Words, step: Step) -> list[str]:
    key = "exclusion.table" if step["table"] else "exclusion.none"
    return [words.say(key, code=words.code("dx", step["code"]), table=step["table"])]


def _complication(words: Words, step: Step) -> list[str]:
    key = step["result"] if step["table"] else "counts_always"
    params = dict(step) | {
        "code": words.code("dx", step["code"]),
        "principal": words.code("dx", step["principal"]),
    }
    return [words.say(f"complication.{key}", **params)]


def _procedure(words: Words, step: Step) -> list[str]:
    key = "lists" if step["lists"] else "bare"
    if "valid" in step:
        key += "_valid" if step["valid"] else "_not_valid"
    which = words.which("px", step["position"])
    code = words.code("px", step["code"])
    lists = words.shortened(step["lists"])
    return [words.say(f"procedure.{key}", which=which, code=code, lists=lists)]


def _mdc(words: Words, step: Step) -> list[str]:
    if step["result"] == "passed_on":
        return [_INDENT + words.say("mdc.passed_on", tried=step["tried"])]
    key = step["result"] if step["parts"] else f"{step['result']}_always"
    params = {"mdc": step["mdc"], "name": step["name"], "parts": words.parts(step["parts"])}
    return [words.say(f"mdc.{key}", **params)]


def _hint(words: Words, step: Step) -> list[str]:
    params = dict(step) | {
        "which": words.which("px", step["position"]),
        "code": words.code("px", step["code"]),
        "main": words.code("px", step["main"]),
        "lists": words.shortened(step["lists"]),
    }
    return [_INDENT + words.say(f"hint.{step['what']}", **params)]


def _rule(words: Words, step: Step) -> list[str]:
    number = step["tried_before"] + 1
    kind = words.say(f"kind.{step['kind']}")
    params = {"number": number, "adrg": step["adrg"], "name": step["name"], "kind": kind}
    lines = [_INDENT + words.say(f"rule.{step['result']}", **params)]
    if step["parts"]:
        lines.append(2 * _INDENT + words.parts(step["parts"]))
    if step["tried_before"]:
        lines.append(2 * _INDENT + words.say("rule.earlier", count=step["tried_before"]))
    return lines


def _drg(words: Words, step: Step) -> list[str]:
    key = ("true" if step["result"] else "false") + ("" if step["parts"] else "_always")
    params = {"drg": step["drg"], "name": step["name"], "parts": words.parts(step["parts"])}
    return [2 * _INDENT + words.say(f"drg.{key}", **params)]


def _near(words: Words, step: Step) -> list[str]:
    lacks = words.say("near.any_of").join(words.part(part) for part in step["lacks"])
    params = dict(step) | {"lacks": lacks}
    if step["level"] == "adrg":
        params["kind"] = words.say(f"kind.{step['kind']}")
    lines = [words.say(f"near.{step['level']}", **params)]
    if step["meets"]:
        lines.append(_INDENT + words.say("near.meets", meets=words.parts(step["meets"])))
    return lines


def _plain_near(words: Words, steps: Sequence[Step]) -> list[str]:
    """Rules that ask for a code of a list and nothing else, together: a record lacks most lists."""
    by_place: dict[str, list[str]] = {}
    for step in steps:
        if _is_plain(step):
            by_place.setdefault(step["lacks"][0]["of"], []).append(step["adrg"])
    return [
        _INDENT
        + words.say(
            "near.only",
            count=len(adrgs),
            of=words.say(f"of.{of}"),
            adrgs=words.join("codes", dict.fromkeys(adrgs)),
        )
        for of, adrgs in by_place.items()
    ]


def _is_plain(step: Step) -> bool:
    if step["step"] != "near" or step["level"] != "adrg" or step["meets"]:
        return False
    return len({part.get("of", "") for part in step["lacks"]} - {""}) == 1 and all(
        "of" in part for part in step["lacks"]
    )


def _result(words: Words, step: Step) -> list[str]:
    reasons = texts(words.lang)["reason"]
    params = dict(step) | {"reason": reasons.get(step["reason"], step["reason"])}
    lines = [words.say(f"result.{step['status']}", **params)]
    if step["severity"] != "NONE":
        lines.append(words.say(f"result.severity_{step['severity']}"))
    return lines


_WRITERS: Mapping[str, tuple[str, Callable[[Words, Step], list[str]]]] = {
    "finding": ("finding", _finding),
    "exclusion": ("complication", _exclusion),
    "complication": ("complication", _complication),
    "procedure": ("procedure", _procedure),
    "mdc": ("path", _mdc),
    "hint": ("path", _hint),
    "rule": ("path", _rule),
    "drg": ("path", _drg),
    "near": ("near", _near),
    "result": ("result", _result),
}
