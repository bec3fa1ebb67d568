"""Lets somebody else know, regularly, that the daemon is well; who hears nothing for long knows that it is not."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from gavo_exec.errors import DeliveryError
from gavo_exec.services.postman.calls import call

_LOG = logging.getLogger("gavo_exec.services.heartbeat")

_LAST_CALL_SECONDS = 0.5


class Heartbeat:
    """Calls an address every so often, for as long as ``is_well``, on a thread of its own."""

    def __init__(
        self,
        url: str,
        *,
        every: timedelta,
        is_well: Callable[[], bool],
        call: Callable[[str], str] = call,
    ) -> None:
        self._url = url
        self._seconds = every.total_seconds()
        self._is_well = is_well
        self._call = call
        self._trouble = ""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin, with a first call at once."""
        self._thread.start()

    def stop(self) -> None:
        """Call no more; a call that goes on is not waited for."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join(_LAST_CALL_SECONDS)

    def beat(self) -> str:
        """Call now; answers who has heard it, or raises DeliveryError."""
        return self._call(self._url)

    def beat_or_tell(self) -> None:
        """Call if all is well; log when that begins not to work, and when it does again."""
        trouble = ""
        if not self._is_well():
            trouble = "the daemon is not well, so no heartbeat is sent"
        else:
            try:
                self.beat()
            except DeliveryError as fault:
                trouble = f"the heartbeat was not heard: {fault}"
            except Exception as fault:
                trouble = f"the heartbeat could not be sent: {type(fault).__name__}: {fault}"
        if trouble and not self._trouble:
            _LOG.warning("%s", trouble)
        elif self._trouble and not trouble:
            _LOG.info("the heartbeat is heard again")
        self._trouble = trouble

    def _work(self) -> None:
        self.beat_or_tell()
        while not self._stopped.wait(self._seconds):
            self.beat_or_tell()
