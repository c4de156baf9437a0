"""What a user waits for before anything happens: `grouper --help` against `import pandas`."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

from paired import Goal, paired


def test_help_against_importing_pandas(benchmark: Any) -> None:
    def run(*arguments: str) -> None:
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)

    paired(
        benchmark,
        lambda: run("-m", "grouper", "--help"),
        lambda: run("-c", "import pandas"),
        goal=Goal(0.4),
        pairs=9,
        clock=time.perf_counter,
    )
