"""Who comes in: sessions, which are signed and kept nowhere, the tokens of forms, and how often one may try."""

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from gavo_exec.access import Scope, Token
from gavo_exec.ports import Clock
from gavo_exec.ports.face import Tokens

SESSION: Final = timedelta(hours=12)
"""How long a login lasts."""

_MOST_ADDRESSES: Final = 10_000
_FAILURES_A_MINUTE: Final = 10
_DEEDS_A_MINUTE: Final = 60


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: with which token, if any, and whether that came in a cookie (whose forms must then prove it)."""

    token: Token | None = None
    by_cookie: bool = False
    form_token: str = ""

    @property
    def name(self) -> str:
        """What the token is called; '' where there is none."""
        return self.token.name if self.token is not None else ""

    def may(self, scope: Scope) -> bool:
        """Whether the token allows this."""
        return self.token is not None and self.token.scope.allows(scope)


NOBODY: Final = Visitor()


class TooManyError(Exception):
    """Somebody tries too often."""


class Counter:
    """Counts by name in minutes; of the names that are known, the one that was seen longest ago is forgotten first."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._seen: OrderedDict[str, tuple[datetime, int]] = OrderedDict()

    def is_full(self, name: str, now: datetime) -> bool:
        """Whether no more is wanted of this name in this minute."""
        since, count = self._seen.get(name, (now, 0))
        return abs(now - since) < timedelta(minutes=1) and count >= self._per_minute

    def add(self, name: str, now: datetime) -> None:
        """Count one."""
        since, count = self._seen.pop(name, (now, 0))
        if abs(now - since) >= timedelta(minutes=1):
            since, count = now, 0
        self._seen[name] = since, count + 1
        while len(self._seen) > _MOST_ADDRESSES:
            self._seen.popitem(last=False)


class Doorkeeper:
    """Knows visitors by their tokens; on the event loop's thread."""

    def __init__(self, tokens: Tokens, clock: Clock, *, cookie: str) -> None:
        self._tokens = tokens
        self._clock = clock
        self.cookie = cookie
        self._failures = Counter(_FAILURES_A_MINUTE)
        self._deeds = Counter(_DEEDS_A_MINUTE)

    def by_secret(self, secret: str, *, address: str) -> Visitor:
        """Who has a token's secret; NOBODY where it is none.  Raises TooManyError after too many wrong ones."""
        found = self._checked(address, lambda now: self._tokens.find(secret, now=now))
        return NOBODY if found is None else Visitor(token=found)

    def by_session(self, value: str, *, address: str) -> Visitor:
        """Whose session that is; NOBODY where it is over, or of nobody.  Raises TooManyError as above."""
        if not value:
            return NOBODY
        signature, _, rest = value.partition(".")
        expiry, _, name = rest.partition(".")
        found = self._checked(address, lambda now: self._session(name, expiry, signature, now))
        if found is None:
            return NOBODY
        return Visitor(token=found, by_cookie=True, form_token=_signed(found, "form", signature))

    def open_session(self, token: Token) -> tuple[str, int]:
        """The value of a cookie for the token's login, and for how many seconds it is good."""
        ends_at = self._clock.now() + SESSION
        if token.expires_at is not None:
            ends_at = min(ends_at, token.expires_at)
        expiry = str(int(ends_at.timestamp()))
        seconds = int((ends_at - self._clock.now()).total_seconds())
        return f"{_signed(token, 'session', expiry)}.{expiry}.{token.name}", seconds

    def is_own_form(self, visitor: Visitor, form_token: str) -> bool:
        """Whether a form was made for this visitor's session."""
        return bool(visitor.form_token) and hmac.compare_digest(
            visitor.form_token.encode(), form_token.encode("utf-8", "replace")
        )

    def count_deed(self, visitor: Visitor) -> None:
        """Let a visitor do something; raises TooManyError after too much of it."""
        now = self._clock.now()
        if self._deeds.is_full(visitor.name, now):
            raise TooManyError
        self._deeds.add(visitor.name, now)

    def _session(self, name: str, expiry: str, signature: str, now: datetime) -> Token | None:
        if not (expiry.isascii() and expiry.isdecimal() and len(expiry) < 12):
            return None
        token = self._tokens.named(name, now=now)
        if token is None or not hmac.compare_digest(_signed(token, "session", expiry).encode(), signature.encode()):
            return None
        return token if now < datetime.fromtimestamp(int(expiry), UTC) else None

    def _checked(self, address: str, find: Callable[[datetime], Token | None]) -> Token | None:
        now = self._clock.now()
        if self._failures.is_full(address, now):
            raise TooManyError
        found = find(now)
        if found is None:
            self._failures.add(address, now)
        return found


def _signed(token: Token, what: str, text: str) -> str:
    """The signature of a text; nobody can make it who has not read the file of tokens, and none holds without it."""
    return hmac.new(token.digest.encode(), f"{what} {token.name} {text}".encode(), hashlib.sha256).hexdigest()
