"""What stands round a run: catch, capture, account, report."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from time import monotonic
from typing import Protocol

import msgspec

from gavo_exec.events import Event, RunFinished, RunOverdue, RunStarted
from gavo_exec.model import Outcome, Run, RunRequest
from gavo_exec.ports import Clock, Completed
from gavo_exec.runtime import capture
from gavo_exec.runtime.active import ActiveRun, Verdict
from gavo_exec.runtime.deadlines import Deadlines
from gavo_exec.runtime.faults import bounded, describe_exception, describe_failure, trace_of
from gavo_exec.runtime.output import BoundedOutput
from gavo_exec.schedule.every import in_words

OVERDUE_SECONDS = 6.0
"""How long after its time limit a run that goes on is called overdue: its children have been killed by then."""

_EARLY_AT_MOST = 1000


class RunScope(Protocol):
    """What a run leaves behind, beside its output (job code knows it as ``execDef``)."""

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

Prepare = Callable[[ActiveRun], tuple[Callable[[], object], RunScope]]
"""Makes the job of a run callable, once; may raise whatever job code can.

What is called elsewhere, in another process, answers the Ending that it had there.
"""


class Guard:
    """Runs requests, one per calling thread: nothing that job code does gets past it, and everything is told.

    ``host`` is what the records of runs name as the machine; ``deadlines`` watch over time limits, past which a run
    that goes on for ``overdue_seconds`` is told to be overdue.
    """

    def __init__(
        self,
        prepare: Prepare,
        *,
        clock: Clock,
        publish: Callable[[Event], object],
        host: str,
        output_limit_bytes: int,
        deadlines: Deadlines | None = None,
        overdue_seconds: float = OVERDUE_SECONDS,
    ) -> None:
        self._prepare = prepare
        self._now = clock.now
        self._publish = publish
        self._host = host
        self._limit = output_limit_bytes
        self._deadlines = deadlines or Deadlines()
        self._overdue_seconds = overdue_seconds
        self._active: dict[str, ActiveRun] = {}
        self._early: dict[str, str] = {}  # the causes of what was cancelled before it had begun, by run
        self._refusing = ""  # the cause, once no run is to begin any more
        self._is_wary = False  # whether one of these two has to be looked at

    def perform(self, request: RunRequest, *, tee: Callable[[bytes], object] | None = None) -> Run:
        """Carry out a request and answer its record, which has been told to the listeners by then."""
        run_id = request.run_id
        output = BoundedOutput(self._limit, tee)
        started_at = self._now()
        active = self._active[run_id] = ActiveRun(request, output, started_at)
        if self._is_wary and (refused := self._refused(request)) is not None:
            return refused
        self._publish(RunStarted(request=request, started_at=started_at))
        timeout = request.execute.policy.timeout
        ending = carry_out(self._prepare, active) if timeout is None else self._carry_out_in_time(active, timeout)
        if active.verdict is not None or ending.outcome is Outcome.CANCELLED:
            active.clear()
        if active.verdict is not None:
            ending = _judged(ending, active.verdict)
        # Whoever takes the run out of here reports it: this thread, or a stop that does not wait any longer.
        if self._active.pop(run_id, None) is None:
            return self._record(request, Ending(outcome=Outcome.INTERRUPTED), active)
        run = self._record(request, ending, active)
        self._publish(RunFinished(run=run, request=request))
        return run

    def _carry_out_in_time(self, active: ActiveRun, timeout: timedelta) -> Ending:
        """The same with a time limit."""
        begun = monotonic()
        seconds = timeout.total_seconds()
        verdict = too_long(timeout)
        deadline = self._deadlines.after(seconds, lambda: self._run_out(active, verdict))
        ending = carry_out(self._prepare, active)
        deadline.cancel()
        if monotonic() - begun >= seconds:  # the deadlines' thread may come late, where job code keeps all others out
            active.judge(verdict)
        return ending

    def _run_out(self, active: ActiveRun, verdict: Verdict) -> None:
        """Let the time of a run be over."""
        active.end(verdict)
        self._deadlines.after(self._overdue_seconds, lambda: self._tell_overdue(active))

    def _tell_overdue(self, active: ActiveRun) -> None:
        request, now = active.request, self._now()
        if self._active.get(request.run_id) is active:
            self._publish(RunOverdue(request=request, started_at=active.started_at or now, at=now))

    def refuse(self, request: RunRequest, cause: str, outcome: Outcome = Outcome.FAILED) -> Run:
        """Account for a request that cannot be carried out."""
        run = self._record(request, Ending(outcome=outcome, error=cause))
        self._publish(RunFinished(run=run, request=request))
        return run

    def _refused(self, request: RunRequest) -> Run | None:
        """The record of a request that is not to be begun any more; None where it is."""
        cause = self._early.pop(request.run_id, None)
        outcome = Outcome.CANCELLED if cause is not None else Outcome.INTERRUPTED
        if cause is None and not self._refusing:
            return None
        self._active.pop(request.run_id, None)
        return self.refuse(request, cause or self._refusing, outcome)

    def cancel(self, run_id: str, cause: str) -> None:
        """End a run as far as that can be done; one that has not begun yet does not begin."""
        if run_id not in self._active:
            # Those that have ended already are never asked for; they make room for others.
            while len(self._early) >= _EARLY_AT_MOST:
                self._early.pop(next(iter(self._early)), None)
            self._early[run_id] = cause
            self._is_wary = True
        # Looked for once more: it may have begun meanwhile, and not have looked yet, or no more.
        if (active := self._active.get(run_id)) is not None:
            self._early.pop(run_id, None)
            active.end(Verdict(Outcome.CANCELLED, cause))

    def active(self, run_id: str) -> ActiveRun | None:
        """A run that goes on, by its id."""
        return self._active.get(run_id)

    def ask(self, cause: str) -> None:
        """Ask all runs to end, without ending anything; those that come now are refused for this cause."""
        self._refusing = cause
        self._is_wary = True
        for active in list(self._active.values()):
            active.ask()
            if active.request.execute.policy.is_isolated and active.processes is not None:
                active.processes.ask((active.request.run_id,))

    def end(self, requests: Iterable[RunRequest], cause: str) -> None:
        """End these as far as that can be done: they are interrupted, once they have ended."""
        verdict = Verdict(Outcome.INTERRUPTED, cause)
        found = [self._active.get(request.run_id) for request in requests]
        to_end = [active for active in found if active is not None and active.judge(verdict)]
        if to_end and (processes := to_end[0].processes) is not None:  # all have the same
            processes.end([active.request.run_id for active in to_end])

    def interrupt(self, requests: Iterable[RunRequest], cause: str) -> None:
        """Account for running requests whose end nobody will wait for, with their output so far."""
        for request in requests:
            # One that is not there any more has ended, and was reported, in this very moment.
            if (active := self._active.pop(request.run_id, None)) is not None:
                verdict = active.verdict or Verdict(Outcome.INTERRUPTED, cause)
                run = self._record(request, _judged(SUCCESS, verdict), active)
                self._publish(RunFinished(run=run, request=request))

    def _record(self, request: RunRequest, ending: Ending, active: ActiveRun | None = None) -> Run:
        execute = request.execute
        return Run(
            run_id=request.run_id,
            key=execute.key,
            title=execute.title,
            due=request.due,
            reason=request.reason,
            attempt=request.attempt,
            started_at=active.started_at if active is not None else None,
            finished_at=self._now(),
            outcome=ending.outcome,
            returncode=ending.returncode,
            output=active.output.text() if active is not None and active.output.total_bytes else "",
            error=ending.error,
            host=self._host,
            digest=request.rd.digest,
        )


def too_long(timeout: timedelta) -> Verdict:
    """What becomes of a run that takes longer than this."""
    seconds = timeout.total_seconds()
    words = in_words(round(seconds)) if seconds >= 1 else f"{seconds:g} s"
    return Verdict(Outcome.TIMED_OUT, f"timed out after {words} (run.timeout)")


def _judged(ending: Ending, verdict: Verdict) -> Ending:
    """The ending of a run that was ended: what its code came to is no more than detail."""
    error = bounded(f"{verdict.cause}\n\n{ending.error}" if ending.error else verdict.cause)
    return Ending(outcome=verdict.outcome, error=error, returncode=ending.returncode)


def carry_out(prepare: Prepare, active: ActiveRun) -> Ending:
    """Run a job's code to its end on this thread, whatever happens; its output is that of the run."""
    output = active.output
    capture.begin(output)
    try:
        call, scope = prepare(active)
        ending = contain(call, scope, shows_locals=active.request.execute.policy.shows_locals)
        for item in scope.accumulated():
            data = item if isinstance(item, bytes) else str(item).encode("utf-8", "backslashreplace")
            output.append(data if data.endswith(b"\n") else data + b"\n")
    except BaseException as fault:  # job code that cannot even be made callable
        ending = Ending(outcome=Outcome.FAILED, error=describe_exception(fault))
    finally:
        capture.end()
    return ending


