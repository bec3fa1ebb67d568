"""The one door to the machine's clock."""

from datetime import UTC, datetime

from freezegun import freeze_time

from gavo_exec.runtime.clock import SystemClock


def test_the_systems_clock_tells_aware_utc_instants() -> None:
    with freeze_time("2026-11-23 07:30:00.123456"):
        assert SystemClock().now() == datetime(2026, 11, 23, 7, 30, 0, 123456, tzinfo=UTC)
