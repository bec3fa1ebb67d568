"""Who mails whom, and a mail with all its headers: of single, bounded, printable lines only."""

import getpass
import hashlib
import re
import socket
from collections.abc import Iterable
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import Any

import msgspec

from gavo_exec.addresses import parse_address
from gavo_exec.services.mail.texts import one_line

_LONGEST_ASCII_LINE = 900  # a line of a mail may have 998 bytes


def _user_name() -> str:
    """The user running the daemon."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user in the system's list, as in some containers
        return "root"


class _UnbrokenStart(EmailPolicy):
    """Folds headers as ever, but never directly after the name: some readers then show a blank before the text."""

    def fold(self, name: str, value: Any) -> str:
        """The header as lines."""
        folded = super().fold(name, value)
        start = f"{name}:{self.linesep} "
        return f"{name}: {folded[len(start) :]}" if folded.startswith(start) else folded

    def fold_binary(self, name: str, value: Any) -> bytes:
        """The header as lines of bytes."""
        return self.fold(name, value).encode("ascii", "surrogateescape")


_POLICY = _UnbrokenStart(max_line_length=78, linesep="\r\n")


class MailPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Who mails whom: ``host`` is this machine's name, ``user`` who runs the daemon here.

    Without a ``sender`` or ``recipients`` mail is from, or to, that user.
    """

    host: str = msgspec.field(default_factory=socket.gethostname)
    sender: str = ""
    recipients: tuple[str, ...] = ()
    user: str = msgspec.field(default_factory=_user_name)


def message_of(
    word: str,
    cause: str,
    body: Iterable[str],
    *,
    about: str,
    identity: tuple[str, ...],
    policy: MailPolicy,
    now: datetime,
) -> EmailMessage:
    """A mail: ``about`` is the key or RD, ``identity`` what makes its Message-ID unlike any other."""
    host = domain_of(policy.host)
    local = Address(username=_plain(policy.user) or "root", domain=host)
    message = EmailMessage(policy=_POLICY)
    message["From"] = _address(policy.sender) or Address("gavo-exec", local.username, host)
    usable = [address for address in map(_address, policy.recipients) if address]
    message["To"] = usable or [local]
    message["Subject"] = header_text(
        f"[{one_line(policy.host, limit=60)}] {word} {one_line(about, limit=120)}: {cause}"
    )
    message["Date"] = now
    digest = hashlib.sha256("\0".join((policy.host, *identity)).encode("utf-8", "surrogatepass")).hexdigest()
    message["Message-ID"] = f"<{identity[0]}.{digest[:32]}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Gavo-Exec-Key"] = header_text(one_line(about))
    text = "\n".join(body).rstrip() + "\n"
    is_plain = text.isascii() and max(map(len, text.split("\n"))) <= _LONGEST_ASCII_LINE
    message.set_content(text, charset="utf-8", cte="7bit" if is_plain else "quoted-printable")
    return message


def header_text(line: str) -> str:
    """A line as an unstructured header may have it: what looks encoded is not decoded by anybody, hence no surprise."""
    return line.replace("=?", "= ?").replace("?=", "? =")


def domain_of(host: str) -> str:
    """The host's name as far as it may stand in an address."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", host[:200]).strip(".-") or "localhost"


def _plain(user: str) -> str:
    """The user's name as far as it may stand in an address."""
    return re.sub(r"[^A-Za-z0-9_.+-]+", "", user[:60]).strip(".")


def _address(text: str) -> Address | None:
    """The mail address in a text, such as ``Jo <jo@example.org>``; None where there is none that can be used."""
    found = parse_address(text)
    return None if found is None else Address(header_text(found.name), found.user, found.domain)


def unusable_addresses(policy: MailPolicy) -> list[str]:
    """Those of a policy's addresses that mails have to do without."""
    return [text for text in (policy.sender, *policy.recipients) if text and _address(text) is None]
