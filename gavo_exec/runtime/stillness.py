"""When a file stands still, and which clocks can be believed; pure."""

from collections.abc import Mapping

Look = tuple[int, int, int]
"""How a file looks: its size, and the times at which its content and all else of it were changed (ns)."""

_MOST_SLEW_SECONDS = 1.0
_MOST_SLEW = 0.001


class Stillness:
    """Which files have looked the same for long enough: told what looks saw, and when by the monotonic clock.

    Files that a look did not see begin anew.  A file stands still when two looks far enough apart agree, and all looks
    between them; no time that a file system tells has to be right for that.
    """

    def __init__(self) -> None:
        self._since: dict[str, tuple[Look, float]] = {}

    def __len__(self) -> int:
        """How many files are known."""
        return len(self._since)

    def look(self, files: Mapping[str, Look], *, begun: float, ended: float, settle_seconds: float) -> set[str]:
        """Note how these files look to a look that began and ended then; answers those that stand still."""
        settled = set()
        since = {}
        for path, look in files.items():
            before = self._since.get(path)
            if before is None or before[0] != look:
                before = look, ended
            elif begun - before[1] >= settle_seconds:
                settled.add(path)
            since[path] = before
        self._since = since
        return set(files) if settle_seconds <= 0 else settled


class Agreement:
    """For how long the clock has gone as the monotonic one does: in that time it was not set, and nothing slept."""

    def __init__(self) -> None:
        self._seen: tuple[float, float] | None = None
        self._since: float | None = None  # None: nothing else is known

    def seconds(self, clock: float, monotonic: float) -> float:
        """How long it is that both have agreed, as far as is known; both are in seconds, from anywhere."""
        if self._seen is not None:
            passed = monotonic - self._seen[1]
            step = clock - self._seen[0] - passed
            if abs(step) > _MOST_SLEW_SECONDS + _MOST_SLEW * passed:
                self._since = monotonic
        self._seen = clock, monotonic
        return float("inf") if self._since is None else monotonic - self._since
