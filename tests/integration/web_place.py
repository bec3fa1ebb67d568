"""The web as it is served: a real server on a real port, before a daemon that does what a test says."""

import http.client
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import msgspec

from gavo_exec.access import Scope
from gavo_exec.control import JobStatus
from gavo_exec.model import Outcome, Run
from gavo_exec.ports import Store
from gavo_exec.services.control.client import Client
from gavo_exec.services.control.openapi import openapi
from gavo_exec.services.control.routes import ROUTES
from gavo_exec.services.control.server import ControlServer
from gavo_exec.services.store import SQLiteStore
from gavo_exec.services.tokens import TokenFile
from gavo_exec.testing import FakeClock, FakeControl
from gavo_exec.web.app import make_app
from gavo_exec.web.house import Face
from gavo_exec.web.server import listen, serve

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
KEY = "weather/q#fetch"
SECRET = "hunter2-hunter2"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """As text."""
        return self.body.decode()


class WebPlace:
    """A state directory with a daemon, a store, tokens, and the web before them."""

    def __init__(self, folder: Path, *, needs_token: bool = False, address: str = "") -> None:
        self.clock = FakeClock(NOW)
        self.control = FakeControl(statuses=[status_of()], at=NOW)
        self.server = ControlServer(str(folder), self.control)
        self.server.start()
        self.store = SQLiteStore(folder / "state.sqlite", holder="us", is_alive=lambda _: True)
        self.tokens = TokenFile(str(folder))
        self.secrets = {scope: self.tokens.add(scope.value, scope, now=NOW) for scope in Scope}
        looking = SQLiteStore(folder / "state.sqlite", holder="web", is_alive=lambda _: True)
        self._looking = looking

        @contextmanager
        def open_store() -> Iterator[Store]:
            yield looking

        face = Face(
            ask=lambda who: Client(str(folder), on_behalf_of=who),
            open_store=open_store,
            tokens=self.tokens,
            clock=self.clock,
            mask=lambda text: text.replace(SECRET, "********"),
            names=("localhost", "127.0.0.1", "vo"),
            needs_token=needs_token,
            scopes={(route.method, route.path): route.scope for route in ROUTES},
            openapi=msgspec.json.encode(openapi("1")),
            address=address,
            host="vo",
        )
        self._bound = listen("127.0.0.1", 0)
        self.port: int = self._bound.getsockname()[1]
        self._goes_on = threading.Event()
        self._goes_on.set()
        self._thread = threading.Thread(
            target=serve,
            args=(make_app(face), self._bound),
            kwargs={
                "goes_on": self._goes_on.is_set,
                "look_seconds": 0.02,
            },
        )
        self._thread.start()
        self.cookie = ""

    def close(self) -> None:
        """Take it all down."""
        self._goes_on.clear()
        self._thread.join(20)
        assert not self._thread.is_alive()
        self._bound.close()
        self.server.stop()
        self._looking.close()
        self.store.close()

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        token: Scope | None = None,
    ) -> Answer:
        """Ask for something."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {self.secrets[token]}"
        if self.cookie:
            sent["Cookie"] = self.cookie
        try:
            connection.request(method, path, body=body, headers=sent)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(status=response.status, headers=found, body=response.read())
        finally:
            connection.close()

    def send(self, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Answer:
        """Send a form."""
        body = urlencode(form, errors="surrogatepass").encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask(path, method="POST", body=body, headers={**kind, **(headers or {})})

    def log_in(self, scope: Scope = Scope.OPERATE) -> str:
        """Log in; answers what forms carry."""
        answer = self.send("/login", {"token": self.secrets[scope], "next": "/"})
        assert answer.status == 303, answer.text
        self.cookie = answer.headers["set-cookie"].partition(";")[0]
        found = re.search(r'name="form_token" value="([0-9a-f]+)"', self.ask("/").text)
        assert found is not None
        return found[1]

    def raw(self) -> socket.socket:
        """A connection, to send whatever one likes."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)


def status_of(key: str = KEY, *, title: str = "Wetter", outcome: Outcome = Outcome.SUCCEEDED) -> JobStatus:
    """A job that has run once."""
    return JobStatus(
        key=key, title=title, schedule="every 1 h", due=NOW + timedelta(hours=1), last_run=run_of(key, outcome=outcome)
    )


def run_of(
    key: str = KEY,
    *,
    run_id: str = "run-1",
    outcome: Outcome | None = Outcome.SUCCEEDED,
    output: str = "",
    error: str = "",
    title: str = "Wetter",
    days_ago: float = 0.1,
    seconds: float = 3.0,
) -> Run:
    """A run that has ended."""
    begun = NOW - timedelta(days=days_ago)
    return Run(
        run_id=run_id,
        key=key,
        title=title,
        due=begun,
        started_at=begun,
        finished_at=begun + timedelta(seconds=seconds),
        outcome=outcome,
        output=output,
        error=error,
    )
