"""What is in a tree of files, by stat alone."""

# ruff: noqa: PTH116 -- thousands of paths are looked at, again and again: they stay strings

import errno
import os
from collections.abc import Mapping

import msgspec

from gavo_exec.rdfiles import BACKUP, HIDDEN, Signature, signature_of


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a tree; each real folder once, by its plain path where it has one.

    Folders are by device and inode, ``unreadable`` has reasons.
    """

    root: tuple[int, int]
    files: Mapping[str, Signature]
    linked_files: frozenset[str]
    folders: Mapping[tuple[int, int], str]
    linked_folders: tuple[str, ...]
    unreadable: Mapping[str, str]

    def hides(self, path: str) -> bool:
        """Whether nothing can be said about this path, since it, or a folder above it, is unreadable."""
        return any(path == hidden or path.startswith(hidden + os.sep) for hidden in self.unreadable)


def scan(inputs_dir: str, suffix: str) -> Tree:
    """Look at all files with this suffix below a folder.

    Raises OSError where the folder itself cannot be read.
    """
    walk = _Walk(suffix)
    walk.look_into(inputs_dir)
    root = next(iter(walk.folders))
    # Links come last, and in order: that a folder can be reached by one as well must not change its RDs' ids.
    while walk.plain or walk.links:
        is_linked = not walk.plain
        if is_linked:
            walk.links.sort(reverse=True)
        folder = (walk.links if is_linked else walk.plain).pop()
        try:
            if walk.look_into(folder) and is_linked:
                walk.linked_folders.append(folder)
        except OSError as fault:
            walk.note(folder, fault)
    return Tree(
        root=root,
        files=walk.files,
        linked_files=frozenset(walk.linked_files),
        folders=walk.folders,
        linked_folders=tuple(walk.linked_folders),
        unreadable=walk.unreadable,
    )


class _Walk:
    """A walk through a tree: what was found, and the folders still to look into."""

    def __init__(self, suffix: str) -> None:
        self.suffix = suffix
        self.files: dict[str, Signature] = {}
        self.linked_files: list[str] = []
        self.folders: dict[tuple[int, int], str] = {}
        self.linked_folders: list[str] = []
        self.unreadable: dict[str, str] = {}
        self.plain: list[str] = []
        self.links: list[str] = []

    def look_into(self, folder: str) -> bool:
        """Note what is in a folder; answers False where that was done before."""
        identity = identity_of(folder)
        if identity in self.folders:
            return False
        with os.scandir(folder) as entries:
            self.folders[identity] = folder
            for entry in entries:
                # Written out, since this is what scans consist of.
                if entry.name.startswith(HIDDEN) or entry.name.endswith(BACKUP):
                    continue
                try:
                    if entry.name.endswith(self.suffix):
                        signature = signature_of(entry.stat())
                        if signature is not None:
                            self.files[entry.path] = signature
                            if entry.is_symlink():
                                self.linked_files.append(entry.path)
                            continue
                    if entry.is_dir():
                        (self.links if entry.is_symlink() else self.plain).append(entry.path)
                except OSError as fault:
                    self.note(entry.path, fault)
        return True

    def note(self, path: str, fault: OSError) -> None:
        """Note that a path cannot be read, unless it is just not there."""
        if not is_gone(fault):
            self.unreadable[path] = fault.strerror or str(fault)


def is_gone(fault: OSError) -> bool:
    """Whether something is just not there: gone meanwhile, or a link that leads nowhere."""
    return isinstance(fault, FileNotFoundError | NotADirectoryError) or fault.errno == errno.ELOOP


def identity_of(folder: str) -> tuple[int, int]:
    """Device and inode.  Raises OSError."""
    status = os.stat(folder)
    return status.st_dev, status.st_ino
