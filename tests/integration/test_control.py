"""The control socket: a real socket, and whoever asks over it."""

import os
import pwd
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import jsonschema
import msgspec
import pytest

from gavo_exec import __version__
from gavo_exec.control import (
    JobStatus,
    NoDaemonError,
    Pause,
    Printed,
    RefusedError,
    RunBegan,
    RunEnded,
    UnknownNameError,
)
from gavo_exec.errors import StoreError
from gavo_exec.model import Outcome
from gavo_exec.ports.control import Control
from gavo_exec.services.control.client import Client
from gavo_exec.services.control.openapi import openapi
from gavo_exec.services.control.places import socket_path
from gavo_exec.services.control.routes import ROUTES
from gavo_exec.services.control.server import ControlServer
from gavo_exec.testing import EPOCH, FakeControl, make_request, make_run

ME = pwd.getpwuid(os.getuid()).pw_name
KEY = "weather/q#fetch"


class Place:
    """A server in a state directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        run = make_run(make_request(), Outcome.FAILED, finished_at=EPOCH + timedelta(seconds=3))
        pause = Pause(key=KEY, since=EPOCH, note="moving", who="jo")
        self.control = FakeControl(
            statuses=[JobStatus(key=KEY, title="Wetter", schedule="every 1 h", due=EPOCH, last_run=run, pause=pause)],
            happenings=[
                None,
                RunBegan(run=run),
                Printed(run_id="run-1", output=b"Gr\xc3"),
                Printed(run_id="run-1", output=b"\xbc\xc3\x9fe\n\xff"),
                RunEnded(run=run),
            ],
        )
        port: Control = self.control
        self.server = ControlServer(str(folder), port)
        self.server.start()
        self.client = Client(str(folder))

    def ask(self, request: bytes) -> bytes:
        """What comes back when these bytes are sent."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(socket_path(str(self.folder)))
            found = b""
            with suppress(ConnectionError):  # where the server has heard enough
                connection.sendall(request)
                connection.shutdown(socket.SHUT_WR)
                while data := connection.recv(65_536):
                    found += data
            return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.server.stop()


def test_the_socket_is_its_owners_alone_and_goes_with_the_server(tmp_path: Path) -> None:
    place = Place(tmp_path)
    path = Path(socket_path(str(tmp_path)))
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    place.server.stop()
    assert not path.exists()
    with pytest.raises(NoDaemonError, match="no daemon runs on"):
        place.client.status()


