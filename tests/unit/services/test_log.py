import io
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from gavo_exec.errors import Diagnostic, Position, Severity
from gavo_exec.events import (
    ClockStepped,
    DaemonStarted,
    DaemonStopping,
    DescriptorAccepted,
    DescriptorRejected,
    DescriptorRemoved,
    Event,
    JobsReconciled,
    RunFinished,
    RunOverdue,
    RunStarted,
    Stalled,
    Trouble,
)
from gavo_exec.model import HeldBack, Outcome, Policy, Reason, Rejection, Run, RunRequest
from gavo_exec.schedule import Loaded
from gavo_exec.services.log import LogListener
from gavo_exec.services.log.lines import configure
from gavo_exec.services.log.texts import one_line
from gavo_exec.testing import make_execute, make_rd

DUE = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
KEY = "weather/q#fetch"
_log = logging.getLogger("gavo_exec")


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    before = _log.handlers[:], _log.level, _log.propagate
    yield
    _log.handlers[:], _log.level, _log.propagate = before


def logged(*events: Event, level: int = logging.INFO) -> list[str]:
    """What is logged for events, without the stamps."""
    stream = io.StringIO()
    configure("plain", stream, level=level)
    for event in events:
        LogListener()(event)
    return [line.partition("Z ")[2] for line in stream.getvalue().splitlines()]


def request(*, title: str = "Fetch", reason: Reason = Reason.SCHEDULED, attempt: int = 1) -> RunRequest:
    execute = make_execute(KEY, title=title)
    return RunRequest(
        run_id="r1",
        rd=make_rd(execute),
        execute=execute,
        due=DUE,
        counts_from=DUE,
        reason=reason,
        attempt=attempt,
    )


def finished(
    outcome: Outcome, *, seconds: float | None = 0.3, error: str = "", returncode: int | None = None
) -> RunFinished:
    run = Run(
        run_id="r1",
        key=KEY,
        title="Fetch",
        due=DUE,
        started_at=None if seconds is None else DUE,
        finished_at=None if seconds is None else DUE + timedelta(seconds=seconds),
        outcome=outcome,
        error=error,
        returncode=returncode,
    )
    return RunFinished(run=run, request=request())


def diagnostic(message: str = "a fault", *, line: int = 3, severity: Severity = Severity.ERROR) -> Diagnostic:
    position = Position(path="/inputs/weather/q.rd", line=line, column=9)
    return Diagnostic(code="E302", message=message, position=position, severity=severity, hint="mend it")


def rejected(*diagnostics: Diagnostic, held_back: tuple[HeldBack, ...] = ()) -> DescriptorRejected:
    rejection = Rejection(
        rd_id="weather/q", path="/inputs/weather/q.rd", digest="d", rejected_at=DUE, diagnostics=diagnostics
    )
    return DescriptorRejected(rejection=rejection, held_back=held_back)


def accepted(executes: int, **more: bool | tuple[Diagnostic, ...]) -> DescriptorAccepted:
    fields = {"rd_id": "weather/q", "path": "/inputs/weather/q.rd", "executes": executes, **more}
    return msgspec.convert(fields, DescriptorAccepted)


def overdue(*, timeout: timedelta | None) -> RunOverdue:
    execute = make_execute(KEY, title="Fetch", policy=Policy(timeout=timeout))
    asked = msgspec.structs.replace(request(), execute=execute)
    return RunOverdue(request=asked, started_at=DUE, at=DUE + timedelta(hours=1, minutes=2))


