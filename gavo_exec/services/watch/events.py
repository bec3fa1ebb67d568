"""Where the file system's events come from: hints when looking is worth while, and nothing else."""

import threading
from collections.abc import Callable, Collection, Iterator
from queue import SimpleQueue
from typing import Protocol

import msgspec

_STEP_MS = 150

Hint = Collection[str] | Exception | None
"""Paths with events, why there are none any more, or None: wake up."""


class IsWanted(Protocol):
    """Tells which events are of interest; called on the thread that hears them."""

    def __call__(self, path: str, *, is_new: bool) -> bool:
        """Whether an event at this path, which has just come to be or not, is worth a look."""
        ...


class Events(Protocol):
    """Tells of events below a folder, until told to stop."""

    def __call__(
        self, folder: str, *, is_wanted: IsWanted, is_stopped: Callable[[], bool]
    ) -> Iterator[Collection[str]]:
        """Sets of paths with events that are wanted.  May raise any exception.

        Asks ``is_stopped`` at least every second, for the first time when events are heard.
        """
        ...


class _Stop(msgspec.Struct, frozen=True):
    """What watchfiles wants to be told to stop by."""

    is_set: Callable[[], bool]


def file_events(folder: str, *, is_wanted: IsWanted, is_stopped: Callable[[], bool]) -> Iterator[Collection[str]]:
    """The events of the operating system, for folders below linked ones as well."""
    # It takes longer to import than all the rest together, and is wanted on a thread of its own only.
    from watchfiles import Change, watch

    for changes in watch(
        folder,
        watch_filter=lambda change, path: is_wanted(path, is_new=change is Change.added),
        debounce=2 * _STEP_MS,
        step=_STEP_MS,
        stop_event=_Stop(is_stopped),
        rust_timeout=0,
        raise_interrupt=False,
        force_polling=False,
        ignore_permission_denied=True,
    ):
        yield {path for _, path in changes}


class Hints:
    """A thread that puts paths with events into an inbox, or the exception that ended this."""

    def __init__(
        self,
        folder: str,
        *,
        inbox: SimpleQueue[Hint],
        events: Events,
        is_wanted: IsWanted,
    ) -> None:
        self._stopped = False
        self._thread = threading.Thread(
            target=self._run, args=(folder, inbox, events, is_wanted), name="watcher-events", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped = True
        self._thread.join(timeout=2)

    def _run(self, folder: str, inbox: SimpleQueue[Hint], events: Events, is_wanted: IsWanted) -> None:
        is_heard = False

        def is_stopped() -> bool:
            """Whether to stop."""
            nonlocal is_heard
            if not is_heard:
                # What happened before events were heard is found by looking.
                is_heard = True
                inbox.put({folder})
            return self._stopped

        try:
            for paths in events(folder, is_wanted=is_wanted, is_stopped=is_stopped):
                inbox.put(paths)
            fault = Exception("they ended")
        except Exception as raised:
            fault = raised
        if not self._stopped:
            inbox.put(fault)
