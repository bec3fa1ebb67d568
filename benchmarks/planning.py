"""When something is due next.  Usage: planning.py CONTENDER daily|monthly|weekly TIMES.

Prints the microseconds for an answer, and what share of the answers is wrong, in percent.
"""

import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from gavo_exec.schedule import parse_at

KINDS: dict[str, tuple[str, dict[str, Any], str]] = {
    "daily": ("7:30", {"hour": 7, "minute": 30}, "30 7 * * *"),
    "monthly": ("m28 7:30", {"hour": 7, "minute": 30, "day": 28}, "30 7 28 * *"),
    "weekly": ("w1 7:30", {"hour": 7, "minute": 30, "day_of_week": "mon"}, "30 7 * * mon"),
}
Answers = Callable[[list[datetime]], list[Any]]


def gavo(kind: str) -> Answers:
    """At.next_due."""
    next_due = parse_at(KINDS[kind][0]).next_due
    return lambda nows: [next_due(now, now) for now in nows]


def apscheduler(kind: str) -> Answers:
    """CronTrigger.get_next_fire_time."""
    from apscheduler.triggers.cron import CronTrigger

    trigger = CronTrigger(timezone="UTC", **KINDS[kind][1])
    step = timedelta(microseconds=1)  # what it is asked for is the first instant not before
    return lambda nows: [trigger.get_next_fire_time(None, now + step) for now in nows]


def cronstable(kind: str) -> Answers:
    """CronTab.next, which answers seconds."""
    from cronstable.cronexpr import CronTab

    seconds = CronTab(KINDS[kind][2]).next
    return lambda nows: [now + timedelta(seconds=seconds(now)) for now in nows]


def floor(kind: str) -> Answers:
    """The least that Python can do: arithmetic for days and weeks, and for months what datetime has."""
    if kind == "monthly":

        def of_month(now: datetime) -> datetime:
            due = now.replace(day=28, hour=7, minute=30, second=0, microsecond=0)
            if due > now:
                return due
            return due.replace(year=due.year + 1, month=1) if due.month == 12 else due.replace(month=due.month + 1)

        return lambda nows: [of_month(now) for now in nows]
    period = timedelta(days=1 if kind == "daily" else 7)
    anchor = datetime(2001, 1, 1, 7, 30, tzinfo=UTC)
    return lambda nows: [now + (period - (now - anchor) % period) for now in nows]


def truth(kind: str, now: datetime) -> datetime:
    """The answer, found by looking at one day after the other."""
    due = now.replace(hour=7, minute=30, second=0, microsecond=0)
    while not (due > now and (kind != "monthly" or due.day == 28) and (kind != "weekly" or due.weekday() == 0)):
        due += timedelta(days=1)
    return due


def main() -> None:
    """Ask about instants all over a few years, on the stroke of the minute among them."""
    contender, kind, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
    chance = random.Random(1)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    minutes = 3 * 366 * 1440
    nows = [start + timedelta(minutes=chance.randrange(minutes)) for _ in range(times // 2)]
    nows += [now + timedelta(seconds=chance.uniform(0, 60)) for now in nows]
    nows += [truth(kind, now) for now in nows[:50]]
    ask = {"gavo-exec": gavo, "apscheduler": apscheduler, "cronstable": cronstable, "floor": floor}[contender](kind)
    begin = time.perf_counter()
    answers = ask(nows)
    elapsed = time.perf_counter() - begin
    wrong = sum(
        abs(answer - truth(kind, now)) > timedelta(milliseconds=1) for answer, now in zip(answers, nows, strict=True)
    )
    print(elapsed * 1e6 / len(nows), 100 * wrong / len(nows))


if __name__ == "__main__":
    main()
