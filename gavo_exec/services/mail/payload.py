"""What other channels than mail are told: the same as JSON, stable as that of commands.

The published schema and the reference derive from the types here.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gavo_exec.incidents import Kind, State
from gavo_exec.services.mail.envelope import MailPolicy
from gavo_exec.services.mail.items import Item
from gavo_exec.services.mail.masking import Masker
from gavo_exec.services.mail.texts import block, listing, one_line

_LINES, _CHARACTERS = 60, 8_192


def _says(description: str) -> Meta:
    """What a field means."""
    return Meta(description=description)


_Instant = Annotated[datetime, Meta(tz=True)]


class CodeLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an RD."""

    line: Annotated[int, _says("Its number in the file, from 1.")]
    text: Annotated[str, _says("The line as it ran; its end may be left out.")]


class IncidentView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that goes wrong, or is good again."""

    kind: Annotated[Kind, _says("What goes wrong.")]
    about: Annotated[str, _says("The key of the execute, or the id of the RD; empty for the daemon.")]
    title: Annotated[str, _says("The title of the execute; may be empty.")]
    state: Annotated[
        State, _says("How it stands now; `recovered` where it is good again after somebody was told that it was not.")
    ]
    cause: Annotated[str, _says("What is, or was, wrong, in one line; the wording may change.")]
    since: Annotated[_Instant, _says("When it went wrong first.")]
    at: Annotated[_Instant, _says("When it went wrong last.")]
    count: Annotated[int, _says("How often it went wrong.")]
    over_at: Annotated[_Instant | None, _says("Since when it is over; null where it is not.")]
    is_gone: Annotated[bool, _says("Whether it is over because its execute or RD is not there any more.")]
    run_id: Annotated[str, _says("The id of the run that went wrong last; empty where it is about none.")]
    place: Annotated[str, _says("Where the execute stands: the path, and the line in words.")]
    excerpt_path: Annotated[str, _says("The file of the line that failed; empty where none is known.")]
    excerpt_line: Annotated[int | None, _says("Its number, from 1; null where none is known.")]
    excerpt: Annotated[tuple[CodeLine, ...], _says("That line with those around it.")]
    last_success_at: Annotated[_Instant | None, _says("When its last good run ended; null where that is not known.")]
    next_due: Annotated[_Instant | None, _says("When it is due next, as far as was known when it went wrong; or null.")]
    output_tail: Annotated[
        str, _says("The end of what the run printed; where something is missing, the first line says so.")
    ]


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """What `webhook_url` and `notify_command` are told: all that one mail tells of."""

    version: Annotated[Literal[1], _says("Another one is to be understood otherwise.")]
    subject: Annotated[str, _says("The subject of the mail; the wording may change.")]
    host: Annotated[str, _says("The machine that it is about.")]
    sent_at: Annotated[_Instant, _says("When it was written.")]
    dashboard_url: Annotated[str, _says("The address of the dashboard; empty where there is none.")]
    incidents: Annotated[tuple[IncidentView, ...], _says("What goes wrong, or is good again; at least one.")]


def notification(
    items: Sequence[Item], *, policy: MailPolicy, now: datetime, mask: Masker, subject: str
) -> Notification:
    """What other channels are told of these incidents."""
    return Notification(
        version=1,
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
        excerpt_path=one_line(circumstances.excerpt_path, limit=1000),
        excerpt_line=circumstances.marked or None,
        excerpt=tuple(CodeLine(line=number, text=listing(text)) for number, text in circumstances.excerpt),
        last_success_at=incident.last_success_at,
        next_due=circumstances.next_due,
        output_tail="\n".join(block(output, lines=_LINES, characters=_CHARACTERS)),
    )
