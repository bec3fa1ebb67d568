"""What a mail says of one incident, kind by kind."""

from gavo_exec.errors import Severity
from gavo_exec.incidents import Incident, Kind, State
from gavo_exec.model import rd_id_of
from gavo_exec.services.mail.content import Block, Commands, Facts, Lines, Words
from gavo_exec.services.mail.envelope import MailPolicy
from gavo_exec.services.mail.items import Item
from gavo_exec.services.mail.pieces import (
    attempt_of,
    commands_for,
    excerpt_of,
    facts_of_times,
    last_success_of,
    link_of,
    output_of,
    over_of,
    since_of,
    word_of,
)
from gavo_exec.services.mail.texts import block, command, duration, instant, one_line

_DETAIL_LINES, _DETAIL_CHARACTERS = 200, 32_768
_TRACE_LINES, _TRACE_CHARACTERS = 2_000, 65_536
_MOST_DIAGNOSTICS = 50


def page_of(item: Item, *, policy: MailPolicy) -> list[Block]:
    """What there is to say of an incident below its headline."""
    incident = item.incident
    state = incident.shown_state
    if state is State.RECOVERED:
        return _of_recovery(item, policy=policy)
    if incident.kind is Kind.RD:
        return _of_broken_rd(item, policy=policy)
    if incident.kind in (Kind.STALL, Kind.TROUBLE):
        return (_of_stall if incident.kind is Kind.STALL else _of_trouble)(incident, policy=policy)
    if state is State.OVERDUE:
        return _of_overdue(incident, policy=policy)
    return _of_failure(item, policy=policy)


def _of_failure(item: Item, *, policy: MailPolicy) -> list[Block]:
    """About runs that went wrong, or were missed."""
    incident, run = item.incident, item.run
    circumstances = incident.circumstances
    first, _, detail = ("" if run is None else run.error).partition("\n")
    if run is not None and one_line(first).endswith("…"):
        detail = run.error  # all of the cause, of which the headline has the beginning
    blocks: list[Block] = [excerpt_of(incident)]
    facts = [
        ("Job", one_line(incident.about, limit=500)),
        ("Title", one_line(circumstances.title, limit=500)),
        ("Host", one_line(policy.host if run is None else run.host or policy.host)),
        (word_of(incident), since_of(incident)),
        ("Over", over_of(incident)),
    ]
    if run is not None:
        facts += facts_of_times(run)
    facts += [
        ("RD", one_line(circumstances.place or circumstances.path or rd_id_of(incident.about), limit=500)),
        ("Last success", last_success_of(incident)),
        ("Next due", instant(circumstances.next_due) if circumstances.next_due else ""),
        ("Run", one_line(incident.run_id)),
    ]
    blocks.append(Facts(facts))
    if item.attempts:
        blocks.append(Lines("Earlier attempts", [attempt_of(run) for run in item.attempts]))
    blocks.append(Lines("Details", block(detail.strip("\n"), lines=_DETAIL_LINES, characters=_DETAIL_CHARACTERS)))
    if run is not None and incident.kind is Kind.JOB:
        blocks.append(output_of(run))
    if incident.kind is Kind.MISSED:
        blocks.append(Commands([("To see why", command("explain", incident.about))]))
    else:
        blocks.append(commands_for(incident.run_id, incident.about))
    if incident.run_id and incident.kind is Kind.JOB:
        return [*blocks, *link_of(policy, "run?id=", incident.run_id)]
    return [*blocks, *link_of(policy, "job?key=", incident.about)]


def _of_recovery(item: Item, *, policy: MailPolicy) -> list[Block]:
    """About what is good again."""
    incident = item.incident
    is_rd = incident.kind is Kind.RD
    warnings = "\n".join(found.render() for found in item.warnings)
    return [
        Facts(
            [
                ("RD" if is_rd else "Job", one_line(incident.about, limit=500)),
                ("Title", one_line(incident.circumstances.title, limit=500)),
                ("File", one_line(incident.circumstances.path, limit=500) if is_rd else ""),
                ("Host", one_line(policy.host)),
                (word_of(incident), since_of(incident)),
                ("Good since", instant(incident.over_at) if incident.over_at else ""),
                ("Last cause", one_line(incident.cause, limit=500)),
                ("Last bad run", one_line(incident.run_id)),
            ]
        ),
        Lines("Warnings", block(warnings, lines=200, characters=32_768)),
        Commands([("To see its runs", command("history", incident.about))] if not is_rd else []),
        *link_of(policy, *(("broken",) if is_rd else ("job?key=", incident.about))),
    ]


