"""The watch for stalls: job code that holds the interpreter's lock, so that nothing else in the process can run.

Nothing that is written in Python notices that while it lasts.  But faulthandler has a thread that needs no lock: it
writes what all threads are doing, unless it is put off in time, which a thread of ours does as long as runs go on.
"""

import faulthandler
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic

import msgspec

from gavo_exec.errors import plain
from gavo_exec.events import Event, Stalled, Trouble
from gavo_exec.ports import Clock
from gavo_exec.runtime.suspects import Station, accuse, parse_dump, suspects_in, was_in_rd

_log = logging.getLogger("gavo_exec")

LIMIT_SECONDS = 10.0
"""How long a stall may be before it is told."""

_BEATS_PER_LIMIT = 10
_IN_TIME_SECONDS = 0.5
"""How late what is written without the lock may be, to show that the process itself could run."""

_MOST_TRACE = 65_536


class _Beat(msgspec.Struct, frozen=True, kw_only=True):
    """How things stood when all could run: when, what had been computed, by whom, and which runs went on."""

    at: float
    process_seconds: float
    cpu_seconds: Mapping[int, float]
    stations: tuple[Station, ...]


class StallWatch:
    """Publishes what stalls the process for longer than a limit, and keeps in a file what it is doing while it lasts.

    ``stations`` answers the runs of all threads that there are for runs; ``path`` is that of the file, which is empty
    while nothing stalls.  There can be one such watch in a process.
    """

    def __init__(
        self,
        path: str,
        *,
        stations: Callable[[], Sequence[Station]],
        publish: Callable[[Event], object],
        clock: Clock,
        limit_seconds: float = LIMIT_SECONDS,
    ) -> None:
        self._path = Path(path)
        self._stations = stations
        self._publish = publish
        self._clock = clock
        self._limit = limit_seconds
        self._pause = limit_seconds / _BEATS_PER_LIMIT
        self._thread = threading.Thread(target=self._run, name="stalls", daemon=True)
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._file = -1
        self._beat = _Beat(at=0.0, process_seconds=0.0, cpu_seconds={}, stations=())
        self.is_attentive = True
        """Whether runs are watched at present, or nothing is; see ``attend``."""

    def start(self) -> None:
        """Begin to watch; what is left in the file of a process that ended in a stall is published."""
        try:
            self._tell_what_is_left()
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as fault:
            _log.error("stalls will not be noticed: %s: %s", plain(str(self._path)), fault.strerror)
            return
        self.is_attentive = False
        self._thread.start()

    def attend(self) -> None:
        """Watch from now on: to be called where a run begins, before its code does, once ``stations`` has it.

        Costs next to nothing while others go on.
        """
        if self.is_attentive:
            return
        with self._lock:
            if not self.is_attentive:
                self._put_off()
                self.is_attentive = True
                self._wake.set()

    def stop(self) -> None:
        """Watch no more."""
        if self._file < 0:
            return
        self._stop.set()
        self._wake.set()
        self._thread.join()
        with self._lock:
            self.is_attentive = True
            faulthandler.cancel_dump_traceback_later()
            os.close(self._file)
            self._file = -1
        self._path.unlink(missing_ok=True)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait()
            self._wake.clear()
            while self.is_attentive:
                is_stopped = self._stop.wait(max(0.0, self._beat.at + self._pause - monotonic()))
                try:
                    self._look_back()
                except Exception:
                    _log.critical("a stall could not be told", exc_info=True)
                if is_stopped:
                    return
                self._go_on()

    def _put_off(self) -> None:
        """Put off what is to be written, and note how things stand."""
        with suppress(RuntimeError):  # no thread can be made; a stall is told without its trace then
            faulthandler.dump_traceback_later(self._limit + self._pause, file=self._file)
        stations = tuple(self._stations())
        self._beat = _Beat(
            at=monotonic(),
            process_seconds=time.process_time(),
            cpu_seconds=_cpu_seconds(station.thread for station in stations),
            stations=stations,
        )

    def _go_on(self) -> None:
        """Watch on, if anything runs."""
        with self._lock:
            # In this order: a run that begins now is either seen here or, in attend, sees that nothing is watched.
            self.is_attentive = False
            if any(station.is_running for station in self._stations()):
                self._put_off()
                self.is_attentive = True
            else:
                faulthandler.cancel_dump_traceback_later()

    def _look_back(self) -> None:
        """Tell, if we come too late."""
        before = self._beat
        late = monotonic() - before.at - self._pause
        if late < self._limit:
            return
        now = self._clock.now()
        process_seconds = time.process_time() - before.process_seconds
        trace, age = self._take_trace()
        # What was written in time, while nothing of ours could run, shows that the process itself could.  How long we
        # have come after it says nothing: on a busy machine whoever goes on first may be far ahead of the next.
        could_run = bool(trace) and (late - self._limit) - age < _IN_TIME_SECONDS
        if process_seconds < late / 2 and not could_run:
            message = f"nothing in the daemon ran for {late:.1f} s: the machine is overloaded, or stopped the process"
            self._publish(Trouble(message=message, at=now))
            return
        # Those of before come last: what went on then may have ended, and what runs now may have begun since.
        stations = (*self._stations(), *before.stations)
        # A thread that was not there then has done all that it has since.
        after = _cpu_seconds(station.thread for station in stations)
        spent = {thread: seconds - before.cpu_seconds.get(thread, 0.0) for thread, seconds in after.items()}
        suspects = suspects_in(parse_dump(trace), stations)
        accused = accuse(suspects, seconds=late, process_seconds=process_seconds, cpu_seconds=spent)
        self._publish(Stalled(seconds=late, key=accused.key, where=accused.where, trace=trace[:_MOST_TRACE], at=now))

    def _take_trace(self) -> tuple[str, float]:
        """What was written, and how many seconds ago; the file is empty afterwards."""
        written_ns = os.fstat(self._file).st_mtime_ns
        text = self._path.read_text(encoding="utf-8", errors="replace")
        os.ftruncate(self._file, 0)
        # By the file system's own clock, whatever it says.
        age = (os.fstat(self._file).st_mtime_ns - written_ns) / 1e9 if text else 0.0
        return text, age

    def _tell_what_is_left(self) -> None:
        """Publish that the process before this one ended in a stall, where it did, and keep what it left."""
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return
        if not text:
            return
        kept = self._path.with_name(f"{self._path.name}.before")
        self._path.replace(kept)
        frame = was_in_rd(parse_dump(text))
        where = f" in {frame.path}:{frame.line}" if frame is not None else ""
        message = f"the daemon before this one was stalled when it ended{where}; see {plain(str(kept))}"
        self._publish(Trouble(message=message, at=self._clock.now()))


def _cpu_seconds(threads: Iterable[int]) -> dict[int, float]:
    """How long threads have computed so far, by identifier; without those of which the system does not tell."""
    if sys.platform != "linux":
        return {}
    natives = {thread.ident: thread.native_id for thread in threading.enumerate()}
    found = {}
    for thread in threads:
        if (native := natives.get(thread)) is not None:
            try:
                # What pthread_getcpuclockid would answer, which must not be asked about a thread that may have ended.
                found[thread] = time.clock_gettime(~native << 3 | 6)
            except OSError:
                continue
    return found
