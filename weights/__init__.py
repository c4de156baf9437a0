"""What a group is worth: weight tables, their lookup, weights from history, rates and points.

table = weights.load("demo")            # an id that comes with the package, or a folder
table.weight("AA19")                    # Decimal, exactly as published
weights.lookup("AA19", area="990000", day=date(2025, 3, 1)).numbers["weight"]
weights.estimate(weights.history(codes, group, cost_fen))
"""

from weights.check import Report, check
from weights.choices import Choices
from weights.compare import Change, diff
from weights.convert import Converted, convert
from weights.estimate import estimate
from weights.estimated import Estimate, GroupWeight
from weights.history import History, HistoryStream, history
from weights.load import find, from_columns, installed_ids, load, read_head, table_ids
from weights.lookup import Worth, lookup, worth
from weights.mapfile import map_ids, read_map
from weights.maps import ColumnMap
from weights.table import NO_VALUE, BoundWeights, Facts, Head, Numbers, Proof, WeightTable
from weights.trim import Trim
from weights.write import install

__all__ = [
    "NO_VALUE",
    "BoundWeights",
    "Change",
    "Choices",
    "ColumnMap",
    "Converted",
    "Estimate",
    "Facts",
    "GroupWeight",
    "Head",
    "History",
    "HistoryStream",
    "Numbers",
    "Proof",
    "Report",
    "Trim",
    "WeightTable",
    "Worth",
    "check",
    "convert",
    "diff",
    "estimate",
    "find",
    "from_columns",
    "history",
    "install",
    "installed_ids",
    "load",
    "lookup",
    "map_ids",
    "read_head",
    "read_map",
    "table_ids",
    "worth",
]
