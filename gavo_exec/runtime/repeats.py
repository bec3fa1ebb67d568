"""What is said again and again is said now and then, with how often it was; pure."""

from typing import Final

_SECONDS: Final = 60.0


class Repeats:
    """Decides, by instants of the monotonic clock, whether something that goes wrong is to be said now."""

    def __init__(self, every_seconds: float = _SECONDS) -> None:
        self._every = every_seconds
        self._said_at = float("-inf")
        self._unsaid = 0

    def say(self, text: str, now: float) -> str:
        """The text, with how often that happened since it was last said; '' where it is too soon."""
        if now < self._said_at + self._every:
            self._unsaid += 1
            return ""
        often, self._unsaid, self._said_at = self._unsaid, 0, now
        return f"{text} (and {often} more times in the last {self._every:.0f} s)" if often else text

    def is_over(self) -> bool:
        """Whether something was said that is over now; to be asked once it goes well again."""
        was_said = self._said_at > float("-inf")
        self._said_at, self._unsaid = float("-inf"), 0
        return was_said
