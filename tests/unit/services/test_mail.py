import logging
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy

import msgspec
import pytest

from gavo_exec.errors import Diagnostic, Position, Severity
from gavo_exec.events import (
    DescriptorAccepted,
    DescriptorRejected,
    DescriptorRemoved,
    Event,
    JobsReconciled,
    RunFinished,
    RunOverdue,
    RunStarted,
    Stalled,
)
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
from gavo_exec.schedule import Every, Loaded
from gavo_exec.services.history import HistoryListener
from gavo_exec.services.mail import MailListener, MailPolicy, block, compose_failure, duration, one_line
from gavo_exec.services.store import SQLiteStore

NOW = datetime(2024, 5, 1, 3, 0, 0, tzinfo=UTC)
POLICY = MailPolicy(
    host="archive", sender="gavo@example.org", recipients=("Jo Örn <jo@example.org>", "ops@example.org"), user="gavo"
)
RD = ResourceDescriptor(rd_id="weather/q", path="/inputs/weather/q.rd", inputs_dir="/inputs", resdir="/inputs/weather")
EXECUTE = Execute(
    key="weather/q#fetch",
    title="Fetch the weather",
    schedule=Every(seconds=3600),
    job=Job(source="pass"),
    position=Position(path="/inputs/weather/q.rd", line=12, column=3),
)
REQUEST = RunRequest(run_id="0190ab", rd=RD, execute=EXECUTE, due=NOW, counts_from=NOW)
RUN = Run(
    run_id="0190ab",
    key="weather/q#fetch",
    title="Fetch the weather",
    due=NOW,
    started_at=NOW + timedelta(seconds=1),
    finished_at=NOW + timedelta(seconds=134),
    outcome=Outcome.FAILED,
    returncode=3,
    output="connecting\nno route to host: wetter.example.org\n",
    error="exit 3\n$ python3 /inputs/weather/bin/fetch.py\n  returned 3 after 2.1 s",
    host="archive",
)
FAILED = RunFinished(run=RUN, request=REQUEST)


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


def rejected(*, digest: str = "d1", held_back: tuple[HeldBack, ...] = ()) -> DescriptorRejected:
    rejection = Rejection(
        rd_id="weather/q",
        path="/inputs/weather/q.rd",
        digest=digest,
        rejected_at=NOW,
        diagnostics=(a_diagnostic(3, severity=Severity.WARNING, message="never mind"), a_diagnostic(), a_diagnostic(9)),
    )
    return DescriptorRejected(rejection=rejection, held_back=held_back)


ACCEPTED = DescriptorAccepted(rd_id="weather/q", path="/inputs/weather/q.rd", executes=2, recovered=True)


class FixedClock:
    def now(self) -> datetime:
        return NOW + timedelta(minutes=5)


@pytest.fixture
def store() -> Iterator[SQLiteStore]:
    store = SQLiteStore(":memory:", holder="archive 1 1", is_alive=lambda _: False)
    yield store
    store.close()


def mails_about(store: SQLiteStore, *events: Event, policy: MailPolicy = POLICY) -> list[EmailMessage]:
    """What a listener puts into the outbox, oldest first."""
    listener = MailListener(store, clock=FixedClock(), policy=policy)
    for event in events:
        listener(event)
    store.flush()
    mails = reversed(store.mails(limit=1000))
    as_it_is = default_policy.clone(refold_source="none")
    return [message_from_bytes(mail.content, policy=as_it_is) for mail in mails]


def subjects_about(store: SQLiteStore, *events: Event) -> list[str]:
    return [message["Subject"] for message in mails_about(store, *events)]


def text_of(message: EmailMessage) -> str:
    content = message.get_content()
    assert isinstance(content, str)
    return content


# What is mailed


@pytest.mark.parametrize(
    ("outcome", "subject"),
    [
        (Outcome.FAILED, "[archive] FAILED weather/q#fetch: exit 3"),
        (Outcome.TIMED_OUT, "[archive] TIMED OUT weather/q#fetch: exit 3"),
        (Outcome.INTERRUPTED, "[archive] INTERRUPTED weather/q#fetch: exit 3"),
        (Outcome.SUCCEEDED, None),
        (Outcome.SKIPPED, None),
        (Outcome.MISSED, None),
        (Outcome.CANCELLED, None),
        (None, None),
    ],
)
def test_bad_outcomes_and_no_others_are_mailed(
    store: SQLiteStore, outcome: Outcome | None, subject: str | None
) -> None:
    run = msgspec.structs.replace(RUN, outcome=outcome)
    subjects = subjects_about(store, RunFinished(run=run, request=REQUEST))
    assert subjects == ([] if subject is None else [subject])


