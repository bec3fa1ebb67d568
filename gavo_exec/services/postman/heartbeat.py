"""Tells a check that the daemon is well, so that somebody learns when it is not."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from time import monotonic

from gavo_exec.errors import DeliveryError
from gavo_exec.services.postman.calls import call

_LOG = logging.getLogger(__name__)

_STOP_GRACE = timedelta(seconds=1)


class Heartbeat:
    """The thread that calls an address at once and then again and again, as long as ``is_well`` says so."""

    def __init__(
        self, url: str, *, every: timedelta, is_well: Callable[[], bool], call: Callable[[str], str] = call
    ) -> None:
        self._url = url
        self._every = every.total_seconds()
        self._is_well = is_well
        self._call = call
        self._trouble = ""
        """What the log says already."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to call."""
        self._thread.start()

    def stop(self, grace: timedelta = _STOP_GRACE) -> None:
        """Call no more; a call that goes on is waited for at most for ``grace``."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(grace.total_seconds())

    def beat(self) -> str:
        """Call now, and answer in words who has heard it; or raise DeliveryError."""
        return self._call(self._url)

    def _work(self) -> None:
        """Call until stopped."""
        while not self._stopping.is_set():
            began = monotonic()
            self._note(self._beat())
            self._stopping.wait(max(0, began + self._every - monotonic()))

    def _beat(self) -> str:
        """Call once if all is well; answers the trouble in words."""
        try:
            if not self._is_well():
                return "the daemon is not well; no heartbeat is sent until it is"
            self.beat()
        except DeliveryError as exc:
            return f"the heartbeat is not taken: {exc}"
        except Exception:
            if not self._trouble:
                _LOG.exception("the heartbeat goes on after an error of its own")
            return "the heartbeat failed"
        return ""

    def _note(self, trouble: str) -> None:
        """Log what is new: the first failure and the recovery."""
        kind, before = trouble.partition(":")[0], self._trouble.partition(":")[0]
        if trouble and kind != before:
            _LOG.warning("%s", trouble)
        elif before and not trouble:
            _LOG.info("the heartbeat is sent again")
        self._trouble = trouble
