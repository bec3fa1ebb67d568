"""Nanoseconds that the next due instant takes, for each kind of schedule, beside APScheduler's triggers and cronsim.

Usage: schedules.py for the table (medians over processes in turns); schedules.py CONTENDER for the figures of one run.
"""

import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from gavo_exec.schedule import Window, narrowed, parse_at

# What it is, as ours, as APScheduler's and cronsim's, and the zone.
CASES: dict[str, tuple[str, str, dict[str, str | int], str, str]] = {
    "daily": ("7:30", "", {"hour": 7, "minute": 30}, "30 7 * * *", "UTC"),
    "day of the month": ("m28 7:30", "", {"day": 28, "hour": 7, "minute": 30}, "30 7 28 * *", "UTC"),
    "weekday": ("w1 7:30", "", {"day_of_week": "mon", "hour": 7, "minute": 30}, "30 7 * * 1", "UTC"),
    "daily, in a zone": ("7:30", "", {"hour": 7, "minute": 30}, "30 7 * * *", "Europe/Berlin"),
    "weekday, in a zone": (
        "w1 7:30",
        "",
        {"day_of_week": "mon", "hour": 7, "minute": 30},
        "30 7 * * 1",
        "Europe/Berlin",
    ),
    "working days, in a zone": (
        "7:30",
        "* * * * 1-5",
        {"day_of_week": "mon-fri", "hour": 7, "minute": 30},
        "30 7 * * 1-5",
        "Europe/Berlin",
    ),
    "last of the month": ("7:30", "* * L * *", {"day": "last", "hour": 7, "minute": 30}, "30 7 L * *", "UTC"),
}
INSTANTS = [datetime(2026, 1, 1, 12, 34, 56, 789, tzinfo=UTC) + timedelta(hours=7.3) * number for number in range(1200)]


def nanoseconds(next_due: Callable[[datetime], object], instants: list[datetime]) -> float:
    """For one call; the median of some rounds over instants all round the year."""
    rounds = []
    for _ in range(7):
        begin = time.perf_counter_ns()
        for instant in instants:
            next_due(instant)
        rounds.append((time.perf_counter_ns() - begin) / len(instants))
    return statistics.median(rounds)


def contender(name: str, case: str) -> Callable[[datetime], object]:
    """What answers when something is due after an instant; for all but ourselves the instant is in the zone."""
    text, only, fields, expression, zone = CASES[case]
    if name == "gavo-exec":
        window = Window(only=(only,), zone=zone) if only else None
        schedule = narrowed(parse_at(text), zone=zone, window=window)
        return lambda instant: schedule.next_due(instant, None)
    if name == "cronsim":
        from cronsim import CronSim

        return lambda instant: next(CronSim(expression, instant))
    from apscheduler.triggers.cron import CronTrigger

    return partial(CronTrigger(timezone=zone, **fields).get_next_fire_time, None)


def figures(name: str) -> None:
    """Print one for each case."""
    for case, (*_, zone) in CASES.items():
        place = UTC if name == "gavo-exec" or zone == "UTC" else ZoneInfo(zone)
        print(nanoseconds(contender(name, case), [instant.astimezone(place) for instant in INSTANTS]))


def main() -> None:
    """Goal 17."""
    from benchmarks.run import medians, table

    names = {"gavo-exec": "gavo-exec", "APScheduler 3.11": "apscheduler", "cronsim": "cronsim"}
    rows = medians({name: ("-m", "benchmarks.schedules", word) for name, word in names.items()})
    for number, case in enumerate(CASES):
        column = {name: [values[number]] for name, values in rows.items()}
        table(f"next due instant: {case}", column, against="APScheduler 3.11", unit="ns")


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        figures(sys.argv[1])
    else:
        main()
