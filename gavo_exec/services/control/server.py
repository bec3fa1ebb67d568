"""The server of the control socket: a thread that waits for connections, and one for each of these."""

import logging
import os
import pwd
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from gavo_exec.control import RefusedError, UnknownNameError
from gavo_exec.control_views import Refusal
from gavo_exec.errors import GavoExecError, plain, spelt_out
from gavo_exec.ports.control import Control
from gavo_exec.services.control.places import ON_BEHALF_OF, address_of, new_socket, socket_path
from gavo_exec.services.control.routes import ROUTES, Asked, Route

_log = logging.getLogger("gavo_exec")

_MOST_BYTES: Final = 1 << 16
_MOST_CONNECTIONS: Final = 64
_IDLE_SECONDS: Final = 60.0
_ROUTES: Final = {(route.method, route.path): route for route in ROUTES}


class ControlServer:
    """Listens on the socket of a state directory as long as it is started; the socket is this user's alone."""

    def __init__(self, state_dir: str, control: Control) -> None:
        self._state_dir = state_dir
        self.control = control
        self._listening = new_socket()
        self._free = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        self._thread = threading.Thread(target=self._accept, name="control", daemon=True)
        self._stopped = False

    def start(self) -> None:
        """Begin to answer, in place of a server that is gone; raises OSError where the socket cannot be made."""
        with suppress(FileNotFoundError):
            Path(socket_path(self._state_dir)).unlink()
        # Before it has a name, so that it never has other rights.
        os.fchmod(self._listening.fileno(), 0o600)
        with address_of(self._state_dir) as address:
            self._listening.bind(address)
        self._listening.listen(_MOST_CONNECTIONS)
        self._thread.start()

    def stop(self) -> None:
        """Take no more connections; those that there are end with the process."""
        self._stopped = True
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # which wakes whoever waits for connections
        if self._thread.ident is not None:
            self._thread.join(5)
            with suppress(OSError):
                Path(socket_path(self._state_dir)).unlink()
        self._listening.close()

    def _accept(self) -> None:
        pause = threading.Event()
        while not self._stopped:
            try:
                connection, _ = self._listening.accept()
            except OSError as fault:
                if not self._stopped:
                    _log.error("the control socket cannot be used at present: %s", fault.strerror)
                    pause.wait(5)  # descriptors may be free again by then
                continue
            if not self._free.acquire(blocking=False):
                connection.close()
                continue
            try:
                threading.Thread(target=self._serve, args=(connection,), name="control-client", daemon=True).start()
            except RuntimeError:  # no thread can be made: one after the other, then
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                _Handler(connection, self)
        except OSError:
            pass  # whoever asked is gone
        except Exception:
            _log.exception("a connection to the control socket went wrong")
        finally:
            self._free.release()


class _Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    server: ControlServer  # type: ignore[assignment] # which is all that it has to be
    connection: socket.socket

    def __init__(self, connection: socket.socket, server: ControlServer) -> None:
        super().__init__(connection, "control socket", server)  # type: ignore[arg-type] # as above

    def do_GET(self) -> None:
        """Answer a question."""
        self._answer()

    def do_POST(self) -> None:
        """Carry out an order."""
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what is done is told as an event."""

    def version_string(self) -> str:
        """Who we are."""
        return "gavo-exec"

    def _answer(self) -> None:
        first: object = None
        try:
            body = self._body()
            parts = urlsplit(self.path)
            route = _route(self.command, parts.path)
            asked = Asked(body=_decoded(body, route), query=dict(parse_qsl(parts.query)), who=self._who())
            answer = route.answer(self.server.control, asked)
            if route.streams:
                first = next(answer)
        except OSError:
            raise
        except Exception as error:
            if not isinstance(error, GavoExecError | msgspec.MsgspecError):
                _log.exception("what was asked over the control socket could not be answered: %s", self.path)
            self._send(*_refusal(error))
        else:
            if route.streams:
                self._stream(first, answer)
            else:
                self._send(route.status, answer)

    def _body(self) -> bytes:
        """What was sent; too much of it ends the connection."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _MOST_BYTES or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            raise msgspec.ValidationError(f"at most {_MOST_BYTES} bytes, and Content-Length says how many")
        return self.rfile.read(int(length))

    def _who(self) -> str:
        """Who asks, as the system knows it; for whom, as they say."""
        size = struct.calcsize("3i")
        _, uid, _ = struct.unpack("3i", self.connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
        try:
            name = pwd.getpwuid(uid).pw_name
        except KeyError:
            name = f"user {uid}"
        behalf = plain(self.headers.get(ON_BEHALF_OF, ""))[:60]
        return f"{behalf} as {name}" if behalf and behalf != name else name

    def _send(self, status: int, value: object) -> None:
        body = _encoded(value) + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, first: object, rest: Iterator[object]) -> None:
        """Send lines as they come, until there are no more, or nobody reads them any more."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            self.wfile.write(_encoded(first) + b"\n")
            for value in rest:
                self.wfile.write(_encoded(value) + b"\n")
        finally:
            rest.close()  # type: ignore[attr-defined] # it is a generator


def _route(method: str, path: str) -> Route:
    """What is asked; raises UnknownNameError where there is no such thing."""
    if (route := _ROUTES.get((method, path))) is None:
        raise UnknownNameError(f"{method} {plain(path)} is nothing that can be asked here")
    return route


def _refusal(error: Exception) -> tuple[int, Refusal]:
    """How it is said that something is not done."""
    match error:
        case UnknownNameError(known=known):
            return 404, Refusal(error=str(error), known=known)
        case msgspec.MsgspecError():
            return 400, Refusal(error=f"what was sent is not what is to be sent: {error}")
        case RefusedError():
            return 409, Refusal(error=str(error))
        case GavoExecError():
            return 500, Refusal(error=str(error))
        case _:
            return 500, Refusal(error="the daemon cannot answer that; see its log")


def _decoded(body: bytes, route: Route) -> Any:
    """The body as the route's type; raises MsgspecError."""
    if route.takes is None:
        return None
    try:
        return msgspec.json.decode(body or b"{}", type=route.takes)
    except UnicodeDecodeError:
        raise msgspec.DecodeError("it is not in UTF-8") from None


def _encoded(value: object) -> bytes:
    """A value as JSON; halves of characters, which UTF-8 does not have, are spelt out."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(spelt_out(msgspec.to_builtins(value)))
