"""The command line: parse, call, print, exit code."""

from __future__ import annotations

import errno
import sys
import traceback

CRASHED = 70


def main() -> None:
    """Run the command line and exit.

    0 done, 1 done with faults, 2 wrong usage or bad input, 70 a mistake in the workbench itself, 130 interrupted.
    """
    from analysis.errors import InvalidInput
    from workbench.cli.app import app
    from workbench.cli.output import say
    from workbench.errors import WorkbenchError

    try:
        app(prog_name="workbench")
    except (WorkbenchError, InvalidInput) as problem:
        say(f"workbench: {problem}")
        sys.exit(2)
    except OSError as problem:
        is_full = problem.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "make room and run the command again" if is_full else "correct the path or its rights"
        say(f"workbench: {problem.filename or 'a file'}: {problem.strerror or problem}; {remedy}")
        sys.exit(2)
    except Exception:
        traceback.print_exc()
        say("workbench: this is a mistake in the workbench, not in your data; please report it with the lines above")
        sys.exit(CRASHED)