@pytest.mark.parametrize(
    ("outcome", "debug", "output", "subjects"),
    [
        (Outcome.SUCCEEDED, True, "done\n", ["[archive] DEBUG weather/q#fetch: output of a good run"]),
        (Outcome.SUCCEEDED, True, "", []),
        (Outcome.SUCCEEDED, False, "done\n", []),
        (Outcome.SKIPPED, True, "done\n", []),
        (Outcome.FAILED, True, "done\n", ["[archive] FAILED weather/q#fetch: exit 3"]),
    ],
)
def test_good_output_is_mailed_where_debug_asks_for_it(
    store: SQLiteStore, outcome: Outcome, output: str, subjects: list[str], *, debug: bool
) -> None:
    run = msgspec.structs.replace(RUN, outcome=outcome, output=output)
    execute = msgspec.structs.replace(EXECUTE, debug=debug)
    request = msgspec.structs.replace(REQUEST, execute=execute)
    assert subjects_about(store, RunFinished(run=run, request=request)) == subjects


def test_a_good_run_of_which_only_the_record_is_left_is_not_mailed(store: SQLiteStore) -> None:
    run = msgspec.structs.replace(RUN, outcome=Outcome.SUCCEEDED)
    assert subjects_about(store, RunFinished(run=run)) == []


def test_only_events_that_may_be_mailed_are_heard() -> None:
    assert MailListener.hears >= {type(event) for event in (FAILED, rejected(), ACCEPTED, REMOVED, OVERDUE, STALLED)}
    assert not MailListener.hears & {RunStarted, JobsReconciled}


def test_other_events_are_not_mailed(store: SQLiteStore) -> None:
    assert subjects_about(store, JobsReconciled(added=("a",)), RunStarted(request=REQUEST, started_at=NOW)) == []


BROKEN = "[archive] BROKEN RD weather/q: line 7: E301 7:61 is no time"
GOOD = "[archive] RD GOOD AGAIN weather/q: 2 jobs in force"
FIRST_READ = msgspec.structs.replace(ACCEPTED, recovered=False)
REMOVED = DescriptorRemoved(rd_id="weather/q")


@pytest.mark.parametrize(
    ("events", "subjects"),
    [
        ([rejected()], [BROKEN]),
        ([rejected(), rejected()], [BROKEN]),
        ([rejected(digest=""), rejected(digest="")], [BROKEN]),
        ([rejected(), rejected(digest="d2"), rejected()], [BROKEN, BROKEN]),
        ([rejected(), ACCEPTED], [BROKEN, GOOD]),
        ([rejected(), ACCEPTED, ACCEPTED], [BROKEN, GOOD]),
        ([rejected(), ACCEPTED, rejected()], [BROKEN, GOOD, BROKEN]),
        ([rejected(), REMOVED, FIRST_READ], [BROKEN]),
        ([rejected(), REMOVED, rejected()], [BROKEN, BROKEN]),
        ([ACCEPTED], []),
        ([FIRST_READ], []),
    ],
)
def test_each_broken_content_is_mailed_once_and_its_mending_too(
    store: SQLiteStore, events: list[Event], subjects: list[str]
) -> None:
    assert subjects_about(store, *events) == subjects


@pytest.mark.parametrize(
    ("event", "subjects"),
    [
        (rejected(), [BROKEN]),
        (rejected(digest="d2"), [BROKEN, BROKEN]),
        (ACCEPTED, [BROKEN, GOOD]),
        (FIRST_READ, [BROKEN, GOOD]),  # mended while no daemon ran
    ],
)
def test_what_was_mailed_is_known_after_a_restart(store: SQLiteStore, event: Event, subjects: list[str]) -> None:
    HistoryListener(store)(rejected())
    assert subjects_about(store, rejected()) == [BROKEN]
    assert subjects_about(store, event) == subjects


# What the mails say


