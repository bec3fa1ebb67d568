"""The resource directory as an iterator of sets of changed paths.

Looking with stat is the truth; the file system's events only tell when looking is worth while.
"""

# ruff: noqa: PTH100, PTH112, PTH116, PTH118, PTH206 -- thousands of paths are looked at, again and again: they stay strings

import logging
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from queue import Empty, SimpleQueue

from gavo_exec.rdfiles import Signature, is_hidden, signature_of
from gavo_exec.services.watch.beside import Beside
from gavo_exec.services.watch.events import Events, Hint, Hints, file_events
from gavo_exec.services.watch.settling import Settling
from gavo_exec.services.watch.tree import Tree, identity_of, is_gone, scan

__all__ = ["Settling", "TreeWatcher", "scan"]

_log = logging.getLogger(__name__)

_IDLE_SHARE = 500  # idle scans take at most this part of the time
_HINTED_SHARE = 50  # scans that events ask for take this part at most, however many there are,
_BURST_SECONDS = 60.0  # on the average of this time
_WITHOUT_EVENTS_SECONDS = 1.0
_OFTEN_SECONDS = 0.5  # files that have no events, linked or beside the tree, are looked at this often,
_OFTEN_AT_MOST = 100  # unless they are more than this
_RETRY_SECONDS = 60.0


