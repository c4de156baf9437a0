"""Whether what a policy names is there and belongs together: weight tables, levels, labels."""

from __future__ import annotations

from collections.abc import Iterator

import weights
from grouper.errors import Issue
from grouper.policy.leads import label_columns
from grouper.policy.model import Policy, Terms
from grouper.policy.place import with_lines
from grouper.scheme.source import embedded_ids
from weights.table import WeightTable

#: columns of a weight table that class rules can ask for
LABEL_COLUMNS = ("class", "flag", "adjusted")
_COLUMN_TESTS = ("any", "flag")


def fit_issues(policy: Policy) -> list[Issue]:
    """What of a policy's tables is not as its rules expect.

    PO203 a class rule asks for a column no weight table has; PO204 the table is not at hand; PO205
    the table holds the coefficients, but none for a level of the area; ST109 the table belongs to
    another scheme; PO206 the scheme does not come with the program.
    """
    found = [issue for terms in policy.terms for issue in _of_era(policy, terms)]
    seen = {(one.code, one.where, str(one.params)): one for one in with_lines(found)}
    return list(seen.values())


def _of_era(policy: Policy, terms: Terms) -> Iterator[Issue]:
    where = terms.rules.where
    for rule in terms.rules.class_rules:
        columns = [rule.words[0]] if rule.test in _COLUMN_TESTS else []
        columns += [word for one in rule.facts if one.fact == "any" for word in one.words]
        for column in columns:
            if column and label_columns().get(column, column) not in LABEL_COLUMNS:
                params = {"rule": rule.text, "column": column, "known": ", ".join(LABEL_COLUMNS)}
                yield Issue("PO203", f"{where}: class_rules", params)
    if terms.scheme_id not in embedded_ids():
        params = {"area": policy.area.id, "scheme": terms.scheme_id}
        yield Issue("PO206", f"{where}: scheme", params)
    if terms.weight_table not in (*weights.installed_ids(), *weights.table_ids()):
        params = {"area": policy.area.id, "table": terms.weight_table}
        yield Issue("PO204", f"{where}: weight_table", params)
        return
    table = weights.load(terms.weight_table)
    if table.scheme_id != terms.scheme_id:
        params = {"left": terms.scheme_id, "right": f"{table.id} ({table.scheme_id})"}
        yield Issue("ST109", f"{where}: weight_table", params)
    if terms.coefficient is not None and terms.coefficient.in_table:
        yield from _levels(policy, terms, table)


def _levels(policy: Policy, terms: Terms, table: WeightTable) -> Iterator[Issue]:
    """PO205 for levels of the area of which the table has no coefficient at all."""
    known = {facts.level for facts in table.facts}
    for level in policy.area.levels:
        if level.code not in known:
            params = {"level": level.code, "table": table.id}
            yield Issue("PO205", f"{terms.rules.where}: hospital_coefficient", params)