def stalled(*, key: str = "", where: str = "") -> Stalled:
    return Stalled(seconds=12.34, key=key, where=where, trace="Thread 0x7f", at=DUE)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            RunStarted(request=request(), started_at=DUE),
            f"INFO {KEY} started (due 2026-11-23 07:30:00)",
        ),
        (
            RunStarted(request=request(reason=Reason.RETRY, attempt=2), started_at=DUE),
            f"INFO {KEY} started (due 2026-11-23 07:30:00, once more, attempt 2)",
        ),
        (
            RunStarted(request=request(reason=Reason.TRIGGERED), started_at=DUE),
            f"INFO {KEY} started (due 2026-11-23 07:30:00, asked for)",
        ),
        (finished(Outcome.SUCCEEDED), f"INFO {KEY} succeeded in 0.3 s, next due 2026-11-23 08:30:00"),
        (
            finished(Outcome.SUCCEEDED, seconds=3725),
            f"INFO {KEY} succeeded in 1 h 2 min 5 s, next due 2026-11-23 08:30:00",
        ),
        (
            finished(Outcome.FAILED, error="ValueError: no\nTraceback\n  more"),
            f"ERROR {KEY} FAILED in 0.3 s: ValueError: no",
        ),
        (finished(Outcome.FAILED, returncode=3), f"ERROR {KEY} FAILED in 0.3 s: return code 3"),
        (finished(Outcome.TIMED_OUT, error="longer than 5 s"), f"ERROR {KEY} TIMED OUT in 0.3 s: longer than 5 s"),
        (finished(Outcome.INTERRUPTED, seconds=None, error="cut off"), f"ERROR {KEY} INTERRUPTED: cut off"),
        (finished(Outcome.CANCELLED), f"WARNING {KEY} cancelled in 0.3 s, next due 2026-11-23 08:30:00"),
        (
            finished(Outcome.SKIPPED, seconds=None, error="the run before still goes on"),
            f"WARNING {KEY} skipped: the run before still goes on",
        ),
        (finished(Outcome.MISSED, seconds=None), f"WARNING {KEY} missed, next due 2026-11-23 08:30:00"),
        (accepted(1), "INFO weather/q accepted: 1 job"),
        (accepted(2, recovered=True), "INFO weather/q is good again: 2 jobs"),
        (accepted(0, recovered=True), "INFO weather/q is good again: 0 jobs"),
        (DescriptorRemoved(rd_id="weather/q"), "INFO weather/q removed: its file is gone"),
        (
            JobsReconciled(added=("a#x", "b#y"), changed=("c#z",)),
            "INFO jobs: 2 added (a#x, b#y), 1 changed (c#z)",
        ),
        (
            DaemonStarted(inputs_dir="/inputs", state_dir="/state", executes=12, at=DUE),
            "INFO ready: 12 jobs from /inputs, state in /state",
        ),
        (DaemonStopping(reason="SIGTERM", running=1, at=DUE), "INFO stopping (SIGTERM): waiting for 1 run"),
        (DaemonStopping(reason="SIGTERM", running=0, at=DUE), "INFO stopping (SIGTERM): nothing is running"),
        (Trouble(message="the disk is full", at=DUE), "ERROR the disk is full"),
        (
            overdue(timeout=timedelta(hours=1)),
            f"ERROR {KEY} OVERDUE: still running after 1 h 2 min, its time limit is 1 h; it has been asked to end",
        ),
        (overdue(timeout=None), f"ERROR {KEY} OVERDUE: still running after 1 h 2 min; it has been asked to end"),
        (
            stalled(key=KEY, where="/inputs/weather/q.rd:14"),
            (
                f"ERROR STALLED: nothing else could run for 12.3 s: {KEY} held the interpreter's lock at "
                "/inputs/weather/q.rd:14 (mend it, or let it run apart: run.isolate=process)"
            ),
        ),
        (
            stalled(where="a#x at /a.rd:1 or b#y at /b.rd:2"),
            (
                "ERROR STALLED: nothing else could run for 12.3 s: something held the interpreter's lock, perhaps "
                "a#x at /a.rd:1 or b#y at /b.rd:2"
            ),
        ),
        (
            stalled(),
            "ERROR STALLED: nothing else could run for 12.3 s: something held the interpreter's lock",
        ),
        (
            ClockStepped(seconds=3600.2, at=DUE),
            "WARNING the clock jumped forward by 1 h: it was set, or the machine slept",
        ),
        (ClockStepped(seconds=-7.5, at=DUE), "WARNING the clock jumped back by 7.5 s: it was set"),
    ],
)
def test_each_event_is_one_line(event: Event, line: str) -> None:
    assert logged(event) == [line]


