"""The listener that remembers: events become rows of the store, which are written with its next flush."""

import os
import pwd
from datetime import UTC, datetime
from functools import lru_cache

from gavo_exec.events import (
    DaemonStarted,
    DaemonStopping,
    DescriptorAccepted,
    DescriptorRejected,
    DescriptorRemoved,
    Event,
    OperatorActed,
    PauseBegan,
    PauseEnded,
    RunFinished,
)
from gavo_exec.model import Outcome
from gavo_exec.past import Deed, packed_version
from gavo_exec.ports import Clock, Store


class HistoryListener:
    """Records runs that have ended, what is to follow them, the files they were for, and which RDs are broken.

    And the code that ran, pauses, and who did what.
    """

    hears = frozenset(
        {
            RunFinished,
            DescriptorAccepted,
            DescriptorRejected,
            DescriptorRemoved,
            PauseBegan,
            PauseEnded,
            OperatorActed,
            DaemonStarted,
            DaemonStopping,
        }
    )

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._versions: dict[str, str] = {}  # by RD id, the version whose code was remembered last

    def __call__(self, event: Event) -> None:
        """Note an event."""
        match event:
            case RunFinished():
                self._note_run(event)
            case DescriptorRejected(rejection=rejection, held_back=held_back):
                self._store.put_rejection(rejection, held_back)
            case DescriptorAccepted() | DescriptorRemoved():
                self._note_rd(event)
            case _:
                self._note_deed(event)

    def _note_run(self, event: RunFinished) -> None:
        run, request = event.run, event.request
        self._store.record(run)
        if (retry := event.retry) is not None:
            self._store.put_retry(run.key, retry)
        if request is None:
            return
        if run.outcome is Outcome.SUCCEEDED and request.files:
            self._store.put_seen(run.key, request.files)
        rd = request.rd
        if self._versions.get(rd.rd_id) != rd.digest and run.started_at is not None:
            self._versions[rd.rd_id] = rd.digest
            self._store.put_version(rd.rd_id, rd.digest, packed_version(rd), now=self._clock.now())

    def _note_rd(self, event: DescriptorAccepted | DescriptorRemoved) -> None:
        if isinstance(event, DescriptorRemoved):
            self._store.clear_rejection(event.rd_id)
            self._store.put_removal(event.rd_id, now=self._clock.now())
            return
        if event.recovered:
            self._store.clear_rejection(event.rd_id)
        if event.digest:
            who, detail = _last_writer(event.path)
            self._store.put_acceptance(event.rd_id, event.digest, who=who, detail=detail, now=self._clock.now())

    def _note_deed(self, event: Event) -> None:
        """Note what somebody did."""
        match event:
            case PauseBegan(pause=pause):
                self._store.put_pause(pause)
                until = f"until {pause.until:%Y-%m-%d %H:%M:%S} UTC" if pause.until is not None else ""
                detail = ": ".join(filter(None, (until, pause.note)))
                self._put(pause.who, "paused", at=pause.since, about=pause.key, detail=detail)
            case PauseEnded(pause=pause, who=who):
                self._store.clear_pause(pause)
                self._put(who, "resumed", at=event.at, about=pause.key, detail="" if who else "its time was over")
            case OperatorActed():
                self._put(event.who, event.what, at=event.at, about=event.about, detail=event.detail)
            case DaemonStarted():
                self._put("", "started", at=event.at, detail=f"{event.executes} jobs from {event.inputs_dir}")
            case DaemonStopping():
                self._put("", "stopped", at=event.at, detail=event.reason)
            case _:
                pass

    def _put(self, who: str, what: str, *, at: datetime, about: str = "", detail: str = "") -> None:
        self._store.put_deed(Deed(at=at, who=who, what=what, about=about, detail=detail))


def _last_writer(path: str) -> tuple[str, str]:
    """Who may have written a file last, its owner, and when that was; '' where it cannot be told."""
    try:
        status = os.stat(path)  # noqa: PTH116 -- paths are strings in this house
    except OSError:
        return "", ""
    written_at = datetime.fromtimestamp(status.st_mtime, UTC)
    return _user(status.st_uid), f"the file is of {written_at:%Y-%m-%d %H:%M:%S} UTC"


@lru_cache(64)
def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
