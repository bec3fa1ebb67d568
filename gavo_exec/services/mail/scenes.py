"""What is known of an occurrence at the moment that it happens, for what is told of it later."""

import re
from collections.abc import Sequence
from typing import Final

from gavo_exec.events import RunFinished, RunOverdue, Stalled
from gavo_exec.incidents import Circumstances
from gavo_exec.model import Code, Outcome, RunRequest

_BEFORE: Final = 3
_AFTER: Final = 3
"""How many lines of the RD are shown around the one that failed."""

_LONGEST_LINE: Final = 1000
"""More than is ever shown of a line, so that a secret is whole when it is masked, and only then cut."""
_LONGEST_ERROR: Final = 64 * 1024
_PLACE: Final = re.compile(
    r'^(?:[ |]*File "(?P<frame>[^"\n]*)", line (?P<line>\d{1,9})|called at:   (?P<call>[^\n]*), line (?P<at>\d{1,9})$)',
    re.MULTILINE,
)
"""Where tracebacks, and what is said of failed children, name a line."""


def circumstances_of(event: RunFinished | RunOverdue | Stalled) -> Circumstances:
    """What there is to tell of an occurrence beside its run."""
    if isinstance(event, Stalled):
        return Circumstances(seconds=event.seconds, where=event.where, trace=event.trace)
    request = event.request
    if isinstance(event, RunOverdue):
        limit = event.request.execute.policy.timeout
        return Circumstances(
            title=event.request.execute.title,
            path=event.request.rd.path,
            place=place_of(event.request),
            started_at=event.started_at,
            limit_seconds=limit.total_seconds() if limit is not None else None,
        )
    if request is None:
        return Circumstances(title=event.run.title)
    is_missed = event.run.outcome is Outcome.MISSED
    path, excerpt, marked = ("", (), 0) if is_missed else _excerpt_of(request, event.run.error)
    return Circumstances(
        title=event.run.title,
        path=request.rd.path,
        place=place_of(request),
        excerpt_path=path,
        excerpt=excerpt,
        marked=marked,
        next_due=event.next_due,
    )


def place_of(request: RunRequest) -> str:
    """Where an execute stands."""
    position = request.execute.position
    return f"{position.path}, line {position.line}" if position.path else request.rd.path


def _excerpt_of(request: RunRequest, error: str) -> tuple[str, tuple[tuple[int, str], ...], int]:
    """The file, lines around the one that failed, and that one; nothing where it is not in an RD."""
    job = request.execute.job
    parts: tuple[Code, ...] = (job, *job.setup)
    by_path: dict[str, list[Sequence[tuple[int, str]]]] = {}
    for part in parts:
        by_path.setdefault(part.position.path, []).append(list(part.numbered()))
    # The innermost frame comes last; where a child failed, the line that has started it.
    for found in reversed(list(_PLACE.finditer(error, 0, _LONGEST_ERROR))):
        path = found["frame"] if found["frame"] is not None else found["call"]
        number = int(found["line"] or found["at"])
        for lines in by_path.get(path, ()):
            place = next((place for place, (each, _) in enumerate(lines) if each == number), None)
            if place is not None:
                around = lines[max(0, place - _BEFORE) : place + _AFTER + 1]
                return path, tuple((each, text[:_LONGEST_LINE]) for each, text in around), number
    return "", (), 0
