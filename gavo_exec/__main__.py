"""``python -m gavo_exec`` is the command."""

import sys

from gavo_exec.cli import main

if __name__ == "__main__":
    sys.exit(main())
