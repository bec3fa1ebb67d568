"""What somebody is told: one letter for one incident, a digest for several."""

from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage

from gavo_exec.incidents import Kind, State
from gavo_exec.model import Run, RunRequest
from gavo_exec.services.mail.content import Block, Facts, Headline, Lines, Words
from gavo_exec.services.mail.digest import digest
from gavo_exec.services.mail.envelope import Letter, MailPolicy, message_of
from gavo_exec.services.mail.items import Item
from gavo_exec.services.mail.masking import Masker
from gavo_exec.services.mail.pages import page_of
from gavo_exec.services.mail.pieces import (
    TAIL_CHARACTERS,
    TAIL_LINES,
    commands_for,
    facts_of_run,
    headline_of,
    identity_of,
    is_cut,
    what_comes_next,
)
from gavo_exec.services.mail.scenes import place_of
from gavo_exec.services.mail.texts import block, instant, one_line, plural

_DEBUG_LINES, _DEBUG_CHARACTERS = 5_000, 262_144


def compose(
    items: Sequence[Item], *, policy: MailPolicy, now: datetime, mask: Masker, held_back_since: datetime | None = None
) -> EmailMessage:
    """The mail about these incidents, whose recipients are the same.

    With ``held_back_since`` it says that there would have been more mails since then than an hour may have.
    """
    if len(items) == 1 and held_back_since is None:
        letter = _letter(items[0], policy=policy, now=now, mask=mask)
    else:
        letter = digest(items, policy=policy, now=now, mask=mask, held_back_since=held_back_since)
    return message_of(letter, policy=policy, now=now)


def compose_bare(items: Sequence[Item], *, policy: MailPolicy, now: datetime, mask: Masker) -> EmailMessage:
    """The same with no more than what is certain, for when what is told of them cannot be shown for some reason."""
    lines = [one_line(mask(f"{item.incident.shown_state.words} {item.incident.about}")) for item in items]
    letter = Letter(
        subject=lines[0] if len(lines) == 1 else plural(len(lines), "incident"),
        blocks=[Words(["This mail could not be written as it should be; the daemon's log says why."]), Words(lines)],
        about=[item.incident.about for item in items],
        state="failed",
        identity=("bare", *identity_of(items)),
        to=items[0].incident.to,
    )
    return message_of(letter, policy=policy, now=now)


def compose_trial(*, policy: MailPolicy, now: datetime, to: tuple[str, ...] = ()) -> EmailMessage:
    """A mail that only shows that mails arrive."""
    blocks: list[Block] = [
        Headline("TEST", "this mail has arrived", tone="good"),
        Facts([("Host", one_line(policy.host)), ("Sent", instant(now))]),
        Words(["It was sent by gavo-exec mail test. When a job fails, a mail like this one tells of it."]),
    ]
    letter = Letter(
        subject="TEST: this mail has arrived",
        blocks=blocks,
        about=(),
        state="test",
        identity=("test", now.isoformat()),
        to=to,
    )
    return message_of(letter, policy=policy, now=now)


def compose_debug_output(
    run: Run, request: RunRequest, *, policy: MailPolicy, now: datetime, mask: Masker
) -> EmailMessage:
    """The mail with the output of a good run, for an execute with ``debug``."""
    output = mask(run.output)
    shown = block(output, lines=_DEBUG_LINES, characters=_DEBUG_CHARACTERS)
    blocks: list[Block] = [
        Headline("DEBUG", "output of a good run", tone="plain"),
        Facts([*facts_of_run(run, policy=policy, mask=mask), ("RD", one_line(place_of(request), limit=500))]),
        Lines("Output", shown),
        commands_for(run.run_id, run.key),
        Words(['This mail is sent because the execute has debug="True".']),
    ]
    letter = Letter(
        subject=f"DEBUG {one_line(run.key, limit=120)}: output of a good run",
        blocks=blocks,
        about=(run.key,),
        state="debug",
        identity=("debug", run.run_id),
        to=request.execute.policy.mail_to,
        attached=output if is_cut(shown) else "",
    )
    return message_of(letter, policy=policy, now=now)


def _letter(item: Item, *, policy: MailPolicy, now: datetime, mask: Masker) -> Letter:
    """The letter about one incident."""
    incident = item.incident
    state = incident.shown_state
    headline, note = headline_of(item, now=now, mask=mask)
    has_output = item.run is not None and incident.kind is Kind.JOB and state not in (State.RECOVERED, State.OVERDUE)
    output = mask(item.run.output) if item.run is not None and has_output else ""
    about = mask(incident.about or "the daemon")
    return Letter(
        subject=f"{headline.word} {one_line(about, limit=120)}: {headline.cause}{note}",
        blocks=[headline, *page_of(item, policy=policy, mask=mask), *what_comes_next(incident, now=now)],
        about=(about,),
        state=state.value,
        identity=("incident", *identity_of([item])),
        thread=incident.thread,
        to=incident.to,
        attached=output if is_cut(block(output, lines=TAIL_LINES, characters=TAIL_CHARACTERS)) else "",
    )
