"""One look for the files that are new for a run: those that fit its pattern, have settled, and were in no good run."""

# ruff: noqa: PTH120 -- a hundred thousand paths are looked at again and again: they stay strings

import os.path
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from time import monotonic

import msgspec

from gavo_exec.model import NewFile, RunRequest
from gavo_exec.ports import Store
from gavo_exec.runtime.mounts import Mounts
from gavo_exec.runtime.patterns import Scan
from gavo_exec.runtime.stillness import Look, Stillness

MOST_FILES = 10_000
"""How many files one run gets at most; the rest is for the next ones."""

_MOST_NANOSECONDS = 2**63 - 1  # as the state file can have it


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be looked for, and all that has to be known for it.

    ``taken`` are files that runs which go on have already; ``still`` is what looks of this key before have seen;
    ``agreed_seconds`` is for how long the clock, which says ``now``, was not set.
    """

    request: RunRequest
    still: Stillness
    now: datetime
    taken: frozenset[NewFile] = frozenset()
    mounts: Mounts = Mounts()
    agreed_seconds: float = float("inf")


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What a look came to: what is new and has settled, by path, and how many more files are; or a fault.

    ``is_unsure`` tells that there are others of which a second look will show whether they stand still.
    ``missing`` is the folder to look in, where there is none; ``passed_over`` has folders and why.
    """

    files: tuple[NewFile, ...] = ()
    more: int = 0
    is_unsure: bool = False
    missing: str = ""
    passed_over: tuple[tuple[str, str], ...] = ()
    fault: str = ""


def look_up(question: Question, store: Store, *, most: int = MOST_FILES) -> Outlook:
    """Look for the files of a request, and forget those that are gone; takes as long as the file system does.

    Raises OSError for what cannot be looked at, and StoreError.
    """
    execute = question.request.execute
    seen = {file.path: file for file in store.seen(execute.key)}
    scan = Scan(execute.policy.files)
    begun = monotonic()
    fresh: dict[str, os.stat_result] = {}
    for path, status in scan.files():
        known = seen.pop(path, None)
        if known is None or known.size != status.st_size or known.mtime_ns != _bounded(status.st_mtime_ns):
            fresh[path] = status
    if gone := list(_gone(seen, scan)):
        store.forget_seen(execute.key, gone)
    settled, is_unsure = _settled(fresh, question, begun=begun, ended=monotonic())
    files = [file for path in settled if (file := _new_file(path, fresh[path])) not in question.taken]
    more = max(0, len(files) - most)
    if more:
        files = sorted(files, key=lambda file: (file.mtime_ns, file.path))[:most]
    return Outlook(
        files=tuple(sorted(files, key=lambda file: file.path)),
        more=more,
        is_unsure=is_unsure,
        missing=scan.base if scan.is_base_missing else "",
        passed_over=tuple(scan.passed_over.items()),
    )


def _settled(
    fresh: Mapping[str, os.stat_result], question: Question, *, begun: float, ended: float
) -> tuple[set[str], bool]:
    """Those that stand still, and whether a second look would tell of others.

    Where times are from our own clock, nobody can set when a file was last changed: that was long enough ago, or not.
    Elsewhere, and where our clock was set or the machine slept since, a file has to be seen standing still.
    """
    now, settle = question.now, question.request.execute.policy.settle
    is_reliable = question.agreed_seconds >= settle.total_seconds()
    now_ns, changed_by_ns = (int(instant.timestamp() * 1e9) for instant in (now, now - settle))
    ours: dict[int, bool] = {}
    settled: set[str] = set()
    young: set[str] = set()
    looks: dict[str, Look] = {}
    for path, status in fresh.items():
        if status.st_dev not in ours:
            ours[status.st_dev] = is_reliable and question.mounts.has_our_clock(os.path.realpath(path))
        if ours[status.st_dev] and status.st_ctime_ns <= changed_by_ns:
            settled.add(path)
            continue
        looks[path] = status.st_size, status.st_mtime_ns, status.st_ctime_ns
        if ours[status.st_dev] and status.st_ctime_ns <= now_ns:
            young.add(path)
    still = question.still.look(looks, begun=begun, ended=ended, settle_seconds=settle.total_seconds())
    return settled | still, not looks.keys() <= still | young


def _new_file(path: str, status: os.stat_result) -> NewFile:
    """A file as a run gets it."""
    return NewFile(path=path, size=status.st_size, mtime_ns=_bounded(status.st_mtime_ns))


def _bounded(nanoseconds: int) -> int:
    """A time as the state file can have it: anybody can set that of a file to whatever they like."""
    return max(-_MOST_NANOSECONDS, min(nanoseconds, _MOST_NANOSECONDS))


def _gone(paths: Iterable[str], scan: Scan) -> Iterator[str]:
    """Those of the files not found that are gone, rather than away with all that was there (an unmounted disk).

    The nearest folder above that there is must still have others that fit, however deep below.
    """
    alive = set()
    for fruitful in scan.fruitful:
        folder = fruitful
        while folder not in alive:
            alive.add(folder)
            folder = os.path.dirname(folder)
    for path in paths:
        folder = os.path.dirname(path)
        while folder not in scan.listed and len(folder) > len(scan.base):
            folder = os.path.dirname(folder)
        # It may be there all the same: the pattern may have been edited.
        if folder in scan.listed and folder in alive and not os.path.lexists(path):
            yield path
