"""The client of the control socket: what commands use."""

import http.client
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec

from gavo_exec.control import NoDaemonError, RefusedError, UnknownNameError
from gavo_exec.control_views import (
    Broken,
    Cancel,
    Cancelled,
    Done,
    JobDetail,
    JobLine,
    LiveLine,
    PauseOrder,
    PauseView,
    RDLine,
    Refusal,
    ReloadedView,
    ResumeOrder,
    StatusView,
    StopOrder,
    Trigger,
    Triggered,
)
from gavo_exec.errors import GavoExecError
from gavo_exec.json_views import DueView
from gavo_exec.measures import Measures
from gavo_exec.services.control.places import ON_BEHALF_OF, address_of, new_socket

_T = TypeVar("_T")
_SECONDS: Final = 60.0
_RELOAD_SECONDS: Final = 660.0


class _Connection(http.client.HTTPConnection):
    """A connection to the socket of a state directory."""

    def __init__(self, state_dir: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._state_dir = state_dir

    def connect(self) -> None:
        """Reach the daemon; raises NoDaemonError."""
        self.sock = new_socket()
        self.sock.settimeout(self.timeout)
        try:
            with address_of(self._state_dir) as address:
                self.sock.connect(address)
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            raise NoDaemonError(
                f"no daemon runs on {self._state_dir} (or it has not come up yet); start one with gavo-exec serve"
            ) from None
        except PermissionError:
            raise NoDaemonError(
                f"the daemon on {self._state_dir} is another user's: ask it as that user, or as root"
            ) from None


class Client:
    """Asks the daemon on a state directory; every method may raise NoDaemonError, and what the daemon refuses."""

    def __init__(self, state_dir: str, *, on_behalf_of: str = "", patience_seconds: float = _SECONDS) -> None:
        self._state_dir = state_dir
        self._patience_seconds = patience_seconds
        self._headers = {ON_BEHALF_OF: on_behalf_of} if on_behalf_of.isascii() and on_behalf_of.isprintable() else {}

    def status(self) -> StatusView:
        """The daemon in one look."""
        return self._ask("GET", "/v1/status", answers=StatusView)

    def jobs(self) -> list[JobLine]:
        """All jobs, a line for each."""
        return self._ask("GET", "/v1/jobs", answers=list[JobLine])

    def listed(self) -> list[Any]:
        """All jobs as ``list --json`` has them."""
        return self._ask("GET", "/v1/jobs/full", answers=list[Any])

    def job(self, key: str) -> JobDetail:
        """One job, with all that its RD says of it."""
        return self._ask("GET", f"/v1/job?{urlencode({'key': key})}", answers=JobDetail)

    def coming(self, *, hours: int, each: int) -> list[DueView]:
        """What is due in the coming hours."""
        return self._ask("GET", f"/v1/coming?{urlencode({'hours': hours, 'each': each})}", answers=list[DueView])

    def rds(self) -> list[RDLine]:
        """The RDs that have jobs, or are refused."""
        return self._ask("GET", "/v1/rds", answers=list[RDLine])

    def broken(self) -> list[Broken]:
        """The RDs that are refused."""
        return self._ask("GET", "/v1/broken", answers=list[Broken])

    def measures(self) -> Measures:
        """What was counted of runs."""
        return self._ask("GET", "/v1/measures", answers=Measures)

    def trigger(self, key: str, *, parameters: Mapping[str, str]) -> str:
        """Let an execute run now; answers the run's id."""
        order = Trigger(key=key, parameters=dict(parameters))
        return self._ask("POST", "/v1/runs", order, answers=Triggered).run_id

    def cancel(self, run: str) -> str:
        """End a run, or all runs of a key; answers which."""
        return self._ask("POST", "/v1/cancel", Cancel(run=run), answers=Cancelled).runs

    def pause(self, key: str, *, until: datetime | None, note: str) -> PauseView:
        """Let an execute, or all where the key is '', not start by itself."""
        order = PauseOrder(key=key, until=until, note=note)
        return self._ask("POST", "/v1/pause", order, answers=PauseView)

    def resume(self, key: str) -> PauseView:
        """Let a pause be over."""
        return self._ask("POST", "/v1/resume", ResumeOrder(key=key), answers=PauseView)

    def reload(self) -> ReloadedView:
        """Read everything anew, and wait until that is done."""
        return self._ask("POST", "/v1/reload", answers=ReloadedView, timeout=_RELOAD_SECONDS)

    def deliver(self) -> None:
        """Try now to deliver all that waits."""
        self._ask("POST", "/v1/deliver", answers=Done)

    def stop(self, *, at_once: bool) -> None:
        """Let the daemon end."""
        self._ask("POST", "/v1/stop", StopOrder(at_once=at_once), answers=Done)

    def follow(self, *, key: str = "", run_id: str = "") -> Iterator[LiveLine]:
        """What a run does until it has ended, or what all runs of a key do; an empty line while nothing happens."""
        query = urlencode({"key": key} if key else {"run": run_id})
        connection, response = self._request("GET", f"/v1/live?{query}", b"", timeout=None)
        try:
            _must_be_good(response)
            for line in response:
                yield msgspec.json.decode(line, type=LiveLine)
        except (OSError, http.client.HTTPException) as fault:
            raise _broken_off(fault) from None
        finally:
            connection.close()

    def forward(self, method: str, target: str, body: bytes) -> tuple[int, str, Iterator[bytes]]:
        """Ask as somebody else has; answers the status, the type of what comes, and that, line by line.

        The connection is let go of with the iterator.
        """
        connection, response = self._request(method, target, body, timeout=_RELOAD_SECONDS)
        return response.status, response.headers.get("Content-Type", ""), _lines(connection, response)

    def _ask(
        self,
        method: str,
        path: str,
        body: msgspec.Struct | None = None,
        *,
        answers: type[_T],
        timeout: float | None = None,
    ) -> _T:
        """What the daemon answers."""
        content = msgspec.json.encode(body) if body is not None else b""
        connection, response = self._request(method, path, content, timeout=timeout)
        try:
            _must_be_good(response)
            return msgspec.json.decode(response.read(), type=answers)
        except (OSError, http.client.HTTPException) as fault:
            raise _broken_off(fault) from None
        finally:
            connection.close()

    def _request(
        self, method: str, path: str, content: bytes, *, timeout: float | None
    ) -> tuple[_Connection, http.client.HTTPResponse]:
        connection = _Connection(self._state_dir, timeout or self._patience_seconds)
        try:
            connection.request(method, path, body=content or None, headers=self._headers)
            return connection, connection.getresponse()
        except (OSError, http.client.HTTPException) as fault:
            connection.close()
            raise _broken_off(fault) from None
        except GavoExecError:
            connection.close()
            raise


def _lines(connection: _Connection, response: http.client.HTTPResponse) -> Iterator[bytes]:
    """What comes, and then the end of the connection."""
    with closing(connection):
        yield b""  # so that closing this iterator closes the connection, read or not
        yield from response


def _broken_off(fault: Exception) -> GavoExecError:
    if isinstance(fault, socket.timeout):
        return RefusedError("the daemon does not answer; see its log")
    return NoDaemonError("the daemon ended, or broke off, before it had answered")


def _must_be_good(response: http.client.HTTPResponse) -> None:
    """Raise what the daemon refuses."""
    if response.status < 300:
        return
    content = response.read()
    try:
        refusal = msgspec.json.decode(content, type=Refusal)
    except msgspec.MsgspecError:
        refusal = Refusal(error=f"the daemon answers {response.status} {response.reason}")
    if response.status == 404:
        raise UnknownNameError(refusal.error, known=refusal.known)
    raise RefusedError(refusal.error)


def asking_user() -> str:
    """For whom a command asks: who has become another user by sudo or doas."""
    return os.environ.get("SUDO_USER") or os.environ.get("DOAS_USER") or ""
