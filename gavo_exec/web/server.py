"""The server: uvicorn on a socket that is bound here, with no patience for those who never finish what they ask."""

import asyncio
import errno
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

_HEAD_SECONDS: Final = 10.0
"""How long a client may take to say what it wants."""

_AT_ONCE: Final = struct.pack("ii", 1, 0)
_MOST_CONNECTIONS: Final = 256
_BIND_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.5


class Impatient(H11Protocol):
    """Connections on which nothing happens are given up.

    So are those on which only ever the beginning of something is asked, and those on which nothing is taken of what was
    answered.
    """

    _given_up: asyncio.TimerHandle | None = None
    _unsent = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Wait for what is asked."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what comes."""
        super().data_received(data)
        if self._is_answering():
            self._stop_waiting()
        elif self._given_up is None:
            self._wait()

    def on_response_complete(self) -> None:
        """Wait until the answer is taken, and for what is asked next."""
        super().on_response_complete()
        if not self._is_answering():
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _wait(self) -> None:
        self._stop_waiting()
        self._unsent = self.transport.get_write_buffer_size()
        self._given_up = self.loop.call_later(_HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._given_up is not None:
            self._given_up.cancel()
            self._given_up = None

    def _give_up(self) -> None:
        self._given_up = None
        if self._is_answering():
            return
        if 0 < self.transport.get_write_buffer_size() < self._unsent:
            self._wait()  # it is slow, but it goes on
        else:
            # Otherwise the system would go on trying to send what nobody takes.
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            self.transport.abort()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; waits a little for one who has it still.  Raises OSError."""
    until = monotonic() + _BIND_SECONDS
    pause = threading.Event()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        bound = socket.socket(family, socket.SOCK_STREAM)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((host, port))
            bound.listen(_MOST_CONNECTIONS)
        except OSError as fault:
            bound.close()
            if fault.errno != errno.EADDRINUSE or monotonic() >= until:
                raise
            pause.wait(_LOOK_SECONDS)
        else:
            return bound


def serve(
    app: ASGIApp, bound: socket.socket, *, goes_on: Callable[[], bool], look_seconds: float = _LOOK_SECONDS
) -> None:
    """Answer until told to end by a signal, or as long as it ``goes_on``, which is looked at so often."""
    config = uvicorn.Config(
        app,
        http=Impatient,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST_CONNECTIONS,
        backlog=_MOST_CONNECTIONS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=16_384,
    )
    server = uvicorn.Server(config)

    async def watch() -> None:
        while goes_on():  # noqa: ASYNC110 -- it is another process that may be gone
            await asyncio.sleep(look_seconds)
        server.should_exit = True

    async def run() -> None:
        watching = asyncio.get_running_loop().create_task(watch())
        try:
            await server.serve(sockets=[bound])
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    asyncio.run(run())
