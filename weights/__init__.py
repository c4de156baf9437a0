"""What a group is worth: weight tables, their lookup, and rates and points that follow from them.

table = weights.load("demo")            # an id that comes with the package, or a folder
table.weight("AA19")                    # Decimal, exactly as published
weights.lookup("AA19", area="990000", day=date(2025, 3, 1)).numbers["weight"]
"""

from weights.check import Report, check
from weights.compare import Change, diff
from weights.convert import Converted, convert
from weights.load import find, from_columns, installed_ids, load, read_head, table_ids
from weights.lookup import Worth, lookup, worth
from weights.mapfile import map_ids, read_map
from weights.maps import ColumnMap
from weights.table import NO_VALUE, BoundWeights, Facts, Head, Numbers, Proof, WeightTable
from weights.write import install

__all__ = [
    "NO_VALUE",
    "BoundWeights",
    "Change",
    "ColumnMap",
    "Converted",
    "Facts",
    "Head",
    "Numbers",
    "Proof",
    "Report",
    "WeightTable",
    "Worth",
    "check",
    "convert",
    "diff",
    "find",
    "from_columns",
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
