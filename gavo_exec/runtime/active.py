"""A run that goes on: where its output goes, and whether it is to end."""

import threading
from contextlib import suppress
from datetime import datetime

import msgspec

from gavo_exec.errors import RunError
from gavo_exec.model import Outcome, RunRequest
from gavo_exec.ports import JobRunner
from gavo_exec.runtime.output import BoundedOutput

_making = threading.Lock()


class Verdict(msgspec.Struct, frozen=True):
    """That a run is ended, and so how it ends whatever its code makes of it; ``cause`` is the first line of why."""

    outcome: Outcome
    cause: str


class ActiveRun(msgspec.Struct, eq=False):
    """A run that goes on; any thread may ask it to end.

    ``is_cancelled`` tells job code that it should end; with a ``verdict`` its children are being ended, too.
    """

    # A struct, and as little in it as can be: every run makes one, and few are ever asked to end.
    request: RunRequest
    output: BoundedOutput
    started_at: datetime | None = None
    is_cancelled: bool = False
    verdict: Verdict | None = None
    processes: JobRunner | None = None  # what its children are run by, once it has had any
    _asleep: "threading.Lock | None" = None

    def ask(self) -> None:
        """Let its code know that it should end; also from signal handlers."""
        self.is_cancelled = True
        if self._asleep is not None:
            with suppress(RuntimeError):  # somebody else was quicker
                self._asleep.release()

    def judge(self, verdict: Verdict) -> bool:
        """Let it end with this verdict, unless there is one already; answers whether it has children to be ended."""
        if self.verdict is not None:
            return False
        self.verdict = verdict
        self.ask()
        return self.processes is not None

    def end(self, verdict: Verdict) -> None:
        """Let it end with this verdict, unless there is one already, and with it all its children; does not wait."""
        if self.judge(verdict) and self.processes is not None:
            self.processes.end((self.request.run_id,))

    def begin_child(self, processes: JobRunner) -> None:
        """Note that it has children; raises RunError where it is being ended."""
        # In this order: whoever ends it looks at the two in the other one.
        self.processes = processes
        if self.verdict is not None:
            raise RunError(f"this run is to end: {self.verdict.cause}")

    def clear(self) -> None:
        """Kill what is left of its children."""
        if self.processes is not None:
            self.processes.clear((self.request.run_id,))

    def wait(self, seconds: float) -> bool:
        """Wait for so long, or until it should end; answers whether it should."""
        # A bare lock: events and conditions are not to be touched by signal handlers.
        with _making:
            if self._asleep is None:
                asleep = threading.Lock()
                asleep.acquire()
                self._asleep = asleep
        if not self.is_cancelled and self._asleep.acquire(timeout=min(max(seconds, 0), threading.TIMEOUT_MAX)):
            with suppress(RuntimeError):
                self._asleep.release()
        return self.is_cancelled
