"""The last run of each job, kept once somebody has asked for it: reading ten thousand of them takes its time."""

import threading

from msgspec import structs

from gavo_exec.events import Event, RunFinished
from gavo_exec.model import Run
from gavo_exec.ports import Store


class LastRuns:
    """The listener that keeps them up to date; until somebody asks, it keeps nothing."""

    hears = frozenset({RunFinished})

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._known: dict[str, Run] | None = None
        self._version = -1

    def __call__(self, event: Event) -> None:
        """Note that a run has ended."""
        if self._known is not None and isinstance(event, RunFinished):
            run = structs.replace(event.run, output="")
            with self._lock:
                self._known[run.key] = run

    def of(self, key: str) -> Run | None:
        """The run of a key that ended last, without its output."""
        return next((run for run in self._store.runs(key, limit=100) if run.outcome is not None), None)

    def all(self) -> dict[str, Run]:
        """For each key the run that ended last, without its output; read anew where another process has written."""
        version = self._store.version_of_others()
        with self._lock:
            if self._known is not None and version == self._version:
                return dict(self._known)
            # What ends from now on is noted beside what is read, and counts more.
            self._known, self._version = {}, version
        found = self._store.last_runs()
        with self._lock:
            self._known = found | self._known
            return dict(self._known)
