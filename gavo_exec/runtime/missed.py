"""Instants that passed unserved: which these are, and which of them are made up for."""

from collections import deque
from datetime import datetime, timedelta

import msgspec

from gavo_exec.model import Missed, Policy
from gavo_exec.schedule import Every, Schedule

MOST_KEPT_APART = 100
"""How many instants that passed in a row are told apart, and made up for one by one; earlier ones are summed up."""

_MOST_COUNTED = 1_000_000


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """The instants from one that was due to the present: the latest ``instants``, and how many there are before these.

    ``before`` is the last of those ``earlier`` ones; ``following`` comes next, None where nothing does.
    """

    instants: list[datetime]
    following: datetime | None
    earlier: int = 0
    before: datetime | None = None


def passed(schedule: Schedule, due: datetime, now: datetime) -> Passed:
    """All instants of a schedule from ``due``, which is one, until now."""
    earlier, before = 0, None
    if isinstance(schedule, Every) and schedule.window is None:
        # There may be millions of them.
        interval = timedelta(0, schedule.seconds)
        earlier = max(0, (now - due) // interval + 1 - MOST_KEPT_APART)
        if earlier:
            before = due + (earlier - 1) * interval
            due += earlier * interval
    latest: deque[datetime] = deque()
    following: datetime | None = due
    counted = 0
    while following is not None and following <= now and counted < _MOST_COUNTED:
        latest.append(following)
        counted += 1
        if len(latest) > MOST_KEPT_APART:
            before = latest.popleft()
            earlier += 1
        following = schedule.next_due(following, following)
    if following is not None and following <= now:
        following = schedule.next_due(now, now)
    return Passed(instants=list(latest), following=following, earlier=earlier, before=before)


def made_up_for(instants: list[datetime], policy: Policy, now: datetime) -> list[datetime]:
    """Those of the instants that are to be served still."""
    in_time = [due for due in instants if policy.grace is None or now - due <= policy.grace]
    return in_time if policy.missed is Missed.ALL else in_time[-1:]
