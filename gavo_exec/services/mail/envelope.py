"""Who mails whom, and a mail with all its headers: of single, bounded, printable lines only."""

import getpass
import gzip
import hashlib
import re
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import Any

import msgspec

from gavo_exec.addresses import parse_address
from gavo_exec.model import REMINDERS
from gavo_exec.services.mail.content import Block, as_html, as_text
from gavo_exec.services.mail.texts import one_line

_LONGEST_ASCII_LINE = 900  # a line of a mail may have 998 bytes
_LONGEST_PLAIN = 64 * 1024
"""What is attached is compressed if it has more bytes."""
_MOST_ATTACHED = 16 << 20
"""How many characters are attached: the state has them all."""
_MOST_KEYS = 50
"""How many keys stand in headers of one mail."""


def _user_name() -> str:
    """The user running the daemon."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user in the system's list, as in some containers
        return "root"


_TOKENS = frozenset({"Message-ID", "In-Reply-To", "References", "List-Id"})
"""Headers of words for machines."""


class _UnbrokenStart(EmailPolicy):
    """Folds headers as ever, but never directly after the name: some readers then show a blank before the text."""

    def fold(self, name: str, value: Any) -> str:
        """The header as lines."""
        if name in _TOKENS:
            # Words that are too long for a line would be encoded, and then nobody knows them again.
            words = f"{self.linesep} ".join(str(value).split())
            return f"{name}: {words}{self.linesep}"
        folded = super().fold(name, value)
        start = f"{name}:{self.linesep} "
        return f"{name}: {folded[len(start) :]}" if folded.startswith(start) else folded

    def fold_binary(self, name: str, value: Any) -> bytes:
        """The header as lines of bytes."""
        return self.fold(name, value).encode("ascii", "surrogateescape")


_POLICY = _UnbrokenStart(max_line_length=78, linesep="\r\n")


class MailPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Who mails whom, and how: ``host`` is this machine's name, ``user`` who runs the daemon here.

    Without a ``sender`` or ``recipients`` mail is from, or to, that user.  ``per_hour`` is how many mails about
    incidents the same people get in an hour, ``reminders`` are for broken RDs.
    """

    host: str = msgspec.field(default_factory=socket.gethostname)
    sender: str = ""
    recipients: tuple[str, ...] = ()
    user: str = msgspec.field(default_factory=_user_name)
    per_hour: int = 20
    dashboard_url: str = ""
    secret_names: tuple[str, ...] = ()
    reminders: tuple[timedelta, ...] = REMINDERS


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A mail before it has headers: ``subject`` is without the host, ``about`` are keys and RDs.

    ``identity`` makes its Message-ID unlike any other; ``thread`` has the Message-IDs of mails before it, the first
    first and the last last.  ``attached`` is text, '' for none.
    """

    subject: str
    blocks: Sequence[Block]
    about: Sequence[str]
    state: str
    identity: tuple[str, ...]
    thread: Sequence[str] = ()
    to: tuple[str, ...] = ()
    attached: str = ""


def message_of(letter: Letter, *, policy: MailPolicy, now: datetime) -> EmailMessage:
    """A letter as a mail with all its headers, its text, the same as HTML, and what is attached."""
    host = domain_of(policy.host)
    local = Address(username=_plain(policy.user) or "root", domain=host)
    subject = header_text(f"[{one_line(policy.host, limit=60)}] {letter.subject}")
    message = EmailMessage(policy=_POLICY)
    message["From"] = _address(policy.sender) or Address("gavo-exec", local.username, host)
    usable = [address for address in map(_address, letter.to or policy.recipients) if address]
    message["To"] = usable or [local]
    message["Subject"] = subject
    message["Date"] = now
    digest = hashlib.sha256("\0".join((policy.host, *letter.identity)).encode("utf-8", "surrogatepass")).hexdigest()
    message["Message-ID"] = f"<{letter.identity[0]}.{digest[:32]}@{host}>"
    if letter.thread:
        message["In-Reply-To"] = letter.thread[-1]
        message["References"] = " ".join(dict.fromkeys(letter.thread))
    message["Auto-Submitted"] = "auto-generated"
    for about in letter.about[:_MOST_KEYS]:
        message["X-Gavo-Exec-Key"] = header_text(one_line(about))
    message["X-Gavo-Exec-State"] = letter.state
    message["List-Id"] = f"gavo-exec <gavo-exec.{host}>"
    text = as_text(letter.blocks)
    message.set_content(text, charset="utf-8", cte=_encoding_of(text))
    html = as_html(letter.blocks, title=subject)
    message.add_alternative(html, subtype="html", charset="utf-8", cte=_encoding_of(html))
    if letter.attached:
        _attach(message, letter.attached)
    return message


def _attach(message: EmailMessage, text: str) -> None:
    """Attach a text, compressed where it is long; of one that is enormous, its end."""
    if len(text) > _MOST_ATTACHED:
        text = f"[{len(text) - _MOST_ATTACHED:,} characters before this left out]\n{text[-_MOST_ATTACHED:]}"
    data = text.encode("utf-8", "backslashreplace")
    if len(data) <= _LONGEST_PLAIN:
        message.add_attachment(
            data, maintype="text", subtype="plain", filename="output.txt", params={"charset": "utf-8"}
        )
    else:
        packed = gzip.compress(data, compresslevel=6, mtime=0)
        message.add_attachment(packed, maintype="application", subtype="gzip", filename="output.txt.gz")


def _encoding_of(text: str) -> str:
    """How a text travels: as it is, where that can be."""
    is_plain = text.isascii() and max(map(len, text.split("\n"))) <= _LONGEST_ASCII_LINE
    return "7bit" if is_plain else "quoted-printable"


def header_text(line: str) -> str:
    """A line as an unstructured header may have it: what looks encoded is not decoded by anybody, hence no surprise."""
    return line.replace("=?", "= ?").replace("?=", "? =")


def domain_of(host: str) -> str:
    """The host's name as far as it may stand in an address."""
    labels = (re.sub(r"[^A-Za-z0-9-]+", "-", label).strip("-") for label in host[:200].split("."))
    return ".".join(label for label in labels if label) or "localhost"


def _plain(user: str) -> str:
    """The user's name as far as it may stand in an address."""
    return re.sub(r"\.{2,}", ".", re.sub(r"[^A-Za-z0-9_.+-]+", "", user[:60])).strip(".")


def _address(text: str) -> Address | None:
    """The mail address in a text, such as ``Jo <jo@example.org>``; None where there is none that can be used."""
    found = parse_address(text)
    return None if found is None else Address(header_text(found.name), found.user, found.domain)


def unusable_addresses(policy: MailPolicy) -> list[str]:
    """Those of a policy's addresses that mails have to do without."""
    return [text for text in (policy.sender, *policy.recipients) if text and _address(text) is None]
