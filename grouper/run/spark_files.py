"""Parquet in, Parquet out, on Spark: what `grouper group --on spark` does."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from grouper.engine.groups import Status
from grouper.errors import DataFileError, Lang, RecordError, RunError
from grouper.records.fields import result_header
from grouper.records.read import Cleaning, MapSource
from grouper.run.grouping import Grouping, manner_of
from grouper.run.pipeline import Counts
from grouper.run.results import words
from grouper.run.spark import group

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

#: the line of a Python traceback, quoted by Spark, that says what went wrong
_RAISED = re.compile(r"^(?:\w+\.)*(?:\w*Error|\w*Exception): (?P<said>.+)$", re.M)
_CAUSED = re.compile(r"^Caused by: (?:\w+\.)*\w+: (?P<said>.+)$", re.M)
_MODULE = re.compile(r"No module named '[\w.]+'")


def group_parquet(
    paths: Sequence[str],
    out: str,
    scheme: Grouping,
    *,
    master: str | None = None,
    layout: str | None = None,
    mapping: MapSource | None = None,
    cleaning: Cleaning = "standard",
    lang: Lang = "en",
    replace: bool = False,
) -> Counts:
    """Group Parquet files or folders into a Parquet folder; the rows by status, read back from it.

    Paths may be of any file system that Spark knows (`hdfs://...`). Without `master` the settings
    of Spark decide. A folder without `_SUCCESS` is not whole.

    Raises RunError: RN201 no pyspark, RN202 no session, RN203 a failure while it ran, RN205 a file
    of another form; DataFileError: DF140, DF141 for an output that must not be written; SchemeError
    and RecordError as `group` does, RE16 for inputs of different columns.
    """
    check_paths(paths, out, replace=replace)
    with session(master) as spark, _told():
        cases = _cases(spark, paths)
        grouped = group(cases, scheme, layout=layout, mapping=mapping, cleaning=cleaning, lang=lang)
        grouped.write.mode("overwrite" if replace else "errorifexists").parquet(out)
        return _counts(spark.read.parquet(out), lang, manner_of(scheme).counted)


def check_paths(paths: Sequence[str], out: str, *, replace: bool) -> None:
    """Complain before Spark is started. Raises as `group_parquet` does."""
    for path in (*paths, out):
        if not (path.rstrip("/").endswith(".parquet") or Path(path).is_dir() or "://" in path):
            raise RunError("RN205", path, path=path)
    if any(Path(path).resolve() == Path(out).resolve() for path in paths):
        raise DataFileError("DF141", out, path=Path(out).name)
    if "://" not in out and Path(out).exists() and not replace:
        raise DataFileError("DF140", out, path=Path(out).name)


@contextmanager
def session(master: str | None) -> Iterator[SparkSession]:
    """The session that is there already, else a new one, stopped at the end.

    Raises RunError: RN201 no pyspark, RN202 it does not start.
    """
    if master is None or master.startswith("local"):
        # else workers take the first Python in PATH, which may lack this package
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise RunError("RN201", detail=error) from None
    running = SparkSession.getActiveSession()
    if running is not None:
        yield running
        return
    builder = SparkSession.Builder().appName("grouper")
    builder = builder.config("spark.ui.showConsoleProgress", "false")
    try:
        spark = (builder.master(master) if master else builder).getOrCreate()
    except Exception as error:  # Java missing, bad master, cluster away: many types
        raise RunError("RN202", detail=said(error), master=master or "spark.master") from None
    try:
        # a failed task would be told twice, with a page of Java each time
        spark.sparkContext.setLogLevel("OFF")
        yield spark
    finally:
        spark.stop()


@contextmanager
def _told(where: str = "") -> Iterator[None]:
    """What Spark raises as one error with the sentence that matters."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        raise RunError("RN203", where, detail=said(error)) from None


def said(error: BaseException) -> str:
    """The one line of an error of Spark that says what went wrong."""
    text = str(error)
    missing = _MODULE.search(text)
    if missing:
        return missing[0]
    raised = [match["said"] for match in _RAISED.finditer(text)]
    # Java repeats what Python said, at the end and with less of it
    quoted = [line for line in raised if not line.startswith(("Job aborted", "Task failed"))]
    quoted = quoted or [match["said"] for match in _CAUSED.finditer(text)][-1:]
    return (quoted or text.strip().splitlines() or [type(error).__name__])[0]


def _cases(spark: SparkSession, paths: Sequence[str]) -> DataFrame:
    """All inputs as one frame. Raises RecordError (RE16) where their columns differ.

    Spark itself would take the columns of one file and fill the others with nothing.
    """
    found: dict[str, set[str]] = {}
    for path in paths:
        with _told(path):
            found[path] = set(spark.read.parquet(path).columns)
        odd = sorted(found[path] ^ found[paths[0]])
        if odd:
            raise RecordError("RE16", path, path=path, first=paths[0], headers=odd[:10])
    return spark.read.parquet(*paths)


def _counts(grouped: DataFrame, lang: Lang, counted: Sequence[Status]) -> Counts:
    status, reason = (f"`{result_header(name, lang)}`" for name in ("status", "reason"))
    status_of = {words(lang)["status"][each.word]: each for each in Status}
    token_of = {
        said: token
        for table in ("dip_reason", "reason")
        for token, said in words(lang)[table].items()
    }
    # texts of conditions are many and long: only those of rows that are counted are asked for
    wanted = ", ".join(f"'{words(lang)['status'][each.word]}'" for each in counted)
    rows = grouped.selectExpr(
        f"{status} as status", f"if({status} in ({wanted}), {reason}, '') as reason"
    )
    by_status = dict.fromkeys(Status, 0)
    reasons: dict[str, int] = {}
    for row in rows.groupBy("status", "reason").count().collect():
        by_status[status_of[row[0]]] += row[2]
        if row[1]:
            reasons[token_of.get(row[1], row[1])] = row[2]
    return Counts(
        rows=sum(by_status.values()),
        grouped=by_status[Status.GROUPED],
        ambiguous=by_status[Status.AMBIGUOUS],
        ungrouped=by_status[Status.UNGROUPED],
        rejected=by_status[Status.REJECTED],
        reasons=dict(sorted(reasons.items())),
    )
