"""Patterns of files, and the files that fit: by scandir, each folder once, one stat for each file that fits."""

# ruff: noqa: PTH118 -- a hundred thousand paths are looked at again and again: they stay strings

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from fnmatch import translate
from functools import lru_cache, partial

_MAGIC = re.compile(r"[*?[]")
_ESCAPED = re.compile(r"\[([*?[])\]")

_HIDDEN = re.compile(r"\.|lost\+found\Z")
"""How names begin that are hidden; what file systems keep for themselves is so, too, and may not be read."""

_Step = str | re.Pattern[str] | None
"""One part of a pattern: a name, a pattern of names, or None for any number of folders."""


class Scan:
    """One look at all files that fit a pattern of absolute paths.

    ``*``, ``?`` and ``[...]`` fit no hidden names; ``**``, as a whole part, fits any number of folders, hidden ones and
    links to folders not among them.  Names without these are taken as they are.  Files are plain ones, or links to
    such.

    ``base`` is the folder that the look begins in.  What has been found out meanwhile: ``is_base_missing``, the folders
    that were ``listed``, those that are ``fruitful``, with files that fit in them, and by their paths those that ``**``
    has ``passed_over`` since they may not be read, with the system's reason.
    """

    def __init__(self, pattern: str) -> None:
        self.base, self._steps = _compiled(pattern)
        self.is_base_missing = False
        self.listed: set[str] = set()
        self.fruitful: set[str] = set()
        self.passed_over: dict[str, str] = {}

    def files(self) -> Iterator[tuple[str, os.stat_result]]:
        """The files that fit, each once, in no order; raises OSError with the path that cannot be looked at."""
        # Which parts of the pattern the names in a folder may fit; so a folder is looked into once, however many ways
        # lead there.  The last is whether only ** leads there.
        folders: list[tuple[str, frozenset[int], bool]] = [(self.base, self._reached({0}), False)]
        while folders:
            folder, places, is_optional = folders.pop()
            try:
                if all(isinstance(self._steps[place], str) for place in places):
                    yield from self._take_names(folder, places, folders)
                else:
                    yield from self._look_into(folder, places, folders)
            except OSError as fault:
                self._note(fault, folder=folder, is_optional=is_optional)

    def _reached(self, places: set[int]) -> frozenset[int]:
        """These places, and those behind a ``**``, which may stand for no folder at all."""
        found = set(places)
        found.update(place + 1 for place in places if self._steps[place] is None)
        return frozenset(found)

    def _look_into(
        self, folder: str, places: frozenset[int], folders: list[tuple[str, frozenset[int], bool]]
    ) -> Iterator[tuple[str, os.stat_result]]:
        """The files in a folder that fit; its folders that may have some are added."""
        steps, last = self._steps, len(self._steps) - 1
        names = [(place, step) for place in places if (step := steps[place]) is not None]
        deep = {place for place in places if steps[place] is None}
        with os.scandir(folder) as entries:
            self.listed.add(folder)
            for entry in entries:
                name = entry.name
                fitting = {place for place, step in names if _fits(name, step)}
                if last in fitting:
                    fitting.discard(last)
                    if (status := _plain(entry.stat)) is not None:
                        self.fruitful.add(folder)
                        yield entry.path, status
                if not fitting and (not deep or _HIDDEN.match(name)):
                    continue
                if _is_folder(entry):
                    following = {place + 1 for place in fitting}
                    is_optional = not following
                    if deep and not _HIDDEN.match(name) and not entry.is_symlink():
                        following |= deep
                    if following:
                        folders.append((entry.path, self._reached(following), is_optional))

    def _take_names(
        self, folder: str, places: frozenset[int], folders: list[tuple[str, frozenset[int], bool]]
    ) -> Iterator[tuple[str, os.stat_result]]:
        """The same where the pattern has nothing but names for what is in the folder, so that it need not be read."""
        for place in places:
            path = os.path.join(folder, str(self._steps[place]))
            if place < len(self._steps) - 1:
                folders.append((path, self._reached({place + 1}), False))
                continue
            if (status := _plain(partial(os.stat, path))) is not None:
                self.fruitful.add(folder)
                yield path, status

    def _note(self, fault: OSError, *, folder: str, is_optional: bool) -> None:
        """Pass over what is not there, and what ``**`` may not read; raises what else went wrong."""
        if _is_gone(fault):
            if folder == self.base and fault.filename == folder:
                self.is_base_missing = True
        elif is_optional and isinstance(fault, PermissionError):
            self.passed_over[folder] = fault.strerror or str(fault)
        else:
            raise OSError(fault.errno, fault.strerror, fault.filename or folder) from fault


def base_of(pattern: str) -> str:
    """The folder that looks for a pattern begin in."""
    return _compiled(pattern)[0]


@lru_cache(maxsize=1000)
def _compiled(pattern: str) -> tuple[str, tuple[_Step, ...]]:
    """The folder that a pattern begins in, and the parts of the pattern from there on."""
    base = "/"
    steps: list[_Step] = []
    parts = [part for part in pattern.split("/") if part]
    for place, part in enumerate(parts):
        step = _step(part)
        if not steps and isinstance(step, str) and place < len(parts) - 1:
            base = os.path.join(base, step)
        elif not (step is None and steps and steps[-1] is None):
            steps.append(step)
    if steps and steps[-1] is None:
        steps.append(_step("*"))
    return base, tuple(steps)


def _step(part: str) -> _Step:
    """What one part of a pattern stands for."""
    if part == "**":
        return None
    if not _MAGIC.search(_ESCAPED.sub("", part)):
        return _ESCAPED.sub(r"\1", part)
    return re.compile(translate(part) if part.startswith(".") else f"(?!{_HIDDEN.pattern}){translate(part)}")


def _fits(name: str, step: str | re.Pattern[str]) -> bool:
    """Whether a name fits a part of a pattern."""
    return name == step if isinstance(step, str) else step.match(name) is not None


def _plain(look: Callable[[], os.stat_result]) -> os.stat_result | None:
    """The state of a plain file, or of what a link leads to; None for everything else, and what is not there."""
    try:
        status = look()
    except OSError as fault:
        if _is_gone(fault):
            return None
        raise
    return status if stat.S_ISREG(status.st_mode) else None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder, or a link to one."""
    try:
        return entry.is_dir()
    except OSError as fault:
        if _is_gone(fault):
            return False
        raise


def _is_gone(fault: OSError) -> bool:
    """Whether something is just not there: gone meanwhile, no folder, or a link that leads nowhere."""
    return isinstance(fault, FileNotFoundError | NotADirectoryError) or fault.errno == errno.ELOOP
