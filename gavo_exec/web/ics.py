"""Coming runs as a calendar feed: iCalendar, RFC 5545."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from urllib.parse import quote

from gavo_exec.json_views import DueView
from gavo_exec.web.words import line

_FOLD = 73


def feed(dues: Iterable[DueView], *, host: str, now: datetime, address: str) -> bytes:
    """The feed of these; ``address`` is that of the pages of jobs, before their keys."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//gavo-exec//jobs//EN", "METHOD:PUBLISH"]
    lines += [f"X-WR-CALNAME:{_text(f'Jobs on {host}')}", "REFRESH-INTERVAL;VALUE=DURATION:PT1H"]
    for due in dues:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{due.due:%Y%m%dT%H%M%SZ}-{quote(due.key, safe='', errors='replace')}@{_text(host)}",
            f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
            f"DTSTART:{due.due.astimezone(UTC):%Y%m%dT%H%M%SZ}",
            "DURATION:PT0S",
            "TRANSP:TRANSPARENT",
            f"SUMMARY:{_text(due.title)}",
            f"DESCRIPTION:{_text(due.key)}",
            f"URL:{address}{quote(due.key, safe='', errors='replace')}",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return b"".join(folded for each in lines for folded in _folded(each))


def _text(text: str) -> str:
    """A value of type TEXT."""
    return line(text).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")


def _folded(text: str) -> Iterator[bytes]:
    """A content line in lines of at most 75 octets, no character of it cut in two."""
    content = text.encode("utf-8", "replace")
    start, first = 0, True
    while True:
        end = min(start + _FOLD, len(content))
        while end < len(content) and content[end] & 0xC0 == 0x80:
            end -= 1
        yield (b"" if first else b" ") + content[start:end] + b"\r\n"
        start, first = end, False
        if start >= len(content):
            return
