"""Webhooks, pings and the heartbeat against a real HTTP server."""

import base64
import hashlib
import hmac
import json
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gavo_exec.errors import DeliveryError, SpawnFailed
from gavo_exec.model import Channel, QueuedMail
from gavo_exec.services.postman import (
    CommandCarrier,
    Heartbeat,
    PingCarrier,
    ServiceUnavailable,
    WebhookCarrier,
)
from gavo_exec.services.postman.calls import call
from gavo_exec.testing import FakeClock, ScriptedRunner

NOW = datetime(2024, 5, 1, 3, 0, 0, tzinfo=UTC)
CONTENT = json.dumps({"subject": "Grüße"}).encode()


class Listener:
    """What an HTTP server was asked, and what it says."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = b"ok"
        self.heard: list[tuple[str, str, dict[str, str], bytes]] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/secret?key=hidden"


@contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            listener.heard.append((self.command, self.path, dict(self.headers), content))
            self.send_response(listener.status)
            for name, value in listener.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(listener.body)))
            self.send_header("Connection", "close")
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(listener.body)

        do_GET = do_POST  # noqa: N815 -- the library's spelling

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.block_on_close = True
        listener.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield listener
        finally:
            server.shutdown()
            thread.join(10)


def queued(mail_id: int = 7, *, target: str = "") -> QueuedMail:
    return QueuedMail(
        mail_id=mail_id, subject="s", content=CONTENT, queued_at=NOW, channel=Channel.WEBHOOK, target=target
    )


def fault_of(action: Callable[[], object], port: int = 0) -> tuple[type[Exception], bool, str]:
    with pytest.raises(DeliveryError) as caught:
        action()
    return type(caught.value), caught.value.permanent, str(caught.value).replace(f":{port}", ":PORT")


def webhook(url: str, **more: Any) -> WebhookCarrier:
    return WebhookCarrier(url, clock=FakeClock(NOW), host="vo", **more)


def test_a_webhook_is_told_by_post_as_json() -> None:
    with listening() as listener:
        answer = webhook(listener.url)(queued())
    assert answer == f"http://127.0.0.1:{listener.port} answers 200 OK"
    [(method, path, headers, content)] = listener.heard
    assert (method, path, content) == ("POST", "/hook/secret?key=hidden", CONTENT)
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"] == "gavo-exec"
    assert headers["Webhook-Timestamp"] == str(int(NOW.timestamp()))
    assert "Webhook-Signature" not in headers


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        ("whsec_" + base64.b64encode(b"0123456789abcdef").decode(), b"0123456789abcdef"),
        ("plain words", b"plain words"),
        ("whsec_not base64!", b"whsec_not base64!"),
        ("schlüssel", "schlüssel".encode()),
    ],
)
def test_a_webhook_is_signed_after_standard_webhooks(secret: str, key: bytes) -> None:
    with listening() as listener:
        webhook(listener.url, secret=secret)(queued())
    [(_, _, headers, content)] = listener.heard
    signed = f"{headers['Webhook-Id']}.{headers['Webhook-Timestamp']}.".encode() + content
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["Webhook-Signature"] == f"v1,{expected}"


def test_each_try_has_the_same_id_and_no_other_webhook_has() -> None:
    with listening() as listener:
        for mail, host in ((queued(), "vo"), (queued(), "vo"), (queued(8), "vo"), (queued(), "mirror")):
            WebhookCarrier(listener.url, clock=FakeClock(NOW), host=host)(mail)
        later = msgspec.structs.replace(queued(), queued_at=NOW + timedelta(days=1))
        webhook(listener.url)(later)
    ids = [headers["Webhook-Id"] for _, _, headers, _ in listener.heard]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4
    assert all(each.startswith("msg_") for each in ids)


@pytest.mark.parametrize(
    ("status", "kind", "permanent", "text"),
    [
        (400, DeliveryError, True, "answers 400 Bad Request"),
        (401, ServiceUnavailable, False, "answers 401 Unauthorized"),
        (404, ServiceUnavailable, False, "answers 404 Not Found"),
        (410, DeliveryError, True, "answers 410 Gone"),
        (413, DeliveryError, True, "answers 413 Request Entity Too Large"),
        (422, DeliveryError, True, "answers 422 Unprocessable Entity"),
        (429, ServiceUnavailable, False, "answers 429 Too Many Requests"),
        (503, ServiceUnavailable, False, "answers 503 Service Unavailable"),
    ],
)
def test_answers_tell_whether_to_try_again(status: int, kind: type[DeliveryError], permanent: bool, text: str) -> None:
    with listening() as listener:
        listener.status = status
        found = fault_of(lambda: webhook(listener.url)(queued()), listener.port)
    assert found == (kind, permanent, f"http://127.0.0.1:PORT {text}")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    with listening() as listener:
        listener.status = status
        listener.headers = {"Location": f"http://127.0.0.1:{listener.port}/elsewhere"}
        kind, permanent, text = fault_of(lambda: webhook(listener.url)(queued()), listener.port)
    assert (kind, permanent) == (ServiceUnavailable, False)
    assert text.endswith("; redirects are not followed: set the address that it leads to")
    assert len(listener.heard) == 1


def test_who_is_named_in_the_address_is_logged_in() -> None:
    with listening() as listener:
        webhook(listener.url.replace("//", "//jo:se%40cret@"))(queued())
    [(_, path, headers, _)] = listener.heard
    assert path == "/hook/secret?key=hidden"
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"jo:se@cret"


def test_a_huge_answer_and_odd_words_do_no_harm() -> None:
    with listening() as listener:
        listener.body = b"x" * 50_000_000
        assert webhook(listener.url)(queued()).endswith("200 OK")


def test_what_is_no_http_is_told_on_one_line() -> None:
    def talk(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"\x00\x1b[31m nonsense \xff\r\n" * 100)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=talk, args=(server,))
        thread.start()
        port = server.getsockname()[1]
        kind, permanent, text = fault_of(lambda: call(f"http://127.0.0.1:{port}/x"), port)
        thread.join(10)
    assert (kind, permanent) == (ServiceUnavailable, False)
    assert text.startswith("http://127.0.0.1:PORT cannot be ")
    assert text.isprintable()
    assert len(text) < 300


def test_a_server_that_is_not_there_is_tried_again_and_its_secrets_are_not_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"http://user:password@127.0.0.1:{port}/secret?key=hidden"
    assert fault_of(lambda: webhook(url)(queued()), port) == (
        ServiceUnavailable,
        False,
        "http://127.0.0.1:PORT cannot be reached: Connection refused",
    )


def test_a_server_that_says_nothing_is_not_waited_for_longer_than_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        found = fault_of(lambda: call(f"http://127.0.0.1:{port}/", timeout=timedelta(seconds=0.05)), port)
    assert found == (ServiceUnavailable, False, "http://127.0.0.1:PORT cannot be used: it did not answer in time")


def test_a_certificate_that_nobody_trusts_is_refused(tmp_path: Path) -> None:
    from tests.unit.services.test_postman import CERTIFICATE

    path = tmp_path / "certificate.pem"
    path.write_text(CERTIFICATE)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)

    def shake_hands(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            context.wrap_socket(connection, server_side=True).close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=shake_hands, args=(server,))
        thread.start()
        port = server.getsockname()[1]
        found = fault_of(lambda: call(f"https://127.0.0.1:{port}/"), port)
        thread.join(10)
    assert found == (
        ServiceUnavailable,
        False,
        "https://127.0.0.1:PORT cannot be reached: its certificate is not trusted: self-signed certificate",
    )


# Pings


def test_a_check_is_called_by_post_with_the_end_of_the_log() -> None:
    with listening() as listener:
        answer = PingCarrier()(queued(target=f"http://127.0.0.1:{listener.port}/abc/fail?rid=1"))
    assert answer.endswith("200 OK")
    [(method, path, headers, content)] = listener.heard
    assert (method, path, content) == ("POST", "/abc/fail?rid=1", CONTENT)
    assert headers["Content-Type"] == "text/plain; charset=utf-8"


def test_a_check_that_cannot_be_reached_says_nothing_of_others() -> None:
    with listening() as listener:
        listener.status = 503
        target = f"http://127.0.0.1:{listener.port}/abc"
        kind, permanent, _ = fault_of(lambda: PingCarrier()(queued(target=target)))
    assert (kind, permanent) == (DeliveryError, False)


# The command


@pytest.mark.parametrize(
    ("answer", "kind", "permanent", "text"),
    [
        (1, ServiceUnavailable, False, "/opt/tell ended with 1"),
        ((75, b"later\nplease"), ServiceUnavailable, False, "/opt/tell ended with 75: later please"),
        (65, DeliveryError, True, "/opt/tell ended with 65"),
        (SpawnFailed("no such program"), ServiceUnavailable, False, "/opt/tell cannot be started: no such program"),
    ],
)
def test_a_command_tells_by_its_code_whether_to_try_again(
    answer: Any, kind: type[DeliveryError], permanent: bool, text: str
) -> None:
    carrier = CommandCarrier(["/opt/tell", "it"], ScriptedRunner({"tell": answer}))
    assert fault_of(lambda: carrier(queued())) == (kind, permanent, text)


def test_a_command_finds_what_it_is_told_on_its_standard_input() -> None:
    runner = ScriptedRunner()
    assert CommandCarrier(["/opt/tell", "it"], runner)(queued()) == "/opt/tell has taken it"
    assert (runner.calls, runner.inputs) == ([("/opt/tell", "it")], [CONTENT])


# The heartbeat


class Watcher:
    """Hears a heart beat."""

    def __init__(self) -> None:
        self.beats = threading.Semaphore(0)
        self.fault: Exception | None = None

    def __call__(self, url: str) -> str:
        if self.fault is not None:
            raise self.fault
        self.beats.release()
        return f"{url} has heard"


def test_the_heart_beats_at_once_and_then_again_and_again() -> None:
    watcher = Watcher()
    heartbeat = Heartbeat("u", every=timedelta(seconds=0.01), is_well=lambda: True, call=watcher)
    heartbeat.start()
    for _ in range(3):
        assert watcher.beats.acquire(timeout=10)
    heartbeat.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "heartbeat"]


def test_trouble_with_the_heartbeat_is_logged_when_it_begins_and_when_it_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watcher, well = Watcher(), [True]
    heartbeat = Heartbeat("u", every=timedelta(hours=1), is_well=lambda: well[0], call=watcher)
    with caplog.at_level(logging.INFO):
        heartbeat.beat_or_tell()
        watcher.fault = ServiceUnavailable("u answers 503")
        heartbeat.beat_or_tell()
        heartbeat.beat_or_tell()
        watcher.fault = None
        heartbeat.beat_or_tell()
        well[0] = False
        heartbeat.beat_or_tell()
        watcher.fault = ValueError("odd")
        well[0] = True
        heartbeat.beat_or_tell()
        watcher.fault = None
        heartbeat.beat_or_tell()
    assert caplog.messages == [
        "the heartbeat was not heard: u answers 503",
        "the heartbeat is heard again",
        "the daemon is not well, so no heartbeat is sent",
        "the heartbeat is heard again",
    ]


def test_no_heart_beats_while_the_daemon_is_not_well() -> None:
    watcher = Watcher()
    Heartbeat("u", every=timedelta(hours=1), is_well=lambda: False, call=watcher).beat_or_tell()
    assert not watcher.beats.acquire(blocking=False)
