"""Kill a run at random moments, resume it, and hold the end against a run that nobody killed.

python tests/run/kills.py INPUT SCHEME --kills 10 --batch 20000 [--form parquet]
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

#: the same bytes for the same input
COMPARED = ("manifest.json", "rejects.csv")


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "grouper", *words, "--quiet"]


def start(folder: Path, source: Path, scheme: str, batch: int, form: str) -> list[str]:
    words = ["group", str(source), "-s", scheme, "--run", str(folder), "--batch", str(batch)]
    return command(*words, "-o", str(folder.with_suffix(f".{form}")), "--threads", "2")


def kept(folder: Path) -> int:
    """How many parts are on disk."""
    return sum(path.name.isdigit() for path in (folder / "parts").glob("*"))


def killed_after(words: list[str], folder: Path, chance: random.Random, parts: int) -> bool:
    """Start a command and kill it once it has kept some more parts; whether it was still alive."""
    before = kept(folder)
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    while process.poll() is None and kept(folder) < before + parts:
        time.sleep(0.002)
    time.sleep(chance.random() * 0.05)
    process.kill()
    return process.wait() < 0


def differences(folder: Path, whole: Path, form: str) -> Iterator[str]:
    """Files that are not the same bytes as in a run that nobody killed."""
    for name in (*COMPARED, f"results.{form}"):
        if (folder / name).read_bytes() != (whole / name).read_bytes():
            yield name
    if (folder / "parts").exists() or list(folder.glob(".*.part")):
        yield "something is left over"


def kill_and_resume(
    folder: Path, source: Path, scheme: str, *, batch: int, form: str, kills: int, seed: int
) -> tuple[int, list[str]]:
    """How many kills hit a running process, and what differs in the end."""
    chance = random.Random(seed)
    whole = folder.with_name("whole")
    subprocess.run(start(whole, source, scheme, batch * 3 + 1, form), check=False)
    hit = killed_after(start(folder, source, scheme, batch, form), folder, chance, 1)
    hits = int(hit)
    while hits < kills and hit:
        hit = killed_after(command("run", "resume", str(folder)), folder, chance, 1)
        hits += hit
    subprocess.run(command("run", "resume", str(folder)), check=False)
    return hits, list(differences(folder, whole, form))


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
    print(f"seed {asked.seed}: {hits} kills; {', '.join(found) or 'the same bytes'}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
