"""Several incidents in one mail: a line for each, and more of those of which more is known."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from gavo_exec.incidents import State
from gavo_exec.services.mail.content import Block, Commands, Facts, Heading, Headline, Lines, Words
from gavo_exec.services.mail.envelope import Letter, MailPolicy
from gavo_exec.services.mail.items import Item
from gavo_exec.services.mail.pieces import commands_for, excerpt_of, headline_of, link_of
from gavo_exec.services.mail.texts import block, instant, one_line, plural

_NAMED = 3
"""How many keys a subject names."""
_LINES, _CHARACTERS = 10, 4_096
"""How much of each run's output is shown."""
_LONGEST_LINE = 200


def digest(items: Sequence[Item], *, policy: MailPolicy, now: datetime, held_back_since: datetime | None) -> Letter:
    """The letter about these incidents; see compose."""
    # What is good again comes last: it needs nobody.
    items = sorted(items, key=lambda item: item.incident.shown_state is State.RECOVERED)
    told = [headline_of(item, now=now) for item in items]
    states = Counter(headline.word for headline, _ in told)
    by_weight = sorted(states.items(), key=lambda each: (each[0] == State.RECOVERED.words, -each[1]))
    counts = ", ".join(f"{count} {word}" for word, count in by_weight)
    names = [one_line(item.incident.about or "the daemon", limit=80) for item in items]
    others = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    what = f"{counts}: {', '.join(names[:_NAMED])}{others}"
    subject = what if held_back_since is None else f"HELD BACK {what}"
    tone = "good" if all(headline.tone == "good" for headline, _ in told) else "bad"
    blocks: list[Block] = [Headline(counts, _span(items), tone=tone)]
    if held_back_since is not None:
        blocks.append(
            Words(
                [
                    f"Since {instant(held_back_since)}, more than {plural(policy.per_hour, 'mail')} would have been",
                    "sent in an hour (mail_per_hour). What was beyond them was held back; all of it is told here.",
                ]
            )
        )
    width = max(len(headline.word) for headline, _ in told)
    lines = [
        one_line(f"{headline.word:<{width}}  {name}: {headline.cause}{note}", limit=_LONGEST_LINE, keeps_blanks=True)
        for (headline, note), name in zip(told, names, strict=True)
    ]
    blocks += [
        Facts([("Host", one_line(policy.host))]),
        Lines("All of them", lines, gutter=width + 2),
        *(each for item, (headline, _) in zip(items, told, strict=True) for each in _more_of(item, headline)),
        Commands(
            [("To see how all jobs stand", "gavo-exec list"), ("To see what failed", "gavo-exec history --failed")]
        ),
        *link_of(policy),
    ]
    return Letter(
        subject=subject,
        blocks=blocks,
        about=list(dict.fromkeys(item.incident.about or "the daemon" for item in items)),
        state="digest" if held_back_since is None else "held-back",
        identity=("digest",),
    )


def _span(items: Sequence[Item]) -> str:
    """From when to when all this happened."""
    instants = [item.incident.over_at or item.incident.at for item in items]
    first, last = instant(min(instants)), instant(max(instants))
    return first if first == last else f"{first} to {last}"


def _more_of(item: Item, headline: Headline) -> list[Block]:
    """What is known of one of them beside its line."""
    incident, run = item.incident, item.run
    if headline.tone == "good" or (run is None and item.rejection is None):
        return []
    blocks: list[Block] = [
        Heading(one_line(f"{headline.word} {incident.about}", limit=_LONGEST_LINE)),
        Words([headline.cause]),
        excerpt_of(incident),
    ]
    if run is not None:
        blocks += [
            Lines("Output", block(run.output, lines=_LINES, characters=_CHARACTERS)),
            commands_for(incident.run_id, incident.about),
        ]
    if item.rejection is not None:
        found = "\n".join(each.render() for each in item.rejection.diagnostics[:_LINES])
        blocks.append(Lines("What is wrong", block(found, lines=5 * _LINES, characters=_CHARACTERS)))
    return blocks
