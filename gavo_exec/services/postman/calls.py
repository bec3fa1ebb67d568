"""Calls addresses over HTTP: webhooks, and checks that want to hear from us."""

import http.client
import socket
import ssl
import urllib.request
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache, partial
from hashlib import sha256
from hmac import digest
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from gavo_exec.errors import DeliveryError, SettingsError, plain
from gavo_exec.model import QueuedMail
from gavo_exec.ports import Clock
from gavo_exec.services.postman.faults import ServiceUnavailable, one_line
from gavo_exec.services.postman.timelimit import OF_TIMEOUTS, TimeLimit

TIMEOUT = timedelta(seconds=15)
"""How long a server may take to answer."""

_FINAL = frozenset({400, 410, 413, 415, 422})
"""Statuses by which a server says that it will never take this."""

_URL_CHARACTERS = "%/:?#[]@!$&'()*+,;=~-._"
_SECRET_PREFIX = "whsec_"  # noqa: S105 -- what secrets begin with


class NoAnswer(ServiceUnavailable):
    """A server could not be reached, or did not answer in time."""


class _Address(NamedTuple):
    """An address to call, with all that may be secret apart from ``name``."""

    url: str
    name: str  # what may be shown: host, and port where it is given
    scheme: str
    login: str  # user:password

    @property
    def shown(self) -> str:
        return f"{self.scheme}://{self.name}"


def call(
    url: str,
    body: bytes = b"",
    *,
    content_type: str = "text/plain; charset=utf-8",
    headers: Mapping[str, str] | None = None,
    timeout: timedelta = TIMEOUT,
    longest: timedelta | None = None,
    context: ssl.SSLContext | None = None,
) -> str:
    """Call an address by POST, and answer in words how it was answered.

    Certificates are verified, redirects are not followed, and of an answer just its status is read.  ``timeout`` is how
    long the server may be silent, ``longest`` how long all of it may take (ten times as long if it is not given).  No
    word that is said shows more of the address than its scheme and host: the rest may be secret.

    Raises DeliveryError, permanent where the server says that it will never take this; NoAnswer where there is none.
    """
    address = _address(url)
    request = urllib.request.Request(address.url, data=body, method="POST")  # noqa: S310 -- its scheme is looked at
    host = request.host  # a proxy takes its place
    request.add_header("User-Agent", "gavo-exec")
    request.add_header("Content-Type", content_type)
    if address.login:
        request.add_header("Authorization", f"Basic {b64encode(address.login.encode()).decode('ascii')}")
    for name, value in (headers or {}).items():
        request.add_header(name, value)
    with TimeLimit(longest or OF_TIMEOUTS * timeout) as limit:
        try:
            status = _status(request, limit=limit, timeout=timeout, context=context)
        except (OSError, http.client.HTTPException, ValueError) as exc:
            if limit.is_over:
                why = f"it was too slow: no end within {limit.limit.total_seconds():g} s"
            else:
                why = _cause(exc, timeout)
            way = "" if request.host == host else f", by way of the proxy {plain(request.host)}"
            # The words of the exception may have the address.
            raise NoAnswer(f"{address.shown} could not be called: {why}{way}") from None
    return _meaning(address, status)


