"""What log lines in JSON say of events."""

from typing import Any

from gavo_exec.events import (
    ClockStepped,
    DescriptorAccepted,
    DescriptorRejected,
    DescriptorRemoved,
    Event,
    OperatorActed,
    PauseBegan,
    PauseEnded,
    RunFinished,
    RunOverdue,
    RunStarted,
    Stalled,
)
from gavo_exec.services.log.texts import one_line

_KEYS_LIMIT = 20


def fields_of(event: Event) -> dict[str, Any]:
    """What machines may want to know of an event; short, and clean."""
    match event:
        case RunStarted(request=request):
            said = {"key": request.execute.key, "title": request.execute.title, "run_id": request.run_id}
            of_run: dict[str, Any] = {"due": request.due, "reason": request.reason, "attempt": request.attempt}
            return _clean(said) | of_run
        case RunFinished(run=run):
            return _clean({"key": run.key, "title": run.title, "run_id": run.run_id}) | {
                "due": run.due,
                "reason": run.reason,
                "attempt": run.attempt,
                "outcome": run.outcome,
                "duration_seconds": run.duration_seconds,
                "returncode": run.returncode,
                "next_due": event.next_due,
            }
        case DescriptorAccepted():
            said = {"rd_id": event.rd_id, "path": event.path}
            return _clean(said) | {"executes": event.executes, "recovered": event.recovered}
        case DescriptorRejected(rejection=rejection):
            said = {"rd_id": rejection.rd_id, "path": rejection.path, "digest": rejection.digest}
            return _clean(said) | {"held_back": [one_line(job.key) for job in event.held_back[:_KEYS_LIMIT]]}
        case DescriptorRemoved():
            return _clean({"rd_id": event.rd_id})
        case _:
            return _fields_of_daemon(event)


def _fields_of_daemon(event: Event) -> dict[str, Any]:
    """The same of what is no everyday event."""
    match event:
        case RunOverdue(request=request):
            said = {"key": request.execute.key, "title": request.execute.title, "run_id": request.run_id}
            return {**_clean(said), "started_at": event.started_at}
        case Stalled():
            return {**_clean({"key": event.key, "where": event.where}), "seconds": event.seconds}
        case ClockStepped(seconds=seconds):
            return {"seconds": seconds}
        case PauseBegan(pause=pause) | PauseEnded(pause=pause):
            who = event.who if isinstance(event, PauseEnded) else pause.who
            return _clean({"key": pause.key, "who": who, "note": pause.note}) | {"until": pause.until}
        case OperatorActed():
            return _clean({"who": event.who, "what": event.what, "about": event.about, "detail": event.detail})
        case _:
            return {}


def _clean(texts: dict[str, str]) -> dict[str, Any]:
    return {name: one_line(text) for name, text in texts.items()}