def test_of_what_runs_when_its_rd_is_loaded_no_next_instant_is_told() -> None:
    asked = msgspec.structs.replace(request(reason=Reason.STARTUP), execute=make_execute(KEY, schedule=Loaded()))
    event = RunFinished(run=finished(Outcome.SUCCEEDED).run, request=asked)
    assert event.next_due is None
    [line] = logged(event)
    assert "next due" not in line


def test_a_rejection_is_followed_by_each_diagnostic() -> None:
    event = rejected(
        diagnostic("every is 0"),
        diagnostic("odd", line=5, severity=Severity.WARNING),
        held_back=(HeldBack(key=KEY, title="Fetch"),),
    )
    assert logged(event) == [
        f"ERROR weather/q REJECTED for 1 error, its last good version runs on: {KEY}",
        "ERROR /inputs/weather/q.rd:3:9: E302 every is 0 (mend it)",
        "WARNING /inputs/weather/q.rd:5:9: E302 odd (mend it)",
    ]


def test_a_rejection_without_a_good_version_says_that_nothing_runs() -> None:
    assert logged(rejected(diagnostic()))[0] == "ERROR weather/q REJECTED for 1 error, none of its jobs runs"


def test_of_very_many_diagnostics_the_first_are_logged() -> None:
    lines = logged(rejected(*(diagnostic(line=number) for number in range(1000))))
    assert len(lines) == 22
    assert lines[-1] == "ERROR and 980 more in /inputs/weather/q.rd: run gavo-exec check for all of them"


def test_a_fault_in_what_others_use_is_told_with_the_places_that_use_it() -> None:
    feed = Position(path="/inputs/weather/q.rd", line=7, column=4)
    loop = Position(path="/inputs/lib.rd", line=2, column=3)
    fault = msgspec.structs.replace(
        diagnostic(), position=Position(path="/inputs/lib.rd", line=9, column=1, via=(loop, feed))
    )
    assert logged(rejected(fault))[1] == (
        "ERROR /inputs/lib.rd:9:1: E302 a fault, via /inputs/lib.rd:2:3, via /inputs/weather/q.rd:7:4 (mend it)"
    )


def test_the_readers_warnings_follow_what_is_accepted() -> None:
    event = accepted(1, warnings=(diagnostic("two ids", severity=Severity.WARNING),))
    assert logged(event)[1:] == ["WARNING /inputs/weather/q.rd:3:9: E302 two ids (mend it)"]


def test_rds_without_jobs_are_told_only_to_those_who_debug() -> None:
    event = accepted(0, warnings=(diagnostic(severity=Severity.WARNING),))
    assert logged(event, JobsReconciled()) == []
    assert logged(event, JobsReconciled(), level=logging.DEBUG) == [
        "DEBUG weather/q accepted: 0 jobs",
        "DEBUG /inputs/weather/q.rd:3:9: E302 a fault (mend it)",
        "DEBUG jobs: no change",
    ]


def test_long_lists_of_jobs_are_cut_short() -> None:
    (line,) = logged(JobsReconciled(added=tuple(f"a#{number}" for number in range(10_000))))
    assert line == f"INFO jobs: 10000 added ({', '.join(f'a#{number}' for number in range(10))} and 9990 more)"


@pytest.mark.parametrize(
    "hostile", ["x\n2026-11-23 07:30:00Z INFO forged", "\x1b[2J\x07\r\x00", "\u202eevil", "\ud800"]
)
def test_hostile_texts_stay_on_their_line(hostile: str) -> None:
    event = Trouble(message=f"before {hostile} after", at=DUE)
    for is_json in (False, True):
        stream = io.StringIO()
        configure("json" if is_json else "plain", stream)
        LogListener()(event)
        text = stream.getvalue()
        assert text.endswith("\n")
        assert text[:-1].isprintable()
        assert "before" in text
        assert "after" in text


