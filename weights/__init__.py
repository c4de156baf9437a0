"""What a group is worth: weight tables and their lookup.

table = weights.load("demo")            # an id that comes with the package, or a folder
table.weight("AA19")                    # Decimal, exactly as published
"""

from weights.load import find, from_columns, load, read_head, table_ids
from weights.table import NO_VALUE, BoundWeights, Head, Numbers, WeightTable

__all__ = [
    "NO_VALUE",
    "BoundWeights",
    "Head",
    "Numbers",
    "WeightTable",
    "find",
    "from_columns",
    "load",
    "read_head",
    "table_ids",
]
