"""What is to happen after a while: one thread for all of it, made when it is first needed."""

import logging
import threading
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from time import monotonic

_log = logging.getLogger("gavo_exec")

_LAST_CALL_SECONDS = 2.0  # how long what happens when all is to end may take
_LONGEST_WAIT_SECONDS = 86_400.0  # the system counts to some 300 years at most


class Deadline:
    """Something that is to happen, unless it is called off."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[], object]) -> None:
        self.call: Callable[[], object] | None = call

    def cancel(self) -> None:
        """Let it not happen; from any thread, and also where it has happened."""
        self.call = None


class Deadlines:
    """Calls things when their time has come, by the monotonic clock, one after the other.

    What is called is to be short.  Whatever it raises is logged, and harms nothing else.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int, Deadline]] = []
        self._added = 0
        self._kept = 0  # how many of them were left when those called off were last thrown out
        self._thread: threading.Thread | None = None

    def after(self, seconds: float, call: Callable[[], object]) -> Deadline:
        """Call this on our thread after so many seconds; from any thread."""
        deadline = Deadline(call)
        with self._changed:
            if len(self._heap) > 2 * self._kept + 64:
                self._heap = [item for item in self._heap if item[2].call is not None]
                heapify(self._heap)
                self._kept = len(self._heap)
            self._added += 1
            heappush(self._heap, (monotonic() + seconds, self._added, deadline))
            if self._heap[0][2] is deadline:
                self._changed.notify()
            if self._thread is None:
                self._start()
        return deadline

    def stop(self) -> None:
        """Let nothing of this happen any more, and the thread end; what comes later has a new one."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._heap.clear()
            self._changed.notify()
        if thread is not None and thread is not threading.current_thread():
            thread.join(_LAST_CALL_SECONDS)

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # tried again with the next one
            _log.error("no thread can be made to watch over time limits; what runs now may go on past its own")
        else:
            self._thread = thread

    def _run(self) -> None:
        while (deadline := self._next()) is not None:
            call = deadline.call
            try:
                if call is not None:
                    call()
            except Exception:
                _log.critical("what was to happen at a deadline failed", exc_info=True)

    def _next(self) -> Deadline | None:
        """Wait for the next one whose time has come, and take it; None where this thread is to end."""
        with self._changed:
            while self._thread is threading.current_thread():
                pause = None
                if self._heap:
                    pause = self._heap[0][0] - monotonic()
                    if pause <= 0:
                        return heappop(self._heap)[2]
                self._changed.wait(pause and min(pause, _LONGEST_WAIT_SECONDS))
        return None


class Alarm:
    """Something that is to happen after a while, each time that this is set; for one thread."""

    def __init__(self, deadlines: Deadlines, call: Callable[[], object]) -> None:
        self._deadlines = deadlines
        self._call = call
        self._set: Deadline | None = None

    def set(self, seconds: float) -> None:
        """Let it happen after so many seconds, in place of when it was to happen before."""
        if self._set is not None:
            self._set.cancel()
        self._set = self._deadlines.after(seconds, self._call)
