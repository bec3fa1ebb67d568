"""The tokens of those who ask over the network: a file in the state directory, in which only digests are."""

import os
import re
import secrets
import threading
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from gavo_exec.access import Scope, Token, digest_of
from gavo_exec.control import RefusedError, UnknownNameError
from gavo_exec.errors import StoreError

TOKENS_FILE: Final = "tokens.json"
_PREFIX: Final = "gx_"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,39}")


class TokenFile:
    """The tokens; read anew whenever the file has changed, so that what is taken away holds no more at once.

    All methods may raise StoreError.
    """

    def __init__(self, state_dir: str) -> None:
        self._path = Path(state_dir, TOKENS_FILE)
        self._lock = threading.Lock()
        self._signature: tuple[int, int, int] | None = None
        self._tokens: tuple[Token, ...] = ()

    def all(self) -> tuple[Token, ...]:
        """All tokens, in the order in which they were made."""
        with self._lock:
            try:
                status = self._path.stat()
                signature = status.st_ino, status.st_size, status.st_mtime_ns
                if signature != self._signature:
                    self._tokens = msgspec.json.decode(self._path.read_bytes(), type=tuple[Token, ...])
                    self._signature = signature
            except FileNotFoundError:
                self._tokens, self._signature = (), None
            except OSError as fault:
                raise StoreError(f"{self._path}: the tokens cannot be read: {fault.strerror}") from None
            except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
                raise StoreError(f"{self._path}: this is no file of tokens ({fault}); remove it") from None
            return self._tokens

    def find(self, secret: str, *, now: datetime) -> Token | None:
        """The token of a secret, unless it has expired; all are compared, so that time tells nothing."""
        found = [token for token in self.all() if token.fits(secret)]
        return found[0] if found and found[0].holds(now) else None

    def named(self, name: str, *, now: datetime) -> Token | None:
        """The token of a name, unless it has expired."""
        return next((token for token in self.all() if token.name == name and token.holds(now)), None)

    def add(self, name: str, scope: Scope, *, now: datetime, expires_at: datetime | None = None) -> str:
        """Make a token; answers its secret, which is kept nowhere.  Raises RefusedError for a bad name."""
        if not _NAME.fullmatch(name):
            raise RefusedError(f"{name!r} is no name for a token: letters, digits and ._@- only, 40 at most")
        if any(token.name == name for token in self.all()):
            raise RefusedError(f"there is a token {name} already; remove it first, or take another name")
        secret = _PREFIX + secrets.token_urlsafe(32)
        made = Token(name=name, scope=scope, digest=digest_of(secret), created_at=now, expires_at=expires_at)
        self._write((*self.all(), made))
        return secret

    def remove(self, name: str) -> None:
        """Take a token away; raises UnknownNameError where there is none of that name."""
        tokens = self.all()
        left = tuple(token for token in tokens if token.name != name)
        if len(left) == len(tokens):
            raise UnknownNameError(f"there is no token {name!r}", known=tuple(token.name for token in tokens))
        self._write(left)

    def _write(self, tokens: tuple[Token, ...]) -> None:
        aside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            aside.unlink(missing_ok=True)
            with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
                if os.geteuid() == 0:
                    # Root makes tokens for the daemon's user, too.
                    owner = self._path.parent.stat()
                    os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
                file.write(msgspec.json.format(msgspec.json.encode(tokens)) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            aside.replace(self._path)
        except OSError as fault:
            raise StoreError(f"{self._path}: the tokens cannot be written: {fault.strerror}") from None
