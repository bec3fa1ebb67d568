"""What stands round a run: catch, capture, account, report."""

import shlex
import signal
import traceback
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

import msgspec

from gavo_exec.errors import ReportableError
from gavo_exec.events import Event, RunFinished, RunStarted
from gavo_exec.model import Outcome, Run, RunRequest
from gavo_exec.ports import Clock, Completed
from gavo_exec.runtime import capture
from gavo_exec.runtime.output import BoundedOutput

MAX_ERROR_CHARACTERS = 64 * 1024
"""How much of an error is kept: messages of exceptions can be as long as data."""


class RunScope(Protocol):
    """What a run leaves behind for the guard, beside its output (job code knows it as ``execDef``)."""

    failures: list[Completed]

    def accumulated(self) -> list[str | bytes]:
        """What job code put into its outputAccum itself; the output of children is in the run's output anyway."""
        ...


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a piece of job code ended; as in Run."""

    outcome: Outcome
    error: str = ""
    returncode: int | None = None


SUCCESS = Ending(outcome=Outcome.SUCCEEDED)

Prepare = Callable[[RunRequest, BoundedOutput], tuple[Callable[[], object], RunScope]]
"""Makes a request's job callable, for one run that writes to this output; may raise whatever job code can."""


class Guard:
    """Runs requests, one per calling thread: nothing that job code does gets past it, and everything is told.

    ``host`` is what the records of runs name as the machine.
    """

    def __init__(
        self,
        prepare: Prepare,
        *,
        clock: Clock,
        publish: Callable[[Event], object],
        host: str,
        output_limit_bytes: int,
    ) -> None:
        self._prepare = prepare
        self._now = clock.now
        self._publish = publish
        self._host = host
        self._limit = output_limit_bytes
        self._active: dict[str, tuple[datetime, BoundedOutput]] = {}

    def perform(self, request: RunRequest, *, tee: Callable[[bytes], object] | None = None) -> Run:
        """Carry out a request and answer its record, which has been told to the listeners by then."""
        output = BoundedOutput(self._limit, tee)
        started_at = self._now()
        self._publish(RunStarted(request=request, started_at=started_at))
        self._active[request.run_id] = (started_at, output)
        capture.begin(output)
        try:
            call, scope = self._prepare(request, output)
            ending = contain(call, scope)
            for item in scope.accumulated():
                data = item if isinstance(item, bytes) else str(item).encode("utf-8", "backslashreplace")
                output.append(data if data.endswith(b"\n") else data + b"\n")
        except BaseException as fault:  # job code that cannot even be made callable
            ending = Ending(outcome=Outcome.FAILED, error=describe_exception(fault))
        finally:
            capture.end()
        # Whoever takes the run out of here reports it: this thread, or a stop that does not wait any longer.
        if self._active.pop(request.run_id, None) is None:
            return self._record(request, Ending(outcome=Outcome.INTERRUPTED), started_at=started_at, output=output)
        run = self._record(request, ending, started_at=started_at, output=output)
        self._publish(RunFinished(run=run, request=request))
        return run

    def refuse(self, request: RunRequest, cause: str, outcome: Outcome = Outcome.FAILED) -> Run:
        """Account for a request that cannot be carried out."""
        run = self._record(request, Ending(outcome=outcome, error=cause))
        self._publish(RunFinished(run=run, request=request))
        return run

    def cancel(self, run_id: str, cause: str) -> None:
        """End a run as far as that can be done; one that does not go on is passed over."""

    def interrupt(self, requests: Iterable[RunRequest], cause: str) -> None:
        """Account for running requests whose end nobody will wait for, with their output so far."""
        ending = Ending(outcome=Outcome.INTERRUPTED, error=cause)
        for request in requests:
            # One that is not there any more has ended, and was reported, in this very moment.
            if (active := self._active.pop(request.run_id, None)) is not None:
                run = self._record(request, ending, started_at=active[0], output=active[1])
                self._publish(RunFinished(run=run, request=request))

    def _record(
        self,
        request: RunRequest,
        ending: Ending,
        *,
        started_at: datetime | None = None,
        output: BoundedOutput | None = None,
    ) -> Run:
        execute = request.execute
        return Run(
            run_id=request.run_id,
            key=execute.key,
            title=execute.title,
            due=request.due,
            reason=request.reason,
            attempt=request.attempt,
            started_at=started_at,
            finished_at=self._now(),
            outcome=ending.outcome,
            returncode=ending.returncode,
            output=output.text() if output is not None and output.total_bytes else "",
            error=ending.error,
            host=self._host,
            digest=request.rd.digest,
        )


def contain(call: Callable[[], object], scope: RunScope) -> Ending:
    """Call, whatever happens; a failed child makes a failed run even where the code went on."""
    error = ""
    outcome = Outcome.FAILED
    try:
        call()
    except SystemExit as leaving:
        if leaving.code not in (None, 0):
            error = f"sys.exit({leaving.code!r}) in job code\n{_trace(leaving)}"
    except KeyboardInterrupt:  # somebody at a terminal; the daemon turns its signals into a stop
        outcome, error = Outcome.CANCELLED, "KeyboardInterrupt"
    except BaseException as fault:
        error = describe_exception(fault)
    failures = scope.failures
    if not error and not failures:
        return SUCCESS
    if failures and outcome is Outcome.FAILED:
        error = "\n\n".join(part for part in (error, *(describe_failure(failure) for failure in failures)) if part)
        if all(failure.timed_out for failure in failures):
            outcome = Outcome.TIMED_OUT
    returncode = failures[-1].returncode if failures else None
    return Ending(outcome=outcome, error=_bounded(error), returncode=returncode)


def describe_exception(fault: BaseException) -> str:
    """The exception's own line first, then the traceback from where job code begins."""
    own = traceback.TracebackException(type(fault), fault, None, compact=True)
    cause = "".join(own.format_exception_only()).strip()
    hint = f"\nhint: {fault.hint}" if isinstance(fault, ReportableError) and fault.hint else ""
    return _bounded(f"{cause}{hint}\n\n{_trace(fault)}")


def _trace(fault: BaseException) -> str:
    """The traceback, without the frames of this program that lie outside of job code."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__name__", "").startswith("gavo_exec."):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(fault), fault, trace)).rstrip()


def describe_failure(failure: Completed) -> str:
    """A failed child: its end and what it said last on the first line, then its command and where it ran."""
    command = shlex.join(failure.argv)
    return (
        f"{_ended(failure)}: {_last_line(failure.output) or command}\n"
        f"command:     {command}\n"
        f"directory:   {failure.cwd}\n"
        f"return code: {failure.returncode}"
    )


def _last_line(output: bytes) -> str:
    """What a program said last, which most often is what was wrong."""
    lines = output[-4096:].decode("utf-8", "backslashreplace").splitlines()
    return next((line.strip()[:500] for line in reversed(lines) if line.strip()), "")


def _ended(failure: Completed) -> str:
    """How a child ended, in a word or two."""
    if failure.timed_out:
        return "timed out"
    if failure.returncode >= 0:
        return f"exit {failure.returncode}"
    try:
        return f"ended by {signal.Signals(-failure.returncode).name}"
    except ValueError:
        return f"ended by signal {-failure.returncode}"


def _bounded(text: str) -> str:
    """The text, its middle left out where it is too long."""
    if len(text) <= MAX_ERROR_CHARACTERS:
        return text
    half = MAX_ERROR_CHARACTERS // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"