class TreeWatcher:
    """Watches all files with a suffix below ``inputs_dir``, and those it is told to watch also.

    Changes are told once files stand still for ``settle_seconds``.  The whole tree is looked at every
    ``rescan_seconds``: more often where there are no events, and less often where it is so large that this would take
    more than a five-hundredth of the time.  What is known of files stays while they, or a folder above them, are
    unreadable, and while ``inputs_dir`` is away.

    Can be iterated once, on one thread.
    """

    def __init__(
        self,
        inputs_dir: str,
        *,
        rescan_seconds: float = 10.0,
        settle_seconds: float = 0.3,
        suffix: str = ".rd",
        events: Events = file_events,
    ) -> None:
        self._inputs_dir = os.path.abspath(inputs_dir)
        self._rescan_seconds = rescan_seconds
        self._settle_seconds = settle_seconds
        self._suffix = suffix
        self._events = events
        # A SimpleQueue and a plain bool, since a signal handler may use them while this very thread does.
        self._inbox: SimpleQueue[Hint] = SimpleQueue()
        self._is_stopping = False
        self._settling = Settling(settle_seconds)
        self._beside = Beside(settle_seconds)
        self._tree: Tree | None = None  # as last seen
        self._folders: frozenset[str] = frozenset()  # those in it, for the thread that hears events
        self._is_away = False
        self._devices: dict[str, int] = {}  # of each folder the file system it is on
        self._unmounted: set[str] = set()  # folders of which the file system is away
        self.tell: Callable[[str], object] = lambda message: _log.error("%s", message)
        """Called with what is to be said: that something is away."""
        self._reported: set[str] = set()  # what is unreadable, as far as the log says so
        self._scanned_at = self._scan_seconds = self._scan_at = 0.0
        self._paid_at = 0.0  # when all scans until now have taken no more than their share
        self._scan_again = False
        self._looked_at = self._often_at = 0.0
        self._hints: Hints | None = None
        self._hinted: object = None  # what it is that hints are had about
        self._has_no_events = self._said_no_events = False
        self._retry_at = 0.0

    def __iter__(self) -> Iterator[frozenset[str]]:
        """First all files there are, then sets of those that are new, changed or gone."""
        try:
            if not self._is_stopping:
                tree = self._scan()
                if tree is not None:
                    self._note_devices(tree)
                yield self._settling.start(tree.files if tree is not None else {})
            while not self._is_stopping:
                if changed := self._turn():
                    yield changed
        finally:
            self._drop_hints()

    def look(self) -> None:
        """Look at the whole tree now; from any thread or signal handler."""
        self._inbox.put(None)

    def watch_also(self, files: Mapping[str, Signature | None]) -> None:
        """Watch these files as well, in place of those of the call before; from any thread.

        Each is known by its signature, None where there is no file; what differs from that is a change.
        """
        self._beside.offer(files)
        self._inbox.put(())

    def stop(self) -> None:
        """End the iteration; from any thread or signal handler, even before it began."""
        self._is_stopping = True
        self._inbox.put(None)

    def _turn(self) -> frozenset[str]:
        """Wait until there is something to look at, and look."""
        hints = self._wait()
        now = time.monotonic()
        self._beside.take()
        paths, beside = set(self._settling.moving), set(self._beside.moving)
        for hint in hints:
            if hint is None:
                self._scan_at = now
            elif isinstance(hint, Exception):
                self._go_without_events(hint)
            elif hint:
                self._has_no_events = False
                paths.update(self._files_at(hint))
        if self._is_stopping:
            return frozenset()
        if now >= self._scan_at:
            return self._look_at_tree() | self._look_beside(self._beside.paths)
        if now >= self._often_at:
            paths.update(self._linked_files())
            beside.update(_few(self._beside.paths))
            self._often_at = now + _OFTEN_SECONDS
        return self._look_at(paths) | self._look_beside(beside)

    def _wait(self) -> list[Hint]:
        """Sleep until the next look, or until there are hints; answers those."""
        at = self._scan_at
        if not self._is_away:
            for next_look_at in (self._settling.next_look_at, self._beside.next_look_at):
                if next_look_at is not None:
                    at = min(at, max(next_look_at, self._looked_at + self._settle_seconds / 4))
            if self._linked_files() or _few(self._beside.paths):
                at = min(at, self._often_at)
        hints: list[Hint] = []
        try:
            hints.append(self._inbox.get(timeout=max(0.0, at - time.monotonic())))
            while True:
                hints.append(self._inbox.get_nowait())
        except Empty:
            return hints

    def _linked_files(self) -> Collection[str]:
        """The files that have to be looked at often, since what they link to has no events."""
        return _few(self._tree.linked_files) if self._tree is not None else ()

    def _files_at(self, paths: Iterable[str]) -> Iterator[str]:
        """The files that these paths are; asks for a scan where one is a folder, or is in one not seen before."""
        for path in paths:
            folder, name = os.path.split(path)
            try:
                known = self._tree.folders.get(identity_of(folder)) if self._tree is not None else None
            except OSError:
                known = None
            # Events may come by another path to the same folder than the one by which we know it.
            if known is not None and name.endswith(self._suffix) and not os.path.isdir(path):
                yield os.path.join(known, name)
            else:
                self._scan_soon(time.monotonic())
                self._scan_again = True

    def _look_at(self, paths: Collection[str]) -> frozenset[str]:
        """Look at these files; answers those that changed and stand still."""
        seen = self._seen(paths)
        return self._settling.look(seen, self._looked_at)

    def _look_beside(self, paths: Collection[str]) -> frozenset[str]:
        """Look at these files beside the tree; answers those that changed and stand still."""
        seen = self._seen(paths)
        return self._beside.look(seen, self._looked_at)

    def _seen(self, paths: Collection[str]) -> dict[str, Signature | None]:
        """How these files look now (None: gone); nothing while the tree is away, and nothing of those unreadable."""
        if not paths or self._is_away:
            return {}
        seen: dict[str, Signature | None] = {}
        for path in paths:
            try:
                seen[path] = signature_of(os.stat(path))
            except OSError as fault:
                if is_gone(fault):
                    seen[path] = None
        self._looked_at = time.monotonic()
        if None in seen.values():
            if not self._is_there():
                self._scan_at = self._looked_at
                return {}
            return {path: found for path, found in seen.items() if found is not None or not self._is_held(path)}
        return seen

    def _is_held(self, path: str) -> bool:
        """Whether a file that is not there any more has gone with the file system that it was on."""
        folder = os.path.dirname(path)  # noqa: PTH120 -- as above
        while len(folder) > len(self._inputs_dir):
            known = self._devices.get(folder)
            try:
                if known is not None and os.stat(folder).st_dev != known:
                    self._note_unmounted(folder)
                    return True
            except OSError:
                pass  # it was removed, and perhaps what it was in is not what it was
            folder = os.path.dirname(folder)  # noqa: PTH120
        return False

    def _note_unmounted(self, folder: str) -> None:
        """Say, once, that the file system at a folder is away."""
        # What was mounted there may have had mounts of its own.
        if not any(folder.startswith(known + os.sep) or folder == known for known in self._unmounted):
            self._unmounted.add(folder)
            why = "another file system is there than before"
            self.tell(f"{folder} is away ({why}): its RDs stay as they are until it is back")

    def _note_devices(self, tree: Tree) -> None:
        """Remember which file systems the folders are on, but for those that are away."""
        found = {path: device for (device, _), path in tree.folders.items()}
        for folder in sorted(self._unmounted):
            if found.get(folder) == self._devices.get(folder):
                self._unmounted.discard(folder)
                _log.warning("%s is back", folder)
        for path, device in found.items():
            if not any(path == away or path.startswith(away + os.sep) for away in self._unmounted):
                self._devices[path] = device
        if len(self._devices) > 2 * len(found) + 1000:
            self._devices = {path: self._devices[path] for path in self._devices.keys() & found.keys()}

    def _is_there(self) -> bool:
        """Whether the tree as a whole is where it was."""
        try:
            return self._tree is not None and identity_of(self._inputs_dir)[0] == self._tree.root[0]
        except OSError:
            return False

    def _look_at_tree(self) -> frozenset[str]:
        """Look at the whole tree; answers the files that changed and stand still."""
        tree = self._scan()
        if tree is None:
            return frozenset()
        seen: dict[str, Signature | None] = dict(tree.files)
        for paths in (self._settling.known, self._settling.moving):
            gone = (path for path in paths if path not in tree.files and not tree.hides(path))
            seen.update((path, None) for path in gone if not self._is_held(path))
        self._note_devices(tree)
        return self._settling.look(seen, self._scanned_at)

    def _scan(self) -> Tree | None:
        """The tree as it is now, None while it is away; plans the next scan."""
        began_at = time.monotonic()
        tree: Tree | None = None
        try:
            seen = scan(self._inputs_dir, self._suffix)
        except OSError as fault:
            away = fault.strerror or str(fault)
        else:
            away = "it is empty, and on another file system than before" if self._is_unmounted(seen) else ""
            tree = None if away else seen
        self._scanned_at = self._looked_at = time.monotonic()
        self._scan_seconds = self._scanned_at - began_at
        self._paid_at = max(self._paid_at, began_at) + _HINTED_SHARE * self._scan_seconds
        if tree is None:
            self._drop_hints()
            if not self._is_away:
                self.tell(f"{self._inputs_dir} is away ({away}): its RDs stay as they are until it is back")
        else:
            if self._is_away:
                _log.warning("%s is back", self._inputs_dir)
            self._tree = tree
            self._report(tree)
            self._keep_hints(tree)
        self._is_away = tree is None
        self._plan_scan()
        return tree

    def _is_unmounted(self, tree: Tree) -> bool:
        """Whether this is but the empty folder that a file system was mounted on."""
        is_elsewhere = self._tree is not None and tree.root[0] != self._tree.root[0]
        return is_elsewhere and not tree.files and bool(self._settling.known)

    def _plan_scan(self) -> None:
        """Say when the next scan is to be."""
        seconds = self._rescan_seconds
        if self._is_away or self._has_no_events:
            seconds = min(seconds, _WITHOUT_EVENTS_SECONDS)
        self._scan_at = self._scanned_at + max(seconds, _IDLE_SHARE * self._scan_seconds)
        if self._scan_again:
            # A folder that has just been made fills before its own events are heard.
            self._scan_again = False
            self._scan_soon(self._scanned_at + self._settle_seconds)

    def _scan_soon(self, at: float) -> None:
        """Have the next scan at this instant, or as soon after it as scans may be."""
        self._scan_at = min(self._scan_at, max(at, self._paid_at - _BURST_SECONDS))

    def _report(self, tree: Tree) -> None:
        """Log what has become unreadable, once."""
        for path in sorted(tree.unreadable.keys() - self._reported):
            _log.warning("%s cannot be read and is left as it is: %s", path, tree.unreadable[path])
        self._reported = set(tree.unreadable)

    def _keep_hints(self, tree: Tree) -> None:
        """Hear events of the tree as it is now: a new root, or a new link to a folder, has none of itself."""
        hinted = (tree.root, tree.linked_folders)
        self._folders = frozenset(tree.folders.values()) | tree.unreadable.keys()
        if hinted != self._hinted or (self._hints is None and time.monotonic() >= self._retry_at):
            self._drop_hints()
            self._hinted = hinted
            self._hints = Hints(self._inputs_dir, inbox=self._inbox, events=self._events, is_wanted=self._is_wanted)

    def _drop_hints(self) -> None:
        """Hear no events any more."""
        if self._hints is not None:
            self._hints.stop()
        self._hints = self._hinted = None

    def _go_without_events(self, fault: Exception) -> None:
        """Look more often instead, and try again some time."""
        if self._hints is None:
            return
        hinted = self._hinted
        self._drop_hints()
        self._hinted = hinted
        self._retry_at = time.monotonic() + _RETRY_SECONDS
        if not self._said_no_events:
            _log.warning(
                "there are no file events below %s (%s): changes take longer to be seen", self._inputs_dir, fault
            )
        self._said_no_events = self._has_no_events = True
        self._plan_scan()

    def _is_wanted(self, path: str, *, is_new: bool) -> bool:
        """Whether an event is worth a look; called on the thread that hears them."""
        below = path.removeprefix(self._inputs_dir)
        if any(is_hidden(name) for name in below.split(os.sep)):
            return False
        return path.endswith(self._suffix) or path in self._folders or (is_new and os.path.isdir(path))


def _few(paths: Collection[str]) -> Collection[str]:
    """These, unless they are too many to look at them often."""
    return paths if len(paths) <= _OFTEN_AT_MOST else ()
