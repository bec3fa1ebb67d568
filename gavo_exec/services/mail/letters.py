"""What somebody is told: one letter for one incident, a digest for several."""

from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage

from msgspec.structs import replace

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
_MOST_PARENTS = 20
"""How many mails before it a mail names."""


def compose(
    items: Sequence[Item], *, policy: MailPolicy, now: datetime, mask: Masker, held_back_since: datetime | None = None
) -> EmailMessage:
    """The mail about these incidents, whose recipients are the same.

    With ``held_back_since`` it says that there would have been more mails since then than an hour may have.
    """
    shown = [mask.all_of(item) for item in items]
    policy = replace(policy, dashboard_url=mask(policy.dashboard_url))
    if len(items) == 1 and held_back_since is None:
        letter = _letter(shown[0], policy=policy, now=now)
    else:
        letter = digest(shown, policy=policy, now=now, held_back_since=held_back_since)
    return message_of(_addressed(letter, items), policy=policy, now=now)


def compose_bare(items: Sequence[Item], *, policy: MailPolicy, now: datetime, mask: Masker) -> EmailMessage:
    """The same with no more than what is certain, for when what is told of them cannot be shown for some reason."""
    lines = [one_line(mask(f"{item.incident.shown_state.words} {item.incident.about}")) for item in items]
    letter = Letter(
        subject=lines[0] if len(lines) == 1 else plural(len(lines), "incident"),
        blocks=[
            Words(["This mail could not be written as it should be; the daemon's log says why."]),
            Lines("It is about", lines),
        ],
        about=[mask(item.incident.about) for item in items],
        state="failed",
        identity=("bare",),
    )
    return message_of(_addressed(letter, items), policy=policy, now=now)


def _addressed(letter: Letter, items: Sequence[Item]) -> Letter:
    """The letter with what tells it apart, what went before it, and whom it is for."""
    threads = dict.fromkeys(each for item in items for each in item.incident.thread)
    return replace(
        letter,
        identity=(*letter.identity, *identity_of(items)),
        thread=list(threads)[-_MOST_PARENTS:],
        to=items[0].incident.to,
    )


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
    identity, to = ("debug", run.run_id), request.execute.policy.mail_to
    place = one_line(mask(place_of(request)), limit=500)
    run = mask.all_of(run)
    shown = block(run.output, lines=_DEBUG_LINES, characters=_DEBUG_CHARACTERS)
    blocks: list[Block] = [
        Headline("DEBUG", "output of a good run", tone="plain"),
        Facts([*facts_of_run(run, policy=policy), ("RD", place)]),
        Lines("Output", shown),
        commands_for(run.run_id, run.key),
        Words(['This mail is sent because the execute has debug="True".']),
    ]
    letter = Letter(
        subject=f"DEBUG {one_line(run.key, limit=120)}: output of a good run",
        blocks=blocks,
        about=(run.key,),
        state="debug",
        identity=identity,
        to=to,
        attached=run.output if is_cut(shown) else "",
    )
    return message_of(letter, policy=policy, now=now)


def _letter(item: Item, *, policy: MailPolicy, now: datetime) -> Letter:
    """The letter about one incident."""
    incident = item.incident
    state = incident.shown_state
    headline, note = headline_of(item, now=now)
    has_output = item.run is not None and incident.kind is Kind.JOB and state not in (State.RECOVERED, State.OVERDUE)
    output = item.run.output if item.run is not None and has_output else ""
    about = incident.about or "the daemon"
    return Letter(
        subject=f"{headline.word} {one_line(about, limit=120)}: {headline.cause}{note}",
        blocks=[headline, *page_of(item, policy=policy), *what_comes_next(incident, now=now)],
        about=(about,),
        state=state.value,
        identity=("incident",),
        attached=output if is_cut(block(output, lines=TAIL_LINES, characters=TAIL_CHARACTERS)) else "",
    )
