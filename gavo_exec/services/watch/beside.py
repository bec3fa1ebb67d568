"""Files that are looked at beside those of the tree, since RDs are built from them, too."""

from collections.abc import Collection, Mapping

from gavo_exec.rdfiles import Signature
from gavo_exec.services.watch.settling import Settling


class Beside:
    """Which of these files changed and stand still; ``offer`` is for any thread, all else for one."""

    def __init__(self, settle_seconds: float) -> None:
        self._settling = Settling(settle_seconds)
        self._offered: Mapping[str, Signature | None] = {}  # replaced as a whole, never changed
        self._taken: Mapping[str, Signature | None] = self._offered

    def offer(self, files: Mapping[str, Signature | None]) -> None:
        """Have these files looked at from now on, and no others; they are known as given (None: not there)."""
        self._offered = dict(files)

    def take(self) -> None:
        """Take what was offered last; what is known of files that were looked at already stays."""
        offered = self._offered
        if offered is not self._taken:
            self._settling.follow(offered, since=self._taken.keys())
            self._taken = offered

    @property
    def paths(self) -> Collection[str]:
        """The files to look at."""
        return self._taken.keys()

    @property
    def moving(self) -> Collection[str]:
        """Those that do not stand still yet."""
        return self._settling.moving

    @property
    def next_look_at(self) -> float | None:
        """When the first of the moving files may be seen standing still; None where none moves."""
        return self._settling.next_look_at

    def look(self, seen: Mapping[str, Signature | None], now: float) -> frozenset[str]:
        """Note how these files look now (None: gone); answers those that changed and stand still."""
        return self._settling.look(seen, now)