def test_a_socket_that_a_killed_daemon_left_is_no_daemon_and_no_obstacle(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(socket_path(str(tmp_path)))
    left.close()
    with pytest.raises(NoDaemonError):
        Client(str(tmp_path)).status()
    place = Place(tmp_path)
    assert place.client.status().host == "vo"
    place.server.stop()


def test_the_state_directory_may_have_any_length(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120) / ("y" * 120)
    folder.mkdir(parents=True)
    place = Place(folder)
    assert place.client.status().version == "1"
    place.server.stop()


def test_what_is_asked_arrives_with_who_asks(place: Place) -> None:
    client = Client(str(place.folder), on_behalf_of="jo")
    assert client.trigger(KEY, parameters={"night": "3"}) == "run-1"
    assert client.cancel("run-1") == "run-1"
    assert client.pause(KEY, until=EPOCH, note="why").until == EPOCH
    assert client.resume("").key == ""
    assert client.reload().rds == 1
    client.deliver()
    place.client.stop(at_once=True)
    who = f"jo as {ME}"
    assert place.control.asked == [
        ("trigger", KEY, (("night", "3"),), who),
        ("cancel", "run-1", who),
        ("pause", KEY, EPOCH, "why", who),
        ("resume", "", who),
        ("reload", who),
        ("deliver", who),
        ("stop", True, ME),
    ]


def test_jobs_come_in_a_line_each(place: Place) -> None:
    (job,) = place.client.jobs()
    assert (job.key, job.title, job.due) == (KEY, "Wetter", EPOCH)
    assert job.last_run is not None
    assert (job.last_run.run_id, job.last_run.outcome) == ("run-1", Outcome.FAILED)
    assert job.pause is not None
    assert (job.pause.note, job.pause.who) == ("moving", "jo")


def test_a_run_is_followed_with_whole_characters(place: Place) -> None:
    lines = list(place.client.follow(run_id="run-1"))
    assert "".join(line.output for line in lines) == "Grüße\n\\xff"
    assert [line.began is not None for line in lines] == [False, True, False, False, False]
    assert lines[-1].ended is not None
    assert lines[-1].ended.outcome is Outcome.FAILED
    assert place.control.asked == [("follow", "", "run-1")]


@pytest.mark.parametrize(
    ("refusal", "caught", "message"),
    [
        (RefusedError("it runs"), RefusedError, "it runs"),
        (UnknownNameError("no such key", known=("a", "b")), UnknownNameError, "no such key"),
        (StoreError("the disk is full"), RefusedError, "the disk is full"),
        (ZeroDivisionError("a fault of ours"), RefusedError, "the daemon cannot answer that; see its log"),
    ],
)
def test_what_is_refused_is_said(
    place: Place, refusal: Exception, caught: type[Exception], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    place.control.refusal = refusal
    for ask in (lambda: place.client.trigger(KEY, parameters={}), lambda: list(place.client.follow(key=KEY))):
        with pytest.raises(caught) as error:
            ask()
        assert str(error.value) == message
    assert ("a fault of ours" in caplog.text) == isinstance(refusal, ZeroDivisionError)
    if isinstance(refusal, UnknownNameError):
        assert isinstance(error.value, UnknownNameError)
        assert error.value.known == ("a", "b")


@pytest.mark.parametrize(
    ("request_line", "body", "status", "word"),
    [
        ("GET /v1/nothing HTTP/1.1", b"", 404, "is nothing that can be asked here"),
        ("GET /v2/status HTTP/1.1", b"", 404, "is nothing that can be asked here"),
        ("GET /v1/runs HTTP/1.1", b"", 404, "is nothing that can be asked here"),
        ("POST /v1/runs HTTP/1.1", b"", 400, "missing required field `key`"),
        ("POST /v1/runs HTTP/1.1", b"{", 400, "not what is to be sent"),
        ("POST /v1/runs HTTP/1.1", b'{"key": 3}', 400, "Expected `str`, got `int` - at `$.key`"),
        ("POST /v1/runs HTTP/1.1", b'{"key": "a#b", "paramters": {}}', 400, "unknown field `paramters`"),
        ("POST /v1/pause HTTP/1.1", b'{"key": "", "until": "2026-01-01T00:00:00"}', 400, "timezone"),
        ("POST /v1/pause HTTP/1.1", b'{"key": "\xff"}', 400, "not what is to be sent"),
        ("GET /v1/live HTTP/1.1", b"", 409, "say either key or run"),
        ("GET /v1/live?key=a&run=b HTTP/1.1", b"", 409, "say either key or run"),
    ],
)
def test_what_is_no_request_is_refused_and_carried_out_by_nobody(
    place: Place, request_line: str, body: bytes, status: int, word: str
) -> None:
    answer = place.ask(f"{request_line}\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    head, _, content = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert word in msgspec.json.decode(content)["error"]
    assert place.control.asked == []


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET /v1/status\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"DELETE /v1/status HTTP/1.1\r\n\r\n",
        b"POST /v1/stop HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST /v1/stop HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/stop HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /v1/stop HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/stop HTTP/1.1\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
        b"",
    ],
)
def test_what_is_no_http_harms_nobody(place: Place, request_bytes: bytes) -> None:
    place.ask(request_bytes)
    assert ("stop", False, ME) not in place.control.asked
    assert place.client.status().host == "vo"


def test_one_who_sends_nothing_keeps_nobody_from_asking(place: Place) -> None:
    idle = [socket.socket(socket.AF_UNIX) for _ in range(10)]
    for each in idle:
        each.connect(socket_path(str(place.folder)))
    assert place.client.status().host == "vo"
    for each in idle:
        each.close()


def test_more_than_so_many_at_once_are_turned_away_and_served_later(place: Place) -> None:
    many = [socket.socket(socket.AF_UNIX) for _ in range(64)]
    for each in many:
        each.connect(socket_path(str(place.folder)))
    assert eventually(lambda: not is_served(place))
    for each in many:
        each.close()
    assert eventually(lambda: is_served(place))


def is_served(place: Place) -> bool:
    try:
        return place.client.status().host == "vo"
    except NoDaemonError:
        return False


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether it comes true before long."""
    pause = threading.Event()
    return any(condition() or pause.wait(0.01) for _ in range(1000))


def test_a_connection_serves_more_than_one_request(place: Place) -> None:
    request = b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n"
    assert place.ask(request * 3).count(b"HTTP/1.1 200 OK") == 3


def test_the_openapi_document_is_true_of_what_is_answered(place: Place) -> None:
    document = openapi(__version__)
    bodies = {
        "/v1/runs": {"key": KEY},
        "/v1/cancel": {"run": "run-1"},
        "/v1/pause": {"key": KEY, "until": "2026-01-01T00:00:00Z"},
        "/v1/resume": {"key": KEY},
        "/v1/stop": {"at_once": False},
    }
    assert {route.path for route in ROUTES} == document["paths"].keys()
    for route in ROUTES:
        operation = document["paths"][route.path][route.method.lower()]
        query = "?run=run-1" if route.streams else ""
        body = msgspec.json.encode(bodies.get(route.path, {}))
        if route.takes is not None:
            must_fit(bodies[route.path], operation["requestBody"]["content"]["application/json"]["schema"], document)
        head = f"{route.method} {route.path}{query} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        answer = place.ask(head.encode() + body)
        status, headers, content = parted(answer)
        described = operation["responses"][str(status)]["content"]
        ((media, what),) = described.items()
        assert headers["Content-Type"] == media
        for line in content.splitlines() if route.streams else [content]:
            must_fit(msgspec.json.decode(line), what["schema"], document)


def must_fit(value: object, schema: dict[str, object], document: dict[str, object]) -> None:
    jsonschema.validate(value, {**schema, "components": document["components"]})


def parted(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and content of an answer."""
    head, _, content = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return int(first.split()[1]), headers, content


def test_the_client_says_when_what_answers_is_no_daemon(tmp_path: Path) -> None:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(socket_path(str(tmp_path)))
    listening.listen()

    def answer() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nhm")

    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises(RefusedError, match="the daemon answers 502 Bad Gateway"):
        Client(str(tmp_path)).status()
    thread.join()
    listening.close()
