"""How far a long command is: one line on a terminal, nothing anywhere else."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from grouper.cli.output import Terminal

#: seconds between two looks, so that showing costs nothing
_PAUSE = 0.2


class Progress:
    """A line on stderr that is written over; called with the rows and the share that are done."""

    def __init__(self, screen: Terminal) -> None:
        self._screen = screen
        self._shown = not screen.quiet and sys.stderr.isatty()
        self._begun = time.monotonic()
        self._last = 0.0
        self._first: tuple[float, int, float] | None = None
        self._width = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._width:
            print("\r" + " " * self._width + "\r", end="", file=sys.stderr, flush=True)

    def __call__(self, rows: int, share: float) -> None:
        """Show the rows and what is left, by the speed since the first call."""
        now = time.monotonic()
        if not self._shown:
            return
        if self._first is None:
            # rows of an earlier session took no time in this one; there is no speed to tell yet
            self._first = (now, rows, share)
            return
        if now - self._last < _PAUSE:
            return
        self._last = now
        begun, before, share_before = self._first
        seconds = max(now - begun, 1e-3)
        text = self._text(rows, (rows - before) / seconds, (share - share_before) / seconds, share)
        # Chinese letters are two columns wide
        width = sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)
        padding = " " * max(self._width - width, 0)
        self._width = max(self._width, width)
        print(f"\r{text}{padding}", end="", file=sys.stderr, flush=True)

    def _text(self, rows: int, rate: float, speed: float, share: float) -> str:
        said = {"rows": f"{rows:,}", "rate": f"{rate:,.0f}"}
        if speed <= 0:
            return self._screen.text("say.progress_end", **said)
        left = round((1 - share) / speed)
        clock = f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02}"
        return self._screen.text("say.progress", left=clock, **said)
