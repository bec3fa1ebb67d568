"""Who may do what over the network: tokens and their scopes; pure values."""

import hashlib
import hmac
from datetime import datetime
from enum import Enum

import msgspec


class Scope(Enum):
    """What a token allows; each allows what those before it do."""

    READ = "read"  # look
    OPERATE = "operate"  # trigger, cancel, pause, resume, reload, deliver
    ADMIN = "admin"  # stop the daemon

    def allows(self, wanted: "Scope") -> bool:
        """Whether this is enough for what is wanted."""
        order = tuple(Scope)
        return order.index(self) >= order.index(wanted)


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token as it is kept: its name, what it allows, until when, and the digest of its secret."""

    name: str
    scope: Scope
    digest: str
    created_at: datetime
    expires_at: datetime | None = None

    def fits(self, secret: str) -> bool:
        """Whether this is its secret; takes equally long whatever the secret is."""
        return hmac.compare_digest(self.digest, digest_of(secret))

    def holds(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return self.expires_at is None or now < self.expires_at


def digest_of(secret: str) -> str:
    """What is kept of a secret: secrets have 256 random bits, so that a plain digest cannot be undone."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
