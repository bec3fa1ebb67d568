"""The due instants round an instant that somebody asks about, and why none is there."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import msgspec

from gavo_exec.schedule import At, Every, Schedule
from gavo_exec.schedule.every import in_words

_TICK = timedelta.resolution
_BACK = tuple(timedelta(days=days) for days in (1, 8, 32, 400, 15_000))
_MOST_STEPS = 1_000_000


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """The instants that somebody means who names one: a minute, or a second where seconds were named."""

    begin: datetime
    end: datetime

    @classmethod
    def of(cls, at: datetime) -> "Span":
        """The span that an instant stands for."""
        is_minute = at.second == 0 and at.microsecond == 0
        return cls(begin=at, end=at + timedelta(seconds=60 if is_minute else 1))

    def __contains__(self, instant: datetime | None) -> bool:
        """Whether an instant is within."""
        return instant is not None and self.begin <= instant < self.end


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """Due instants: the last before a span, the first within it, and the first after it; None where there is none."""

    before: datetime | None = None
    within: datetime | None = None
    after: datetime | None = None

    @classmethod
    def among(cls, instants: Iterable[datetime], span: Span) -> "Around":
        """Those of some instants, in order; looks at no more of them than it must."""
        before = within = None
        for instant in instants:
            if instant < span.begin:
                before = instant
            elif instant >= span.end:
                return cls(before=before, within=within, after=instant)
            else:
                within = within or instant
        return cls(before=before, within=within)


def around(schedule: At, span: Span) -> Around:
    """The due instants of a schedule by the calendar round a span."""
    for back in _BACK:
        start = _earlier(span.begin, back)
        if (first := schedule.next_due(start, None)) is not None and first < span.begin:
            return Around.among(_from(schedule, first), span)
    first = schedule.next_due(_earlier(span.begin, _TICK), None)
    return Around() if first is None else Around.among(_from(schedule, first), span)


def counted_on(schedule: Schedule, first: datetime, span: Span) -> Around:
    """The due instants round a span from a first one on, each served on time."""
    if isinstance(schedule, Every) and schedule.window is None:
        interval = timedelta(0, schedule.seconds)
        first += max(0, (span.begin - first) // interval - 1) * interval
    return Around.among(_from(schedule, first), span)


def _earlier(instant: datetime, back: timedelta) -> datetime:
    """An instant before this one, if the calendar goes back that far."""
    try:
        return instant - back
    except OverflowError:
        return instant


def _from(schedule: Schedule, first: datetime) -> Iterator[datetime]:
    """A due instant and those that follow, up to a number that is beyond all questions."""
    due: datetime | None = first
    for _ in range(_MOST_STEPS):
        if due is None:
            return
        yield due
        due = schedule.next_due(due, due)


def reasons_against(schedule: Schedule, span: Span, *, before: datetime | None = None) -> Iterator[str]:
    """What keeps a schedule from being due in a span, as sentences; ``before`` is when it was due last.

    Nothing where it is plain from the schedule.
    """
    if isinstance(schedule, At):
        yield from _against_time(schedule, span)
    elif isinstance(schedule, Every) and schedule.window is not None and before is not None:
        over = before + timedelta(0, schedule.seconds)
        if over < span.end and not schedule.window.allows(over):
            opens = schedule.window.next_allowed(over)
            until = f"until {_stamp(opens)}, when that opens" if opens is not None else "for good"
            yield f"its interval is over at {_stamp(over)}, outside of its window, so it goes on {until}"


def _against_time(schedule: At, span: Span) -> Iterator[str]:
    """What keeps times from being due in a span."""
    plain = msgspec.structs.replace(schedule, window=None, delay_seconds=0)
    delay = timedelta(0, schedule.delay_seconds)
    for put_off in dict.fromkeys((timedelta(0), delay)):
        # What falls into the span by itself, and what is put off into it.
        instant = plain.next_due(_earlier(span.begin, put_off + _TICK), None)
        if instant is None or instant + put_off not in span:
            continue
        if schedule.window is not None and not schedule.window.allows(instant):
            yield f"a time of it falls on {_stamp(instant)}, which its window leaves out: {schedule.window.describe()}"
        elif delay and not put_off:
            yield f"its jitter (when.jitter) puts {_stamp(instant)} off by {in_words(schedule.delay_seconds)}"
    if schedule.zone != "UTC":
        in_utc = msgspec.structs.replace(plain, zone="UTC")
        if in_utc.next_due(_earlier(span.begin, _TICK), None) in span:
            yield f"its times are by clocks in {schedule.zone}, not in UTC"


def _stamp(instant: datetime) -> str:
    """An instant for people, to the second."""
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
