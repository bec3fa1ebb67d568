"""What the daemon says of itself, asked no more often than its work allows, however many look."""

import threading
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Final, Generic, Never, TypeVar

_T = TypeVar("_T")
_LEAST_SECONDS: Final = 1.0
_SHARE: Final = 20
"""How many times as long as asking takes an answer is kept."""


class Kept(Generic[_T]):
    """An answer that is kept for a while; whoever asks meanwhile gets the same, or waits for the one who asks.

    What went wrong is kept for as long as it took to find out: where many ask a daemon that hangs, they all learn it
    together, not one after the other.
    """

    def __init__(self, ask: Callable[[], _T], *, least_seconds: float = _LEAST_SECONDS) -> None:
        self._ask = ask
        self._least_seconds = least_seconds
        self._lock = threading.Lock()
        self._until = 0.0
        self._answer: Callable[[], _T] | None = None

    def __call__(self) -> _T:
        """The answer; raises what asking raises."""
        with self._lock:
            if self._answer is None or monotonic() >= self._until:
                self._answer = self._asked()
            answer = self._answer
        return answer()

    def _asked(self) -> Callable[[], _T]:
        """What is to be answered, until then."""
        began = monotonic()
        try:
            found = self._ask()
        except Exception as fault:
            now = monotonic()
            self._until = now + (now - began)
            return partial(_raise, fault)
        now = monotonic()
        self._until = now + max(self._least_seconds, _SHARE * (now - began))
        return lambda: found

    def seconds_left(self) -> float:
        """How long the answer is kept still, at a glance."""
        return max(0.0, self._until - monotonic())

    def forget(self) -> None:
        """Ask anew next time: something was done."""
        with self._lock:
            self._answer = None


def _raise(fault: Exception) -> Never:
    """Say again what went wrong."""
    raise fault
