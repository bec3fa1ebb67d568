"""The local engine: named daemon threads and a queue.

They are our own threads since those of the standard pool keep the interpreter from ending while a job hangs.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from queue import Empty, SimpleQueue
from time import monotonic

from gavo_exec.model import Outcome, Run, RunRequest
from gavo_exec.ports import Performer
from gavo_exec.runtime.suspects import Station

_log = logging.getLogger("gavo_exec")


class _Worker(threading.Thread):
    """One thread that carries out requests until it is told None."""

    def __init__(
        self,
        requests: "SimpleQueue[RunRequest | None]",
        *,
        performer: Performer,
        finished: Callable[[Run], object],
        ended: "SimpleQueue[_Worker | None]",
        attend: Callable[[], object],
        name: str,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._requests = requests
        self._performer = performer
        self._finished = finished
        self._ended = ended
        self._attend = attend
        self.current: RunRequest | None = None
        self.last: RunRequest | None = None
        self.done = 0

    def run(self) -> None:
        try:
            self._work()
        finally:
            self._ended.put(self)

    def _work(self) -> None:
        get, perform, finished = self._requests.get, self._performer.perform, self._finished
        attend = self._attend
        while (request := get()) is not None:
            self.current = self.last = request
            attend()
            try:
                finished(perform(request))
            except BaseException as fault:  # the guard lets nothing through; should it ever, say so
                _log.critical("the guard of %s failed", request.execute.key, exc_info=True)
                finished(self._performer.refuse(request, f"the guard failed: {fault!r}"))
            finally:
                self.current = None
                self.done += 1


class LocalEngine:
    """Carries out runs on at most ``workers`` threads of this process, which are made when they are needed."""

    def __init__(self, *, workers: int) -> None:
        self.slots = workers
        self._requests: SimpleQueue[RunRequest | None] = SimpleQueue()
        self._ended: SimpleQueue[_Worker | None] = SimpleQueue()
        self._workers: list[_Worker] = []
        self._hastened = False
        self._submitted = 0
        self._performer: Performer
        self._finished: Callable[[Run], object]
        self.attend: Callable[[], object] = lambda: None
        """Called where a run begins, on the thread that is to carry it out; to be set before there is any."""

    def stations(self) -> list[Station]:
        """Which runs the threads are in, or were in last; from any thread."""
        return [
            Station(thread=worker.ident, request=worker.last, is_running=worker.current is not None)
            for worker in list(self._workers)
            if worker.last is not None and worker.ident is not None
        ]

    def start(self, performer: Performer, finished: Callable[[Run], object]) -> None:
        """Begin to take requests; ``finished`` is called on the workers' threads."""
        self._performer = performer
        self._finished = finished

    def submit(self, requests: Sequence[RunRequest]) -> None:
        """Have these carried out, in this order as far as workers are free; for one calling thread only."""
        self._submitted += len(requests)
        for request in requests:
            self._requests.put(request)
        # An upper bound: a run that is just over still counts, so that a free worker is never wrongly relied on.
        outstanding = self._submitted - sum(worker.done for worker in self._workers)
        while len(self._workers) < min(self.slots, outstanding):
            worker = _Worker(
                self._requests,
                performer=self._performer,
                finished=self._finished,
                ended=self._ended,
                attend=self.attend,
                name=f"worker-{len(self._workers) + 1}",
            )
            try:
                worker.start()
            except RuntimeError:
                _log.error("no more threads can be made; %d workers carry on", len(self._workers))
                break
            self._workers.append(worker)
        if not self._workers:
            for request in self._take_back():
                self._submitted -= 1
                self._finished(self._performer.refuse(request, "no thread could be made to run it"))

    def cancel(self, run_id: str, cause: str) -> None:
        """End a run as far as that can be done; one that waits for a worker does not begin."""
        self._performer.cancel(run_id, cause)

    def hasten(self) -> None:
        """Let a stop that waits wait no longer, or the next one not at all."""
        # The queue may be put into by signal handlers; locks must not be taken there.
        self._hastened = True
        self._ended.put(None)

    def stop(self, grace: timedelta) -> list[RunRequest]:
        """Take no more, wait for what is running for at most ``grace``; answers what had not ended by then."""
        cause = "the daemon stopped before it could begin"
        for request in self._take_back():
            self._finished(self._performer.refuse(request, cause, Outcome.INTERRUPTED))
        for _ in self._workers:
            self._requests.put(None)
        deadline = monotonic() + grace.total_seconds()
        while self._workers and not self._hastened:
            try:
                worker = self._ended.get(timeout=max(0.0, deadline - monotonic()))
            except Empty:
                break
            if worker is not None:
                worker.join()
                self._workers.remove(worker)
        self._hastened = False
        return [current for worker in self._workers if (current := worker.current) is not None]

    def _take_back(self) -> list[RunRequest]:
        """The requests that no worker has taken."""
        taken: list[RunRequest] = []
        try:
            while True:
                if (request := self._requests.get_nowait()) is not None:
                    taken.append(request)
        except Empty:
            return taken
