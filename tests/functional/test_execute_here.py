"""Running one execute here and now: what its RD runs when it is loaded comes before it, and other RDs are found."""

from contextlib import closing
from pathlib import Path

import pytest

from gavo_exec.errors import GavoExecError
from gavo_exec.model import Execute, Outcome, Reason, Run
from gavo_exec.once import execute_here
from gavo_exec.parts import open_store
from gavo_exec.runtime.process import is_alive, process_holder
from gavo_exec.schedule import Loaded
from gavo_exec.services.store import SQLiteStore
from gavo_exec.settings import Settings
from gavo_exec.testing import EPOCH, make_execute, make_rd, make_request

OTHER = """<resource schema="other"><execute id="x" title="Other" every="60"><job><code>pass</code></job></execute>
</resource>"""


class Terminal:
    """A place to run executes of one RD in."""

    def __init__(self, folder: Path) -> None:
        self.inputs = folder / "inputs"
        self.inputs.mkdir()
        self.settings = Settings(
            inputs_dir=str(self.inputs), state_dir=str(folder / "state"), host="vo", mail_to=("ops@example.org",)
        )
        self.output = b""
        self.before: list[Run] = []

    def tee(self, output: bytes) -> None:
        self.output += output

    def run(self, key: str, *executes: Execute) -> Run:
        rd = make_rd(*executes, inputs_dir=str(self.inputs))
        [execute] = [each for each in executes if each.key == key]
        return execute_here(self.settings, rd, execute, tee=self.tee, before=self.before.append)

    def recorded(self) -> list[tuple[str, Reason, Outcome | None]]:
        with closing(open_store(self.settings)) as store:
            return [(run.key, run.reason, run.outcome) for run in reversed(store.runs())]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def loading(key: str, code: str) -> Execute:
    return make_execute(key, schedule=Loaded(), code=code)


def test_what_runs_on_loading_runs_before_with_the_same_rd(terminal: Terminal) -> None:
    run = terminal.run(
        "test/q#job",
        loading("test/q#first", "print('first')\nrd.greet = lambda: print('hello')"),
        make_execute("test/q#job", code="rd.greet(), rd.late()"),
        make_execute("test/q#other", code="print('never')"),
        loading("test/q#late", "rd.late = lambda: print('late')"),
    )
    assert terminal.output == b"first\nhello\nlate\n"
    assert (run.output, run.outcome) == ("hello\nlate\n", Outcome.SUCCEEDED)
    assert [run.key for run in terminal.before] == ["test/q#first", "test/q#late"]
    assert terminal.recorded() == [
        ("test/q#first", Reason.STARTUP, Outcome.SUCCEEDED),
        ("test/q#late", Reason.STARTUP, Outcome.SUCCEEDED),
        ("test/q#job", Reason.TRIGGERED, Outcome.SUCCEEDED),
    ]


def test_an_execute_that_runs_on_loading_runs_alone(terminal: Terminal) -> None:
    executes = [loading("test/q#a", "print('a')"), loading("test/q#b", "print('b')")]
    terminal.run("test/q#b", *executes)
    assert terminal.recorded() == [("test/q#b", Reason.TRIGGERED, Outcome.SUCCEEDED)]


def test_one_that_fails_on_loading_is_told_and_mailed_and_keeps_nothing_from_running(terminal: Terminal) -> None:
    run = terminal.run("test/q#job", loading("test/q#first", "1 / 0"), make_execute("test/q#job", code="print('job')"))
    assert run.outcome is Outcome.SUCCEEDED
    assert [(run.key, run.outcome) for run in terminal.before] == [("test/q#first", Outcome.FAILED)]
    [mail] = Path(terminal.settings.maildir, "new").iterdir()
    assert "FAILED test/q#first: ZeroDivisionError" in mail.read_text()


@pytest.mark.parametrize("key", ["test/q#first", "test/q#job"])
def test_what_another_process_runs_is_refused(terminal: Terminal, key: str) -> None:
    another = process_holder().partition(" ")[2]  # as it were: machines may be renamed while we run
    open_store(terminal.settings).close()
    with closing(SQLiteStore(terminal.settings.state_file, holder=f"there {another}", is_alive=is_alive)) as store:
        store.claim([make_request(make_execute(key), run_id="theirs")], now=EPOCH)
        with pytest.raises(GavoExecError, match=f"^{key} is running already: "):
            terminal.run("test/q#job", loading("test/q#first", "pass"), make_execute("test/q#job"))


def test_other_rds_are_found_in_their_files(terminal: Terminal) -> None:
    (terminal.inputs / "other").mkdir()
    (terminal.inputs / "other" / "q.rd").write_text(OTHER)
    (terminal.inputs / "other" / "bad.rd").write_text("<resource><execute/></resource>")
    code = (
        "print(base.resolveCrossId('other/q#x').title)\n"
        "print(base.caches.getRD('other/q') is base.caches.getRD('other/q.rd'))\n"
        "print(base.caches.getRD('test/q') is rd)\n"
        "for name in ('other/none', 'other/bad'):\n"
        "  try:\n"
        "    base.caches.getRD(name)\n"
        "  except Exception as fault:\n"
        "    print(type(fault).__name__)\n"
    )
    terminal.run("test/q#job", make_execute(code=code))
    assert terminal.output == b"Other\nTrue\nTrue\nRDNotFound\nDescriptorError\n"


def test_rds_without_executes_are_found_with_all_that_is_in_them(terminal: Terminal) -> None:
    (terminal.inputs / "data").mkdir()
    (terminal.inputs / "data" / "q.rd").write_text('<resource schema="data"><property name="p">v</property></resource>')
    code = "found = base.caches.getRD('data/q'); print(found.schema, found.getProperty('p'))"
    assert terminal.run("test/q#job", make_execute("test/q#job", code=code)).output == "data v\n"
