"""Children: the only room that starts processes and signals them; and names that tell processes apart for good."""

import logging
import os
import secrets
import signal
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from math import inf
from time import monotonic
from typing import Final

from gavo_exec.errors import SpawnFailed
from gavo_exec.ports import FREE, WITHIN_VARIABLE, Completed, Terms
from gavo_exec.runtime.deadlines import Deadlines
from gavo_exec.runtime.output import BoundedOutput
from gavo_exec.runtime.process.child import HELD_OPEN, PIDFD_OPEN, Child, start
from gavo_exec.runtime.process.holders import is_alive, process_holder, wait_until_gone
from gavo_exec.runtime.process.strays import find_strays, marked, wait_for_ends

__all__ = ["ProcessRunner", "children_kept_off_the_terminal", "is_alive", "process_holder", "wait_until_gone"]

_log = logging.getLogger("gavo_exec")

_LOOK_SECONDS: Final = 0.05  # how often to look whether there is reason to hasten
_HASTENED_SECONDS: Final = 0.5  # what is left of a grace then
_KILLED_SECONDS: Final = 1.0  # how long processes may take to be gone when they were killed
_ROUNDS: Final = 20  # how often to look for what was started while others were being killed


class ProcessRunner:
    """Runs programs, each in a process group of its own, and ends them: the port JobRunner, for many threads.

    Once a child has ended, the end of its output is waited for at most ``drain_seconds``: a process that it left in the
    background may hold it open for ever.  What that one writes later is lost, and may end it (SIGPIPE).
    ``grace_seconds`` lie between SIGTERM and SIGKILL, which is sent from ``deadlines``.  ``pidfd_open`` is the
    system's; None where it has none.
    """

    def __init__(
        self,
        *,
        output_limit_bytes: int,
        drain_seconds: float = 2.0,
        grace_seconds: float = 5.0,
        deadlines: Deadlines | None = None,
        pidfd_open: Callable[[int], int] | None = PIDFD_OPEN,
    ) -> None:
        self._output_limit_bytes = output_limit_bytes
        self._drain_seconds = drain_seconds
        self._grace_seconds = grace_seconds
        self._deadlines = deadlines or Deadlines()
        self._pidfd_open = pidfd_open
        self._mark = f"{os.getpid()}.{secrets.token_hex(8)}"
        self._within = " ".join([*os.environ.get(WITHIN_VARIABLE, "").split(), self._mark])
        self._changed = threading.Condition()
        self._children: set[Child] = set()
        self._ending: set[str] = set()  # the runs whose processes are being ended
        self._stopping = False
        self._hastened = False

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str] | None = None,
        input: bytes = b"",
        timeout: timedelta | None = None,
        tee: Callable[[bytes], object] | None = None,
        terms: Terms = FREE,
        keep: Sequence[int] = (),
    ) -> Completed:
        """Run a program to its end, as the port says.

        At the time limit its group is sent SIGTERM, and SIGKILL after the grace.  Where ``tee`` raises, the group is
        killed.  Raises SpawnFailed where the program cannot be started, and after ``stop`` or the end of its run.
        """
        argv = tuple(argv)
        output = BoundedOutput(self._output_limit_bytes, tee)
        self._refuse_what_is_to_end(terms.run_id)
        if terms.run_id:
            env = marked(env or {}, self._within, run_id=terms.run_id)
        child = start(argv, cwd=cwd, env=env, input=input, pidfd_open=self._pidfd_open, terms=terms, keep=keep)
        try:
            with self._changed:
                self._refuse_what_is_to_end(terms.run_id)
                self._children.add(child)
            self._attend(child, output, timeout)
        finally:
            try:
                self._end(child, output)
            finally:
                child.close()
        return Completed(
            argv=argv,
            cwd=cwd,
            returncode=child.returncode,
            output=output.content(),
            timed_out=child.timed_out,
        )

    def _refuse_what_is_to_end(self, run_id: str) -> None:
        if self._stopping:
            raise SpawnFailed("the daemon is stopping")
        if run_id in self._ending:
            raise SpawnFailed("its run is to end")

    def _attend(self, child: Child, output: BoundedOutput, timeout: timedelta | None) -> None:
        """Serve a child until it has ended and nobody holds its output open, or somebody has for long enough."""
        deadline = inf if timeout is None else monotonic() + timeout.total_seconds()
        while child.is_writing or not child.has_exited:
            had_exited = child.has_exited
            child.serve(output, deadline)
            if child.has_exited and not had_exited:
                deadline = monotonic() + self._drain_seconds
            elif monotonic() < deadline:
                continue
            elif child.has_exited:
                child.note(output, HELD_OPEN)
                return
            else:
                child.signal(signal.SIGKILL if child.timed_out else signal.SIGTERM)
                deadline = inf if child.timed_out else monotonic() + self._grace_seconds
                child.timed_out = True

    def _end(self, child: Child, output: BoundedOutput) -> None:
        """Reap the child; kill what is left of its group where it was to be ended, or can be served no more."""
        with self._changed:
            self._children.discard(child)
            to_end = child.timed_out or self._stopping or child.terms.run_id in self._ending
            if to_end or not child.has_exited:
                child.signal(signal.SIGKILL)
        child.reap(output)

    def ask(self, run_ids: Collection[str]) -> None:
        """Send SIGTERM to the children that are the whole of one of these runs."""
        with self._changed:
            for child in self._children:
                if child.terms.is_run and child.terms.run_id in run_ids:
                    child.ask()

    def end(self, run_ids: Collection[str]) -> None:
        """End all processes of these runs, as the port says; what looks for them is the deadlines' thread."""
        with self._changed:
            fresh = [run_id for run_id in run_ids if run_id not in self._ending]
            self._ending.update(fresh)
        self._deadlines.after(0, lambda: self._signal(fresh, signal.SIGTERM))
        self._deadlines.after(self._grace_seconds, lambda: self._signal(fresh, signal.SIGKILL))

    def _signal(self, run_ids: Collection[str], number: signal.Signals) -> None:
        """Signal those of these runs that are being ended still: their children's groups, and what has left these."""
        with self._changed:
            run_ids = self._ending.intersection(run_ids)
            groups = [child.pid for child in self._children if child.terms.run_id in run_ids]
        if not run_ids:
            return
        signalled: set[tuple[int, str]] = set()
        for _ in range(_ROUNDS):
            # Looked for first: what is below a process that has ended is so no more.
            strays = find_strays(run_ids, below=groups, beside=groups, pidfd_open=self._pidfd_open)
            fresh = {stray.identity for stray in strays} - signalled
            if not signalled:
                self._signal_children(run_ids, number)
            for stray in strays:
                if stray.identity in fresh:
                    stray.signal(number)
                stray.close()
            if not fresh:
                break
            signalled |= fresh  # and once more, for what was started while we looked
        if number is signal.SIGKILL:  # where a run had ended before it was to be ended, nobody clears it
            with self._changed:
                self._ending -= run_ids - {child.terms.run_id for child in self._children}

    def _signal_children(self, run_ids: Collection[str], number: signal.Signals) -> None:
        with self._changed:
            for child in self._children:
                if child.terms.run_id in run_ids:
                    child.signal(number)

    def clear(self, run_ids: Collection[str], *, grace: timedelta = timedelta(0)) -> None:
        """Kill what is left of these runs, as the port says."""
        self._signal_children(run_ids, signal.SIGKILL)
        self._clear(run_ids, grace.total_seconds())
        with self._changed:
            self._ending.difference_update(run_ids)

    def sweep(self) -> None:
        """End what runs have left in the background, by SIGTERM and after the grace by SIGKILL; and say so."""
        if ended := self._clear({self._mark}, self._grace_seconds):
            _log.warning("ended what runs had left in the background: process %s", ", ".join(ended))

    def _clear(self, marks: Collection[str], grace_seconds: float) -> list[str]:
        """Kill all processes with one of these marks, and wait for that; answers which they were."""
        ended: dict[str, None] = {}
        stuck: dict[tuple[int, str], str] = {}
        for number in (signal.SIGTERM, *[signal.SIGKILL] * _ROUNDS):
            if number is signal.SIGTERM and not grace_seconds:
                continue
            found = find_strays(marks, pidfd_open=self._pidfd_open)
            strays = [stray for stray in found if stray.identity not in stuck]
            ended |= dict.fromkeys(map(str, strays))
            for stray in strays:
                stray.signal(number)
            wait_for_ends(strays, self._until(grace_seconds if number is signal.SIGTERM else _KILLED_SECONDS))
            if number is signal.SIGKILL:
                stuck |= {stray.identity: str(stray) for stray in strays if not stray.has_ended()}
            for stray in found:
                stray.close()
            if not strays:
                break
        if stuck:
            _log.error("processes that were killed are still there: %s", ", ".join(stuck.values()))
        return list(ended)

    def stop(self) -> None:
        """End all running children with their groups, by SIGTERM and after the grace by SIGKILL; start no more."""
        with self._changed:
            self._stopping = True
            for number in (signal.SIGTERM, signal.SIGKILL):
                for child in self._children:
                    if number is signal.SIGKILL or child.terms.run_id not in self._ending:  # the others know
                        child.signal(number)
                is_over = self._until(self._grace_seconds)
                while self._children and not is_over():
                    self._changed.wait(_LOOK_SECONDS)

    def hasten(self) -> None:
        """Let what is being stopped have no long grace any more."""
        self._hastened = True  # and nothing else: a signal handler may not take locks

    def _until(self, seconds: float) -> Callable[[], bool]:
        """What answers whether so many seconds are over, or fewer where there is reason to hasten."""
        begun = monotonic()
        return lambda: monotonic() - begun >= (min(seconds, _HASTENED_SECONDS) if self._hastened else seconds)


@contextmanager
def children_kept_off_the_terminal() -> Iterator[None]:
    """Let children that read the terminal fail at once; else these would be stopped, as groups in the background are.

    They inherit it.  For the main thread alone, as all that sets signals.
    """
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGTTIN, signal.SIGTTOU)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
