"""Kill a run before each step that changes the folder, resume it, kill that too, and look.

python tests/run/steps.py INPUT SCHEME FOLDER [--form parquet] [--batch 20] [--every 3]

A step is a call by which something lasts or goes: syncing, renaming, making, removing. The process
is killed for good (SIGKILL), so nothing of it can tidy up. Every kill has a folder of its own, and
every folder must end with the bytes of a run that nobody killed. Needs fork: Linux, macOS.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from grouper.run.folder import resume_run, start_run
from grouper.run.stream import Options
from grouper.scheme.load import load_scheme

STEPS = ("fsync", "replace", "rename", "mkdir", "unlink", "rmdir")


def killed_before(step: int | None, action: Callable[[], object]) -> bool:
    """Do something in a process of its own that dies before its n-th step; whether it came to it.

    Raises RuntimeError if the action fails.
    """
    child = os.fork()
    if child:
        status = os.waitpid(child, 0)[1]
        if os.WIFSIGNALED(status):
            return True
        if os.WEXITSTATUS(status):
            raise RuntimeError(f"failed, to be killed before step {step}")
        return False
    failed = 1
    try:
        if step is not None:
            mortal(step)
        action()
        failed = 0
    finally:
        os._exit(failed)


def mortal(step: int) -> None:
    """Let this process die before its n-th step."""
    calls = 0

    def counting(call: Callable[..., Any], *words: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*words, **more)

    for name in STEPS:
        setattr(os, name, partial(counting, getattr(os, name)))


def differences(run: Path, whole: Path) -> Iterator[str]:
    """Files of a run and its copy that are not those of the whole run; what is left over."""
    names = {path.name for folder in (run, whole) for path in folder.rglob("*")}
    for name in sorted(names - {"run.json", "timings.json", "run", "whole"}):
        one, other = ([*folder.rglob(name)] for folder in (run, whole))
        if [path.read_bytes() for path in one] != [path.read_bytes() for path in other]:
            yield name


def every_step(
    start: Callable[[Path], object], scheme: Any, folder: Path, *, every: int
) -> tuple[int, list[str]]:
    """Up to which step a run was killed, one in `every`, and what differs after which kill."""
    found: list[str] = []
    # here, so that what is loaded once need not be loaded by every process that dies
    start(folder / "whole")
    step = 1
    while True:
        run = folder / f"{step:04}"
        if not killed_before(step, partial(start, run)):
            return step - every, found
        plan = run / "run" / "run.json"
        if not plan.exists():
            # nothing had begun
            killed_before(None, partial(start, run))
        else:
            resume = partial(resume_run, run / "run", scheme, threads=1)
            killed_before(step % 11 + 1, resume)
            killed_before(None, resume)
        found += [f"{name} after step {step}" for name in differences(run, folder / "whole")]
        step += every


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("scheme")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--form", default="csv")
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--every", type=int, default=1, help="kill before one step in so many")
    asked = parser.parse_args()
    scheme, options = load_scheme(asked.scheme), Options(form=asked.form)

    def start(folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        how: dict[str, Any] = {"scheme_name": asked.scheme, "options": options, "threads": 1}
        out = folder / f"out.{asked.form}"
        start_run(folder / "run", [asked.source], scheme, batch=asked.batch, out=out, **how)

    steps, found = every_step(start, scheme, asked.folder, every=asked.every)
    print(f"{steps} steps; {', '.join(found) or 'the same bytes'}")
    sys.exit(bool(found) or steps < 1)


if __name__ == "__main__":
    main()
