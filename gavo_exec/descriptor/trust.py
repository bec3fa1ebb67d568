"""Who may have written an RD: its code runs as the daemon's user, so nobody else may be able to write it.

What is judged is the file that was opened, and the folders above it as the kernel names them, not a path that somebody
could change meanwhile: who could change them is just who is judged.
"""

# ruff: noqa: PTH115, PTH116, PTH120 -- paths are strings in this house

import grp
import os
import pwd
import stat
from collections.abc import Callable
from functools import lru_cache

from gavo_exec.errors import Diagnostic, Position, Severity

Look = Callable[[str, int], None]
"""Looks at a file: its path, and the descriptor by which it is open."""


class Trust:
    """What is to be thought of those who may write files: ``uid`` is the user that jobs run as.

    With ``is_strict`` a file that others may write is a fault, else something to be warned of.
    """

    def __init__(self, *, inputs_dir: str, uid: int, is_strict: bool, elsewhere: tuple[str, ...] = ()) -> None:
        self._uid = uid
        self._is_strict = is_strict
        self._roots = tuple(os.path.realpath(root) for root in (inputs_dir, *elsewhere) if root)
        self._found: list[Diagnostic] = []

    def look(self, path: str, descriptor: int) -> None:
        """Look at a file that is open."""
        real = os.readlink(f"/proc/self/fd/{descriptor}")
        status = os.fstat(descriptor)
        trusted = frozenset((0, self._uid, status.st_uid))
        if not any(real.startswith(f"{root.rstrip('/')}/") for root in self._roots):
            why = f"it is {real}, which is outside the resource directory"
            self._note(path, why, "put the file itself there, or let inputs_dir be a directory that has both")
        if why := _others(status, trusted):
            self._note(path, why, f"chmod go-w {path}")
        below, folder = status, os.path.dirname(real)
        while True:
            status = os.stat(folder)
            if why := _others(status, trusted, is_sticky_enough=below.st_uid in trusted):
                self._note(path, f"{folder}, which it is in: {why}", f"chmod go-w {folder}")
            elif status.st_uid not in trusted:
                why = f"{folder}, which it is in, is {_user(status.st_uid)}'s, who could put another in its place"
                self._note(path, why, f"chown root {folder}, or run the daemon as {_user(status.st_uid)}")
            if folder == "/":
                return
            below, folder = status, os.path.dirname(folder)

    def judgement(self) -> list[Diagnostic]:
        """What was found since this was asked last."""
        found, self._found = self._found, []
        return found

    def _note(self, path: str, why: str, hint: str) -> None:
        code, severity = ("E110", Severity.ERROR) if self._is_strict else ("W101", Severity.WARNING)
        message = f"others could write what runs as {_user(self._uid)}: {why}"
        position = Position(path=path)
        self._found.append(Diagnostic(code=code, message=message, position=position, severity=severity, hint=hint))


def _others(status: os.stat_result, trusted: frozenset[int], *, is_sticky_enough: bool = False) -> str:
    """Who beside these users may write something; '' where nobody may.

    In sticky folders nobody can touch what is not theirs.
    """
    if is_sticky_enough and status.st_mode & stat.S_ISVTX:
        return ""
    if status.st_mode & stat.S_IWOTH:
        return "anybody may write it"
    if status.st_mode & stat.S_IWGRP and not _is_harmless(status.st_gid, trusted):
        return f"the group {_group(status.st_gid)} may write it"
    return ""


@lru_cache(256)
def _is_harmless(gid: int, trusted: frozenset[int]) -> bool:
    """Whether a group has nobody in it but these users: root's, or one of their own, as Debian makes one for each."""
    try:
        group = grp.getgrgid(gid)
        names = {pwd.getpwuid(uid).pw_name for uid in trusted if _user(uid)[:5] != "user "}
    except KeyError:
        return False
    return (gid == 0 or group.gr_name in names) and set(group.gr_mem) <= names


@lru_cache(256)
def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
