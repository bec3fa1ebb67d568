"""Signals to this process, told to functions on a thread of their own.

What Python calls for a signal is called on the main thread only, and not before that runs Python again: a signal that
comes in the very moment in which it begins to wait is told when the wait is over.  What the system calls writes to a
pipe at once, and a thread that reads from it is not held up by what the main thread does.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def signals_told(to: Mapping[signal.Signals, Callable[[], object]]) -> Iterator[None]:
    """Call these when their signals come; to be entered on the main thread."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before_fd = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    before = {number: signal.signal(number, lambda _number, _frame: None) for number in to}
    calls = {int(number): call for number, call in to.items()}

    def tell() -> None:
        while numbers := os.read(reading, 64):
            for number in numbers:
                if number in calls:
                    calls[number]()

    thread = threading.Thread(target=tell, name="signals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
        signal.set_wakeup_fd(before_fd)
        os.close(writing)
        thread.join()
        os.close(reading)