def _of_broken_rd(item: Item, *, policy: MailPolicy) -> list[Block]:
    """About an RD that was refused."""
    incident, rejection = item.incident, item.rejection
    path = incident.circumstances.path
    found = rejection.diagnostics if rejection is not None else ()
    shown = "\n".join(each.render() for each in found[:_MOST_DIAGNOSTICS])
    lines = block(shown, lines=500, characters=65_536)
    if len(found) > _MOST_DIAGNOSTICS:
        lines += ["", f"... and {len(found) - _MOST_DIAGNOSTICS} more"]
    keys = "\n".join(f"{one_line(job.key)}  {one_line(job.title, limit=80)}".rstrip() for job in item.held_back)
    if keys:
        held_back: Block = Lines(
            "Its jobs run on as they were in the last good version", block(keys, lines=100, characters=16_384)
        )
    elif incident.over_at is not None:
        held_back = Words([])
    else:
        held_back = Words(["There is no earlier good version: none of its jobs runs until it is mended."])
    errors = sum(each.severity is Severity.ERROR for each in found)
    return [
        Facts(
            [
                ("RD", one_line(incident.about, limit=500)),
                ("File", one_line(path, limit=500)),
                ("Host", one_line(policy.host)),
                ("Found", instant(incident.at)),
                ("Broken since", instant(incident.since) if incident.since != incident.at or incident.told else ""),
                ("Over", over_of(incident)),
                ("Faults", str(errors) if errors > 1 else ""),
            ]
        ),
        held_back,
        Lines("What is wrong", lines),
        Commands([("To check it", command("check", path))] if path else []),
        *link_of(policy, "broken"),
    ]


def _of_overdue(incident: Incident, *, policy: MailPolicy) -> list[Block]:
    """About a run that goes on past its time limit."""
    circumstances = incident.circumstances
    limit = circumstances.limit_seconds
    return [
        Facts(
            [
                ("Job", one_line(incident.about, limit=500)),
                ("Title", one_line(circumstances.title, limit=500)),
                ("Host", one_line(policy.host)),
                ("Time limit", duration(limit) if limit is not None else ""),
                ("Started", instant(circumstances.started_at) if circumstances.started_at else ""),
                ("Noticed", instant(incident.at)),
                ("RD", one_line(circumstances.place or circumstances.path, limit=500)),
                ("Run", one_line(incident.run_id)),
            ]
        ),
        Words(
            [
                "Its programs have been ended. Code in the daemon itself cannot be: it is asked to end, and finds that",
                "in execDef.cancelled. With run.isolate = process, it would be ended like a program.",
            ]
        ),
        Commands([("To see what became of it", command("show", incident.run_id))]),
        *link_of(policy, "run?id=", incident.run_id),
    ]


def _of_trouble(incident: Incident, *, policy: MailPolicy) -> list[Block]:
    """About something of the daemon's own."""
    return [
        Facts(
            [
                ("About", one_line(incident.place, limit=500)),
                ("Host", one_line(policy.host)),
                ("Noticed", instant(incident.at)),
                ("Times", str(incident.count) if incident.count > 1 else ""),
            ]
        ),
        Words(["The daemon goes on. More of this is mailed once a day; the log has all."]),
        Commands([("To see whether all is well", "gavo-exec doctor")]),
        *link_of(policy),
    ]


def _of_stall(incident: Incident, *, policy: MailPolicy) -> list[Block]:
    """About job code that let nothing else run."""
    circumstances = incident.circumstances
    held_by = incident.about or ("one of these jobs" if circumstances.where else "it is not known by what")
    trace = block(circumstances.trace, lines=_TRACE_LINES, characters=_TRACE_CHARACTERS)
    return [
        Facts(
            [
                ("Held up by", one_line(held_by, limit=500)),
                ("Where", one_line(circumstances.where, limit=500)),
                ("Host", one_line(policy.host)),
                ("Noticed", instant(incident.at)),
                ("Lasted", duration(circumstances.seconds) if circumstances.seconds is not None else ""),
            ]
        ),
        Words(
            [
                "All that time, job code in the daemon held the interpreter's lock: no job could start or go on. So",
                "do C extensions that keep the lock while they work, regular expressions that take very long, and",
                "arithmetic with enormous numbers. Mend the code, run it as a program (execDef.spawnPython), or set",
                "run.isolate = process.",
                "Further stalls at this place are mailed once a day; the log has them all.",
            ]
        ),
        Lines("What all threads were doing", trace),
        *link_of(policy),
    ]
