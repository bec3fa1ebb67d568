"""simulate: what would happen, from real files and a real state file."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gavo_exec.cli import main
from gavo_exec.cli.json_reference import schema
from gavo_exec.cli.simulate import medians
from gavo_exec.model import HeldBack, LastStart, Outcome, Rejection, Retry, Run
from tests.unit.cli.sites import Site

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WEATHER = """<resource schema="weather">
  <execute id="fetch" title="Fetch it" every="-3600"><job/></execute>
  <execute id="tidy" title="Tidy up" at="13:30">
    <property name="run.retries">1</property>
    <job/>
  </execute>
</resource>
"""
SPAN = ("--from", "2026-03-01T12:00", "--to", "2026-03-01T15:00")

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = Site(tmp_path, monkeypatch)
    made.put("weather/q", WEATHER)
    return made


@pytest.fixture
def command(site: Site, capsys: pytest.CaptureFixture[str]) -> Command:
    def called(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return called


@pytest.fixture
def simulated(command: Command) -> Callable[..., Any]:
    """What it prints as JSON, which follows the schema."""

    def called(*arguments: str) -> Any:
        code, out, err = command("simulate", *arguments, "--json")
        assert (code, err) == (0, "")
        found = json.loads(out)
        jsonschema.validate(found, schema("simulate"))
        return found

    return called


def run(number: int, outcome: Outcome = Outcome.SUCCEEDED, *, seconds: float) -> Run:
    return Run(
        run_id=f"r{number}",
        key="weather/q#fetch",
        title="Fetch it",
        due=NOON,
        started_at=NOON,
        finished_at=NOON + timedelta(seconds=seconds),
        outcome=outcome,
    )


def stamp(hour: int, minute: int = 0) -> str:
    return f"2026-03-01 {hour}:{minute:02}:00"


def job(found: Any, key: str) -> Any:
    [view] = [each for each in found["jobs"] if each["key"] == key]
    return view


def test_a_short_time_is_told_run_by_run(command: Command) -> None:
    code, out, err = command("simulate", *SPAN, "--duration", "weather/q.rd#fetch=90m", "--workers", "1")
    assert (code, err) == (0, "")
    still = "still running since 2026-03-01 12:00:00 UTC"
    assert [re.split(r"\s{2,}", line.rstrip()) for line in out.splitlines()] == [
        ["DUE (UTC)", "BEGINS (UTC)", "TAKES", "KEY", "OUTCOME", "REASON", "CAUSE"],
        [stamp(12), stamp(12), "1 h 30 min", "weather/q#fetch", "succeeded", "scheduled"],
        [stamp(13), "-", "-", "weather/q#fetch", "skipped", "scheduled", still],
        [stamp(13, 30), stamp(13, 30), "1 s", "weather/q#tidy", "succeeded", "scheduled"],
        [stamp(14), stamp(14), "-", "weather/q#fetch", "running", "scheduled"],
        [""],
        [
            *("KEY", "SCHEDULE", "TAKES", "RUNS", "FIRST (UTC)", "LAST (UTC)"),
            *("FAILED", "SKIPPED", "MISSED", "LONGEST WAIT"),
        ],
        [
            *("weather/q#fetch", "every 1 h, at once when first loaded", "1 h 30 min", "2", stamp(12), stamp(14)),
            *("-", "1", "-", "-"),
        ],
        ["weather/q#tidy", "at 13:30 UTC", "1 s?", "1", stamp(13, 30), stamp(13, 30), *"----"],
        [""],
        ["Out of the ordinary:"],
        ["WHAT", "KEY", "TIMES", "FIRST DUE (UTC)", "LAST DUE (UTC)", "LONGEST WAIT", "CAUSE"],
        ["skipped", "weather/q#fetch", "1", stamp(13), "-", still],
        [""],
        ["3 runs of 2 jobs, from 2026-03-01 12:00:00 to 2026-03-01 15:00:00 UTC"],
        ["at most 1 at once, of 1: first at 2026-03-01 12:00:00"],
        ["1 job of which nothing is known: 1 s is assumed (?), see --duration"],
    ]


def test_the_minutes_in_which_several_begin_are_told(command: Command, site: Site) -> None:
    site.put("other/q", '<resource schema="other"><execute title="O" at="13:30"><job/></execute></resource>')
    _, out, _ = command("simulate", *SPAN)
    assert "\nmost begin at 2026-03-01 13:30 (2)\n" in out


def test_of_a_long_time_the_sums_are_told(command: Command) -> None:
    year = ("--from", "2026-03-01T12:00", "--to", "2027-03-01T12:00")
    _, out, _ = command("simulate", *year)
    assert out.startswith("KEY ")
    assert "\n9,125 runs of 2 jobs, from" in out
    _, out, _ = command("simulate", *year, "--runs", "2")
    assert [line[:19] for line in out.splitlines()[1:4]] == [
        "2026-03-01 12:00:00",
        "2026-03-01 13:00:00",
        "... and 9,123 more",
    ]


def test_as_json_it_has_all_of_it(simulated: Callable[..., Any]) -> None:
    found = simulated(*SPAN, "--duration", "weather/q#fetch=90m", "--runs", "1")
    assert (found["start"], found["end"]) == ("2026-03-01T12:00:00Z", "2026-03-01T15:00:00Z")
    assert (found["slots"], found["runs"], found["records"], found["peak"]) == (32, 3, 4, 1)
    assert found["peak_at"] == "2026-03-01T12:00:00Z"
    assert found["busiest"][0] == {"minute": "2026-03-01T12:00:00Z", "runs": 1}
    assert found["told"] == [
        {
            "run_id": "1",
            "key": "weather/q#fetch",
            "due": "2026-03-01T12:00:00Z",
            "reason": "scheduled",
            "attempt": 1,
            "started_at": "2026-03-01T12:00:00Z",
            "finished_at": "2026-03-01T13:30:00Z",
            "outcome": "succeeded",
            "error": "",
            "instants": 1,
            "waited_seconds": 0.0,
            "waited_for": "",
        }
    ]
    assert job(found, "weather/q#fetch") == {
        "key": "weather/q#fetch",
        "title": "Fetch it",
        "schedule": "every 1 h, at once when first loaded",
        "held_back": False,
        "takes_seconds": 5400.0,
        "takes_from": "given",
        "runs": 2,
        "first_at": "2026-03-01T12:00:00Z",
        "last_at": "2026-03-01T14:00:00Z",
        "failed": 0,
        "retries": 0,
        "skipped": 1,
        "missed": 0,
        "waited": 0,
        "longest_wait_seconds": 0.0,
        "busy_seconds": 5400.0,
    }
    [finding] = found["findings"]
    assert (finding["kind"], finding["count"], finding["first_due"]) == ("skipped", 1, "2026-03-01T13:00:00Z")


def test_it_is_known_from_the_history_how_long_runs_take(simulated: Callable[..., Any], site: Site) -> None:
    with site.store() as store:
        for number, seconds in enumerate([100, 20, 300, 40]):
            store.record(run(number, seconds=seconds))
        store.record(run(9, Outcome.FAILED, seconds=9999))
    takes = {each["key"]: (each["takes_seconds"], each["takes_from"]) for each in simulated(*SPAN)["jobs"]}
    assert takes == {"weather/q#fetch": (70, "history"), "weather/q#tidy": (1, "assumed")}
    takes = {
        each["key"]: (each["takes_seconds"], each["takes_from"])
        for each in simulated(*SPAN, "--duration", "5m")["jobs"]
    }
    assert takes == {"weather/q#fetch": (70, "history"), "weather/q#tidy": (300, "given")}


def test_only_good_runs_that_began_say_how_long_one_takes(site: Site) -> None:
    with site.store() as store:
        store.record(run(1, Outcome.FAILED, seconds=5))
        store.flush()
        assert medians(store, ["weather/q#fetch", "weather/q#tidy"]) == {}


def test_what_is_recorded_is_gone_by_unless_it_is_to_be_fresh(simulated: Callable[..., Any], site: Site) -> None:
    with site.store() as store:
        store.note_starts(
            {
                "weather/q#fetch": LastStart(
                    at=NOON - timedelta(minutes=50), schedule="every 1 h, at once when first loaded"
                ),
                "weather/q#tidy": LastStart(at=NOON - timedelta(hours=22), schedule="at 13:30 UTC"),
            }
        )
        store.put_retry("weather/q#tidy", Retry(due=NOON, attempt=2, at=NOON + timedelta(minutes=5)))
    told = [(each["key"][10:], each["started_at"][11:16], each["reason"]) for each in simulated(*SPAN)["told"]]
    assert told[:3] == [("tidy", "12:05", "retry"), ("fetch", "12:10", "scheduled"), ("fetch", "13:10", "scheduled")]
    assert [each["started_at"][11:16] for each in simulated(*SPAN, "--fresh")["told"]][:2] == ["12:00", "13:00"]


def test_failures_and_downtimes_can_be_played_through(simulated: Callable[..., Any]) -> None:
    down = "2026-03-01T12:30/2026-03-01T14:10"
    found = simulated(*SPAN, "--failing", "weather/q#tidy", "--down", down, "--duration", "1m")
    tidy = job(found, "weather/q#tidy")
    assert (tidy["runs"], tidy["failed"], tidy["retries"]) == (2, 2, 1)
    assert {(each["key"][10:], each["kind"]) for each in found["findings"]} == {
        ("fetch", "missed"),
        ("fetch", "caught_up"),
        ("tidy", "caught_up"),
    }


def test_jobs_that_are_held_back_are_there_and_broken_rds_are_told(command: Command, site: Site) -> None:
    path = site.put("broken/q", "<resource><execute/></resource>")
    rejection = Rejection(rd_id="broken/q", path=str(path), digest="x", rejected_at=NOON, diagnostics=())
    held_back = [HeldBack(key=f"broken/q#{name}", title=name, at=("14:00",)) for name in "ab"]
    files = '<execute title="F" every="60"><property name="when.files">*</property><job/></execute>'
    site.put("files/q", f'<resource schema="files">{files}</resource>')
    with site.store() as store:
        store.put_rejection(rejection, held_back)
    code, out, err = command("simulate", *SPAN)
    assert code == 0
    assert err.startswith(f"{path}:1:")
    assert "\nbroken/q#a       at 14:00 UTC " in out
    assert "\n2 jobs of broken RDs without their settings\n" in out
    assert "\n1 job for files, of which there are new ones each time\n" in out


def test_it_is_a_day_from_now_where_nothing_else_is_said(simulated: Callable[..., Any]) -> None:
    before = datetime.now(UTC)
    found = simulated()
    start, end = (datetime.fromisoformat(found[name]) for name in ("start", "end"))
    assert before <= start <= datetime.now(UTC)
    assert end - start == timedelta(days=1)
    assert len(found["told"]) == found["records"] == 25


def test_nothing_comes_of_nothing(command: Command, site: Site) -> None:
    site.put("weather/q", '<resource schema="weather"/>')
    _, out, _ = command("simulate", *SPAN)
    assert out.splitlines()[-1] == "0 runs of 0 jobs, from 2026-03-01 12:00:00 to 2026-03-01 15:00:00 UTC"
    assert not site.state_dir.exists()


HELP = " (see gavo-exec simulate --help)"
NO_INSTANT = "Invalid value for '--down': 'x' is no instant; write 2026-01-31T07:30, say"
NO_DURATION = "Invalid value for '--duration': 'long' is no duration; write 90s, 10m or 1h 30m, say"
NOT_TWO = "Invalid value for '--down': '2026-03-01' is not two instants; write 2026-01-31T07:30/2026-02-01, say"
BACKWARDS = "Invalid value for '--down': '2026-03-02/2026-03-01' ends before it begins"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--failing", "weather/q#tidi"], "no execute has the key 'weather/q#tidi'; did you mean 'weather/q#tidy'?"),
        (["--duration", "a#b=5m"], "no execute has the key 'a#b' (gavo-exec list has all keys)"),
        (["--duration", "long"], NO_DURATION + HELP),
        (["--down", "2026-03-01"], NOT_TWO + HELP),
        (["--down", "2026-03-01/x"], NO_INSTANT + HELP),
        (["--down", "2026-03-02/2026-03-01"], BACKWARDS + HELP),
        (["--from", "2026-03-01", "--to", "2026-03-01"], f"the end (--to) is not after the beginning (--from){HELP}"),
        (["--workers", "0"], "--workers must be a whole number from 1 to 1,000, not '0'"),
    ],
)
def test_wrong_use_is_told_in_a_line(command: Command, arguments: list[str], message: str) -> None:
    assert command("simulate", *arguments) == (2, "", f"gavo-exec: {message}\n")
