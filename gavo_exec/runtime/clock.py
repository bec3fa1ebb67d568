"""The one place that reads the system's clock."""

from datetime import UTC, datetime


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, aware and UTC."""
        return datetime.now(UTC)
