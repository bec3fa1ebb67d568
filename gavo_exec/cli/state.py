"""The recorded state as commands open it: without a daemon, and without making a state where there is none."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gavo_exec.cli.views import State
from gavo_exec.parts import STATE_FILE, open_store
from gavo_exec.ports import Store
from gavo_exec.runtime.process import is_alive, process_holder
from gavo_exec.services.store import SQLiteStore
from gavo_exec.settings import Settings


@contextmanager
def opened_store(settings: Settings) -> Iterator[Store]:
    """The store of the state directory, or an empty one where there is none yet: looking leaves no traces."""
    if Path(settings.state_dir, STATE_FILE).exists():
        store = open_store(settings)
    else:
        store = SQLiteStore(":memory:", holder=process_holder(), is_alive=is_alive)
    with closing(store):
        yield store


def recorded_state(settings: Settings) -> State:
    """What the store knows of all jobs; raises StoreError where it cannot be read."""
    with opened_store(settings) as store:
        return State.of(store)
