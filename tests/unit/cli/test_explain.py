"""explain: why a job did or did not run, from real files and a real state file."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from gavo_exec.cli import main
from gavo_exec.cli.explain import records_of
from gavo_exec.cli.json_reference import schema
from gavo_exec.model import HeldBack, LastStart, Outcome, Rejection, Run
from gavo_exec.parts import LOCK_FILE
from gavo_exec.runtime.process import process_holder
from tests.unit.cli.sites import Site

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WEATHER = """<resource schema="weather">
  <execute id="fetch" title="Fetch it" at="6:00, 12:00, 18:00"><job/></execute>
</resource>
"""
MARK = LastStart(at=NOON, schedule="at 6:00, 12:00, 18:00 UTC")

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = Site(tmp_path, monkeypatch)
    made.put("weather/q", WEATHER)
    return made


@pytest.fixture
def command(site: Site, capsys: pytest.CaptureFixture[str]) -> Command:
    def called(*arguments: str) -> tuple[int, str, str]:
        code = main(["explain", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return called


def run(due: datetime, outcome: Outcome = Outcome.SUCCEEDED, *, number: int = 1, key: str = "weather/q#fetch") -> Run:
    return Run(
        run_id=f"r{number:05}",
        key=key,
        title="Fetch it",
        due=due,
        started_at=due,
        finished_at=due + timedelta(seconds=12),
        outcome=outcome,
        error="" if outcome is Outcome.SUCCEEDED else "exit 3: no\x1b[2J archive",
    )


def test_the_answer_comes_first_then_what_speaks_for_it(command: Command, site: Site) -> None:
    with site.store() as store:
        store.record(run(NOON, Outcome.FAILED))
        store.note_starts({"weather/q#fetch": LastStart(at=NOON + timedelta(days=40_000), schedule=MARK.schedule)})
    code, out, err = command("weather/q.rd#fetch", "--at", "2026-03-01T12:00")
    assert (code, err) == (0, "")
    answer, *evidence = out.splitlines()
    assert answer == "It ran at 2026-03-01 12:00:00 UTC and failed after 12 s: exit 3: no archive (run r00001)."
    assert evidence[0] == "  its schedule: at 6:00, 12:00, 18:00 UTC"
    assert all(line.startswith("  ") for line in evidence)


def test_it_is_told_as_json_too(command: Command, site: Site) -> None:
    with site.store() as store:
        store.record(run(NOON))
        store.note_starts({"weather/q#fetch": MARK})
    code, out, err = command("weather/q#fetch", "--at", "2026-03-01T13:00+01:00", "--json")
    found = json.loads(out)
    jsonschema.validate(found, schema("explain"))
    assert (code, err) == (0, "")
    [told] = found.pop("runs")
    assert told["run_id"] == "r00001"
    assert datetime.fromisoformat(found.pop("next_at")) <= datetime.now(UTC)  # what passed since then is made up for
    assert found == {
        "key": "weather/q#fetch",
        "at": "2026-03-01T12:00:00Z",
        "verdict": "ran",
        "answer": "It ran at 2026-03-01 12:00:00 UTC and succeeded after 12 s (run r00001).",
        "evidence": ["its schedule: at 6:00, 12:00, 18:00 UTC"],
        "schedule": "at 6:00, 12:00, 18:00 UTC",
        "due_before": "2026-03-01T06:00:00Z",
        "due": "2026-03-01T12:00:00Z",
        "due_after": "2026-03-01T18:00:00Z",
        "held_back": False,
        "fault": "",
        "daemon": False,
    }


def test_whether_a_daemon_runs_is_looked_at(command: Command, site: Site) -> None:
    with site.store() as store:
        store.note_starts({"weather/q#fetch": MARK})
    _, out, _ = command("weather/q#fetch", "--at", "2026-03-01T18:00")
    assert out.startswith("It was due at 2026-03-01 18:00:00 UTC, but no daemon has come to it.\n")
    assert f"\n  no daemon runs on {site.state_dir}\n" in out
    (site.state_dir / LOCK_FILE).write_text(process_holder(), encoding="ascii")
    _, out, _ = command("weather/q#fetch", "--at", "2026-03-01T18:00")
    assert out.startswith("It was due at 2026-03-01 18:00:00 UTC and has not begun: it waits for a free slot")


def test_looking_leaves_no_traces(command: Command, site: Site) -> None:
    code, out, _ = command("weather/q#fetch")
    assert code == 0
    assert out.startswith("It is due next at ")
    assert not site.state_dir.exists()


def test_a_job_that_is_held_back_or_broken_is_told_with_the_fault(command: Command, site: Site) -> None:
    path = site.put("weather/q", WEATHER.replace("6:00", "26:00"))
    fault = f"{path}:2:44: E301 the hour 26 is out of range"
    code, out, _ = command("weather/q#fetch", "--at", "2026-03-01T12:00")
    assert (code, out.splitlines()) == (
        0,
        [
            "Nothing is recorded of it at 2026-03-01 12:00:00 UTC.",
            f"  its RD is broken: {fault}",
            f"  no daemon runs on {site.state_dir}",
        ],
    )
    rejection = Rejection(rd_id="weather/q", path=str(path), digest="x", rejected_at=NOON, diagnostics=())
    with site.store() as store:
        store.put_rejection(rejection, [HeldBack(key="weather/q#fetch", title="T", at=("6:00",))])
    _, out, _ = command("weather/q#fetch")
    said = f"its RD is broken since 2026-03-01 12:00:00 UTC; its last good version runs on: {fault}"
    assert f"\n  {said}\n" in out
    assert "\n  its schedule: at 6:00 UTC\n" in out


def test_a_job_that_is_gone_is_known_by_its_records(command: Command, site: Site) -> None:
    with site.store() as store:
        store.record(run(NOON, key="gone/q#x"))
    code, out, _ = command("gone/q#x")
    assert (code, out.splitlines()[0]) == (0, "It does not run: there is no such execute any more.")


HELP = " (see gavo-exec explain --help)"
WRITE = "write 2026-01-31T07:30, say"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["weather/q#fetsh"], "no execute has the key 'weather/q#fetsh'; did you mean 'weather/q#fetch'?"),
        (["nowhere"], "'nowhere' is no key; keys look like weather/q#fetch (gavo-exec list has them)"),
        (["weather/q#fetch", "--at", "noon"], f"Invalid value for '--at': 'noon' is no instant; {WRITE}{HELP}"),
        ([], f"Missing argument 'KEY'.{HELP}"),
    ],
)
def test_wrong_use_is_told_in_a_line(command: Command, arguments: list[str], message: str) -> None:
    assert command(*arguments) == (2, "", f"gavo-exec: {message}\n")


def test_records_are_read_as_far_back_as_is_asked_for(site: Site) -> None:
    with site.store() as store:
        for number in range(2000):
            store.record(run(NOON + number * timedelta(minutes=1), number=number))
        store.flush()
        assert len(records_of(store, "weather/q#fetch", None)[0]) == 50
        late, is_all = records_of(store, "weather/q#fetch", NOON + timedelta(minutes=1990))
        assert (len(late), is_all) == (400, False)
        early, is_all = records_of(store, "weather/q#fetch", NOON)
        assert (len(early), is_all) == (2000, True)
        assert records_of(store, "weather/q#other", NOON) == ([], True)
