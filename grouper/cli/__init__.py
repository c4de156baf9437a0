"""The command `grouper`: a thin skin over the library.

Exit codes: 0 done; 1 done, but some rows were rejected or a check found errors; 2 wrong usage;
3 could not do it, and nothing half-written lies about; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from grouper import __version__
from grouper.cli import usage
from grouper.cli.options import Family, Option, common
from grouper.cli.output import DONE, FAILED, INTERRUPTED, USAGE, Terminal, prepare_streams
from grouper.cli.texts import asked_language
from grouper.errors import GrouperError

COMMANDS = {
    "demo": "grouper.cli.demo:demo",
    "group": "grouper.cli.group:group",
    "run": "grouper.cli.run_folder:run",
    "explain": "grouper.cli.explain:explain",
    "compare": "grouper.cli.compare:compare",
    "reconcile": "grouper.cli.reconcile:reconcile",
    "columns": "grouper.cli.group:columns",
    "settle": "grouper.cli.settle:settle",
    "monitor": "grouper.cli.monitor:monitor",
    "report": "grouper.cli.report:report",
    "scheme": "grouper.cli.scheme:scheme",
    "weights": "grouper.cli.weights:weights",
    "dip": "grouper.cli.dip_build:dip",
    "policy": "grouper.cli.policy:policy",
    "sample": "grouper.cli.sample:sample",
    "calc": "grouper.cli.calc:calc",
    "help": "grouper.cli.help:help_",
}


@click.command(
    cls=Family,
    name="grouper",
    table=COMMANDS,
    help="help.grouper",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(
    __version__,
    prog_name="grouper",
    message="%(prog)s %(version)s",
    cls=Option,
    help="options.version",
)
@common
def cli() -> None:
    """The root of all commands; its help text stands in the command texts."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    prepare_streams()
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: Sequence[str]) -> int:
    """Run the command line; the exit code. Says what went wrong, in the user's language."""
    terminal = Terminal(asked_language(argv))
    try:
        code = cli.main(list(argv), prog_name="grouper", standalone_mode=False, obj=terminal)
        sys.stdout.flush()
        return code if isinstance(code, int) else DONE
    except click.UsageError as error:
        usage.explain(error, terminal)
        return USAGE
    except GrouperError as error:
        terminal.error(usage.error_text(error, terminal.lang))
        return FAILED
    except SystemExit:
        # click's own end of a pipe whose reader has gone, the one case in which it exits by itself
        return FAILED
    except (KeyboardInterrupt, click.Abort):
        terminal.error(terminal.text("say.interrupted"))
        return INTERRUPTED
    except OSError as error:
        terminal.error(usage.error_text(usage.file_error(error, terminal.lang), terminal.lang))
        return FAILED
    except Exception as error:
        if "--debug" in argv:
            raise
        detail = f"{type(error).__name__}: {error}"
        terminal.error(terminal.text("say.defect", detail=detail, version=__version__))
        return FAILED
