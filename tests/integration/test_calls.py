"""Calls of real HTTP servers on loopback sockets: webhooks, pings, and what is said where they are not taken."""

import base64
import hashlib
import hmac
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gavo_exec.errors import DeliveryError, SettingsError
from gavo_exec.model import Channel, QueuedMail
from gavo_exec.services.postman import NoAnswer, PingCarrier, Postman, ServiceUnavailable, WebhookCarrier, call
from gavo_exec.services.postman.calls import sign
from gavo_exec.services.postman.timelimit import TimeLimit
from gavo_exec.services.store import SQLiteStore
from gavo_exec.testing import FakeClock
from tests.integration.servers import (
    HTTPServer,
    certificate_in,
    context_with,
    conversing,
    dripping,
    saying,
    silent,
    unused_port,
    wait_until,
)

NOW = datetime(2024, 5, 1, 3, 0, 0, tzinfo=UTC)
SHORT = timedelta(seconds=0.1)
SECRETS = ("jo", "pass", "path", "query", "fragment")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


def an_item(
    content: bytes = b'{"a": 1}', *, mail_id: int = 7, queued_at: datetime = NOW, target: str = ""
) -> QueuedMail:
    channel = Channel.PING if target else Channel.WEBHOOK
    return QueuedMail(mail_id=mail_id, subject="", content=content, queued_at=queued_at, channel=channel, target=target)


def at(port: int, scheme: str = "http", host: str = "127.0.0.1") -> str:
    """An address that is full of secrets."""
    return f"{scheme}://jo:pass@{host}:{port}/path/to?query=1#fragment"


def fault_of(url: str, **settings: object) -> DeliveryError:
    """What a call comes to; none of the address but scheme and host is in it."""
    with pytest.raises(DeliveryError) as caught:
        call(url, **settings)  # type: ignore[arg-type]
    fault = caught.value
    assert str(fault).isprintable()
    assert not [secret for secret in SECRETS if secret in str(fault)]
    assert fault.__cause__ is None
    return fault


# What is sent


def test_a_call_is_a_post_with_what_it_is_to_say() -> None:
    server = HTTPServer()
    with server.serving() as port:
        said = call(at(port), "Grüße".encode())
    [heard] = server.heard
    assert (heard.method, heard.path, heard.body) == ("POST", "/path/to?query=1", "Grüße".encode())
    assert heard.headers["content-type"] == "text/plain; charset=utf-8"
    assert heard.headers["user-agent"] == "gavo-exec"
    assert heard.headers["authorization"] == f"Basic {base64.b64encode(b'jo:pass').decode()}"
    assert heard.headers["host"] == f"127.0.0.1:{port}"
    assert said == f"127.0.0.1:{port} answered 200 OK"


@pytest.mark.parametrize(
    ("rest", "path"),
    [
        ("", "/"),
        ("?a=b", "/?a=b"),
        ("/a b/ü", "/a%20b/%C3%BC"),
        ("/%41%2f", "/%41%2f"),
        ("/a\r\nb", "/ab"),
        ("/#there", "/"),
    ],
)
def test_what_stands_after_the_host_is_called_as_it_is_meant(rest: str, path: str) -> None:
    server = HTTPServer(204)
    with server.serving() as port:
        assert call(f"http://127.0.0.1:{port}{rest}") == f"127.0.0.1:{port} answered 204 No Content"
    [heard] = server.heard
    assert heard.path == path
    assert heard.body == b""
    assert "authorization" not in heard.headers


# What is answered

MENDABLE = "look at the secret in the address, or at the one that calls are signed with"


