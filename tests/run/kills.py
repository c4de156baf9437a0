"""Kill a run again and again, resume it, and hold the end against a run that nobody killed.

The moments are spread over the whole run, the last ones over the writing of its end.

python tests/run/kills.py INPUT SCHEME --kills 10 --batch 20000 [--form parquet]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

#: the same bytes for the same input
COMPARED = ("manifest.json", "rejects.csv")


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "grouper", *words, "--quiet"]


def start(run: Path, source: Path, scheme: str, batch: int, form: str) -> list[str]:
    words = ["group", str(source), "-s", scheme, "--run", str(run), "--batch", str(batch)]
    return command(*words, "-o", str(copy_of(run, form)), "--threads", "2")


def copy_of(run: Path, form: str) -> Path:
    """Where a run puts the copy of its results."""
    return run.with_suffix(f".{form}")


def kept(run: Path) -> int:
    """How many parts are on disk."""
    return sum(path.name.isdigit() for path in (run / "parts").glob("*"))


def moments(kills: int, parts: int, form: str) -> list[int | str]:
    """When to kill: at so many parts, then at the sight of the files that end a run, in order."""
    ends = [".results.*.part", f"results.{form}", "rejects.csv", "manifest.json"]
    ends = ends[: max(kills - 1, 0)]
    spread = kills - len(ends)
    return [max(parts * k // (spread + 1), 1) for k in range(1, spread + 1)] + ends


def killed_at(words: list[str], run: Path, moment: int | str, chance: random.Random) -> bool:
    """Start a command and kill it at, or a little after, a moment; whether it was still alive."""

    def seen() -> set[tuple[str, int]]:
        found = set()
        for path in run.glob(str(moment)):
            with suppress(OSError):
                found.add((path.name, path.stat().st_ino))
        return found

    before = seen()
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        if kept(run) >= moment if isinstance(moment, int) else seen() - before:
            break
        time.sleep(0.001)
    time.sleep(chance.random() * (0.05 if isinstance(moment, int) else 0.005))
    process.kill()
    return process.wait() < 0


def differences(run: Path, whole: Path, form: str) -> Iterator[str]:
    """Files that are not the same bytes as in a run that nobody killed."""
    names = (*COMPARED, f"results.{form}")
    pairs = [(run / name, whole / name) for name in names]
    for one, other in (*pairs, (copy_of(run, form), copy_of(whole, form))):
        if not one.exists() or one.read_bytes() != other.read_bytes():
            yield one.name
    begun = (run / "parts", *run.glob(".*.part"), *run.parent.glob(f".{run.name}.*.part"))
    if any(path.exists() for path in begun):
        yield "something is left over"


def kill_and_resume(
    run: Path, source: Path, scheme: str, *, batch: int, form: str, kills: int, seed: int
) -> tuple[list[int | str], list[str]]:
    """The moments of kills that hit a living process, and what differs in the end."""
    chance = random.Random(seed)
    whole = run.with_name("whole")
    subprocess.run(start(whole, source, scheme, batch * 3 + 1, form), check=False)
    rows = json.loads((whole / "manifest.json").read_text("utf-8"))["rows"]["all"]
    hits: list[int | str] = []
    words = start(run, source, scheme, batch, form)
    for moment in moments(kills, -(-rows // batch), form):
        if not killed_at(words, run, moment, chance):
            break
        hits.append(moment)
        words = command("run", "resume", str(run))
    subprocess.run(command("run", "resume", str(run)), check=False)
    return hits, list(differences(run, whole, form))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("scheme")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--batch", type=int, default=20_000)
    parser.add_argument("--form", default="csv")
    parser.add_argument("--seed", type=int, default=os.getpid())
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        hits, found = kill_and_resume(
            Path(folder) / "run",
            asked.source,
            asked.scheme,
            batch=asked.batch,
            form=asked.form,
            kills=asked.kills,
            seed=asked.seed,
        )
    print(f"seed {asked.seed}: {len(hits)} kills at {hits}; {', '.join(found) or 'the same bytes'}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
