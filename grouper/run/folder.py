"""A run as a folder: parts on disk while it goes on, so that a kill at any moment loses nothing.

run.json        what the run is: inputs, scheme, options (written first; then with the inputs'
                sizes and sha256)
parts/000017/   one part that is done; it has this name only when all of it is on disk
results.csv     or results.tsv, results.parquet: all rows, in order
rejects.csv     the rejected rows with their reasons
timings.json    seconds by stage; all other files are the same bytes for the same input
manifest.json   written last: the run is whole when it is there
lock            held, with the number of the process, while someone works here

Where a copy of the results was asked for, it is made after the manifest and before the parts go:
as long as they are there, resuming makes it.
"""

from __future__ import annotations

import filecmp
import glob
import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grouper import __version__
from grouper.errors import DataFileError, GrouperError, RunError
from grouper.records.mapfile import load_map
from grouper.records.outfile import check_output, whole_file
from grouper.records.read import MapSource
from grouper.run.grouping import Grouping, digest_of, published
from grouper.run.inputs import files_of
from grouper.run.lock import folder_lock, holder_of
from grouper.run.part import Part
from grouper.run.parts import (
    IDS,
    PARTS,
    REJECTS,
    finished_parts,
    keep_part,
    kept_rows,
    part_path,
    read_facts,
)
from grouper.run.plan import (
    FORMAT,
    PLAN,
    Guard,
    Plan,
    found_input,
    hashed_input,
    read_plan,
    write_json,
)
from grouper.run.sinks import ResultForm, sink_of
from grouper.run.stream import (
    BATCH,
    Job,
    Options,
    PartResult,
    Progress,
    default_threads,
    group_part,
    in_order,
    open_job,
    outcome,
    rejects_head,
    result_head,
)
from grouper.run.tally import Outcome, PartFacts, Tally

MANIFEST, TIMINGS, LOCK = "manifest.json", "timings.json", "lock"
_FORMS = ("csv", "tsv", "parquet")
_OWN = (PLAN, MANIFEST, TIMINGS, PARTS, LOCK, REJECTS, *(f"results.{form}" for form in _FORMS))


@dataclass(frozen=True)
class RunStatus:
    """How far a run is: `finished`, `running` or `interrupted`; share of the input done, 0 to 1."""

    state: str
    rows: int
    parts: int
    share: float
    plan: Plan
    pid: int | None = None


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """A folder that goes again if nothing comes of it."""
    folder.mkdir(exist_ok=True)
    try:
        yield
    finally:
        # refused, and rightly, when there is anything in it
        with suppress(OSError):
            folder.rmdir()