@pytest.mark.parametrize(
    ("status", "permanent", "text"),
    [
        (400, True, "400 Bad Request"),
        (410, True, "410 Gone"),
        (413, True, "413 Request Entity Too Large"),
        (415, True, "415 Unsupported Media Type"),
        (422, True, "422 Unprocessable Entity"),
        (401, False, f"401 Unauthorized; {MENDABLE}"),
        (403, False, f"403 Forbidden; {MENDABLE}"),
        (404, False, "404 Not Found; look at the address"),
        (405, False, "405 Method Not Allowed; it does not take POST, look at the address"),
        (408, False, "408 Request Timeout"),
        (425, False, "425 Too Early"),
        (429, False, "429 Too Many Requests"),
        (500, False, "500 Internal Server Error"),
        (503, False, "503 Service Unavailable"),
        (799, False, "799"),
    ],
)
def test_statuses_tell_whether_to_try_again(status: int, permanent: bool, text: str) -> None:
    with HTTPServer(status).serving() as port:
        fault = fault_of(at(port))
    kind = DeliveryError if permanent else ServiceUnavailable
    assert (type(fault), fault.permanent) == (kind, permanent)
    assert str(fault) == f"http://127.0.0.1:{port} answered {text}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    elsewhere = HTTPServer()
    with elsewhere.serving() as other:
        server = HTTPServer(status, {"Location": f"http://127.0.0.1:{other}/there"})
        with server.serving() as port:
            fault = fault_of(at(port))
    assert isinstance(fault, ServiceUnavailable)
    assert str(fault).endswith("; redirects are not followed, give the address that it leads to")
    assert len(server.heard) == 1
    assert elsewhere.heard == []


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n" + b"x" * 100_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n" + b"x" * 100_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + b"x" * 100_000,
        b"HTTP/1.1 200 /path\x1b[31m\r\nX: \x00\xff\r\n\r\n",
        b"HTTP/1.1 200\r\n\r\n",
    ],
)
def test_of_an_answer_just_the_status_counts(answer: bytes) -> None:
    with conversing(saying(b"", answer)) as port:
        said = call(f"http://127.0.0.1:{port}/path")
    assert said == f"127.0.0.1:{port} answered 200 OK"


NO_HTTP = "it does not answer in HTTP"


@pytest.mark.parametrize(
    ("talk", "why"),
    [
        (silent, "no answer within 0.1 s"),
        (saying(b"220 mail.example.org ESMTP\r\n"), NO_HTTP),
        (saying(b"", b"HTTP/1.1 2000 /path\r\n\r\n"), NO_HTTP),
        (saying(b"", b"HTTP/1.1 " + b"2" * 100_000), NO_HTTP),
        (saying(b"", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000), NO_HTTP),
        (saying(b"", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000), NO_HTTP),
        (saying(b"", b"\xff\xfe /path\r\n"), NO_HTTP),
        (saying(b"", b""), "it closed the connection without an answer"),
    ],
)
def test_a_server_that_does_not_answer_is_tried_again(
    talk: Callable[[socket.socket, threading.Event], object], why: str
) -> None:
    with conversing(talk) as port:
        fault = fault_of(at(port), timeout=SHORT)
    assert isinstance(fault, NoAnswer)
    assert str(fault) == f"http://127.0.0.1:{port} could not be called: {why}"


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 ", b"HTTP/1.1 100 Continue\r\n"])
def test_a_server_that_drips_is_not_listened_to_for_ever(said: bytes) -> None:
    with conversing(dripping(said)) as port:
        fault = fault_of(at(port), timeout=timedelta(seconds=5), longest=SHORT)
    assert str(fault) == f"http://127.0.0.1:{port} could not be called: it was too slow: no end within 0.1 s"


def test_a_server_that_drips_its_side_of_tls_is_not_either() -> None:
    with conversing(dripping(b"\x16\x03\x03\x40\x00")) as port:
        fault = fault_of(at(port, "https"), timeout=timedelta(seconds=5), longest=SHORT)
    assert str(fault) == f"https://127.0.0.1:{port} could not be called: it was too slow: no end within 0.1 s"


@pytest.mark.parametrize(
    "url", ["", "path", "ftp://host/path", "file:///path", "http://", "http://[path", "http://h:path"]
)
def test_what_is_no_address_is_not_called(url: str) -> None:
    fault = fault_of(url)
    assert str(fault) == "the address to call is none that begins with https:// or http:// and a host"
    assert not fault.permanent


def test_where_nobody_listens_the_call_is_tried_again() -> None:
    port = unused_port()
    assert str(fault_of(at(port))) == (
        f"http://127.0.0.1:{port} could not be called: connection refused; look whether it runs, and at the port"
    )


@pytest.mark.parametrize("host", ["hooks.invalid", "a..b", "x" * 70])
def test_a_host_that_nobody_knows_is_tried_again(host: str) -> None:
    assert str(fault_of(at(80, host=host))) == (
        f"http://{host}:80 could not be called: there is no host of that name, or names cannot be looked up"
    )


