"""Print the commands of the README's first screen, one a line, as a reader would type them.

They stand in the first fenced block marked `sh`; there are exactly two.
"""

import re
import sys
from pathlib import Path


def first_commands(text: str) -> list[str]:
    """The lines of the first block; more or fewer than two is an error."""
    block = re.search(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = block[1].splitlines() if block else []
    commands = [line.partition("  #")[0].rstrip() for line in lines if line.strip()]
    if len(commands) != 2:
        raise SystemExit(f"README: expected two commands on the first screen, found {commands}")
    return commands


if __name__ == "__main__":
    print("\n".join(first_commands(Path(sys.argv[1]).read_text("utf-8"))))
