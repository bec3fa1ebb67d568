"""What the service manager is told: readiness, signs of life, a line of status; after sd_notify(3).

Signs of life come from the scheduler's own loop, so that a daemon whose scheduler hangs, or that job code holds up for
too long, is started anew by whoever waits for them.
"""

import logging
import socket
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from time import clock_gettime_ns, monotonic
from typing import Final

_log = logging.getLogger("gavo_exec")

_STATUS_SECONDS: Final = 2.0
"""How often the line of status may change."""

_MONOTONIC: Final = 1  # CLOCK_MONOTONIC, by which systemd reckons


class ServiceManager:
    """Whoever has started the daemon and wants to know how it is; without an ``address``, nobody."""

    def __init__(self, address: str = "", *, watchdog_seconds: float | None = None) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._feed_seconds = None if watchdog_seconds is None else watchdog_seconds / 3
        self._fed_at = self._told_at = float("-inf")
        self._status = ""
        self.status: Callable[[], str] = str
        """Answers the line of status; called on the scheduler's thread."""

    @classmethod
    def of(cls, environ: MutableMapping[str, str], *, pid: int) -> "ServiceManager":
        """As the environment has it; taken out of it, since it is no business of the jobs' programs."""
        address = environ.pop("NOTIFY_SOCKET", "")
        microseconds = environ.pop("WATCHDOG_USEC", "")
        is_for_us = environ.pop("WATCHDOG_PID", str(pid)) == str(pid)
        is_wanted = is_for_us and microseconds.isdecimal() and int(microseconds) > 0
        return cls(address, watchdog_seconds=int(microseconds) / 1e6 if is_wanted else None)

    @property
    def most_sleep_seconds(self) -> float:
        """How long the scheduler may sleep at most, lest the signs of life come too late."""
        return float("inf") if self._feed_seconds is None or not self._address else self._feed_seconds

    def ready(self) -> None:
        """The daemon does its work."""
        self._send("READY=1")

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """Within, everything is read anew."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={clock_gettime_ns(_MONOTONIC) // 1000}")
        try:
            yield
        finally:
            self.ready()

    def stopping(self, within_seconds: float) -> None:
        """The daemon ends, and needs about so long for it."""
        self._send(f"STOPPING=1\nEXTEND_TIMEOUT_USEC={int(within_seconds * 1e6)}\nSTATUS=stopping")

    def turn(self) -> None:
        """The scheduler's loop has come round; costs next to nothing where nobody wants to know."""
        if not self._address:
            return
        now = monotonic()
        if self._feed_seconds is not None and now >= self._fed_at + self._feed_seconds / 2:
            self._fed_at = now
            self._send("WATCHDOG=1")
        if now >= self._told_at + _STATUS_SECONDS and (status := self.status()) != self._status:
            self._told_at, self._status = now, status
            self._send(f"STATUS={status}")

    def _send(self, message: str) -> None:
        """Tell it; a service manager that does not listen is no reason to stop."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)
                sender.sendto(message.encode("utf-8", "backslashreplace"), self._address)
        except OSError as fault:
            with suppress(Exception):
                _log.debug("the service manager cannot be told: %s", fault)


def status_line(*, jobs: int, running: int, broken: int, next_due: str) -> str:
    """``412 jobs, 3 running, next 07:30:00 UTC; 1 broken RD``."""
    words = f"{jobs} job{'' if jobs == 1 else 's'}, {running} running"
    if next_due:
        words += f", next {next_due} UTC"
    return f"{words}; {broken} broken RD{'' if broken == 1 else 's'}" if broken else words
