"""Who pays what."""

from grouper.settle.amounts import Amounts, CaseType
from grouper.settle.case import settle_batch
from grouper.settle.month import month_statements
from grouper.settle.single import settle_case
from grouper.settle.statement import Statement
from grouper.settle.trail import CaseAmount, CaseFacts

__all__ = [
    "Amounts",
    "CaseAmount",
    "CaseFacts",
    "CaseType",
    "Statement",
    "month_statements",
    "settle_batch",
    "settle_case",
]
