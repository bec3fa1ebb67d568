"""What is due and has not begun: the line that runs wait in for a free slot, and for the limits that runs share."""

from collections import deque
from datetime import datetime
from heapq import heappop, heappush

from gavo_exec.model import Execute, NewFile, Reason, ResourceDescriptor, Retry, RunRequest


class Entry:
    """What the agenda knows of one execute; only the agenda touches it."""

    __slots__ = ("due", "execute", "last_start", "pending", "rd", "retry")

    def __init__(self, rd: ResourceDescriptor, execute: Execute, last_start: datetime | None) -> None:
        self.rd = rd
        self.execute = execute
        self.last_start = last_start
        self.due: datetime | None = None  # None when the execute is gone, or waits for its RD to be loaded anew
        self.pending: Pending | None = None  # what is due and not begun
        self.retry: Retry | None = None


class Pending:
    """Instants of one execute that are due and not yet served, in order, each with what the schedule counts from.

    ``looking`` is the request that files are looked up for at present; ``files`` are those that were found.  A run that
    somebody asked for has its ``run_id`` already, and may have ``parameters``.
    """

    __slots__ = ("attempt", "dues", "entry", "files", "is_in_line", "looking", "parameters", "reason", "run_id")

    def __init__(
        self, entry: Entry, dues: deque[tuple[datetime, datetime | None]], *, reason: Reason, attempt: int = 1
    ) -> None:
        self.entry = entry
        self.dues = dues
        self.reason = reason
        self.attempt = attempt
        self.looking: RunRequest | None = None
        self.files: tuple[NewFile, ...] = ()
        self.is_in_line = False
        self.run_id = ""
        self.parameters: tuple[tuple[str, str], ...] = ()


_Item = tuple[int, float, int, Pending]


class Backlog:
    """The line: by priority, then by due instant, then by order of entry; pure, and owned by the agenda."""

    def __init__(self) -> None:
        self._ready: list[_Item] = []
        self._blocked: dict[str, list[_Item]] = {}  # by the name of the limit that keeps them back
        self._in_use: dict[str, int] = {}
        self._added = 0

    @property
    def first_due(self) -> datetime | None:
        """When what comes first was due; None where nothing is in the line."""
        ready = self._ready
        while ready and ready[0][3].entry.pending is not ready[0][3]:  # given up meanwhile
            heappop(ready)
        return ready[0][3].dues[0][0] if ready else None

    def add(self, pending: Pending) -> None:
        """Put it in the line, unless it is there."""
        if pending.is_in_line:
            return
        pending.is_in_line = True
        self._added += 1
        priority = pending.entry.execute.policy.priority
        heappush(self._ready, (-priority, pending.dues[0][0].timestamp(), self._added, pending))

    def take(self) -> Pending | None:
        """The first that may begin as far as its limit goes; what its execute gave up meanwhile is dropped."""
        ready = self._ready
        while ready:
            item = heappop(ready)
            pending = item[3]
            if pending.entry.pending is not pending:
                continue
            limit = pending.entry.execute.policy.limit
            if limit is None or self._in_use.get(limit.name, 0) < limit.at_most:
                pending.is_in_line = False
                return pending
            heappush(self._blocked.setdefault(limit.name, []), item)
        return None

    def occupy(self, name: str) -> None:
        """Count a run that begins under the limit of this name."""
        self._in_use[name] = self._in_use.get(name, 0) + 1

    def release(self, name: str) -> None:
        """Count a run under this limit that has ended, and let those that it kept back be tried again."""
        left = self._in_use[name] - 1
        if left:
            self._in_use[name] = left
        else:
            del self._in_use[name]
        blocked = self._blocked.get(name, [])
        room = left
        while blocked:
            pending = blocked[0][3]
            limit = pending.entry.execute.policy.limit
            is_ours = limit is not None and limit.name == name and pending.entry.pending is pending
            if is_ours and limit is not None and room >= limit.at_most:
                break
            room += is_ours
            heappush(self._ready, heappop(blocked))  # take() looks at it anew
        if not blocked:
            self._blocked.pop(name, None)
