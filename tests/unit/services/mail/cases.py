"""Incidents of every kind, as they are told: what the tests of mails are about."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

from msgspec.structs import replace

from gavo_exec.errors import Diagnostic, Position, Severity
from gavo_exec.events import RunFinished, RunOverdue, Stalled
from gavo_exec.incidents import Circumstances, Incident, Kind, State
from gavo_exec.model import (
    Execute,
    HeldBack,
    Job,
    Outcome,
    Policy,
    Reason,
    Rejection,
    ResourceDescriptor,
    Run,
    RunRequest,
)
from gavo_exec.schedule import Every
from gavo_exec.services.mail.envelope import MailPolicy
from gavo_exec.services.mail.items import Item
from gavo_exec.services.mail.letters import compose, compose_bare, compose_debug_output, compose_trial
from gavo_exec.services.mail.masking import Masker
from gavo_exec.services.mail.scenes import circumstances_of

NOW = datetime(2024, 5, 1, 3, 5, 0, tzinfo=UTC)
DUE = datetime(2024, 5, 1, 3, 0, 0, tzinfo=UTC)
POLICY = MailPolicy(
    host="archive", sender="gavo@example.org", recipients=("Jo Örn <jo@example.org>", "ops@example.org"), user="gavo"
)
RD = ResourceDescriptor(rd_id="weather/q", path="/inputs/weather/q.rd", inputs_dir="/inputs", resdir="/inputs/weather")
CODE = """\
import json

rows = json.load(open("rows.json"))
for row in rows:
    if row["t"] is None:
        raise ValueError(f"no temperature in row {row['id']}")
    insert(row)