def test_the_mail_about_a_failure(store: SQLiteStore) -> None:
    [message] = mails_about(store, FAILED)
    headers = {name: value for name, value in message.items() if name != "Message-ID"}
    assert headers == {
        "From": "gavo@example.org",
        "To": "Jo Örn <jo@example.org>, ops@example.org",
        "Subject": "[archive] FAILED weather/q#fetch: exit 3",
        "Date": "Wed, 01 May 2024 03:05:00 +0000",
        "Auto-Submitted": "auto-generated",
        "X-Gavo-Exec-Key": "weather/q#fetch",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "7bit",
        "MIME-Version": "1.0",
    }
    assert re.fullmatch(r"<run\.[0-9a-f]{32}@archive>", message["Message-ID"])
    assert text_of(message) == (
        """\
FAILED: exit 3

Job:      weather/q#fetch
Title:    Fetch the weather
Host:     archive
Due:      2024-05-01 03:00:00 UTC (scheduled)
Started:  2024-05-01 03:00:01 UTC
Ended:    2024-05-01 03:02:14 UTC, after 2 min 13 s
Returned: 3
RD:       /inputs/weather/q.rd, line 12
Next due: 2024-05-01 04:00:00 UTC
Run:      0190ab

Details:
    $ python3 /inputs/weather/bin/fetch.py
      returned 3 after 2.1 s

Output:
    connecting
    no route to host: wetter.example.org

To see all of it: gavo-exec show 0190ab
To run it again:  gavo-exec execute weather/q#fetch
"""
    )


def test_the_mail_about_what_runs_when_its_rd_is_loaded_names_no_next_instant(store: SQLiteStore) -> None:
    execute = msgspec.structs.replace(EXECUTE, schedule=Loaded())
    [message] = mails_about(store, RunFinished(run=RUN, request=msgspec.structs.replace(REQUEST, execute=execute)))
    assert "Next due" not in text_of(message)


def test_the_mail_about_a_run_of_which_only_the_record_is_left(store: SQLiteStore) -> None:
    run = Run(
        run_id="0190ac",
        key="weather/q#fetch",
        title="Fetch the weather",
        due=NOW,
        reason=Reason.CATCH_UP,
        attempt=2,
        started_at=NOW,
        finished_at=NOW + timedelta(hours=30),
        outcome=Outcome.INTERRUPTED,
        error="process 4711 on archive ended before the run did",
        host="archive",
    )
    [message] = mails_about(store, RunFinished(run=run))
    assert message["Subject"] == (
        "[archive] INTERRUPTED weather/q#fetch: process 4711 on archive ended before the run did"
    )
    assert text_of(message) == (
        """\
INTERRUPTED: process 4711 on archive ended before the run did

Job:     weather/q#fetch
Title:   Fetch the weather
Host:    archive
Due:     2024-05-01 03:00:00 UTC (catch up, attempt 2)
Started: 2024-05-01 03:00:00 UTC
Ended:   2024-05-02 09:00:00 UTC, after 1 d 6 h
RD:      weather/q
Run:     0190ac

There was no output.

To see all of it: gavo-exec show 0190ac
To run it again:  gavo-exec execute weather/q#fetch
"""
    )


def test_the_mail_about_a_run_that_never_started_and_says_nothing(store: SQLiteStore) -> None:
    run = Run(run_id="r", key="q#a", title="", due=NOW, outcome=Outcome.TIMED_OUT)
    [message] = mails_about(store, RunFinished(run=run))
    assert message["Subject"] == "[archive] TIMED OUT q#a: no cause is known"
    assert text_of(message) == (
        """\
TIMED OUT: no cause is known

Job:     q#a
Host:    archive
Due:     2024-05-01 03:00:00 UTC (scheduled)
Started: not at all
RD:      q
Run:     r

There was no output.

To see all of it: gavo-exec show r
To run it again:  gavo-exec execute q#a
"""
    )


def test_the_mail_with_debug_output(store: SQLiteStore) -> None:
    run = msgspec.structs.replace(RUN, outcome=Outcome.SUCCEEDED, returncode=None, error="", output="Grüße\n")
    request = msgspec.structs.replace(REQUEST, execute=msgspec.structs.replace(EXECUTE, debug=True))
    [message] = mails_about(store, RunFinished(run=run, request=request))
    assert text_of(message) == (
        """\
Debug output of a good run.

Job:      weather/q#fetch
Title:    Fetch the weather
Host:     archive
Due:      2024-05-01 03:00:00 UTC (scheduled)
Started:  2024-05-01 03:00:01 UTC
Ended:    2024-05-01 03:02:14 UTC, after 2 min 13 s
RD:       /inputs/weather/q.rd, line 12
Next due: 2024-05-01 04:00:00 UTC
Run:      0190ab

Output:
    Grüße

To see all of it: gavo-exec show 0190ab
To run it again:  gavo-exec execute weather/q#fetch

This mail is sent because the execute has debug="True".
"""
    )


