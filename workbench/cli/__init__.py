"""The command line: parse, call, print, exit code."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit: 0 done, 1 done with faults, 2 wrong usage or bad input, 130 interrupted."""
    from analysis.errors import InvalidInput
    from workbench.cli.app import app
    from workbench.errors import WorkbenchError

    try:
        app(prog_name="workbench")
    except (WorkbenchError, InvalidInput) as problem:
        print(f"workbench: {problem}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("workbench: interrupted; what was finished is kept, run the command again to go on", file=sys.stderr)
        sys.exit(130)
