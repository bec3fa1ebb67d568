"""The program that shows a daemon over the network; the daemon starts it, with the settings on standard input."""

import logging
import os
import pickle
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import msgspec

from gavo_exec import __version__
from gavo_exec.errors import StoreError
from gavo_exec.parts import make_masker, open_store
from gavo_exec.ports import Store
from gavo_exec.runtime.clock import SystemClock
from gavo_exec.services.control.client import Client
from gavo_exec.services.control.openapi import openapi
from gavo_exec.services.control.routes import ROUTES
from gavo_exec.services.store import SQLiteStore
from gavo_exec.services.tokens import TokenFile
from gavo_exec.settings import Settings, hide_secrets
from gavo_exec.web.app import make_app
from gavo_exec.web.house import Face
from gavo_exec.web.server import listen, serve

_PATIENCE_SECONDS = 8.0
"""How long the daemon may take to answer: a page that does not come is worse than one that says so."""

_log = logging.getLogger("gavo_exec")


class Remembered:
    """The state, opened once; anew after a fault, and where another file stands in place of a damaged one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._path = settings.state_file
        self._lock = threading.Lock()
        self._store: SQLiteStore | None = None
        self._inode = 0
        self._retired: list[SQLiteStore] = []

    @contextmanager
    def opened(self) -> Iterator[Store]:
        """The state; raises StoreError."""
        store = self._present()
        try:
            yield store
        except StoreError:
            with self._lock:
                self._retire(store)
            raise

    def close(self) -> None:
        """Let go of all files."""
        with self._lock:
            if self._store is not None:
                self._retire(self._store)
            while self._retired:
                self._retired.pop().close()

    def _present(self) -> SQLiteStore:
        """The store of the file that is there now."""
        with self._lock:
            if self._store is not None and self._inode != self._inode_now():
                self._retire(self._store)
            if self._store is None:
                self._store = open_store(self._settings)
                self._inode = self._inode_now()
            return self._store

    def _retire(self, store: SQLiteStore) -> None:
        """Use a store no more; others may still be reading it, so that it is closed when the next one is."""
        if self._store is store:
            while self._retired:
                with suppress(StoreError):
                    self._retired.pop().close()
            self._retired.append(store)
            self._store = None

    def _inode_now(self) -> int:
        try:
            return os.stat(self._path).st_ino  # noqa: PTH116 -- paths are strings in this house
        except OSError:
            return 0


def make_face(settings: Settings) -> Face:
    """What the web is made of, by these settings."""
    address = settings.dashboard_url
    mask = make_masker(settings, os.environ)
    names = ("localhost", "127.0.0.1", "::1", settings.host, settings.web_host, urlsplit(address).hostname or "")
    return Face(
        ask=lambda who: Client(settings.state_dir, on_behalf_of=who, patience_seconds=_PATIENCE_SECONDS),
        open_store=Remembered(settings).opened,
        tokens=TokenFile(settings.state_dir),
        clock=SystemClock(),
        mask=mask,
        names=tuple(filter(None, (*names, *settings.web_names))),
        needs_token=settings.web_reading == "token",
        scopes={(route.method, route.path): route.scope for route in ROUTES},
        openapi=msgspec.json.encode(openapi(__version__)),
        address=address,
        host=settings.host,
    )


def main() -> None:
    """Show the daemon until it is gone, or SIGTERM comes."""
    settings: Settings
    settings, daemon = pickle.load(sys.stdin.buffer)  # noqa: S301 -- our own
    os.environ.pop("PYTHONPATH", None)  # it was only for us to be found
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    _log.setLevel(logging.INFO)
    # What is no request is told to who sent it; what goes wrong with us, the walls tell.
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    app = make_app(make_face(settings))
    hide_secrets(os.environ)
    host, port = settings.web_host, settings.web_port
    try:
        bound = listen(host, port)
    except (OSError, OverflowError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else fault
        _log.error("%s port %d cannot be listened on: %s; see web_host and web_port", host, port, why)
        return
    _log.info("on http://%s:%d/", f"[{host}]" if ":" in host else host, port)
    serve(app, bound, goes_on=lambda: os.getppid() == daemon)


if __name__ == "__main__":
    main()
