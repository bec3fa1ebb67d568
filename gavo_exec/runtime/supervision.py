"""Whether the scheduler is awake when it means to be: who stands beside it decides, and says what it is doing."""

import sys
import threading
import traceback

PATIENCE_SECONDS = 60.0
"""How much later than it meant to the scheduler may be awake."""

_OWN_DELAY_SECONDS = 5.0


class Supervision:
    """Decides from instants of the monotonic clock, which does not count the time that a machine sleeps; no clock.

    Whoever looks comes too late itself where everything is held up (a stall, a process that was stopped): then it all
    begins anew, for the scheduler is not to be blamed for that.
    """

    def __init__(self, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._patience = patience_seconds
        self._excused_until = float("-inf")

    def is_late(self, now: float, *, due_back_at: float, awaited_at: float) -> bool:
        """Whether the scheduler, which meant to be awake by ``due_back_at``, hangs.

        ``awaited_at`` is by when this look was meant to be taken at the latest.
        """
        if now - awaited_at > _OWN_DELAY_SECONDS:
            self._excused_until = now + self._patience
        return now > max(due_back_at + self._patience, self._excused_until)


def stack_of(thread: threading.Thread) -> str:
    """What a thread is doing, the innermost frame last; '' where it does nothing any more."""
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 -- there is no other way
    return "".join(traceback.format_stack(frame)) if frame is not None else ""
