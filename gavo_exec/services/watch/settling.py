"""Which files changed and stand still; pure."""

from collections.abc import Collection, Mapping

from gavo_exec.rdfiles import Signature


class Settling:
    """Which files changed and stand still: told what looks saw, and when.  No file, no clock.

    A file stands still when two looks at least ``settle_seconds`` apart agree, and all looks between them.
    """

    def __init__(self, settle_seconds: float) -> None:
        self._settle_seconds = settle_seconds
        self._known: dict[str, Signature] = {}  # as last told
        self._moving: dict[str, tuple[Signature | None, float]] = {}  # how else they look (None: gone), since when

    def start(self, files: Mapping[str, Signature]) -> frozenset[str]:
        """Take these as they are; answers them all."""
        self._known = dict(files)
        return frozenset(files)

    def follow(self, files: Mapping[str, Signature | None], *, since: Collection[str]) -> None:
        """Care for these files only; what is known of those in ``since`` stays, the others are as given."""
        known = {path: self._known.get(path) if path in since else given for path, given in files.items()}
        self._known = {path: signature for path, signature in known.items() if signature is not None}
        self._moving = {path: seen for path, seen in self._moving.items() if path in files}

    @property
    def known(self) -> Collection[str]:
        """The files there are, as far as told."""
        return self._known.keys()

    @property
    def moving(self) -> Collection[str]:
        """The files that do not stand still yet."""
        return self._moving.keys()

    @property
    def next_look_at(self) -> float | None:
        """When the first of the moving files may be seen standing still; None where none moves."""
        if not self._moving:
            return None
        return min(since for _, since in self._moving.values()) + self._settle_seconds

    def look(self, seen: Mapping[str, Signature | None], now: float) -> frozenset[str]:
        """Note how these files look now (None: gone); answers those that changed and stand still."""
        settled = set()
        for path, signature in seen.items():
            if signature == self._known.get(path):
                # Nothing happened, or all is as it was again.
                self._moving.pop(path, None)
            elif path not in self._moving or self._moving[path][0] != signature:
                self._moving[path] = signature, now
            elif now >= self._moving[path][1] + self._settle_seconds:
                del self._moving[path]
                if signature is None:
                    del self._known[path]
                else:
                    self._known[path] = signature
                settled.add(path)
        return frozenset(settled)
