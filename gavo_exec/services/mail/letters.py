"""What somebody is told, event by event."""

from datetime import datetime
from email.message import EmailMessage

from gavo_exec.errors import Diagnostic, Severity
from gavo_exec.events import DescriptorAccepted, DescriptorRejected, RunFinished, RunOverdue, Stalled
from gavo_exec.model import Outcome, Rejection, Run, RunRequest, rd_id_of
from gavo_exec.services.mail.envelope import MailPolicy, message_of
from gavo_exec.services.mail.texts import block, command, duration, facts, instant, one_line, section, table

_WORDS = {
    Outcome.FAILED: "FAILED",
    Outcome.TIMED_OUT: "TIMED OUT",
    Outcome.INTERRUPTED: "INTERRUPTED",
}
"""What subjects call bad outcomes."""

_TAIL_LINES, _TAIL_CHARACTERS = 60, 16_384
_DEBUG_LINES, _DEBUG_CHARACTERS = 5_000, 262_144
_DETAIL_LINES, _DETAIL_CHARACTERS = 200, 32_768
_TRACE_LINES, _TRACE_CHARACTERS = 2_000, 65_536
_MOST_DIAGNOSTICS = 50


def compose_failure(event: RunFinished, *, policy: MailPolicy, now: datetime) -> EmailMessage:
    """The mail about a run that ended badly."""
    run = event.run
    cause, _, detail = run.error.partition("\n")
    word = _WORDS.get(run.outcome or Outcome.FAILED, "FAILED")
    cause = one_line(cause) or _cause_of(run)
    body = [
        f"{word}: {cause}",
        "",
        *_facts_of(event, policy=policy),
        *section("Details", block(detail, lines=_DETAIL_LINES, characters=_DETAIL_CHARACTERS)),
        *_output_of(run, lines=_TAIL_LINES, characters=_TAIL_CHARACTERS),
        *_commands_for(run),
    ]
    return message_of(word, cause, body, about=run.key, identity=("run", run.run_id), policy=policy, now=now)


def compose_debug_output(event: RunFinished, *, policy: MailPolicy, now: datetime) -> EmailMessage:
    """The mail with the output of a good run, for an execute with ``debug``."""
    run = event.run
    body = [
        "Debug output of a good run.",
        "",
        *_facts_of(event, policy=policy),
        *_output_of(run, lines=_DEBUG_LINES, characters=_DEBUG_CHARACTERS),
        *_commands_for(run),
        "",
        'This mail is sent because the execute has debug="True".',
    ]
    return message_of(
        "DEBUG", "output of a good run", body, about=run.key, identity=("debug", run.run_id), policy=policy, now=now
    )


def compose_rejection(event: DescriptorRejected, *, policy: MailPolicy, now: datetime) -> EmailMessage:
    """The mail about a version of an RD that was refused."""
    rejection, diagnostics = event.rejection, event.rejection.diagnostics
    errors = [diagnostic for diagnostic in diagnostics if diagnostic.severity is Severity.ERROR]
    first = (errors or [*diagnostics])[:1]
    cause = one_line(" ".join(f"{_line_of(found, rejection)}: {found.code} {found.message}" for found in first))
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    body = [
        f"BROKEN RD: {cause or 'it cannot be read'}{more}",
        "",
        *facts(
            ("RD", rejection.rd_id),
            ("File", rejection.path),
            ("Host", policy.host),
            ("Found", instant(rejection.rejected_at)),
        ),
        "",
        *_held_back_of(event),
        *section(
            "What is wrong",
            block("\n".join(found.render() for found in diagnostics[:_MOST_DIAGNOSTICS]), lines=500, characters=65_536),
        ),
    ]
    if len(diagnostics) > _MOST_DIAGNOSTICS:
        body += ["", f"    ... and {len(diagnostics) - _MOST_DIAGNOSTICS} more"]
    body += ["", *table(("To check it", command("check", rejection.path)))]
    identity = ("rejection", rejection.rd_id, rejection.digest, str(rejection.rejected_at))
    return message_of(
        "BROKEN RD",
        cause or "it cannot be read",
        body,
        about=rejection.rd_id,
        identity=identity,
        policy=policy,
        now=now,
    )


def _line_of(diagnostic: Diagnostic, rejection: Rejection) -> str:
    """The line that is at fault, and the file where that is not the RD's own."""
    position = diagnostic.position
    if position.path == rejection.path:
        return f"line {position.line}"
    inputs_dir = rejection.path.removesuffix(f"{rejection.rd_id}.rd")
    return f"line {position.line} of {position.path.removeprefix(inputs_dir)}"


def _held_back_of(event: DescriptorRejected) -> list[str]:
    """What becomes of the jobs of a broken RD."""
    if not event.held_back:
        return ["There is no earlier good version: none of its jobs runs until it is mended."]
    keys = [f"{one_line(job.key)}  {one_line(job.title, limit=80)}".rstrip() for job in event.held_back]
    shown = block("\n".join(keys), lines=100, characters=16_384)
    return ["Its jobs run on as they were in the last good version:", "", *(f"    {line}" for line in shown)]


