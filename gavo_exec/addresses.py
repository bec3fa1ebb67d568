"""Mail addresses as far as mails can go by them: plain ones in ASCII, with or without a name."""

import re
from typing import NamedTuple

_ADDRESS = re.compile(r"(?:(?P<name>[^<>@]*)<)?(?P<user>[A-Za-z0-9_.+/=&*!%-]+)@(?P<domain>[A-Za-z0-9.-]+)(?(name)>)")
_LONGEST = 320


class MailAddress(NamedTuple):
    """``name <user@domain>``; the name may be ''."""

    name: str
    user: str
    domain: str


def parse_address(text: str) -> MailAddress | None:
    """The mail address in a text, such as ``Jo <jo@example.org>``; None where there is none that can be used."""
    found = _ADDRESS.fullmatch(text.strip()) if text.isprintable() and len(text) <= _LONGEST else None
    return MailAddress((found["name"] or "").strip(' "'), found["user"], found["domain"]) if found else None
