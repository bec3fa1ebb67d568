"""Servers on loopback sockets that say what a test wants them to say."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgs7Essc9XMPKAMgG+
9sU6EY0iB7DhmxO3Klu2qSMdOdChRANCAATxEd33HSHEbgbSRrX3JjU9byPEwMY7
R/Evuxp3rWefCBgaxaOBsx03+/pkcbVkA3PdS7Zsduv5A9wVGR4VYabK
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBeDCCAR6gAwIBAgICEAAwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxo
b3N0MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAUMRIwEAYDVQQD
DAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATxEd33HSHEbgbS
RrX3JjU9byPEwMY7R/Evuxp3rWefCBgaxaOBsx03+/pkcbVkA3PdS7Zsduv5A9wV
GR4VYabKo14wXDAdBgNVHQ4EFgQUrAfTOhhF8xMzk2uCm40n2pUoiI8wDwYDVR0T
AQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAoQwGgYDVR0RBBMwEYIJbG9jYWxob3N0
hwR/AAABMAoGCCqGSM49BAMCA0gAMEUCIB9ERxUy2iq+qrDNF4FY7kZBe6PZe2VI
/9P4GGiVVw6xAiEA9cchMWyuaGl20V0UbN9fQEROP1LPQVJTwnHBHfNJDfI=
-----END CERTIFICATE-----
"""
"""A certificate for localhost that nobody trusts, good until 2120, and its key."""


def certificate_in(folder: Path) -> Path:
    """The certificate as a file."""
    path = folder / "certificate.pem"
    path.write_text(CERTIFICATE)
    return path


def context_with(certificate: Path) -> ssl.SSLContext:
    """What a server with this certificate needs."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


Answer = str | Mapping[str, str]


class ScriptedServer:
    """What an SMTP server says: ``answers`` by command; for RCPT it may be by recipient."""

    def __init__(self, answers: Mapping[str, Answer] | None = None) -> None:
        self.answers = dict(answers or {})
        self.options: list[list[str]] = []
        self.taken: list[Envelope] = []
        self.connections = 0
        self.quits = 0
        self.logins: list[bool] = []

    async def handle_MAIL(  # noqa: N802 -- the library's spelling
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        self.options.append(options)
        return str(self.answers.get("MAIL", "250 OK"))

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.answers.get("RCPT", {})
        answer = answer if isinstance(answer, str) else answer.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = str(self.answers.get("DATA", "250 OK"))
        if answer == "drop":
            hang_up(server)
        elif answer.startswith("250"):
            self.taken.append(envelope)
        return answer

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.quits += 1
        return str(self.answers.get("QUIT", "221 Bye"))

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password) == (b"gavo", b"secret"))
        return AuthResult(success=self.logins[-1], handled=False)


def hang_up(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.WriteTransport)
    server.transport.abort()


class DroppingSMTP(SMTP):
    """Hangs up in the middle of the message."""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        await self.push("354 go ahead")
        await self._reader.readline()
        hang_up(self)


@contextmanager
def serving(
    server: ScriptedServer,
    *,
    security: str = "none",
    login: bool = False,
    protocol: type[SMTP] = SMTP,
    context: ssl.SSLContext | None = None,
    at_most: int | None = None,
    host: str = "127.0.0.1",
) -> Iterator[int]:
    """Run the server on a loopback socket; the value is its port.  ``at_most`` is the size that it says it takes."""

    def connected() -> SMTP:
        server.connections += 1
        return protocol(
            server,
            hostname="mail.example.org",
            tls_context=context if security == "starttls" else None,
            authenticator=server.authenticate if login else None,
            auth_require_tls=False,
            data_size_limit=at_most,
            loop=loop,
        )

    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(
        loop.create_server(connected, host, 0, ssl=context if security == "tls" else None)
    )
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:

        async def close() -> None:
            listening.close()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


# Anything at all


@contextmanager
def conversing(talk: Callable[[socket.socket, threading.Event], object]) -> Iterator[int]:
    """Let ``talk`` have each connection, one after the other, until the event is set; the value is the port."""
    leaving = threading.Event()

    def listen() -> None:
        while True:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                if leaving.is_set():
                    return
                talk(connection, leaving)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=listen)
        thread.start()
        port = listening.getsockname()[1]
        try:
            yield port
        finally:
            leaving.set()
            socket.create_connection(("127.0.0.1", port)).close()
            thread.join(10)
            assert not thread.is_alive()


def dripping(said: bytes) -> Callable[[socket.socket, threading.Event], object]:
    """Says this and then byte after byte, never coming to an end."""

    def talk(connection: socket.socket, leaving: threading.Event) -> None:
        connection.sendall(said)
        while not leaving.wait(0.01):
            connection.sendall(b"x")

    return talk


def saying(*words: bytes) -> Callable[[socket.socket, threading.Event], object]:
    """Says the first of these, and another for each line that it hears; then hangs up."""

    def talk(connection: socket.socket, leaving: threading.Event) -> None:
        with connection.makefile("rb") as lines:
            for place, said in enumerate(words):
                if place:
                    lines.readline()
                connection.sendall(said)

    return talk


def noting(heard: list[bytes], *answers: bytes) -> Callable[[socket.socket, threading.Event], object]:
    """An SMTP server that offers these lines to EHLO, takes all, and keeps the lines that it hears."""
    hello = b"".join(b"250-" + answer + b"\r\n" for answer in answers) + b"250 well\r\n" if answers else b"502 what\r\n"
    said = {b"ehlo": hello, b"data": b"354 go on\r\n", b"quit": b"221 bye\r\n"}

    def talk(connection: socket.socket, leaving: threading.Event) -> None:
        connection.sendall(b"220 hi\r\n")
        is_text = False
        with connection.makefile("rb") as lines:
            for line in lines:
                heard.append(line)
                is_text = is_text and line != b".\r\n"
                if not is_text:
                    connection.sendall(said.get(line[:4].lower(), b"250 well\r\n"))
                is_text = is_text or line[:4].lower() == b"data"

    return talk


def silent(_connection: socket.socket, leaving: threading.Event) -> None:
    """Says nothing."""
    leaving.wait(10)


# HTTP


class Heard(NamedTuple):
    """A request that came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class HTTPServer:
    """Answers each request with ``status`` and ``headers``; keeps what it heard."""

    def __init__(self, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.headers = dict(headers or {})
        self.heard: list[Heard] = []

    @contextmanager
    def serving(self, context: ssl.SSLContext | None = None) -> Iterator[int]:
        """Run it on a loopback socket; the value is its port."""
        ours = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                ours.heard.append(Heard(self.command, self.path, headers, body))
                self.send_response(ours.status, "the server's own words")
                for name, value in ours.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            do_GET = do_POST = do_CONNECT = answer  # noqa: N815 -- the library's spelling

            def log_message(self, format: str, *args: Any) -> None:
                """Keep quiet."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """Callers that do not like us are no news."""

        with Server(("127.0.0.1", 0), Handler) as server:
            if context is not None:
                server.socket = context.wrap_socket(server.socket, server_side=True)
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield server.server_address[1]
            finally:
                server.shutdown()
                thread.join(10)


def wait_until(condition: Callable[[], object], *, seconds: float = 10) -> None:
    """Wait for something that another thread does."""
    deadline = time.monotonic() + seconds
    turn = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        turn.wait(0.005)


def unused_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
