"""Once whenever an RD is loaded: when the daemon starts, and whenever the RD has changed."""

from datetime import datetime

import msgspec


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """When the RD is loaded, before the RD's other jobs; no instant of the calendar is ever due."""

    def next_due(self, now: datetime, last_start: datetime | None) -> None:  # noqa: ARG002 -- the protocol's
        """None: loading is what starts it."""
        return

    def describe(self) -> str:
        """In words, for people."""
        return "when loaded"
