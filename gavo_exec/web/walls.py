"""What stands round every request: names we answer to, sizes, patience, and the headers that browsers go by."""

import asyncio
import logging
from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gavo_exec.errors import plain

_log = logging.getLogger("gavo_exec")

MOST_BODY_BYTES: Final = 1 << 16
_BODY_SECONDS: Final = 10.0
_SEND_SECONDS: Final = 30.0
"""How long a client may take nothing of what is sent to it."""

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With no-referrer, browsers would hide from us, too, where forms come from.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class NobodyReadsError(Exception):
    """Whoever asked takes nothing of what is answered."""


class Walls:
    """The outermost part of the app; ``names`` are all that we are called, ``prefix`` what a proxy may put before."""

    def __init__(self, app: ASGIApp, *, names: Collection[str], prefix: str) -> None:
        self._app = app
        self._names = {name.lower() for name in names}
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _careful(send)
        headers = Headers(scope=scope)
        refusal = self._refusal(headers, scope["method"])
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        if self._prefix and (scope["path"] == self._prefix or scope["path"].startswith(f"{self._prefix}/")):
            path = scope["path"][len(self._prefix) :] or "/"
            scope = {**scope, "path": path, "raw_path": path.encode("utf-8", "surrogateescape")}
        try:
            await self._app(scope, _Bounded(receive), send)
        except NobodyReadsError:
            pass
        except Exception:
            _log.exception("a page could not be made: %s", plain(scope["path"]))

    def _refusal(self, headers: Headers, method: str) -> PlainTextResponse | None:
        """Why a request is refused before anybody looks at it."""
        hosts = headers.getlist("host")
        # A page elsewhere whose name was made to mean this machine must not read what is here (DNS rebinding).
        if len(hosts) != 1 or name_of(hosts[0]) not in self._names:
            return PlainTextResponse("This is not the host you ask for; see the setting web_names.\n", 421)
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdecimal() and int(length) <= MOST_BODY_BYTES):
            return PlainTextResponse("That is too much.\n", 413)
        if method == "POST" and not _is_same_origin(headers, hosts[0]):
            return PlainTextResponse("This comes from another site, and is not done.\n", 403)
        return None


class _Bounded:
    """What is received: not too much of it, and not too slowly; afterwards as long as it takes to hear of the end."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._bytes = 0
        self._is_whole = False

    async def __call__(self) -> Message:
        """The next part."""
        if self._is_whole:
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), _BODY_SECONDS)
        except TimeoutError:
            return {"type": "http.disconnect"}
        self._bytes += len(message.get("body", b""))
        if self._bytes > MOST_BODY_BYTES:
            return {"type": "http.disconnect"}
        self._is_whole = not message.get("more_body", False)
        return message


def _careful(send: Send) -> Send:
    """What sends with the headers on every answer, to nobody who takes nothing."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            if "cache-control" not in headers:
                headers["Cache-Control"] = "no-store"
        try:
            await asyncio.wait_for(send(message), _SEND_SECONDS)
        except TimeoutError:
            raise NobodyReadsError from None

    return sending


def name_of(host: str) -> str:
    """The name in a Host header, without its port; '' where it is none."""
    host = host.strip().lower()
    if host.startswith("["):
        name, bracket, rest = host[1:].partition("]")
        return name if bracket and (not rest or rest.startswith(":")) else ""
    name, _, port = host.partition(":")
    return name if not port or (port.isascii() and port.isdecimal()) else ""


def _is_same_origin(headers: Headers, host: str) -> bool:
    """Whether a form was sent from a page of ours, or by no browser at all."""
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2].lower() == host.strip().lower()
