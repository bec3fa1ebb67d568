"""Events to listeners, on one thread; a failing listener harms nobody."""

import logging
import threading
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from time import monotonic

from gavo_exec.events import Event, RunFinished
from gavo_exec.ports import Listener
from gavo_exec.runtime.repeats import Repeats

_log = logging.getLogger("gavo_exec")

PAUSE_SECONDS = 0.02
"""How long the bus lets events gather before it tells the next ones, so that many a second make few transactions."""

MOST_WAITING = 16 << 20
"""How much may wait to be told (events, by what those told last came to) until nothing more is to be begun."""

_EVENT_SIZE = 512

BATCH = 100
"""How many events at most go between two flushes: what listeners put into the store is committed that often."""


class _Mark(threading.Event):
    """A place in the line of events, set when all before it is written."""


class Bus:
    """Tells each event to each listener, in order, and lets ``flush`` write what they left after every batch.

    A flush that fails is tried again after the next batch, but after ``retry_seconds`` at the latest.
    """

    def __init__(
        self,
        listeners: Iterable[Listener] = (),
        *,
        flush: Callable[[], object] = lambda: None,
        retry_seconds: float = 15.0,
    ) -> None:
        self._listeners = tuple(listeners)
        self._by_kind: dict[type[Event], tuple[Listener, ...]] = {}
        self._flush = flush
        self._retry_seconds = retry_seconds
        self._failures = Repeats()
        self._is_unwritten = False  # whether the last flush failed
        self._mean_size = _EVENT_SIZE  # of an event of the last batch
        self._is_waited_for = threading.Event()
        self._events: SimpleQueue[Event | _Mark | None] = SimpleQueue()
        self._marks: list[_Mark] = []  # what waits for the next flush that goes well
        self._thread = threading.Thread(target=self._run, name="bus", daemon=True)
        self.publish: Callable[[Event], None] = self._events.put
        """Tell an event; from any thread, without waiting."""

    def is_behind(self) -> bool:
        """Whether so much waits to be told and written that nothing more should be begun; from any thread."""
        return self._events.qsize() * self._mean_size > MOST_WAITING

    def caught_up(self, timeout_seconds: float) -> bool:
        """Wait until all that was published before is told and written; answers whether it is within that time.

        Where no thread of the bus's own tells anything, nothing is waited for.
        """
        if not self._thread.is_alive():
            return True
        mark = _Mark()
        self._events.put(mark)
        self._is_waited_for.set()
        return mark.wait(timeout_seconds)

    def start(self) -> None:
        """Begin to tell."""
        self._thread.start()

    def stop(self) -> None:
        """Tell what was published until now, then end."""
        if self._thread.ident is not None:
            self._events.put(None)
            self._is_waited_for.set()
            self._thread.join()
        self.drain()

    def drain(self) -> None:
        """Tell, on the calling thread, what is there now; for when no thread of the bus's own does."""
        while not self._events.empty():
            self._tell_batch()

    def _run(self) -> None:
        while (told := self._tell_batch()) is not None:
            if told < BATCH and self._is_waited_for.wait(PAUSE_SECONDS):
                self._is_waited_for.clear()

    def _tell_batch(self) -> int | None:
        """Wait for an event, tell it and those behind it; answers how many, None once the bus is to end."""
        batch: list[Event | _Mark | None] = []
        try:
            batch.append(self._events.get(timeout=self._retry_seconds if self._is_unwritten else None))
            while batch[-1] is not None and len(batch) < BATCH:
                batch.append(self._events.get_nowait())
        except Empty:
            pass
        texts = 0
        for event in batch:
            if isinstance(event, RunFinished):
                texts += len(event.run.output) + len(event.run.error)
            if isinstance(event, _Mark):
                self._marks.append(event)
            elif event is not None:
                self._tell(event)
        self._mean_size = _EVENT_SIZE + texts // max(1, len(batch))
        self._write()
        return None if None in batch[-1:] else len(batch)

    def _write(self) -> None:
        """Let what listeners left be written, and those know who wait for that."""
        try:
            self._flush()
        except Exception as fault:
            self._is_unwritten = True
            if said := self._failures.say(f"what happened could not be noted in the state: {fault}", monotonic()):
                _log.error("%s", said)
            return
        if self._is_unwritten:
            self._is_unwritten = False
            self._failures.is_over()
            _log.warning("what happened is noted in the state again")
        while self._marks:
            self._marks.pop().set()

    def _tell(self, event: Event) -> None:
        kind = type(event)
        if (listeners := self._by_kind.get(kind)) is None:
            hear_it = (each for each in self._listeners if kind in getattr(each, "hears", (kind,)))
            listeners = self._by_kind[kind] = tuple(hear_it)
        for listener in listeners:
            try:
                listener(event)
            except Exception:
                _log.exception("listener %r failed on %s", listener, type(event).__name__)