execDef.spawn(["bin/plot.sh", "--all"])
"""
EXECUTE = Execute(
    key="weather/q#fetch",
    title="Fetch the weather",
    schedule=Every(seconds=3600),
    job=Job(source=CODE, first_line=14, position=Position(path="/inputs/weather/q.rd", line=13, column=5)),
    position=Position(path="/inputs/weather/q.rd", line=12, column=3),
)
REQUEST = RunRequest(run_id="0190ab", rd=RD, execute=EXECUTE, due=DUE, counts_from=DUE)
RUN = Run(
    run_id="0190ab",
    key="weather/q#fetch",
    title="Fetch the weather",
    due=DUE,
    started_at=DUE + timedelta(seconds=1),
    finished_at=DUE + timedelta(seconds=134),
    outcome=Outcome.FAILED,
    returncode=3,
    output="connecting\nno route to host: wetter.example.org\n",
    error=(
        "exit 3: no route to host: wetter.example.org\n"
        "command:     bin/plot.sh --all\n"
        "directory:   /inputs/weather\n"
        "return code: 3\n"
        "called at:   /inputs/weather/q.rd, line 22"
    ),
    host="archive",
)
RAISED = replace(
    RUN,
    returncode=None,
    output="123 rows\n",
    error=(
        "ValueError: no temperature in row 7\n\n"
        "Traceback (most recent call last):\n"
        '  File "/inputs/weather/q.rd", line 19, in job\n'
        "    raise ValueError(f\"no temperature in row {row['id']}\")\n"
        "ValueError: no temperature in row 7"
    ),
)


def an_incident(run: Run = RUN, *, state: State = State.FAILED, **more: object) -> Incident:
    at = run.finished_at or DUE
    incident = Incident(
        kind=Kind.JOB,
        about=run.key,
        state=state,
        since=at,
        at=at,
        tell_at=at,
        cause=run.error.partition("\n")[0],
        run_id=run.run_id,
        circumstances=circumstances_of(RunFinished(run=run, request=REQUEST)),
    )
    return replace(incident, **more)


def known(**more: object) -> Incident:
    """One that was told before."""
    given: dict[str, object] = {
        "since": DUE - timedelta(hours=25, minutes=50),
        "count": 3,
        "told": 2,
        "told_count": 2,
        "told_at": DUE - timedelta(hours=1),
        "thread": ("<incident.1@archive>", "<incident.2@archive>"),
    }
    return an_incident(**{**given, **more})  # type: ignore[arg-type]


def a_diagnostic(line: int = 7, *, severity: Severity = Severity.ERROR, message: str = "7:61 is no time") -> Diagnostic:
    return Diagnostic(
        code="E301",
        message=message,
        position=Position(path="/inputs/weather/q.rd", line=line, column=6),
        severity=severity,
        hint="minutes go from 00 to 59",
        excerpt='<at>"7:61"</at>',
        length=4,
    )


REJECTION = Rejection(
    rd_id="weather/q",
    path="/inputs/weather/q.rd",
    digest="d1",
    rejected_at=DUE,
    diagnostics=(a_diagnostic(3, severity=Severity.WARNING, message="never mind"), a_diagnostic(), a_diagnostic(9)),
)
BROKEN = Incident(
    kind=Kind.RD,
    about="weather/q",
    state=State.BROKEN_RD,
    since=DUE,
    at=DUE,
    tell_at=DUE,
    cause="line 7: E301 7:61 is no time (and 1 more)",
    digests=("d1",),
    circumstances=Circumstances(path="/inputs/weather/q.rd"),
)
HELD_BACK = (HeldBack(key="weather/q#fetch", title="Fetch the weather", every=3600),)
LIMITED = replace(EXECUTE, policy=Policy(timeout=timedelta(hours=1)))
OVERDUE = RunOverdue(
    request=replace(REQUEST, execute=LIMITED),
    started_at=DUE + timedelta(seconds=1),
    at=DUE + timedelta(hours=1, minutes=2, seconds=5),
)
STALLED = Stalled(
    seconds=12.34,
    key="weather/q#fetch",
    where="/inputs/weather/q.rd:14",
    trace='Thread 0x7f (most recent call first):\n  File "/inputs/weather/q.rd", line 14 in job_fetch\n',
    at=DUE,
)


TROUBLE = Incident(
    kind=Kind.TROUBLE,
    about="",
    state=State.TROUBLE,
    since=DUE,
    at=DUE,
    place="the state file",
    count=3,
    told=1,
    cause="The state file /state/state.sqlite was damaged; it is kept aside, and a fresh one is begun",
)


def a_stall(event: Stalled) -> Incident:
    return Incident(
        kind=Kind.STALL,
        about=event.key,
        state=State.STALLED,
        since=event.at,
        at=event.at,
        tell_at=event.at,
        place=event.where,
        cause="nothing else could run for 12.3 s",
        circumstances=circumstances_of(event),
    )


def mail(*items: Item, policy: MailPolicy = POLICY, held_back_since: datetime | None = None) -> EmailMessage:
    return compose(items, policy=policy, now=NOW, mask=Masker(), held_back_since=held_back_since)


INTERRUPTED = Run(
    run_id="0190ac",
    key="weather/q#fetch",
    title="Fetch the weather",
    due=DUE,
    reason=Reason.CATCH_UP,
    attempt=2,
    started_at=DUE,
    finished_at=DUE + timedelta(hours=30),
    outcome=Outcome.INTERRUPTED,
    error="process 4711 on archive ended before the run did",
    host="archive",
)
MISSED = replace(
    RUN,
    run_id="0190ad",
    started_at=None,
    finished_at=DUE + timedelta(minutes=4),
    outcome=Outcome.MISSED,
    returncode=None,
    output="",
    error="90 s too late",
    instants=4,
)
OTHER = replace(RAISED, run_id="0190ae", key="radio/q#grid")
ATTEMPTS = (
    replace(RUN, run_id="0190a1", attempt=1),
    replace(RUN, run_id="0190a2", attempt=2, outcome=Outcome.TIMED_OUT, error="timed out after 1 h (run.timeout)"),
)
DASHBOARD = replace(POLICY, dashboard_url="https://archive.example.org/jobs?a=1&b=2")

CASES: Mapping[str, Callable[[], EmailMessage]] = {
    "failed-child": lambda: mail(Item(incident=an_incident(), run=RUN)),
    "failed-exception": lambda: mail(
        Item(incident=an_incident(RAISED, last_success_at=DUE - timedelta(hours=1)), run=RAISED), policy=DASHBOARD
    ),
    "failed-third-time": lambda: mail(Item(incident=known(), run=RUN)),
    "failed-today": lambda: mail(Item(incident=known(since=DUE - timedelta(hours=1), count=22), run=RUN)),
    "failed-last-attempt": lambda: mail(
        Item(incident=an_incident(replace(RUN, attempt=3)), run=replace(RUN, attempt=3), attempts=ATTEMPTS)
    ),
    "failed-without-run": lambda: mail(Item(incident=an_incident())),
    "failed-and-good-again": lambda: mail(
        Item(incident=an_incident(over_at=DUE + timedelta(seconds=200)), run=RUN),
    ),
    "failed-and-gone": lambda: mail(
        Item(incident=an_incident(over_at=DUE + timedelta(seconds=200), gone=True), run=RUN),
    ),
    "failed-never-reminded": lambda: mail(Item(incident=an_incident(reminders=()), run=RUN)),
    "timed-out": lambda: mail(
        Item(
            incident=an_incident(replace(RUN, error="timed out after 1 h (run.timeout)"), state=State.TIMED_OUT),
            run=replace(RUN, outcome=Outcome.TIMED_OUT, error="timed out after 1 h (run.timeout)", output=""),
        )
    ),
    "interrupted": lambda: mail(
        Item(
            incident=replace(
                an_incident(INTERRUPTED, state=State.INTERRUPTED),
                circumstances=circumstances_of(RunFinished(run=INTERRUPTED)),
            ),
            run=INTERRUPTED,
        )
    ),
    "missed": lambda: mail(
        Item(incident=an_incident(MISSED, kind=Kind.MISSED, state=State.MISSED, count=4), run=MISSED)
    ),
    "overdue": lambda: mail(
        Item(
            incident=an_incident(
                state=State.OVERDUE,
                at=OVERDUE.at,
                since=OVERDUE.at,
                cause="still running after 1 h 2 min",
                circumstances=circumstances_of(OVERDUE),
            )
        )
    ),
    "trouble": lambda: mail(Item(incident=TROUBLE)),
    "stalled": lambda: mail(Item(incident=a_stall(STALLED))),
    "stalled-by-somebody": lambda: mail(
        Item(incident=a_stall(replace(STALLED, key="", where="a#x at /a.rd:1 or b#y at /b.rd:2")))
    ),
    "stalled-by-nobody": lambda: mail(Item(incident=a_stall(replace(STALLED, key="", where="")))),
    "broken-rd": lambda: mail(Item(incident=BROKEN, rejection=REJECTION, held_back=HELD_BACK)),
    "broken-rd-without-version": lambda: mail(Item(incident=BROKEN, rejection=REJECTION)),
    "broken-rd-reminder": lambda: mail(
        Item(
            incident=replace(BROKEN, told=1, told_at=DUE, thread=("<incident.1@archive>", "<incident.1@archive>")),
            rejection=REJECTION,
        )
    ),
    "broken-rd-and-good-again": lambda: mail(Item(incident=replace(BROKEN, over_at=NOW), executes=2)),
    "recovered": lambda: mail(Item(incident=known(over_at=NOW, count=5))),
    "recovered-rd": lambda: mail(
        Item(
            incident=replace(BROKEN, told=1, told_at=DUE, over_at=NOW, thread=("<i.1@archive>", "<i.1@archive>")),
            executes=1,
            warnings=(a_diagnostic(3, severity=Severity.WARNING, message="never mind"),),
        )
    ),
    "digest": lambda: mail(
        Item(incident=an_incident(), run=RUN), Item(incident=an_incident(OTHER), run=OTHER), Item(incident=known())
    ),
    "digest-mixed": lambda: mail(
        Item(incident=an_incident(MISSED, kind=Kind.MISSED, state=State.MISSED, count=4)),
        Item(incident=known(over_at=NOW)),
        Item(incident=BROKEN, rejection=REJECTION),
        Item(incident=a_stall(replace(STALLED, key=""))),
        policy=DASHBOARD,
    ),
    "digest-recovered": lambda: mail(
        Item(incident=known(over_at=NOW)), Item(incident=replace(BROKEN, told=1, told_at=DUE, over_at=NOW), executes=2)
    ),
    "held-back": lambda: mail(Item(incident=an_incident()), held_back_since=DUE - timedelta(hours=1)),
    "debug": lambda: compose_debug_output(
        replace(RUN, outcome=Outcome.SUCCEEDED, returncode=None, error="", output="12 files\n"),
        REQUEST,
        policy=POLICY,
        now=NOW,
        mask=Masker(),
    ),
    "trial": lambda: compose_trial(policy=POLICY, now=NOW),
    "bare": lambda: compose_bare(
        [Item(incident=an_incident()), Item(incident=known(over_at=NOW))], policy=POLICY, now=NOW, mask=Masker()
    ),
}
"""Every kind of mail by a name."""
