"""Paths as operators write them."""

# ruff: noqa: PTH111 -- paths are strings in this house

import os
from collections.abc import Mapping


def expanded(path: str, environ: Mapping[str, str]) -> str:
    """The path with a leading ``~`` expanded."""
    home = environ.get("HOME")
    if home and (path == "~" or path.startswith("~/")):
        return home + path[1:]
    return os.path.expanduser(path)
