"""The listener that logs events, a line for each."""

import logging
from collections.abc import Sequence
from datetime import datetime

from gavo_exec.errors import Diagnostic, Severity
from gavo_exec.events import (
    ClockStepped,
    DaemonStarted,
    DaemonStopping,
    DeliveryAsked,
    DescriptorAccepted,
    DescriptorRejected,
    DescriptorRemoved,
    Event,
    JobsReconciled,
    OperatorActed,
    PauseBegan,
    PauseEnded,
    RunFinished,
    RunOverdue,
    RunStarted,
    Stalled,
    TellingDue,
    Trouble,
)
from gavo_exec.model import Outcome, Reason
from gavo_exec.schedule.every import in_words
from gavo_exec.services.log.texts import LINE_LIMIT, one_line

_LIST_LIMIT = 10
_DIAGNOSTICS_LIMIT = 20

_log = logging.getLogger("gavo_exec")

# How each outcome is said, and how loudly.
_OUTCOMES = {
    Outcome.SUCCEEDED: (logging.INFO, "succeeded"),
    Outcome.FAILED: (logging.ERROR, "FAILED"),
    Outcome.TIMED_OUT: (logging.ERROR, "TIMED OUT"),
    Outcome.INTERRUPTED: (logging.ERROR, "INTERRUPTED"),
    Outcome.CANCELLED: (logging.WARNING, "cancelled"),
    Outcome.SKIPPED: (logging.WARNING, "skipped"),
    Outcome.MISSED: (logging.WARNING, "missed"),
}
_REASONS = {
    Reason.SCHEDULED: "",
    Reason.STARTUP: ", at start-up",
    Reason.CATCH_UP: ", catching up",
    Reason.RETRY: ", once more",
    Reason.TRIGGERED: ", asked for",
}


class LogListener:
    """Logs each event in a line; what the reader had to say of an RD follows, each diagnostic in a line."""

    def __call__(self, event: Event) -> None:
        """Log an event; costs next to nothing where its level is not enabled."""
        match event:
            case RunStarted():
                if _log.isEnabledFor(logging.INFO):
                    _say(logging.INFO, _started(event), event)
            case RunFinished(run=run):
                level, word = _OUTCOMES[run.outcome] if run.outcome is not None else (logging.WARNING, "ended")
                if _log.isEnabledFor(level):
                    _say(level, _finished(event, word), event)
            case DescriptorAccepted():
                _say_accepted(event)
            case DescriptorRejected():
                _say_rejected(event)
            case DescriptorRemoved():
                _say(logging.INFO, f"{event.rd_id} removed: its file is gone", event)
            case JobsReconciled():
                _say_reconciled(event)
            case TellingDue() | DeliveryAsked():
                pass
            case _:
                _say_of_daemon(event)


# What is said


def _started(event: RunStarted) -> str:
    request = event.request
    attempt = f", attempt {request.attempt}" if request.attempt > 1 else ""
    return f"{request.execute.key} started (due {_instant(request.due)}{_REASONS[request.reason]}{attempt})"


def _finished(event: RunFinished, word: str) -> str:
    run = event.run
    took = f" in {_length(run.duration_seconds)}" if run.duration_seconds is not None else ""
    cause = run.error.partition("\n")[0]
    if run.outcome is Outcome.FAILED and not cause and run.returncode is not None:
        cause = f"return code {run.returncode}"
    if cause:
        again = f" (once more at {_instant(event.retry.at)})" if event.retry is not None else ""
        return f"{run.key} {word}{took}: {one_line(cause)}{again}"
    next_due = f", next due {_instant(event.next_due)}" if event.next_due is not None else ""
    return f"{run.key} {word}{took}{next_due}"


def _say_accepted(event: DescriptorAccepted) -> None:
    # A tree has many RDs that are of no concern to us.
    is_quiet = not event.executes and not event.recovered
    verb = "is good again" if event.recovered else "accepted"
    level = logging.DEBUG if is_quiet else logging.INFO
    _say(level, f"{event.rd_id} {verb}: {_counted(event.executes, 'job')}", event)
    _say_diagnostics(event.warnings, logging.DEBUG if is_quiet else logging.WARNING)


def _say_rejected(event: DescriptorRejected) -> None:
    rejection = event.rejection
    errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in rejection.diagnostics)
    held_back = [job.key for job in event.held_back]
    jobs = f"its last good version runs on: {_listed(held_back)}" if held_back else "none of its jobs runs"
    _say(logging.ERROR, f"{rejection.rd_id} REJECTED for {_counted(errors, 'error')}, {jobs}", event)
    _say_diagnostics(rejection.diagnostics, logging.ERROR)


