"""What other channels than mail are told: the same as JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from gavo_exec.incidents import Kind, State
from gavo_exec.services.mail.envelope import MailPolicy
from gavo_exec.services.mail.items import Item
from gavo_exec.services.mail.masking import Masker
from gavo_exec.services.mail.texts import block, one_line

_LINES, _CHARACTERS = 60, 8_192


class IncidentView(msgspec.Struct, frozen=True, kw_only=True):
    """An incident: what goes wrong with ``about``, a job's key or an RD's id ('' for the daemon).

    ``state`` is how it stands now, ``recovered`` where it is over; ``cause`` is one line.  It has happened ``count``
    times, from ``since`` on, lastly at ``at``; it is over since ``over_at``.  ``output_tail`` is the end of what the
    run ``run_id`` has printed.
    """

    kind: Kind
    about: str
    title: str
    state: State
    cause: str
    since: datetime
    at: datetime
    count: int
    over_at: datetime | None
    is_gone: bool
    run_id: str
    place: str
    last_success_at: datetime | None
    next_due: datetime | None
    output_tail: str


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """What webhooks and commands are told: what the mail of this ``subject`` tells of."""

    version: Literal[1] = 1
    subject: str
    host: str
    sent_at: datetime
    dashboard_url: str
    incidents: tuple[IncidentView, ...]


def notification(
    items: Sequence[Item], *, policy: MailPolicy, now: datetime, mask: Masker, subject: str
) -> Notification:
    """What other channels are told of these incidents."""
    return Notification(
        subject=subject,
        host=one_line(policy.host),
        sent_at=now,
        dashboard_url=one_line(mask(policy.dashboard_url), limit=1000),
        incidents=tuple(_view_of(mask.all_of(item)) for item in items),
    )


def payload(items: Sequence[Item], *, policy: MailPolicy, now: datetime, mask: Masker, subject: str) -> bytes:
    """The same as JSON in UTF-8."""
    return msgspec.json.encode(notification(items, policy=policy, now=now, mask=mask, subject=subject))


def _view_of(item: Item) -> IncidentView:
    incident, circumstances = item.incident, item.incident.circumstances
    output = "" if item.run is None else item.run.output
    return IncidentView(
        kind=incident.kind,
        about=one_line(incident.about, limit=1000),
        title=one_line(circumstances.title, limit=1000),
        state=incident.shown_state,
        cause=one_line(incident.cause, limit=1000),
        since=incident.since,
        at=incident.at,
        count=incident.count,
        over_at=incident.over_at,
        is_gone=incident.gone,
        run_id=one_line(incident.run_id),
        place=one_line(circumstances.place or circumstances.path, limit=1000),
        last_success_at=incident.last_success_at,
        next_due=circumstances.next_due,
        output_tail="\n".join(block(output, lines=_LINES, characters=_CHARACTERS)),
    )