def test_the_mail_about_a_broken_rd(store: SQLiteStore) -> None:
    held_back = (HeldBack(key="weather/q#fetch", title="Fetch the weather"), HeldBack(key="weather/q#b", title="B"))
    [message] = mails_about(store, rejected(held_back=held_back))
    assert message["X-Gavo-Exec-Key"] == "weather/q"
    assert text_of(message) == (
        """\
BROKEN RD: line 7: E301 7:61 is no time (and 1 more)

RD:    weather/q
File:  /inputs/weather/q.rd
Host:  archive
Found: 2024-05-01 03:00:00 UTC

Its jobs run on as they were in the last good version:

    weather/q#fetch  Fetch the weather
    weather/q#b  B

What is wrong:
    /inputs/weather/q.rd:3:6: E301 never mind
        <at>"7:61"</at>
             ^^^^
      hint: minutes go from 00 to 59
    /inputs/weather/q.rd:7:6: E301 7:61 is no time
        <at>"7:61"</at>
             ^^^^
      hint: minutes go from 00 to 59
    /inputs/weather/q.rd:9:6: E301 7:61 is no time
        <at>"7:61"</at>
             ^^^^
      hint: minutes go from 00 to 59

To check it: gavo-exec check /inputs/weather/q.rd
"""
    )


def test_the_mail_about_a_broken_rd_without_an_earlier_version_says_that_nothing_runs(store: SQLiteStore) -> None:
    [message] = mails_about(store, rejected())
    assert "\nThere is no earlier good version: none of its jobs runs until it is mended.\n" in text_of(message)


def test_the_mail_about_a_thousand_faults_is_bounded(store: SQLiteStore) -> None:
    event = rejected()
    faults = tuple(a_diagnostic(line, message="x" * 5000) for line in range(1000))
    event = msgspec.structs.replace(event, rejection=msgspec.structs.replace(event.rejection, diagnostics=faults))
    [message] = mails_about(store, event)
    assert "    ... and 950 more\n" in text_of(message)
    assert len(text_of(message)) < 100_000


def test_the_mail_about_an_rd_that_cannot_be_read_at_all(store: SQLiteStore) -> None:
    event = rejected()
    event = msgspec.structs.replace(event, rejection=msgspec.structs.replace(event.rejection, diagnostics=()))
    assert subjects_about(store, event) == ["[archive] BROKEN RD weather/q: it cannot be read"]


@pytest.mark.parametrize(
    ("path", "where"),
    [("/inputs/lib/jobs.rd", "line 9 of lib/jobs.rd"), ("/etc/userconfig.rd", "line 9 of /etc/userconfig.rd")],
)
def test_the_mail_about_a_fault_in_another_file_names_that(store: SQLiteStore, path: str, where: str) -> None:
    event = rejected()
    fault = msgspec.structs.replace(a_diagnostic(), position=Position(path=path, line=9))
    event = msgspec.structs.replace(event, rejection=msgspec.structs.replace(event.rejection, diagnostics=(fault,)))
    assert subjects_about(store, event) == [f"[archive] BROKEN RD weather/q: {where}: E301 7:61 is no time"]


def test_the_all_clear(store: SQLiteStore) -> None:
    warning = a_diagnostic(3, severity=Severity.WARNING, message="never mind")
    event = msgspec.structs.replace(ACCEPTED, executes=1, warnings=(warning,))
    [_, message] = mails_about(store, rejected(), event)
    assert message["Subject"] == "[archive] RD GOOD AGAIN weather/q: 1 job in force"
    assert text_of(message) == (
        """\
RD GOOD AGAIN: 1 job in force

RD:    weather/q
File:  /inputs/weather/q.rd
Host:  archive
Since: 2024-05-01 03:05:00 UTC

Warnings:
    /inputs/weather/q.rd:3:6: E301 never mind
        <at>"7:61"</at>
             ^^^^
      hint: minutes go from 00 to 59
"""
    )


