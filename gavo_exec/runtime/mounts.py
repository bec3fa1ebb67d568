"""Which file system a path is on, by the system's table of mounts, and whose clock its times are from."""

import os.path
import re
from collections.abc import Callable
from pathlib import Path

_TABLE = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(r"\\([0-7]{3})")

_OURS = frozenset(
    "bcachefs btrfs ext2 ext3 ext4 f2fs jfs nilfs2 overlay ramfs reiserfs tmpfs ubifs xfs zfs".split()  # noqa: SIM905
)
"""Kinds of file systems where our own kernel says when a file was changed, by its clock, and nobody can say otherwise.

Others may have the times of a server (NFS, CIFS, FUSE), or none but those that anybody can set (FAT).
"""


class Mounts:
    """The mounts in a text like that of ``/proc/self/mountinfo``; where there is none, all is on one unknown one."""

    def __init__(self, table: str = "") -> None:
        self._kinds = {"/": ""}
        for line in table.splitlines():
            fields, _, rest = line.partition(" - ")
            words, kind = fields.split(" "), rest.split(" ")[0]
            if len(words) > 4 and kind:
                # Of several at one place the last one is on top.
                self._kinds[_ESCAPED.sub(lambda match: chr(int(match[1], 8)), words[4])] = kind

    def point_of(self, path: str) -> str:
        """Where the file system of an absolute path is mounted, as far as the path itself says."""
        while path not in self._kinds:
            path = os.path.dirname(path) or "/"  # noqa: PTH120 -- a string
        return path

    def kind_of(self, path: str) -> str:
        """The kind of the file system of an absolute path; '' where it is not known."""
        return self._kinds[self.point_of(path)]

    def has_our_clock(self, path: str) -> bool:
        """Whether the times at which files there were changed are from our own clock."""
        return self._kinds[self.point_of(path)] in _OURS


def read_mounts(read: Callable[[], str] = lambda: _TABLE.read_text("utf-8", "surrogateescape")) -> Mounts:
    """The mounts there are now; none that is known where the system does not tell."""
    try:
        return Mounts(read())
    except OSError:
        return Mounts()
