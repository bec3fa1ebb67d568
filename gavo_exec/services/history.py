"""The listener that remembers: events become rows of the store, which are written with its next flush."""

from gavo_exec.events import DescriptorAccepted, DescriptorRejected, DescriptorRemoved, Event, RunFinished
from gavo_exec.ports import Store


class HistoryListener:
    """Records runs that have ended, and which RDs are broken."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, event: Event) -> None:
        """Note an event."""
        match event:
            case RunFinished(run=run):
                self._store.record(run)
            case DescriptorRejected(rejection=rejection, held_back=held_back):
                self._store.put_rejection(rejection, held_back)
            case DescriptorAccepted(rd_id=rd_id, recovered=True) | DescriptorRemoved(rd_id=rd_id):
                self._store.clear_rejection(rd_id)
            case _:
                pass
