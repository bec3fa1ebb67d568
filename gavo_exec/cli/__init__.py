"""The command line: the one room that prints and knows exit codes."""

import sys
from collections.abc import Sequence

from gavo_exec import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments say (by default the process's own); answers the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["--version"]:
        # Scripts ask for this all the time, and importing click takes longer than all the rest of it.
        print(f"gavo-exec {__version__}")
        return 0
    from gavo_exec.cli.app import run

    return run(arguments)
