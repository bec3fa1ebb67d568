"""Bounds how long a conversation may take as a whole."""

import os
import socket
import threading
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Self

OF_TIMEOUTS = 10
"""How many times as long as one answer the whole of a conversation may take."""


class TimeLimit:
    """Cuts the connections that were made by it when the time is over.

    The timeout of a socket begins anew with each byte, so that a server that drips could hold us for days.
    """

    def __init__(self, limit: timedelta) -> None:
        self.limit = limit
        self.is_over = False
        self._lock = threading.Lock()
        self._made: list[socket.socket] = []
        self._twins: list[socket.socket] = []
        self._timer = threading.Timer(limit.total_seconds(), self._end)
        self._timer.name = "postman-limit"
        self._timer.daemon = True

    def __enter__(self) -> Self:
        """Begin to count."""
        self._timer.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _exception: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Let go of the connections, also where who used them has not: what reads from one may keep it open."""
        self._timer.cancel()
        self._timer.join()
        for twin in self._twins:
            twin.close()
        for sock in self._made:
            if (descriptor := sock.detach()) >= 0:
                os.close(descriptor)

    def connect(
        self, address: tuple[str, int], timeout: float | None = None, source_address: tuple[str, int] | None = None
    ) -> socket.socket:
        """A new connection to there, which is watched; raises what socket.create_connection does."""
        sock = socket.create_connection(address, timeout, source_address)
        try:
            # A socket that is wrapped for TLS later loses its descriptor; the twin keeps one of the same connection.
            twin = sock.dup()
        except OSError:
            sock.close()
            raise
        with self._lock:
            self._made.append(sock)
            self._twins.append(twin)
            if self.is_over:
                _cut(twin)
        return sock

    def _end(self) -> None:
        """The time is over."""
        with self._lock:
            self.is_over = True
            for twin in self._twins:
                _cut(twin)


def _cut(sock: socket.socket) -> None:
    """Let whoever reads or writes there notice that nothing more comes; closing would not wake them."""
    with suppress(OSError):  # the other side may have gone already
        sock.shutdown(socket.SHUT_RDWR)
