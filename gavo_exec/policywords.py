"""How an execute is run, in words: what is out of the ordinary about its policy."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from gavo_exec.elements.portable import ENV
from gavo_exec.model import DEFAULT_POLICY, Policy
from gavo_exec.schedule.every import in_words


def policy_words(policy: Policy) -> list[tuple[str, str]]:
    """What is out of the ordinary about a policy: the properties that say so, each with its value in words."""
    ordinary = dict(_in_words(DEFAULT_POLICY))
    return [(name, words) for name, words in _in_words(policy) if words != ordinary.get(name, "")]


def _in_words(policy: Policy) -> Iterator[tuple[str, str]]:
    """All of a policy, as properties and in words; '' where there is nothing to say."""
    limit = policy.limit
    yield "when.missed", policy.missed.value
    yield "when.grace", _duration(policy.grace)
    yield "when.files", policy.files
    yield "when.settle", _duration(policy.settle)
    yield "run.timeout", _duration(policy.timeout)
    yield "run.overlap", policy.overlap.value
    yield "run.retries", str(policy.retries)
    yield "run.retryDelay", _duration(policy.retry_delay)
    yield "run.isolate", "process" if policy.is_isolated else "thread"
    yield "run.limit", "" if limit is None else f"{limit.name} {limit.at_most}"
    yield "run.priority", str(policy.priority)
    yield "run.workdir", policy.workdir
    yield from ((f"{ENV}{name}", value) for name, value in policy.env)
    yield "run.niceness", "" if policy.niceness is None else str(policy.niceness)
    yield "run.memory", "" if policy.memory_bytes is None else _size(policy.memory_bytes)
    yield "mail.to", ", ".join(policy.mail_to)
    yield "mail.after", str(policy.mail_after)
    yield "mail.remind", ", ".join(map(_duration, policy.reminders)) or "never"
    yield "mail.locals", "yes" if policy.shows_locals else "no"
    yield "mail.ping", _host_of(policy.ping)


def _duration(duration: timedelta | None) -> str:
    """``1 h 30 min``; '' for None."""
    if duration is None:
        return ""
    seconds = duration.total_seconds()
    return in_words(int(seconds)) if seconds.is_integer() else f"{seconds:g} s"


def _host_of(url: str) -> str:
    """The beginning of an address: the rest may be a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/..." if url else ""


def _size(size: int) -> str:
    """``500M``: a number of bytes in the largest unit of which it is a multiple."""
    for unit, bits in (("T", 40), ("G", 30), ("M", 20), ("K", 10)):
        if size % (1 << bits) == 0:
            return f"{size >> bits}{unit}"
    return str(size)
