"""Copy an image from an archive that is not mounted, and so fail.  Usage: fetch.py NAME."""

import sys
from pathlib import Path

archive = Path("archive")
print(f"looking for {sys.argv[1]} in {archive}/")
if not archive.is_dir():
    print(f"{archive}/: the archive is not mounted", file=sys.stderr)
    sys.exit(3)
