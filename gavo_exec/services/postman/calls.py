"""Calls of addresses: webhooks, checks that watch jobs, and whoever watches the daemon."""

import base64
import binascii
import hashlib
import hmac
import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

from gavo_exec.errors import DeliveryError
from gavo_exec.model import QueuedMail
from gavo_exec.ports import Clock
from gavo_exec.services.postman.postman import ServiceUnavailable

TIMEOUT = timedelta(seconds=10)

_MOST_READ: Final = 4096
_PERMANENT: Final = frozenset({400, 410, 413, 415, 422})
"""Answers that speak of what was sent, so that sending it again is of no use."""
_ENCODED: Final = "whsec_"


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Lets redirects be answers like any other: what is signed for one address is not for another."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """No request at all."""


def call(
    url: str,
    content: bytes = b"",
    *,
    content_type: str = "text/plain; charset=utf-8",
    headers: Mapping[str, str] | None = None,
    timeout: timedelta = TIMEOUT,
    context: ssl.SSLContext | None = None,
) -> str:
    """Send this to an address by POST; answers in words who took it, or raises DeliveryError.

    Redirects are not followed; a user and password in the address are sent as Basic authentication.  Only the host
    is named in errors, as the rest of an address may be a secret.
    """
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    where = f"{parts.scheme}://{place}"
    about = {"Content-Type": content_type, "User-Agent": "gavo-exec", **(headers or {})}
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        about["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    bare = urlunsplit((parts.scheme, place, parts.path, parts.query, ""))
    request = urllib.request.Request(bare, data=content, headers=about, method="POST")  # noqa: S310 -- checked when set
    # Nothing else than these two ways: an opener has files and FTP by default.
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=context or ssl.create_default_context()),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _NoRedirects(),
    ):
        opener.add_handler(handler)
    try:
        with opener.open(request, timeout=timeout.total_seconds()) as answer:
            answer.read(_MOST_READ)
            return f"{where} answers {answer.status} {_plain(answer.reason)}".rstrip()
    except urllib.error.HTTPError as fault:
        with fault:
            raise _fault_of(where, fault) from None
    except urllib.error.URLError as fault:
        raise ServiceUnavailable(f"{where} cannot be reached: {_plain(_reason_of(fault.reason))}") from None
    except (OSError, http.client.HTTPException, ValueError) as fault:
        raise ServiceUnavailable(f"{where} cannot be used: {_plain(_reason_of(fault))}") from None


def _fault_of(where: str, fault: urllib.error.HTTPError) -> DeliveryError:
    """What an answer means that is not good."""
    hint = "; redirects are not followed: set the address that it leads to" if 300 <= fault.code < 400 else ""
    text = f"{where} answers {fault.code} {_plain(fault.reason)}{hint}"
    return DeliveryError(text, permanent=True) if fault.code in _PERMANENT else ServiceUnavailable(text)


def _reason_of(fault: object) -> str:
    match fault:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {fault.verify_message}"
        case TimeoutError():
            return "it did not answer in time"
        case OSError():
            return fault.strerror or str(fault)
        case Exception():
            return f"{type(fault).__name__}: {fault}"
        case _:
            return str(fault)


def _plain(words: object) -> str:
    """Words from elsewhere on one printable, bounded line."""
    shown = "".join(char if char.isprintable() else " " for char in str(words)[:500])
    return " ".join(shown.split())[:200]


class WebhookCarrier:
    """Tells an address what is mailed, as JSON, signed after Standard Webhooks where there is a secret.

    ``host`` goes into the ids of what is sent, which are the same for each try.
    """

    def __init__(
        self, url: str, *, clock: Clock, host: str, secret: str = "", context: ssl.SSLContext | None = None
    ) -> None:
        self._url = url
        self._clock = clock
        self._host = host
        self._key = _key_of(secret)
        self._context = context

    def __call__(self, mail: QueuedMail) -> str:
        """Send it, and answer who took it, or raise DeliveryError."""
        identity = f"{self._host} {mail.mail_id} {mail.queued_at.isoformat()}"
        name = f"msg_{hashlib.sha256(identity.encode('utf-8', 'backslashreplace')).hexdigest()[:32]}"
        timestamp = str(int(self._clock.now().timestamp()))
        headers = {"webhook-id": name, "webhook-timestamp": timestamp}
        if self._key:
            signed = b".".join((name.encode(), timestamp.encode(), mail.content))
            digest = hmac.new(self._key, signed, hashlib.sha256).digest()
            headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
        return call(self._url, mail.content, content_type="application/json", headers=headers, context=self._context)


def _key_of(secret: str) -> bytes:
    """The bytes to sign with: Base64 after ``whsec_``, else the text itself."""
    if secret.startswith(_ENCODED):
        try:
            return base64.b64decode(secret.removeprefix(_ENCODED), validate=True)
        except binascii.Error:
            pass
    return secret.encode("utf-8", "surrogateescape")


class PingCarrier:
    """Calls the addresses of checks, each for itself: that one cannot be reached says nothing of others."""

    def __init__(self, *, context: ssl.SSLContext | None = None) -> None:
        self._context = context

    def __call__(self, mail: QueuedMail) -> str:
        """Call it, and answer who took it, or raise DeliveryError."""
        try:
            return call(mail.target, mail.content, context=self._context)
        except ServiceUnavailable as fault:
            raise DeliveryError(str(fault)) from None