class WebhookCarrier:
    """Posts what it is to carry as JSON to one address, signed after the Standard Webhooks specification.

    ``host`` is ours: together with the item it makes the id that is the same for all tries of one item.  A secret of
    ``whsec_`` and Base64 is decoded, any other text is taken as it is; without one, nothing is signed.

    Raises SettingsError where the secret cannot be used.
    """

    def __init__(
        self,
        url: str,
        secret: str = "",
        *,
        host: str,
        clock: Clock,
        timeout: timedelta = TIMEOUT,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._url = url
        self._key = _key_of(secret)
        self._host = host
        self._clock = clock
        self._call = partial(call, timeout=timeout, context=context)

    def __call__(self, mail: QueuedMail) -> str:
        """Post this, and answer how it was taken; or raise DeliveryError."""
        item = f"{self._host} {mail.mail_id} {mail.queued_at.isoformat()}"
        identity = f"msg_{sha256(item.encode('utf-8', 'replace')).hexdigest()[:32]}"
        timestamp = int(self._clock.now().timestamp())
        headers = {"webhook-id": identity, "webhook-timestamp": str(timestamp)}
        if self._key:
            headers["webhook-signature"] = sign(self._key, identity, timestamp=timestamp, content=mail.content)
        return self._call(self._url, mail.content, content_type="application/json", headers=headers)


def sign(key: bytes, identity: str, *, timestamp: int, content: bytes) -> str:
    """The signature of a webhook; ``timestamp`` is in seconds since 1970."""
    signed = f"{identity}.{timestamp}.".encode("ascii") + content
    return f"v1,{b64encode(digest(key, signed, 'sha256')).decode('ascii')}"


class PingCarrier:
    """Calls the check that each ping is for, with its content as text.

    A check that does not answer holds up no other: each ping waits for its own next try, and where a server does not
    answer at all, it is left alone for a short while.
    """

    LEFT_ALONE = timedelta(seconds=30)

    def __init__(self, clock: Clock, *, timeout: timedelta = TIMEOUT, context: ssl.SSLContext | None = None) -> None:
        self._clock = clock
        self._call = partial(call, timeout=timeout, context=context)
        self._silent: dict[str, tuple[datetime, str]] = {}
        """The servers that did not answer: when, and why."""

    def __call__(self, mail: QueuedMail) -> str:
        """Call the check, and answer how it was taken; or raise DeliveryError, never ServiceUnavailable."""
        now = self._clock.now()
        self._silent = {
            server: (at, why) for server, (at, why) in self._silent.items() if at <= now < at + self.LEFT_ALONE
        }
        try:
            server = _address(mail.target).shown
            if server in self._silent:
                raise DeliveryError(f"{self._silent[server][1]}, a short while ago; it is left alone for now")
            return self._call(mail.target, mail.content)
        except NoAnswer as exc:
            self._silent[server] = self._clock.now(), str(exc)
            raise DeliveryError(str(exc)) from exc
        except ServiceUnavailable as exc:
            raise DeliveryError(str(exc)) from exc


# They connect by what the library makes connections by: whatever is overridden later does not see the time that TLS and
# proxies take.


class _Connection(http.client.HTTPConnection):
    """A connection that does not outlast its time."""

    def __init__(self, *args: Any, limit: TimeLimit, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._create_connection = limit.connect


class _SecureConnection(http.client.HTTPSConnection):
    """The same over TLS."""

    def __init__(self, *args: Any, limit: TimeLimit, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._create_connection = limit.connect


class _Handler(urllib.request.AbstractHTTPHandler):
    """Opens connections that do not outlast their time."""

    def __init__(self, limit: TimeLimit, context: ssl.SSLContext | None) -> None:
        super().__init__()
        self._limit = limit
        self._context = context

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """Call over a plain connection."""
        return self.do_open(partial(_Connection, limit=self._limit), request)

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """Call over an encrypted connection."""
        context = self._context or _trusting()
        return self.do_open(partial(_SecureConnection, limit=self._limit, context=context), request)

    http_request = https_request = urllib.request.AbstractHTTPHandler.do_request_


def _status(
    request: urllib.request.Request, *, limit: TimeLimit, timeout: timedelta, context: ssl.SSLContext | None
) -> int:
    """The status that a request is answered with; raises OSError, HTTPException or ValueError."""
    opener = urllib.request.OpenerDirector()  # the usual one follows redirects, and opens files, too
    opener.add_handler(urllib.request.ProxyHandler())
    opener.add_handler(_Handler(limit, context))
    with opener.open(request, timeout=timeout.total_seconds()) as answer:
        return int(answer.status)


@cache
def _trusting() -> ssl.SSLContext:
    """What trusts those whom the system trusts; it takes a while to make."""
    return ssl.create_default_context()


def _address(url: str) -> _Address:
    """What is to be called; raises DeliveryError where that is no address of HTTP."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or parts.scheme not in {"http", "https"}:
        raise DeliveryError("the address to call is none that begins with https:// or http:// and a host")
    name = plain(parts.netloc.rpartition("@")[2])
    login = "" if parts.username is None else f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    where = f"[{host}]" if ":" in host else host
    where = where if port is None else f"{where}:{port}"
    rest = quote(f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}", safe=_URL_CHARACTERS)
    return _Address(url=f"{parts.scheme}://{where}{rest}", name=name, scheme=parts.scheme, login=login)


def _meaning(address: _Address, status: int) -> str:
    """The answer in words; raises DeliveryError where it means that nothing was taken."""
    # The server's own phrase is not shown: it may say anything, the address, too.
    phrase = HTTPStatus(status).phrase if status in _STATUSES else ""
    said = f"answered {status} {phrase}".rstrip()
    if 200 <= status < 300:
        return f"{address.name} {said}"
    text = f"{address.shown} {said}"
    if 300 <= status < 400:
        raise ServiceUnavailable(f"{text}; redirects are not followed, give the address that it leads to")
    if status in _FINAL:
        raise DeliveryError(text, permanent=True)
    raise ServiceUnavailable(f"{text}{_HINTS.get(status, '')}")


_STATUSES = frozenset(HTTPStatus)
_HINTS: Mapping[int, str] = {
    401: "; look at the secret in the address, or at the one that calls are signed with",
    403: "; look at the secret in the address, or at the one that calls are signed with",
    404: "; look at the address",
    405: "; it does not take POST, look at the address",
    407: "; the proxy wants a login",
}


_NO_HOST = "there is no host of that name, or names cannot be looked up"
_CAUSES: tuple[tuple[type[Exception], str], ...] = (
    (socket.gaierror, _NO_HOST),
    (UnicodeError, _NO_HOST),
    (TimeoutError, "no answer within {timeout:g} s"),
    (ConnectionRefusedError, "connection refused; look whether it runs, and at the port"),
    (ConnectionError, "it closed the connection without an answer"),
    (ssl.SSLCertVerificationError, "its certificate is not trusted: {exc.verify_message}"),
    (ssl.SSLError, "it does not speak TLS with us: {exc.reason}"),
    (http.client.InvalidURL, "the address is none that can be called"),
    (http.client.HTTPException, "it does not answer in HTTP"),
    (OSError, "{exc}"),
    (ValueError, "the address is none that can be called"),
)


def _cause(exc: Exception, timeout: timedelta) -> str:
    """Why there is no answer, in words that have nothing of the address."""
    reason = getattr(exc, "reason", None)  # urllib wraps what it was told
    if isinstance(reason, Exception):
        return _cause(reason, timeout)
    words = next(words for kind, words in _CAUSES if isinstance(exc, kind))
    return one_line(words.format(exc=exc, timeout=timeout.total_seconds())).rstrip(".")


def _key_of(secret: str) -> bytes:
    """What to sign with; raises SettingsError where the Base64 in it is none."""
    if not secret.startswith(_SECRET_PREFIX):
        return secret.encode("utf-8", "surrogateescape")
    encoded = secret.removeprefix(_SECRET_PREFIX).strip()
    try:
        key = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (Base64Error, ValueError):
        key = b""
    if not key:
        raise SettingsError(
            "webhook_secret begins with whsec_, and what follows is not Base64; give the secret as you got it"
        )
    return key
