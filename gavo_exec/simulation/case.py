"""What is known of a job that somebody asks about, and what there is to say of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import Enum
from functools import cached_property

import msgspec

from gavo_exec.model import Execute, LastStart, Outcome, Overlap, Reason, ResourceDescriptor, Retry, Run
from gavo_exec.schedule import At, Loaded, Schedule
from gavo_exec.schedule.calendar import zone_named
from gavo_exec.schedule.every import in_words
from gavo_exec.simulation.coming import Coming, coming_runs
from gavo_exec.simulation.instants import Around

_OF_OTHERS = frozenset({Reason.TRIGGERED, Reason.STARTUP})
"""Reasons of runs that no instant of the schedule was due for."""

_ENDED = {
    Outcome.TIMED_OUT: "was ended by its time limit",
    Outcome.CANCELLED: "was ended",
    Outcome.INTERRUPTED: "was interrupted",
}
_LEFT_OUT = {Outcome.SKIPPED: "was left out", Outcome.MISSED: "was missed"}


class Verdict(Enum):
    """What there is to say of a job at an instant."""

    RAN = "ran"  # a run began, however it ended
    RUNNING = "running"  # a run goes on
    SKIPPED = "skipped"  # it was left out, since its run before went on
    MISSED = "missed"  # it was left out, since the instant passed unserved
    FAILED_TO_BEGIN = "failed_to_begin"  # it was due, and something else kept it from beginning
    NOT_DUE = "not_due"  # the schedule does not have the instant
    NOTHING_NEW = "nothing_new"  # it was due, and there were no new files
    WAITING = "waiting"  # it is due and has not begun yet
    UNSERVED = "unserved"  # it was due, and no daemon has come to it
    UNKNOWN = "unknown"  # nothing is recorded that would tell
    COMING = "coming"  # it will be due
    NEVER = "never"  # it is due at no instant, or nothing will let it run


class Case(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What is known of a job at ``now``.

    ``declared`` is None where its RD is broken or has it no more.  ``records`` are its runs, newest first, at least as
    far back as the instant that is asked about; ``is_all`` tells that there are no others.  ``fault`` is what is wrong
    with its RD, since ``broken_since``; then it may be ``held_back``, so that its last good version runs.  ``daemon``
    tells that one runs; it works on ``state_dir``.
    """

    now: datetime
    declared: tuple[ResourceDescriptor, Execute] | None = None
    last_start: LastStart | None = None
    retry: Retry | None = None
    records: tuple[Run, ...] = ()
    is_all: bool = True
    fault: str = ""
    broken_since: datetime | None = None
    held_back: bool = False
    daemon: bool = True
    state_dir: str = ""

    @property
    def schedule(self) -> Schedule | None:
        """Its schedule, where that is known."""
        return self.declared[1].schedule if self.declared is not None else None

    @cached_property
    def next(self) -> Coming | None:
        """Its next run, by a daemon that starts now."""
        return next(self.coming(), None)

    def coming(self) -> Iterator[Coming]:
        """Its next runs, by a daemon that starts now."""
        if self.declared is not None:
            rd, execute = self.declared
            yield from coming_runs(rd, execute, start=self.now, last_start=self.last_start, retry=self.retry)

    @cached_property
    def running(self) -> Run | None:
        """Its run that goes on."""
        return next((run for run in self.records if run.outcome is None), None)

    @cached_property
    def dues(self) -> list[datetime]:
        """The instants on record that were due by a schedule, in order."""
        return sorted({run.due for run in self.records if run.attempt == 1 and run.reason not in _OF_OTHERS})

    def going_at(self, instant: datetime, *, but: Run | None = None) -> Run | None:
        """Its run that went on at an instant, ``but`` not this one."""
        for run in self.records:
            began, ended = run.started_at, run.finished_at
            if run is not but and began is not None and began <= instant and (ended is None or instant < ended):
                return run
        return None

    # Words

    def shown(self, instant: datetime) -> str:
        """An instant for people, also as clocks show it in the zone of its times."""
        text = f"{instant:%Y-%m-%d %H:%M:%S} UTC"
        schedule = self.schedule
        if not isinstance(schedule, At) or schedule.zone == "UTC":
            return text
        return f"{text} ({instant.astimezone(zone_named(schedule.zone)):%Y-%m-%d %H:%M:%S} in {schedule.zone})"

    def told(self, run: Run) -> str:
        """What became of a run: ``ran at ... and succeeded after 12 s (run ...)``, to follow the word it."""
        cause = run.error.strip().partition("\n")[0]
        name = f"(run {run.run_id})"
        if run.started_at is None:
            fate = _LEFT_OUT.get(run.outcome, "did not begin") if run.outcome is not None else "did not begin"
            return f"was due at {self.shown(run.due)} and {fate}: {cause} {name}"
        asked = ", since somebody asked for it," if run.reason is Reason.TRIGGERED else ""
        if run.outcome is None:
            return f"began at {self.shown(run.started_at)}{asked} and goes on {name}"
        took = f" after {length(timedelta(seconds=run.duration_seconds))}" if run.duration_seconds is not None else ""
        why = f": {cause}" if cause and run.outcome is not Outcome.SUCCEEDED else ""
        how = _ENDED.get(run.outcome, run.outcome.value)
        return f"ran at {self.shown(run.started_at)}{asked} and {how}{took}{why} {name}"

    def turn(self) -> str:
        """What its runs may have to wait for."""
        if self.declared is None:
            return "its turn"
        rd, execute = self.declared
        limit = execute.policy.limit
        things = {
            "a free slot": True,
            f"its limit {limit.name}" if limit is not None else "": limit is not None,
            "its run before": execute.policy.overlap in {Overlap.QUEUE, Overlap.REPLACE},
            "what runs when its RD is loaded": any(isinstance(each.schedule, Loaded) for each in rd.executes),
        }
        return " or ".join(thing for thing, is_so in things.items() if is_so)


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """An answer in a sentence, and what speaks for it; ``runs`` are the records that it rests on.

    ``around`` has the instants that are due by the schedule, or were by the records, round the one asked about.
    """

    verdict: Verdict
    answer: str
    evidence: tuple[str, ...] = ()
    around: Around = Around()
    runs: tuple[Run, ...] = ()


def length(duration: timedelta) -> str:
    """A duration for people: of short ones fractions of seconds, of long ones no seconds."""
    seconds = max(duration.total_seconds(), 0.0)
    if seconds < 10:
        return f"{seconds:.2g} s" if seconds >= 0.001 else "0 s"
    whole = round(seconds)
    return in_words(whole - whole % 60 if whole >= 3600 else whole)