def compose_recovery(event: DescriptorAccepted, *, policy: MailPolicy, now: datetime) -> EmailMessage:
    """The mail about an RD that is good again."""
    jobs = "1 job" if event.executes == 1 else f"{event.executes} jobs"
    body = [
        f"RD GOOD AGAIN: {jobs} in force",
        "",
        *facts(("RD", event.rd_id), ("File", event.path), ("Host", policy.host), ("Since", instant(now))),
        *section(
            "Warnings", block("\n".join(found.render() for found in event.warnings), lines=200, characters=32_768)
        ),
    ]
    identity = ("recovery", event.rd_id, str(now))
    return message_of(
        "RD GOOD AGAIN", f"{jobs} in force", body, about=event.rd_id, identity=identity, policy=policy, now=now
    )


def compose_overdue(event: RunOverdue, *, policy: MailPolicy, now: datetime) -> EmailMessage:
    """The mail about a run that goes on past its time limit."""
    request = event.request
    execute, limit = request.execute, request.execute.policy.timeout
    running = duration((event.at - event.started_at).total_seconds())
    cause = f"still running after {running}"
    body = [
        f"OVERDUE: {cause}",
        "",
        *facts(
            ("Job", execute.key),
            ("Title", execute.title),
            ("Host", policy.host),
            ("Time limit", duration(limit.total_seconds()) if limit is not None else ""),
            ("Started", instant(event.started_at)),
            ("RD", _place_of(request)),
            ("Run", request.run_id),
        ),
        "",
        "Its programs have been ended. Code in the daemon itself cannot be: it is asked to end, and finds that in",
        "execDef.cancelled. With run.isolate = process, it would be ended like a program.",
        "",
        *table(("To see what became of it", command("show", request.run_id))),
    ]
    identity = ("overdue", request.run_id)
    return message_of("OVERDUE", cause, body, about=execute.key, identity=identity, policy=policy, now=now)


def compose_stall(event: Stalled, *, policy: MailPolicy, now: datetime) -> EmailMessage:
    """The mail about job code that let nothing else run."""
    lasted = duration(event.seconds)
    cause = f"nothing else could run for {lasted}"
    held_by = event.key or ("one of these jobs" if event.where else "it is not known by what")
    body = [
        f"STALLED: {cause}",
        "",
        *facts(
            ("Held up by", held_by),
            ("Where", event.where),
            ("Host", policy.host),
            ("Noticed", instant(event.at)),
            ("Lasted", lasted),
        ),
        "",
        "All that time, job code in the daemon held the interpreter's lock: no job could start or go on. So do C",
        "extensions that keep the lock while they work, regular expressions that take very long, and arithmetic with",
        "enormous numbers. Mend the code, run it as a program (execDef.spawnPython), or set run.isolate = process.",
        "Further stalls at this place are mailed once a day; the log has them all.",
        *section("What all threads were doing", block(event.trace, lines=_TRACE_LINES, characters=_TRACE_CHARACTERS)),
    ]
    identity = ("stall", event.key, event.where, str(event.at))
    about = event.key or "the daemon"
    return message_of("STALLED", cause, body, about=about, identity=identity, policy=policy, now=now)


# Their parts


def _cause_of(run: Run) -> str:
    """What to say of a bad run that says nothing itself."""
    return "no cause is known" if run.returncode is None else f"exit {run.returncode}"


def _facts_of(event: RunFinished, *, policy: MailPolicy) -> list[str]:
    """What, where and when."""
    run, request = event.run, event.request
    rd = rd_id_of(run.key) if request is None else _place_of(request)
    attempt = f", attempt {run.attempt}" if run.attempt > 1 else ""
    return facts(
        ("Job", run.key),
        ("Title", run.title),
        ("Host", run.host or policy.host),
        ("Due", f"{instant(run.due)} ({run.reason.value.replace('_', ' ')}{attempt})"),
        ("Started", instant(run.started_at) if run.started_at else "not at all"),
        ("Ended", _ended(run)),
        ("Returned", "" if run.returncode is None else str(run.returncode)),
        ("RD", rd),
        ("Next due", instant(event.next_due) if event.next_due else ""),
        ("Run", run.run_id),
    )


def _place_of(request: RunRequest) -> str:
    """Where an execute stands."""
    position = request.execute.position
    return f"{position.path}, line {position.line}" if position.path else request.rd.path


def _ended(run: Run) -> str:
    """When a run ended, and after how long."""
    if run.finished_at is None:
        return ""
    if run.duration_seconds is None:
        return instant(run.finished_at)
    return f"{instant(run.finished_at)}, after {duration(run.duration_seconds)}"


def _output_of(run: Run, *, lines: int, characters: int) -> list[str]:
    """The end of a run's output."""
    if not run.output:
        return ["", "There was no output."]
    return section("Output", block(run.output, lines=lines, characters=characters))


def _commands_for(run: Run) -> list[str]:
    """How to look at a run, and how to run its job again."""
    return [
        "",
        *table(
            ("To see all of it", command("show", run.run_id)),
            ("To run it again", command("execute", run.key)),
        ),
    ]
