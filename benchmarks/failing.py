"""COUNT jobs that are due at one instant, and fail.  Usage: failing.py CONTENDER COUNT.

Prints how many milliseconds pass until all have run, how many until mails that tell of all of them have been handed
over, and how many mails that took.
"""

import builtins
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable
from email.message import EmailMessage
from queue import Empty, SimpleQueue

from benchmarks import stage

GATHERING_SECONDS = 0.5
"""How long the floor waits for more to tell."""


class Failing:
    """A job that fails, and counts that."""

    def __init__(self, count: int) -> None:
        self.countdown = stage.Countdown(count)

    def __call__(self, *_: object) -> None:
        """Fail."""
        self.countdown()
        raise ValueError("no data in the archive")


class Reader:
    """Somebody who gets mails: a mailer that knows when all of so many jobs have been told."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._known: set[str] = set()
        self._told = threading.Event()
        self.told_at = 0.0
        self.mails = 0

    def send(self, message: EmailMessage) -> str:
        """Read it."""
        body = message.get_body(("plain",))
        self._known.update(re.findall(r"\bbench/\d+#\d+", "" if body is None else str(body.get_content())))
        self.mails += 1
        if len(self._known) >= self._count and not self._told.is_set():
            self.told_at = time.time()
            self._told.set()
        return "taken"

    def wait(self) -> None:
        """Wait until all is told."""
        if not self._told.wait(120):
            raise TimeoutError(f"only {len(self._known)} of {self._count} jobs were told of")


def gavo(count: int) -> None:
    """The whole of it: claims, runs with their tracebacks, incidents, the mail in the outbox, the postman."""
    builtins.bench_job = str  # type: ignore[attr-defined]
    executes = [stage.make_execute(number, "bench_job()") for number in range(count)]
    reader = Reader(count)
    dues = {execute.key: 0.0 for execute in executes}
    with stage.heart(executes, dues, keeps="durable", mailer=reader) as heart:
        failing = Failing(count)
        builtins.bench_job = failing  # type: ignore[attr-defined]
        ran_at = failing.countdown.wait()
        reader.wait()
        report(heart.zero, ran_at, reader)


def apscheduler(count: int) -> None:
    """APScheduler 3 with a listener that mails each failure."""
    from apscheduler.events import EVENT_JOB_ERROR

    due = time.time() + 1 + count * 0.0001
    failing, reader = Failing(count), Reader(count)
    scheduler = stage.apscheduler(paused=True)
    scheduler.add_listener(
        lambda event: reader.send(a_mail(f"{event.job_id}: {event.exception}\n{event.traceback}")), EVENT_JOB_ERROR
    )
    for number in range(count):
        scheduler.add_job(
            failing, "interval", days=1, next_run_time=stage.instant(due), id=f"bench/{number // 10}#{number}"
        )
    scheduler.resume()
    ran_at = failing.countdown.wait()
    reader.wait()
    report(due, ran_at, reader)
    scheduler.shutdown(wait=False)


def floor(count: int) -> None:
    """Heap, queue, workers; one mail of what has gathered for half a second."""
    failing, reader = Failing(count), Reader(count)
    failures: SimpleQueue[str] = SimpleQueue()

    def job_of(number: int) -> Callable[[], None]:
        def job() -> None:
            try:
                failing()
            except ValueError:
                failures.put(f"bench/{number // 10}#{number}: {traceback.format_exc()}")

        return job

    due = time.time() + count * 0.00001 + 0.3
    stage.Floor((due, job_of(number)) for number in range(count))
    first = failures.get()
    time.sleep(GATHERING_SECONDS)
    told = [first]
    while len(told) < count:
        try:
            told.append(failures.get(timeout=10))
        except Empty:
            break
    reader.send(a_mail("\n".join(told)))
    reader.wait()
    report(due, failing.countdown.wait(), reader)


def a_mail(text: str) -> EmailMessage:
    """A plain mail."""
    message = EmailMessage()
    message["From"] = message["To"] = "ops@example.org"
    message["Subject"] = "failed"
    message.set_content(text)
    return message


def report(due: float, ran_at: float, reader: Reader) -> None:
    """Print the figures."""
    print((ran_at - due) * 1000, (reader.told_at - due) * 1000, reader.mails)


if __name__ == "__main__":
    {"gavo-exec": gavo, "apscheduler": apscheduler, "floor": floor}[sys.argv[1]](int(sys.argv[2]))
