"""The listener that remembers: events become rows of the store, which are written with its next flush."""

from gavo_exec.events import (
    DescriptorAccepted,
    DescriptorRejected,
    DescriptorRemoved,
    Event,
    PauseBegan,
    PauseEnded,
    RunFinished,
)
from gavo_exec.model import Outcome
from gavo_exec.ports import Store


class HistoryListener:
    """Records runs that have ended, what is to follow them, the files they were for, and which RDs are broken."""

    hears = frozenset({RunFinished, DescriptorAccepted, DescriptorRejected, DescriptorRemoved, PauseBegan, PauseEnded})

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, event: Event) -> None:
        """Note an event."""
        match event:
            case RunFinished(run=run, request=request):
                self._store.record(run)
                if (retry := event.retry) is not None:
                    self._store.put_retry(run.key, retry)
                if run.outcome is Outcome.SUCCEEDED and request is not None and request.files:
                    self._store.put_seen(run.key, request.files)
            case DescriptorRejected(rejection=rejection, held_back=held_back):
                self._store.put_rejection(rejection, held_back)
            case DescriptorAccepted(rd_id=rd_id, recovered=True) | DescriptorRemoved(rd_id=rd_id):
                self._store.clear_rejection(rd_id)
            case PauseBegan(pause=pause):
                self._store.put_pause(pause)
            case PauseEnded(pause=pause):
                self._store.clear_pause(pause)
            case _:
                pass