def _say_diagnostics(diagnostics: Sequence[Diagnostic], level: int) -> None:
    """Log diagnostics, warnings among errors as what they are; of very many the first."""
    for diagnostic in diagnostics[:_DIAGNOSTICS_LIMIT]:
        is_warning = diagnostic.severity is Severity.WARNING
        via = "".join(f", via {place}" for place in diagnostic.position.via)
        hint = f" ({diagnostic.hint})" if diagnostic.hint else ""
        _say(min(level, logging.WARNING) if is_warning else level, f"{one_line(str(diagnostic))}{via}{hint}")
    if (others := diagnostics[_DIAGNOSTICS_LIMIT:]) != ():
        path = others[0].position.path
        _say(level, f"and {len(others)} more in {path}: run gavo-exec check for all of them")


def _say_reconciled(event: JobsReconciled) -> None:
    parts = [("added", event.added), ("removed", event.removed), ("changed", event.changed)]
    said = [f"{len(keys)} {word} ({_listed(keys)})" for word, keys in parts if keys]
    _say(logging.INFO if said else logging.DEBUG, f"jobs: {', '.join(said) or 'no change'}", event)


def _say_of_daemon(
    event: DaemonStarted
    | DaemonStopping
    | Trouble
    | RunOverdue
    | Stalled
    | ClockStepped
    | PauseBegan
    | PauseEnded
    | OperatorActed,
) -> None:
    match event:
        case PauseBegan() | PauseEnded() | OperatorActed():
            _say(logging.INFO, _of_operators(event), event)
        case DaemonStarted():
            jobs = _counted(event.executes, "job")
            _say(logging.INFO, f"ready: {jobs} from {event.inputs_dir}, state in {event.state_dir}", event)
        case DaemonStopping():
            runs = f"waiting for {_counted(event.running, 'run')}" if event.running else "nothing is running"
            _say(logging.INFO, f"stopping ({event.reason}): {runs}", event)
        case Trouble():
            _say(logging.ERROR, event.message, event)
        case RunOverdue(request=request):
            limit = request.execute.policy.timeout
            allowed = f", its time limit is {in_words(round(limit.total_seconds()))}" if limit is not None else ""
            running = _length((event.at - event.started_at).total_seconds())
            text = f"{request.execute.key} OVERDUE: still running after {running}{allowed}; it has been asked to end"
            _say(logging.ERROR, text, event)
        case Stalled():
            _say(logging.ERROR, f"STALLED: nothing else could run for {_length(event.seconds)}: {_held(event)}", event)
        case ClockStepped(seconds=seconds):
            way = "forward by" if seconds > 0 else "back by"
            why = "it was set, or the machine slept" if seconds > 0 else "it was set"
            _say(logging.WARNING, f"the clock jumped {way} {_length(abs(seconds))}: {why}", event)


def _of_operators(event: PauseBegan | PauseEnded | OperatorActed) -> str:
    """What somebody has asked for."""
    match event:
        case PauseBegan(pause=pause):
            until = f" until {_instant(pause.until)}" if pause.until is not None else ""
            note = f": {pause.note}" if pause.note else ""
            return f"{pause.key or 'everything'} paused{until} by {pause.who}{note}"
        case PauseEnded(pause=pause):
            how = f"resumed by {event.who}" if event.who else "goes on: its pause is over"
            return f"{pause.key or 'everything'} {how}"
        case OperatorActed():
            about = f"{event.about} " if event.about else ""
            detail = f" ({event.detail})" if event.detail else ""
            return f"{about}{event.what} by {event.who}{detail}"


def _held(event: Stalled) -> str:
    """Who stalled the daemon, and what to do."""
    if event.key:
        what = f"{event.key} held the interpreter's lock at {event.where}"
        return f"{what} (mend it, or let it run apart: run.isolate=process)"
    what = "something held the interpreter's lock"
    return f"{what}, perhaps {event.where}" if event.where else what


def _say(level: int, text: str, event: Event | None = None) -> None:
    """Log a text; the formatter for JSON finds the event at the record."""
    if _log.isEnabledFor(level):
        # Made by hand, since logging would look for the caller each time.
        record = _log.makeRecord(_log.name, level, __file__, 0, one_line(text, LINE_LIMIT), (), None)
        record.event = event
        _log.handle(record)


def _instant(instant: datetime) -> str:
    return instant.isoformat(" ", "seconds")[:19]


def _length(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else in_words(round(seconds))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _listed(keys: Sequence[str]) -> str:
    """The first of these keys, and how many there are besides."""
    shown = ", ".join(one_line(key, 100) for key in keys[:_LIST_LIMIT])
    return shown if len(keys) <= _LIST_LIMIT else f"{shown} and {len(keys) - _LIST_LIMIT} more"