def test_an_answer_that_comes_to_no_end_is_an_answer() -> None:
    with conversing(dripping(b"HTTP/1.1 200 OK\r\nX: ")) as port:
        assert call(at(port), longest=SHORT) == f"127.0.0.1:{port} answered 200 OK"


# TLS


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return certificate_in(tmp_path)


def test_a_certificate_that_is_trusted_opens_the_way(certificate: Path) -> None:
    server = HTTPServer()
    trusting = ssl.create_default_context(cafile=str(certificate))
    with server.serving(context_with(certificate)) as port:
        said = call(at(port, "https", "localhost"), context=trusting)
    assert said == f"localhost:{port} answered 200 OK"
    assert len(server.heard) == 1


def test_a_certificate_that_nobody_trusts_is_refused(certificate: Path) -> None:
    server = HTTPServer()
    with server.serving(context_with(certificate)) as port:
        fault = fault_of(at(port, "https", "localhost"))
    assert isinstance(fault, NoAnswer)
    assert str(fault) == (
        f"https://localhost:{port} could not be called: its certificate is not trusted: self-signed certificate"
    )
    assert server.heard == []


def test_a_server_that_does_not_speak_tls_is_tried_again() -> None:
    with HTTPServer().serving() as port:
        fault = fault_of(at(port, "https"), timeout=timedelta(seconds=5))
    assert str(fault).startswith(f"https://127.0.0.1:{port} could not be called: it does not speak TLS with us: ")


# Proxies


def test_a_proxy_in_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = HTTPServer()
    with proxy.serving() as port:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        assert call("http://hooks.invalid/path") == "hooks.invalid answered 200 OK"
    assert [heard.path for heard in proxy.heard] == ["http://hooks.invalid/path"]


def test_a_conversation_that_is_over_leaves_nothing_open_whoever_reads_from_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with TimeLimit(timedelta(seconds=60)) as limit:
            connection = limit.connect(listening.getsockname())
            reader = connection.makefile("rb")
            connection.close()  # which a reader puts off
            assert connection.fileno() >= 0
        assert connection.fileno() == -1
        reader.close()


def test_a_proxy_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with HTTPServer(407).serving() as port:
        monkeypatch.setenv("https_proxy", f"http://me:word@127.0.0.1:{port}")
        fault = fault_of("https://hooks.invalid/path")
    assert str(fault) == (
        "https://hooks.invalid could not be called: Tunnel connection failed: 407 the server's own words, by way of "
        f"the proxy 127.0.0.1:{port}"
    )


# Webhooks

KEY = bytes(range(32))


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        (f"whsec_{base64.b64encode(KEY).decode()}", KEY),
        (f"whsec_{base64.b64encode(KEY).decode().rstrip('=')}", KEY),
        ("plain wörds", "plain wörds".encode()),
        ("whsecret", b"whsecret"),
    ],
)
def test_webhooks_are_signed_after_the_standard(clock: FakeClock, secret: str, key: bytes) -> None:
    server = HTTPServer()
    body = '{"text": "Grüße"}'.encode()
    with server.serving() as port:
        said = WebhookCarrier(at(port), secret, host="vo.example.org", clock=clock)(an_item(body))
    assert said == f"127.0.0.1:{port} answered 200 OK"
    [heard] = server.heard
    assert (heard.method, heard.body) == ("POST", body)
    assert heard.headers["content-type"] == "application/json"
    assert heard.headers["webhook-timestamp"] == "1714532400"
    version, _, signature = heard.headers["webhook-signature"].partition(",")
    assert version == "v1"
    signed = f"{heard.headers['webhook-id']}.{heard.headers['webhook-timestamp']}.".encode() + body
    assert base64.b64decode(signature) == hmac.new(key, signed, hashlib.sha256).digest()


def test_the_example_of_the_standards_own_libraries_has_the_signature_that_they_give() -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, content=b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_webhooks_without_a_secret_are_not_signed(clock: FakeClock) -> None:
    server = HTTPServer()
    with server.serving() as port:
        WebhookCarrier(at(port), host="vo.example.org", clock=clock)(an_item())
    [heard] = server.heard
    assert "webhook-signature" not in heard.headers
    assert heard.headers["webhook-id"]