LIMITED = msgspec.structs.replace(EXECUTE, policy=Policy(timeout=timedelta(hours=1)))
OVERDUE = RunOverdue(
    request=msgspec.structs.replace(REQUEST, execute=LIMITED),
    started_at=NOW + timedelta(seconds=1),
    at=NOW + timedelta(hours=1, minutes=2, seconds=5),
)
STALLED = Stalled(
    seconds=12.34,
    key="weather/q#fetch",
    where="/inputs/weather/q.rd:14",
    trace='Thread 0x7f (most recent call first):\n  File "/inputs/weather/q.rd", line 14 in job_fetch\n',
    at=NOW,
)


def test_the_mail_about_an_overdue_run(store: SQLiteStore) -> None:
    [message] = mails_about(store, OVERDUE)
    assert message["Subject"] == "[archive] OVERDUE weather/q#fetch: still running after 1 h 2 min"
    assert message["X-Gavo-Exec-Key"] == "weather/q#fetch"
    assert text_of(message) == (
        """\
OVERDUE: still running after 1 h 2 min

Job:        weather/q#fetch
Title:      Fetch the weather
Host:       archive
Time limit: 1 h 0 min
Started:    2024-05-01 03:00:01 UTC
RD:         /inputs/weather/q.rd, line 12
Run:        0190ab

Its programs have been ended. Code in the daemon itself cannot be: it is asked to end, and finds that in
execDef.cancelled. With run.isolate = process, it would be ended like a program.

To see what became of it: gavo-exec show 0190ab
"""
    )


def test_the_mail_about_a_stall(store: SQLiteStore) -> None:
    [message] = mails_about(store, STALLED)
    assert message["Subject"] == "[archive] STALLED weather/q#fetch: nothing else could run for 12.3 s"
    assert text_of(message) == (
        """\
STALLED: nothing else could run for 12.3 s

Held up by: weather/q#fetch
Where:      /inputs/weather/q.rd:14
Host:       archive
Noticed:    2024-05-01 03:00:00 UTC
Lasted:     12.3 s

All that time, job code in the daemon held the interpreter's lock: no job could start or go on. So do C
extensions that keep the lock while they work, regular expressions that take very long, and arithmetic with
enormous numbers. Mend the code, run it as a program (execDef.spawnPython), or set run.isolate = process.
Further stalls at this place are mailed once a day; the log has them all.

What all threads were doing:
    Thread 0x7f (most recent call first):
      File "/inputs/weather/q.rd", line 14 in job_fetch
"""
    )


@pytest.mark.parametrize(
    ("where", "facts"),
    [
        ("a#x at /a.rd:1 or b#y at /b.rd:2", "one of these jobs\nWhere:      a#x at /a.rd:1 or b#y at /b.rd:2\n"),
        ("", "it is not known by what\nHost:"),
    ],
)
def test_the_mail_about_a_stall_by_nobody_in_particular(store: SQLiteStore, where: str, facts: str) -> None:
    [message] = mails_about(store, msgspec.structs.replace(STALLED, key="", where=where))
    assert message["Subject"] == "[archive] STALLED the daemon: nothing else could run for 12.3 s"
    assert f"\nHeld up by: {facts}" in text_of(message)


@pytest.mark.parametrize(
    ("others", "mails"),
    [
        ([STALLED], 1),
        ([msgspec.structs.replace(STALLED, at=NOW + timedelta(hours=23))], 1),
        ([msgspec.structs.replace(STALLED, at=NOW + timedelta(hours=24))], 2),
        ([msgspec.structs.replace(STALLED, at=NOW + timedelta(hours=hour)) for hour in range(1, 100)], 5),
        ([msgspec.structs.replace(STALLED, where="/inputs/weather/q.rd:15")], 2),
        ([msgspec.structs.replace(STALLED, key="weather/q#other")], 2),
    ],
)
def test_a_place_that_stalls_is_mailed_once_a_day(store: SQLiteStore, others: list[Event], mails: int) -> None:
    assert len(mails_about(store, STALLED, *others)) == mails


def test_a_long_trace_is_mailed_in_bounds(store: SQLiteStore) -> None:
    [message] = mails_about(store, msgspec.structs.replace(STALLED, trace='  File "x", line 1 in f\n' * 100_000))
    assert len(text_of(message)) < 100_000


