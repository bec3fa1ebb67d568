"""Signals are told at once, whatever the main thread waits for."""

import os
import signal
import threading

from gavo_exec.runtime.signals import signals_told


def test_each_signal_is_told_to_its_function_on_another_thread_and_all_is_as_before_afterwards() -> None:
    told: list[tuple[str, bool]] = []
    came = threading.Semaphore(0)

    def take(name: str) -> None:
        told.append((name, threading.current_thread() is threading.main_thread()))
        came.release()

    before = signal.getsignal(signal.SIGHUP)
    calls = {signal.SIGHUP: lambda: take("hup"), signal.SIGUSR2: lambda: take("usr2")}
    with signals_told(calls):
        for number, name in ((signal.SIGHUP, "hup"), (signal.SIGUSR2, "usr2"), (signal.SIGHUP, "hup")):
            os.kill(os.getpid(), number)
            assert came.acquire(timeout=20)
            assert told[-1] == (name, False)
    assert signal.getsignal(signal.SIGHUP) is before
    assert signal.set_wakeup_fd(-1) == -1
    assert "signals" not in [thread.name for thread in threading.enumerate()]


def test_many_signals_that_come_while_the_main_thread_begins_to_wait_are_all_told_at_once() -> None:
    came = threading.Semaphore(0)
    waiting = threading.Event()
    with signals_told({signal.SIGUSR2: came.release}):
        for _ in range(300):
            sender = threading.Timer(0.0005, os.kill, (os.getpid(), signal.SIGUSR2))
            sender.start()
            waiting.wait(0.001)
            assert came.acquire(timeout=5)
            sender.join()