def contain(call: Callable[[], object], scope: RunScope, *, shows_locals: bool = False) -> Ending:
    """Call, whatever happens; a failed child makes a failed run even where the code went on.

    With ``shows_locals`` tracebacks have the values of local variables.
    """
    error = ""
    outcome = Outcome.FAILED
    try:
        answer = call()
        if answer.__class__ is Ending:
            return answer
    except SystemExit as leaving:
        if leaving.code not in (None, 0):
            error = f"sys.exit({leaving.code!r}) in job code\n{trace_of(leaving, shows_locals=shows_locals)}"
    except KeyboardInterrupt:  # somebody at a terminal; the daemon turns its signals into a stop
        outcome, error = Outcome.CANCELLED, "KeyboardInterrupt"
    except BaseException as fault:
        error = describe_exception(fault, shows_locals=shows_locals)
    failures = scope.failures
    if not error and not failures:
        return SUCCESS
    if failures and outcome is Outcome.FAILED:
        error = "\n\n".join(part for part in (error, *(describe_failure(failure) for failure in failures)) if part)
        if all(failure.timed_out for failure in failures):
            outcome = Outcome.TIMED_OUT
    returncode = failures[-1].returncode if failures else None
    return Ending(outcome=outcome, error=bounded(error), returncode=returncode)