def test_only_the_end_of_long_output_is_mailed(store: SQLiteStore) -> None:
    run = msgspec.structs.replace(RUN, output="".join(f"line {number}\n" for number in range(1000)))
    [message] = mails_about(store, RunFinished(run=run, request=REQUEST))
    shown = text_of(message).partition("Output:\n")[2].partition("\n\n")[0].split("\n")
    assert shown[0] == "    [940 lines before this left out]"
    assert shown[1:] == [f"    line {number}" for number in range(940, 1000)]


def test_message_ids_tell_mails_apart_and_stay() -> None:
    def identity(run_id: str, host: str = "archive") -> str:
        event = RunFinished(run=msgspec.structs.replace(RUN, run_id=run_id))
        policy = msgspec.structs.replace(POLICY, host=host)
        return str(compose_failure(event, policy=policy, now=NOW)["Message-ID"])

    assert identity("a") == identity("a")
    assert len({identity("a"), identity("b"), identity("a", "mirror")}) == 3


def test_without_addresses_mail_goes_from_and_to_the_user_of_the_daemon(store: SQLiteStore) -> None:
    [message] = mails_about(store, FAILED, policy=MailPolicy(host="archive", user="gavo"))
    assert (message["From"], message["To"]) == ("gavo-exec <gavo@archive>", "gavo@archive")


def test_a_policy_knows_this_machine_and_user() -> None:
    policy = MailPolicy()
    assert policy.host
    assert policy.user


