"""What runs print, live: for whoever follows a run, or all runs of a job."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Final

from gavo_exec.control import Happening, Printed, RunBegan, RunEnded
from gavo_exec.events import Event, RunFinished, RunStarted
from gavo_exec.model import Run, RunRequest
from gavo_exec.runtime.active import ActiveRun

_MOST_WAITING_BYTES: Final = 8 << 20
"""How much of what was printed may wait for somebody who does not read it."""


class Follower:
    """One who follows; ``next`` answers what happens, in order."""

    def __init__(self, *, key: str, run_id: str) -> None:
        self._key = key
        self._run_id = run_id
        self._happenings: SimpleQueue[Happening] = SimpleQueue()
        self._lock = threading.Lock()
        self._waiting_bytes = 0
        self._left_out = 0
        self._followed: dict[str, tuple[ActiveRun, Callable[[bytes], object]]] = {}

    def wants(self, request: RunRequest) -> bool:
        """Whether it follows this run."""
        return self._run_id == request.run_id if self._run_id else self._key == request.execute.key

    def begin(self, active: ActiveRun) -> None:
        """Follow a run that goes on from its beginning, unless that is done already."""
        run_id = active.request.run_id

        def take(output: bytes) -> None:
            self._take(run_id, output)

        with self._lock:
            if run_id in self._followed:
                return
            self._followed[run_id] = (active, take)
        self._happenings.put(RunBegan(run=_going(active)))
        active.output.follow(take)

    def end(self, run: Run) -> None:
        """Take note that a run has ended; of one that was over before that could be followed, all it printed."""
        with self._lock:
            is_known = self._followed.pop(run.run_id, None) is not None
        if not is_known:
            self._happenings.put(RunBegan(run=run))
        self._take(run.run_id, b"" if is_known else run.output.encode("utf-8", "backslashreplace"))
        self._happenings.put(RunEnded(run=run))

    def leave(self) -> None:
        """Follow nothing any more."""
        with self._lock:
            followed = list(self._followed.values())
        for active, take in followed:
            active.output.unfollow(take)

    def next(self, timeout_seconds: float) -> Happening | None:
        """What happens next; None where nothing does for so long."""
        try:
            happening = self._happenings.get(timeout=timeout_seconds)
        except Empty:
            return None
        if isinstance(happening, Printed):
            with self._lock:
                self._waiting_bytes -= len(happening.output)
        return happening

    def _take(self, run_id: str, output: bytes) -> None:
        with self._lock:
            if self._waiting_bytes > _MOST_WAITING_BYTES:
                self._left_out += len(output)
                return
            output = _note(self._left_out) + output
            self._left_out = 0
            if output:
                self._waiting_bytes += len(output)
                self._happenings.put(Printed(run_id=run_id, output=output))


class Live:
    """The listener that lets followers know; ``find`` answers a run that goes on, by its id."""

    hears = frozenset({RunStarted, RunFinished})

    def __init__(self, find: Callable[[str], ActiveRun | None]) -> None:
        self._find = find
        self._lock = threading.Lock()
        self._followers: tuple[Follower, ...] = ()

    def __call__(self, event: Event) -> None:
        """Pass on that a run has begun or ended; costs next to nothing where nobody follows."""
        if not self._followers:
            return
        if isinstance(event, RunStarted):
            for follower in self._followers:
                if follower.wants(event.request) and (active := self._find(event.request.run_id)) is not None:
                    follower.begin(active)
        elif isinstance(event, RunFinished) and event.request is not None:
            for follower in self._followers:
                if follower.wants(event.request):
                    follower.end(event.run)

    @contextmanager
    def following(self, *, key: str = "", run_id: str = "") -> Iterator[Follower]:
        """Follow a run, or all runs of a key; those that go on already are to be begun by hand."""
        follower = Follower(key=key, run_id=run_id)
        with self._lock:
            self._followers = (*self._followers, follower)
        try:
            yield follower
        finally:
            with self._lock:
                self._followers = tuple(each for each in self._followers if each is not follower)
            follower.leave()


def _note(left_out: int) -> bytes:
    return f"[... {left_out:,} bytes left out, since they were not read ...]\n".encode() if left_out else b""


def _going(active: ActiveRun) -> Run:
    """A run that goes on, as a record."""
    request = active.request
    return Run(
        run_id=request.run_id,
        key=request.execute.key,
        title=request.execute.title,
        due=request.due,
        reason=request.reason,
        attempt=request.attempt,
        started_at=active.started_at,
        digest=request.rd.digest,
    )