def test_all_tries_of_an_item_have_one_id_and_no_other_item_of_any_site_has_it(clock: FakeClock) -> None:
    server = HTTPServer(503)
    ids: list[str] = []

    def send(item: QueuedMail, host: str = "vo.example.org") -> str:
        with pytest.raises(ServiceUnavailable):
            WebhookCarrier(at(port), "secret", host=host, clock=clock)(item)
        return server.heard[-1].headers["webhook-id"]

    with server.serving() as port:
        first = send(an_item())
        clock.move(60)
        assert send(an_item()) == first
        assert [heard.headers["webhook-timestamp"] for heard in server.heard] == ["1714532400", "1714532460"]
        ids = [send(an_item(), "vo.example.com"), send(an_item(mail_id=8)), send(an_item(queued_at=clock.now()))]
    assert len({first, *ids}) == 4


@pytest.mark.parametrize("secret", ["whsec_", "whsec_?", "whsec_abc\x00", "whsec_grün"])
def test_a_secret_that_is_none_is_refused_and_not_shown(clock: FakeClock, secret: str) -> None:
    with pytest.raises(SettingsError) as caught:
        WebhookCarrier("https://example.org", secret, host="vo.example.org", clock=clock)
    assert str(caught.value) == (
        "webhook_secret begins with whsec_, and what follows is not Base64; give the secret as you got it"
    )


# Pings


@pytest.mark.parametrize("content", [b"", b"the tail\nof the log \xff"])
def test_a_ping_says_what_it_is_for(clock: FakeClock, content: bytes) -> None:
    server = HTTPServer()
    with server.serving() as port:
        said = PingCarrier(clock)(an_item(content, target=f"http://127.0.0.1:{port}/uuid/fail"))
    assert said == f"127.0.0.1:{port} answered 200 OK"
    [heard] = server.heard
    assert (heard.method, heard.path, heard.body) == ("POST", "/uuid/fail", content)
    assert heard.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.fixture
def store() -> Iterator[SQLiteStore]:
    store = SQLiteStore(":memory:", holder="here 1 1", is_alive=lambda _: False)
    yield store
    store.close()


def put_pings(store: SQLiteStore, *targets: str) -> None:
    for place, target in enumerate(targets):
        store.put_call(Channel.PING, "", b"", now=NOW, about=f"q#{place}", target=target)
    store.flush()


@pytest.mark.parametrize("status", [500, 404])
def test_a_check_that_is_out_of_order_holds_up_no_other(store: SQLiteStore, clock: FakeClock, status: int) -> None:
    bad, good = HTTPServer(status), HTTPServer()
    with bad.serving() as bad_port, good.serving() as good_port:
        put_pings(store, f"http://127.0.0.1:{bad_port}/1", f"http://127.0.0.1:{good_port}/2")
        postman = Postman(store, carry=PingCarrier(clock), clock=clock, channel=Channel.PING)
        assert postman.deliver_due() == 1
        bad.status = 200
        clock.move(66)
        assert postman.deliver_due() == 1
    assert [heard.path for heard in bad.heard] == ["/1", "/1"]
    assert [heard.path for heard in good.heard] == ["/2"]


def test_a_server_that_does_not_answer_costs_one_timeout_and_holds_up_no_other(
    store: SQLiteStore, clock: FakeClock
) -> None:
    connections = []

    def talk(connection: socket.socket, leaving: threading.Event) -> None:
        connections.append(connection.fileno())
        while connection.recv(1000):
            pass

    good = HTTPServer()
    with conversing(talk) as bad_port, good.serving() as good_port:
        bad = f"http://127.0.0.1:{bad_port}"
        put_pings(store, f"{bad}/1", f"{bad}/2", f"http://127.0.0.1:{good_port}/3", f"{bad}/4")
        postman = Postman(store, carry=PingCarrier(clock, timeout=SHORT), clock=clock, channel=Channel.PING)
        assert postman.deliver_due() == 1
        assert len(connections) == 1
        errors = [mail.error for mail in reversed(store.mails())]
        clock.move(66)
        assert postman.deliver_due() == 0
        wait_until(lambda: len(connections) == 2)
    why = f"{bad} could not be called: no answer within 0.1 s"
    assert errors == [why, *[f"{why}, a short while ago; it is left alone for now"] * 2]


def test_a_ping_to_no_address_holds_up_no_other(store: SQLiteStore, clock: FakeClock) -> None:
    good = HTTPServer()
    with good.serving() as port:
        put_pings(store, "nowhere", f"http://127.0.0.1:{port}/2")
        assert Postman(store, carry=PingCarrier(clock), clock=clock, channel=Channel.PING).deliver_due() == 1
