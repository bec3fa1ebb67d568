"""What the daemon says of itself, asked no more often than its work allows, however many look."""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Final, Generic, TypeVar

_T = TypeVar("_T")
_LEAST_SECONDS: Final = 1.0
_SHARE: Final = 20
"""How many times as long as asking takes an answer is kept."""


class Kept(Generic[_T]):
    """An answer that is kept for a while; whoever asks meanwhile gets the same, or waits for the one who asks."""

    def __init__(self, ask: Callable[[], _T], *, least_seconds: float = _LEAST_SECONDS) -> None:
        self._ask = ask
        self._least_seconds = least_seconds
        self._lock = threading.Lock()
        self._answer: tuple[float, _T] | None = None

    def __call__(self) -> _T:
        """The answer; raises what asking raises."""
        with self._lock:
            if self._answer is not None and monotonic() < self._answer[0]:
                return self._answer[1]
            self._answer = None
            began = monotonic()
            answer = self._ask()
            now = monotonic()
            self._answer = now + max(self._least_seconds, _SHARE * (now - began)), answer
            return answer

    def forget(self) -> None:
        """Ask anew next time: something was done."""
        with self._lock:
            self._answer = None