def start_run(
    folder: Path,
    paths: Sequence[Path],
    scheme: Grouping,
    *,
    scheme_name: str,
    rules: Mapping[str, str] | None = None,
    options: Options,
    mapping: MapSource | None = None,
    batch: int = BATCH,
    threads: int | None = None,
    overwrite: bool = False,
    out: Path | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Group files into a new run folder; `out` gets a copy of the results.

    scheme_name, rules: what `load_grouping` needs to find the scheme again when the run is resumed;
    overwrite: an earlier run in the folder, and a file at `out`, may be replaced.
    Raises RunError (RN111 to RN116), DataFileError, RecordError; what was finished is kept.
    """
    if folder.is_dir():
        _refuse_foreign(folder)
    if mapping is not None:
        options = replace(options, mapping=dict(load_map(mapping)[1]))
    with _writing(folder), _made(folder), folder_lock(folder):
        if (folder / PLAN).exists() and not overwrite:
            state = "finished" if (folder / MANIFEST).exists() else "interrupted"
            raise RunError("RN111", str(folder), path=folder, state=state)
        inputs = tuple(found_input(path) for path in files_of(paths))
        target = str(out.resolve()) if out else ""
        plan = Plan(
            inputs,
            scheme_name,
            published(scheme).id,
            digest_of(scheme),
            options,
            batch,
            target,
            overwrite,
            rules or {},
        )
        _clear(folder)
        write_json(folder / PLAN, asdict(plan))
        (folder / PARTS).mkdir()
        try:
            return _work(folder, plan, scheme, threads, progress)
        except GrouperError:
            # inputs that cannot be read leave nothing to go on with
            if not finished_parts(folder):
                _clear(folder)
            raise


def resume_run(
    folder: Path, scheme: Grouping, *, threads: int | None = None, progress: Progress | None = None
) -> Outcome | None:
    """Go on with a run that was stopped; the end is the same bytes as if it had not been.

    None if it was whole already. Raises RunError: RN112 no run, RN114 in use, RN115 input changed,
    RN117 another scheme.
    """
    plan = read_plan(folder)
    with _writing(folder), folder_lock(folder):
        for what, before, now in (
            ("program", plan.program, __version__),
            ("scheme", plan.digest[:12], digest_of(scheme)[:12]),
        ):
            if before != now:
                raise RunError("RN117", str(folder), thing=what, before=before, now=now)
        for each in plan.inputs:
            if each.sha256 and hashed_input(Path(each.path)) != each:
                raise RunError("RN115", each.path, path=Path(each.path).name)
        _clear_temporary(folder, plan)
        if (folder / MANIFEST).exists():
            _hand_over(folder, plan)
            return None
        (folder / PARTS).mkdir(exist_ok=True)
        return _work(folder, plan, scheme, threads, progress)


def status(folder: Path) -> RunStatus:
    """How far the run of a folder is. Raises RunError (RN112) if it is none."""
    plan = read_plan(folder)
    if (folder / MANIFEST).exists():
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        return RunStatus("finished", manifest["rows"]["all"], 0, 1.0, plan)
    facts = [read_facts(path) for path in finished_parts(folder)]
    pid = holder_of(folder)
    share = max((float(each["progress"]) for each in facts), default=0.0)
    rows = sum(int(each["rows"]) for each in facts)
    return RunStatus("running" if pid else "interrupted", rows, len(facts), share, plan, pid)


def result_path(folder: Path, form: ResultForm) -> Path:
    """The file of all rows."""
    return folder / f"results.{form}"


def _work(
    folder: Path, plan: Plan, scheme: Grouping, threads: int | None, progress: Progress | None
) -> Outcome:
    """Do the parts that are not done, then put all together."""
    begun = time.perf_counter()
    if not all(each.sha256 for each in plan.inputs):
        plan = replace(plan, inputs=tuple(hashed_input(Path(each.path)) for each in plan.inputs))
        write_json(folder / PLAN, asdict(plan))
    guard = Guard(plan.inputs)
    job = open_job([Path(each.path) for each in plan.inputs], scheme, plan.options)
    guard.check()
    parts = _do_parts(folder, job, plan, guard, threads or default_threads(), progress)
    return _finish(folder, job, plan, parts, begun)


def _do_parts(
    folder: Path, job: Job, plan: Plan, guard: Guard, threads: int, progress: Progress | None
) -> int:
    """Group and keep every part that is not kept yet; how many there are."""
    done = {int(path.name): read_facts(path)["rows"] for path in finished_parts(folder)}
    rows, total = sum(done.values()), 0

    def missing() -> Iterator[Part]:
        nonlocal total
        for part in guard.watched(job.parts(plan.batch)):
            total = part.number + 1
            if part.number not in done:
                yield part

    def work(part: Part) -> PartResult:
        result = group_part(job, part)
        keep_part(folder, plan.options.form, result)
        # kept on disk: not in memory too until its turn comes
        return replace(result, rows=b"", rejects=b"")

    with closing(in_order(missing(), work, threads=threads)) as results:
        for result in results:
            rows += result.facts.rows
            if progress:
                progress(rows, result.progress)
    return total


def _finish(folder: Path, job: Job, plan: Plan, parts: int, begun: float) -> Outcome:
    """All parts as one result, then the manifest, whose being there says that the run is whole."""
    joining = time.perf_counter()
    form = plan.options.form
    tally, prints = Tally(), list[NDArray[np.uint64]]()
    for number in range(parts):
        facts = read_facts(part_path(folder, number))
        del facts["progress"]
        tally.add(PartFacts(**facts))
        prints.append(np.fromfile(part_path(folder, number) / IDS, "<u8"))
    found = outcome(job, tally, prints, plan.batch)
    with whole_file(result_path(folder, form)) as file:
        sink = sink_of(form, file, result_head(job))
        for number in range(parts):
            for rows in kept_rows(part_path(folder, number), form):
                sink.add(rows)
        sink.close()
    with whole_file(folder / REJECTS) as file:
        file.write(rejects_head(job))
        for number in range(parts):
            with (part_path(folder, number) / REJECTS).open("rb") as part:
                shutil.copyfileobj(part, file)
    now = time.perf_counter()
    stages = {stage: round(seconds, 3) for stage, seconds in sorted(tally.seconds.items())}
    times = {"seconds": {**stages, "join": round(now - joining, 3)}, "rows": tally.rows}
    write_json(folder / TIMINGS, {**times, "elapsed": round(now - begun, 3)})
    write_json(folder / MANIFEST, _manifest(folder, plan, found))
    _hand_over(folder, plan)
    return found


def _hand_over(folder: Path, plan: Plan) -> None:
    """Copy the results of a whole run to where they were asked for, then let its parts go.

    Raises DataFileError: DF140 if another file has taken the place, DF142.
    """
    parts, gone = folder / PARTS, folder / f".{PARTS}.part"
    if not parts.exists():
        return
    results, out = result_path(folder, plan.options.form), Path(plan.out)
    if plan.out and not (out.is_file() and filecmp.cmp(results, out, shallow=False)):
        check_output(out, overwrite="replace" if plan.replace else "refuse")
        with results.open("rb") as file, whole_file(out) as copy:
            shutil.copyfileobj(file, copy, 1 << 20)
    # under a name that counts for nothing: a kill may leave some of them
    parts.rename(gone)
    shutil.rmtree(gone)


def _manifest(folder: Path, plan: Plan, found: Outcome) -> dict[str, Any]:
    """What a result rests on; the same for the same input wherever and however it was made."""
    counts, notes, scheme = found.counts, found.notes, found.scheme
    sources: Any = notes["sources"]
    inputs = [
        {"name": Path(each.path).name, "size": each.size, "sha256": each.sha256}
        | {key: value for key, value in source.items() if key != "path"}
        for each, source in zip(plan.inputs, sources, strict=True)
    ]
    results = [result_path(folder, plan.options.form), folder / REJECTS]
    return {
        "format": FORMAT,
        "program": f"chs-grouper {plan.program}",
        "scheme": {
            "id": scheme.id,
            "title": scheme.title,
            "digest": scheme.digest,
            "confidence": scheme.confidence,
        },
        **({"rules": notes["rules"]} if "rules" in notes else {}),
        "options": asdict(plan.options),
        "inputs": inputs,
        "columns": {key: notes[key] for key in ("layout", "mapping", "unused")},
        "rows": {
            "all": counts.rows,
            "grouped": counts.grouped,
            "ambiguous": counts.ambiguous,
            "ungrouped": counts.ungrouped,
            "rejected": counts.rejected,
        },
        "reasons": dict(sorted(counts.reasons.items())),
        "findings": notes["counts"],
        "repairs": notes["repairs"],
        "unknown_codes": notes["unknown_codes"],
        "slow_path": found.slow,
        "results": [
            {"name": path.name, "size": each.size, "sha256": each.sha256}
            for path in results
            for each in [hashed_input(path)]
        ],
    }


def _refuse_foreign(folder: Path) -> None:
    """Raise RunError (RN113) for a folder that holds something and is no run."""
    if (folder / PLAN).exists():
        return
    names = sorted(path.name for path in folder.iterdir() if not _is_ours(path.name))
    if names:
        raise RunError("RN113", str(folder), path=folder, names=", ".join(names[:5]))


def _is_ours(name: str) -> bool:
    return name in _OWN or (name.startswith(".") and name.endswith(".part"))


def _clear(folder: Path) -> None:
    """Remove an earlier run; files of others stay."""
    for path in folder.iterdir():
        if path.name != LOCK and _is_ours(path.name):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _clear_temporary(folder: Path, plan: Plan) -> None:
    """Remove what a killed process had begun to write."""
    begun = [*folder.glob(".*.part"), *(folder / PARTS).glob(".*.part")]
    if plan.out:
        out = Path(plan.out)
        begun += out.parent.glob(f".{glob.escape(out.name)}.*.part")
    for path in begun:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Say what the system refused as RN116."""
    try:
        yield
    except OSError as error:
        detail = error.strerror or error
        raise RunError("RN116", str(folder), path=folder, detail=detail) from None
    except DataFileError as error:
        if error.issues[0].code != "DF142" or Path(error.issues[0].where).parent != folder:
            raise
        said = error.issues[0].params["detail"]
        raise RunError("RN116", str(folder), path=folder, detail=said) from None
