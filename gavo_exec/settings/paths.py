"""Paths as operators write them, and what is kept in files of its own."""

# ruff: noqa: PTH111 -- paths are strings in this house

import os
from collections.abc import Mapping
from pathlib import Path

from gavo_exec.errors import SettingsError


def expanded(path: str, environ: Mapping[str, str]) -> str:
    """The path with a leading ``~`` expanded."""
    home = environ.get("HOME")
    if home and (path == "~" or path.startswith("~/")):
        return home + path[1:]
    return os.path.expanduser(path)


def read_secret(text: str, path: str, what: str) -> str:
    """The text, or the first line of the file; raises SettingsError where that cannot be read."""
    if not path:
        return text
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "it is not in UTF-8"
        raise SettingsError(f"{path}: the {what} cannot be read: {why}") from None
    return lines[0] if lines else ""
