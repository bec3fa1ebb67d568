"""Which files of a resource directory are RDs, and what tells versions of a file apart; pure."""

# ruff: noqa: PTH118, PTH206 -- thousands of paths are asked about: they stay strings

import os
import stat

SUFFIX = ".rd"
HIDDEN = (".", "#", "~$")
"""What the names of hidden files, of locks and of other traces of editors begin with."""
BACKUP = "~"
"""What the names of backups end with."""

Signature = tuple[int, int, int]
"""What tells versions of a file apart without reading it: time of modification (ns), size, inode."""


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is passed over."""
    return name.startswith(HIDDEN) or name.endswith(BACKUP)


def is_rd_file(path: str, inputs_dir: str) -> bool:
    """Whether a plain file at this path is an RD: it is below the resource directory, has the suffix, and is seen."""
    folder = os.path.join(inputs_dir, "")
    if not path.endswith(SUFFIX) or not path.startswith(folder):
        return False
    return not any(map(is_hidden, path[len(folder) :].split(os.sep)))


def signature_of(status: os.stat_result) -> Signature | None:
    """The signature of a plain file; None for anything else."""
    return (status.st_mtime_ns, status.st_size, status.st_ino) if stat.S_ISREG(status.st_mode) else None


def rd_id_for(path: str, inputs_dir: str) -> str:
    """The RD id of a file: its path below the resource directory, without ``.rd``, with slashes."""
    folder = inputs_dir if inputs_dir.endswith("/") else f"{inputs_dir}/"
    is_plain = path.startswith(folder) and "/." not in path and "//" not in path  # relpath() takes its time
    below = path[len(folder) :] if is_plain else os.path.relpath(path, inputs_dir)
    return below.removesuffix(".rd").replace(os.sep, "/")
