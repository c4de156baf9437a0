"""What is wrong with a catalogue, each with its row: errors, and warnings that real ones break."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache
from statistics import median

from grouper.codes.dictionary import load_dictionary
from grouper.errors import Issue
from grouper.scheme.dip import Catalogue, CatalogueRow, Figures, Published, code_parts, dx_key
from grouper.scheme.dip_operations import Expression, operation, tokens

#: score = mean cost / base * 1000; what rounding explains
_TOLERANCE = Decimal("0.001")
#: a related operation makes its own group at this much extra cost (医保办发〔2024〕9号)
_RELATED = Decimal("1.1")
_FEW = 15
_THOUSAND = 1000
#: characters of the longest key that stands for several diagnoses
_KEY = 5

Pairs = Sequence[tuple[CatalogueRow, Figures]]


def check_catalogue(published: Published) -> list[Issue]:
    """Errors and warnings over all rows."""
    catalogue = published.catalogue
    pairs = list(zip(catalogue.rows, published.figures, strict=True))
    found = list(_check_scores(pairs, asked=catalogue.head.scores == "asked"))
    found += _check_equal_keys(catalogue)
    found += _check_reach(catalogue)
    found += _check_codes(catalogue)
    found += _check_means(pairs)
    found += _check_inversions(pairs)
    found += _check_thin(pairs)
    found += _check_unknown(catalogue)
    return found


def _check_scores(pairs: Pairs, *, asked: bool) -> Iterator[Issue]:
    """Scores that are missing, where the catalogue has any, and those that pay nothing."""
    for row, printed in pairs:
        if printed.score is None:
            if asked:
                yield Issue("SE52", row.where, {"field": "score"})
        elif printed.score <= 0:
            yield Issue("SE54", row.where, {"text": printed.score})


def _check_equal_keys(catalogue: Catalogue) -> Iterator[Issue]:
    """Two rows that the same cases fit equally well, once a pair."""
    seen: dict[object, CatalogueRow] = {}
    for row in catalogue.rows:
        asked = (row.age_days_below, row.weight_lo, row.weight_hi, row.resistant)
        rest = (row.layer, row.kind, row.cls, _set(row.main), _set(row.related), row.other_dx)
        firsts = [seen.setdefault((key, *rest, *asked), row) for key in row.dx_keys]
        first = next((one for one in firsts if one is not row), None)
        if first is not None:
            yield Issue("SW51", row.where, {"code": row.code, "other": first.code})


def _check_reach(catalogue: Catalogue) -> Iterator[Issue]:
    """Rows that no case can reach: without a layer among layers, or behind the exclusions."""
    for row in catalogue.rows:
        if row.kind in ("comprehensive", "blank", "default"):
            continue
        if catalogue.is_layered and not row.layer:
            yield Issue("SW61", row.where, {"code": row.code})
        elif row.dx_keys and catalogue.excluded_dx.issuperset(row.dx_keys):
            # only whole codes are excluded; a shorter key has other codes beside
            if all(len(key) > _KEY for key in row.dx_keys):
                yield Issue("SW76", row.where, {"code": row.code, "problem": "dx"})
        elif row.main and all(map(catalogue.is_left_out, row.main)):
            yield Issue("SW76", row.where, {"code": row.code, "problem": "operation"})


def _check_codes(catalogue: Catalogue) -> Iterator[Issue]:
    """A group code that says other things than the columns."""
    for row in catalogue.rows:
        if row.kind not in ("core", "comprehensive") or row.layer or ":" not in row.code:
            continue
        parts = code_parts(row.code)
        same = (
            parts.dx in row.dx_keys
            and _set(parts.main) == _set(row.main)
            and _set(parts.related) == _set(row.related)
            and (not parts.cls or parts.cls == row.cls)
        )
        if not same:
            yield Issue("SW52", row.where, {"code": row.code})


def _set(expression: Expression) -> frozenset[frozenset[str]]:
    return frozenset(frozenset(part) for part in expression)


def _check_means(pairs: Pairs) -> Iterator[Issue]:
    """Scores that do not follow from the mean costs; the base is the one most rows agree on."""
    both = [
        (row, printed.score, printed.mean_cost)
        for row, printed in pairs
        if printed.mean_cost is not None and printed.score
    ]
    if not both:
        return
    base = median(mean / score * _THOUSAND for _, score, mean in both)
    for row, score, mean in both:
        expected = mean / base * _THOUSAND
        if abs(expected - score) > _TOLERANCE:
            shown = round(expected, 6)
            yield Issue("SW53", row.where, {"code": row.code, "score": score, "mean": shown})


def _check_inversions(pairs: Pairs) -> Iterator[Issue]:
    core = [(row, fig.score) for row, fig in pairs if row.kind == "core" and fig.score is not None]
    plain = {row.dx_keys: (row, score) for row, score in core if not row.main}
    main_only = {
        (row.dx_keys, row.main): (row, score) for row, score in core if row.main and not row.related
    }
    for row, score in core:
        mild = plain.get(row.dx_keys)
        if row.main and mild and score < mild[1]:
            yield Issue("SW54", row.where, {"code": row.code, "other": mild[0].code})
        single = main_only.get((row.dx_keys, row.main))
        if row.related and single and score < _RELATED * single[1]:
            yield Issue("SW55", row.where, {"code": row.code, "other": single[0].code})


def _check_thin(pairs: Pairs) -> Iterator[Issue]:
    """Groups whose mean rests on little."""
    for row, printed in pairs:
        if printed.cv is not None and printed.cv > 1:
            params = {"code": row.code, "problem": "cv", "value": printed.cv}
            yield Issue("SW56", row.where, params)
        elif printed.cases is not None and printed.cases <= _FEW:
            params = {"code": row.code, "problem": "cases", "value": printed.cases}
            yield Issue("SW56", row.where, params)


def _check_unknown(catalogue: Catalogue) -> Iterator[Issue]:
    """Codes that stand in no dictionary, so that no case can have them."""
    diagnoses, operations = _known()
    for row in catalogue.rows:
        # a default row stands for a chapter, whose ends need not be codes
        for key in row.dx_keys if row.kind != "default" else ():
            if key != "*" and any(end and end not in diagnoses for end in key.split("-")):
                yield Issue("SW57", row.where, {"kind": "dx", "text": key, "code": row.code})
        for token in tokens((*row.main, *row.related)):
            if token not in operations:
                yield Issue("SW57", row.where, {"kind": "px", "text": token, "code": row.code})
        if any(ord(char) < 32 for char in row.name):
            yield Issue("SW58", row.where, {"code": row.code})


@cache
def _known() -> tuple[frozenset[str], frozenset[str]]:
    """Diagnoses and operations of the dictionary, whole and as the keys that stand for several."""
    dictionary = load_dictionary()
    diagnoses = [dx_key(code) for code in dictionary.dx.codes]
    operations = [operation(code) for code in dictionary.px.codes]
    return (
        frozenset({code[:n] for code in diagnoses for n in (1, 3, 4, 5)}.union(diagnoses)),
        frozenset({code[:n] for code in operations for n in (4, 5, 6, 7)}.union(operations)),
    )