@pytest.mark.parametrize(
    "address",
    [
        "nobody",
        "a@b@c",
        "jo@example.org\nBcc: x@y.org",
        "jo@example.org, x@y.org",
        "jürgen@example.org",
        "<jo@x",
        "a" * 999 + "@b",
    ],
)
def test_unusable_addresses_are_named_in_the_log_and_done_without(
    store: SQLiteStore, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    policy = MailPolicy(host="archive", sender=address, recipients=(address, "ops@example.org"), user="gavo")
    with caplog.at_level(logging.WARNING):
        [message] = mails_about(store, FAILED, policy=policy)
    assert (message["From"], message["To"]) == ("gavo-exec <gavo@archive>", "ops@example.org")
    expected = f"{repr(address)[:200]} is no mail address that can be used; mend the settings for mail"
    assert caplog.messages == [expected, expected]


# Hostile texts

HOSTILE = {
    "carriage returns": "a\r\nBcc: x@example.org\r\n\r\nbody",
    "line feeds": "a\nBcc: x@example.org",
    "encoded line ends": "=?utf-8?q?a=0D=0ABcc:_x=40example.org?=",
    "encoded base64": "=?utf-8?b?DQpCY2M6IHhAZXhhbXBsZS5vcmc=?=",
    "unicode line ends": "a\u2028b\u2029c\x85d\x0be\x0cf",
    "right to left": "evil\u202egpj.exe\u2066\u2069\u200f",
    "control characters": "".join(map(chr, range(32))) + "\x7f\x9b31m",
    "lone surrogates": "a\ud800b\udfffc\udce9",
    "nul": "a\0b",
    "long line": "x" * 10_000_000,
    "long unicode": "ä🚀" * 100_000,
    "long word among others": "a " * 100 + "y" * 5000,
    "many lines": "z\n" * 100_000,
    "many tabs": "\t" * 100_000,
    "quotes": "\"'`$(reboot)\\",
    "angle": "<script>@<>,;:",
    "blank": "   ",
    "empty": "",
    "dots": ".\n.\n..\n",
}


def hostile_mails(store: SQLiteStore, text: str) -> list[bytes]:
    run = Run(
        run_id=text[:1000], key=text, title=text, due=NOW, outcome=Outcome.FAILED, output=text, error=text, host=text
    )
    cause = f"{text}\n{text}"
    position = Position(path=text, line=1)
    execute = Execute(
        key=text, title=text, schedule=Every(seconds=1), job=Job(source=""), debug=True, position=position
    )
    request = RunRequest(run_id=text, rd=RD, execute=execute, due=NOW)
    rejection = Rejection(
        rd_id=text,
        path=text,
        digest=text,
        rejected_at=NOW,
        diagnostics=(Diagnostic(code="E101", message=text, position=position, hint=text, excerpt=text, length=5),),
    )
    listener = MailListener(
        store, clock=FixedClock(), policy=MailPolicy(host=text, sender=text, recipients=(text,), user=text)
    )
    listener(RunFinished(run=msgspec.structs.replace(run, error=cause)))
    listener(
        RunFinished(run=msgspec.structs.replace(run, outcome=Outcome.SUCCEEDED, output=f"{text}."), request=request)
    )
    listener(DescriptorRejected(rejection=rejection, held_back=(HeldBack(key=text, title=text),)))
    listener(DescriptorAccepted(rd_id=text, path=text, executes=1, warnings=rejection.diagnostics))
    store.flush()
    return [mail.content for mail in store.mails()]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_make_valid_mails(store: SQLiteStore, text: str) -> None:
    mails = hostile_mails(store, text)
    assert len(mails) == 4
    for content in mails:
        assert max(len(line) for line in content.split(b"\n")) <= 998
        assert b"\r" not in content
        assert b"\0" not in content
        assert len(content) < 1_000_000
        assert content.isascii()
        message = message_from_bytes(content, policy=default_policy)
        assert message.defects == []
        assert [header.defects for header in message.values()] == [()] * 10
        assert sorted(message.keys()) == [
            "Auto-Submitted",
            "Content-Transfer-Encoding",
            "Content-Type",
            "Date",
            "From",
            "MIME-Version",
            "Message-ID",
            "Subject",
            "To",
            "X-Gavo-Exec-Key",
        ]
        assert len(message["Subject"]) < 500
        for header in message.values():
            assert header.isprintable()
        assert len(message["To"].addresses) == 1
        assert message["To"].addresses[0].addr_spec != "x@example.org"
        for line in text_of(message).rstrip("\n").split("\n"):
            assert line.isprintable()
            assert len(line) < 700


@pytest.mark.parametrize("text", [*HOSTILE.values(), "-rf /", "it's; rm -rf ~"])
def test_commands_in_mails_are_single_harmless_words(text: str) -> None:
    run = Run(run_id="r1", key=text, title="", due=NOW, outcome=Outcome.FAILED)
    content = compose_failure(RunFinished(run=run), policy=POLICY, now=NOW).get_content()
    [command] = re.findall(r"^To run it again: +(.*)$", content, re.MULTILINE)
    words = shlex.split(command)
    assert words[:2] == ["gavo-exec", "execute"]
    line = one_line(text)
    assert words[2:] == (["--", line] if line.startswith("-") else [line])


# The texts' parts


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("  two\r\n\twords ", "two words"),
        ("Grüße 🚀", "Grüße 🚀"),
        ("a\u202eb", "a b"),
        ("abcdefghijk", "abcdefghi…"),
        ("abcdefghij", "abcdefghij"),
        (" " * 100 + "x", "…"),
        ("", ""),
    ],
)
def test_a_line_is_single_printable_and_bounded(text: str, line: str) -> None:
    assert one_line(text, limit=10) == line


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("a\nb\n", ["a", "b"]),
        ("a\nb\nc\n", ["a", "b", "c"]),
        ("a\nb\nc\nd\n", ["[1 line before this left out]", "b", "c", "d"]),
        ("a\tb", ["a       b"]),
        ("bar\rbar\rdone", ["bar", "bar", "done"]),
        ("a\x1b[31mb", ["a\ufffd[31mb"]),
        ("x" * 30, ["[10 characters before this left out]", "x" * 20]),
        ("first\n" + "x" * 15 + "\nlast\n", ["[2 lines before this left out]", "last"]),
    ],
)
def test_a_block_is_the_end_of_a_text(text: str, lines: list[str]) -> None:
    assert block(text, lines=3, characters=20) == lines


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (2.14, "2.1 s"),
        (59.94, "59.9 s"),
        (59.97, "1 min 0 s"),
        (133, "2 min 13 s"),
        (3599.7, "1 h 0 min"),
        (3_720, "1 h 2 min"),
        (100_000, "1 d 3 h"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_subject_begins_on_its_line_however_long_it_is(store: SQLiteStore) -> None:
    for words in range(1, 60):
        run = msgspec.structs.replace(RUN, error="reason " * words)
        *_, message = mails_about(store, RunFinished(run=run, request=REQUEST))
        again = message_from_bytes(message.as_bytes(), policy=default_policy)
        assert again["Subject"].startswith("[archive] FAILED weather/q#fetch: reason")