def test_lines_have_a_bound() -> None:
    (line,) = logged(finished(Outcome.FAILED, error="x" * 10_000_000))
    assert len(line) < 2100


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\tb\nc", "a b c"),
        ("\x1b[1m", "\\x1b[1m"),
        ("\ud800", "\\ud800"),
        ("x" * 501, "x" * 499 + "…"),
    ],
)
def test_one_line_of_text(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_plain_lines_begin_with_the_records_own_instant_in_utc() -> None:
    stream = io.StringIO()
    configure("plain", stream)
    record = _log.makeRecord(_log.name, logging.INFO, "", 0, "hello %s", ("you",), None)
    record.created = DUE.timestamp() + 0.9
    _log.handle(record)
    assert stream.getvalue() == "2026-11-23 07:30:00Z INFO hello you\n"


def test_json_lines_have_the_events_fields() -> None:
    stream = io.StringIO()
    configure("json", stream)
    LogListener()(finished(Outcome.FAILED, error="no", returncode=3))
    fields = msgspec.json.decode(stream.getvalue())
    assert datetime.fromisoformat(fields.pop("at")).utcoffset() == timedelta(0)
    assert fields == {
        "level": "error",
        "message": f"{KEY} FAILED in 0.3 s: no",
        "event": "RunFinished",
        "key": KEY,
        "title": "Fetch",
        "run_id": "r1",
        "due": "2026-11-23T07:30:00Z",
        "reason": "scheduled",
        "attempt": 1,
        "outcome": "failed",
        "duration_seconds": 0.3,
        "returncode": 3,
        "next_due": "2026-11-23T08:30:00Z",
    }


@pytest.mark.parametrize(
    "event",
    [
        RunStarted(request=request(title="\ud800"), started_at=DUE),
        accepted(1),
        rejected(diagnostic()),
        DescriptorRemoved(rd_id="\ud800"),
        JobsReconciled(added=("a#x",)),
        Trouble(message="m", at=DUE),
        overdue(timeout=None),
        stalled(key="\ud800", where="/\ud800:1"),
        ClockStepped(seconds=1.0, at=DUE),
    ],
)
def test_every_event_can_be_a_json_line(event: Event) -> None:
    stream = io.StringIO()
    configure("json", stream)
    LogListener()(event)
    first = msgspec.json.decode(stream.getvalue().splitlines()[0])
    assert first["event"] == type(event).__name__


@pytest.mark.parametrize("format", ["plain", "json"])
def test_tracebacks_cannot_be_taken_for_lines_of_their_own(format: str) -> None:
    stream = io.StringIO()
    configure("json" if format == "json" else "plain", stream)
    try:
        int("one\n2026-11-23 07:30:00Z INFO forged")
    except ValueError:
        logging.getLogger("gavo_exec.somewhere").exception("it failed")
    first, *others = stream.getvalue().splitlines()
    assert "it failed" in first
    assert all(line.startswith("    ") for line in others)
    assert "ValueError: invalid literal" in stream.getvalue()


def test_a_message_that_does_not_fit_its_arguments_is_logged_all_the_same() -> None:
    stream = io.StringIO()
    configure("plain", stream)
    _log.warning("%d apples", "no")
    assert stream.getvalue().endswith("WARNING '%d apples' ('no',)\n")


class BrokenPipe(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("stream", [BrokenPipe(), io.TextIOWrapper(io.BytesIO(), "ascii")])
def test_a_log_that_cannot_be_written_harms_nobody(stream: io.TextIOBase, capsys: pytest.CaptureFixture[str]) -> None:
    configure("plain", stream)  # type: ignore[arg-type]
    for _ in range(3):
        LogListener()(Trouble(message="ä", at=DUE))
    stream.close()
    LogListener()(Trouble(message="a", at=DUE))
    assert capsys.readouterr() == ("", "")


def test_letters_that_the_streams_encoding_lacks_are_spelt_out() -> None:
    content = io.BytesIO()
    configure("plain", io.TextIOWrapper(content, "ascii"))
    LogListener()(Trouble(message="ä", at=DUE))
    assert content.getvalue().endswith(b"ERROR \\xe4\n")


def test_configuring_again_replaces_what_was() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure("plain", first)
    configure("plain", second)
    LogListener()(Trouble(message="m", at=DUE))
    assert first.getvalue() == ""
    assert second.getvalue().count("\n") == 1


def test_nothing_is_made_of_events_that_nobody_sees() -> None:
    assert logged(RunStarted(request=request(), started_at=DUE), level=logging.WARNING) == []
