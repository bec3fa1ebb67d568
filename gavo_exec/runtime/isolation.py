"""Runs with a process of their own: how they are begun from here, and carried out there."""

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import IO, Final

import msgspec

from gavo_exec.errors import SpawnFailed
from gavo_exec.model import Execute, Outcome, Policy, RunRequest
from gavo_exec.ports import Completed, JobRunner, Terms
from gavo_exec.runtime import capture
from gavo_exec.runtime.active import ActiveRun, Verdict
from gavo_exec.runtime.execdef import child_environment
from gavo_exec.runtime.faults import how_ended
from gavo_exec.runtime.guard import Ending, Prepare, RunScope, carry_out
from gavo_exec.runtime.output import BoundedOutput
from gavo_exec.schedule import Loaded

_ROOT: Final = Path(__file__).parent.parent.parent
_INSTALLED: Final = _ROOT.name in {"site-packages", "dist-packages"}


class _NoScope:
    """That of a run whose code is elsewhere: all that this leaves behind is in its output and its ending."""

    def __init__(self) -> None:
        self.failures: list[Completed] = []

    def accumulated(self) -> list[str | bytes]:
        """Nothing."""
        return []


class Isolation:
    """Begins runs in processes of their own, each a Python program.

    The program is the ``module``, which calls ``carry_out_here``; on its standard input it finds what ``hand_over``
    makes of the request, and its last argument is the descriptor that it reports on.
    """

    def __init__(self, runner: JobRunner, *, module: str, hand_over: Callable[[RunRequest], bytes]) -> None:
        self._runner = runner
        self._module = module
        self._hand_over = hand_over

    def prepare(self, active: ActiveRun) -> tuple[Callable[[], object], RunScope]:
        """What begins a run's process and waits for its end, and answers how its code ended."""
        return partial(self._call, active), _NoScope()

    def _call(self, active: ActiveRun) -> Ending:
        request = active.request
        policy = request.execute.policy
        active.begin_child(self._runner)
        with _nameless_file() as report:
            words = (request.execute.key, request.run_id, str(report.fileno()))
            try:
                completed = self._runner.run(
                    [sys.executable, "-P", "-m", self._module, *words],
                    cwd=policy.workdir or request.rd.resdir,
                    env={**child_environment(policy), **_import_path(policy)},
                    input=self._hand_over(request),
                    tee=active.output.append,
                    terms=Terms(run_id=request.run_id, is_run=True),
                    keep=(report.fileno(),),
                )
            except SpawnFailed as fault:
                return Ending(outcome=Outcome.FAILED, error=f"its process could not be started: {fault}")
            report.seek(0)
            reported = report.read()
        if reported:
            return _decoded(reported)
        if completed.returncode == -signal.SIGTERM and active.is_cancelled:
            active.judge(Verdict(Outcome.INTERRUPTED, "it was asked to end before its code had begun"))
        code = completed.returncode
        what = f"was {how_ended(completed)}" if code < 0 else f"ended with code {code} while its code was running"
        return Ending(outcome=Outcome.FAILED, error=f"its process {what}", returncode=code)


def _nameless_file() -> IO[bytes]:
    """A file that nobody else can find."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("report"), "w+b")
    return tempfile.TemporaryFile()


def python_path_of(policy: Policy) -> str | None:
    """Where the Python programs of a run are to look for modules, beside the usual places."""
    return dict(policy.env).get("PYTHONPATH", os.environ.get("PYTHONPATH"))


def _import_path(policy: Policy) -> dict[str, str]:
    """What lets another Python find this very package, where it is not installed: in a checkout, say."""
    if _INSTALLED:
        return {}
    return {"PYTHONPATH": os.pathsep.join([str(_ROOT), *filter(None, [python_path_of(policy)])])}


def carry_out_here(request: RunRequest, *, prepare: Prepare, report: IO[bytes]) -> None:
    """Carry out a run in this process, which is its own, and report its ending; for the main thread.

    Its output goes to standard output.  What its RD runs on loading is run before it, with the same ``rd``.
    """
    output = BoundedOutput(0, _write_out)
    runs = [ActiveRun(msgspec.structs.replace(request, execute=each, files=()), output) for each in _before(request)]
    runs.append(ActiveRun(request, output))

    def on_term(_number: int, _frame: FrameType | None) -> None:
        for active in runs:
            active.ask()

    signal.signal(signal.SIGTERM, on_term)
    with capture.install():
        for active in runs[:-1]:
            ending = carry_out(prepare, active)
            if ending.outcome is not Outcome.SUCCEEDED:
                cause = ending.error.partition("\n")[0]
                note = f"[{active.request.execute.key}, which is run on loading, went wrong here: {cause}]\n"
                output.append(note.encode("utf-8", "backslashreplace"))
        ending = carry_out(prepare, runs[-1])
    report.write(_encoded(ending))
    report.flush()


def _encoded(ending: Ending) -> bytes:
    """An ending as bytes, whatever there is in its error."""
    error = ending.error.encode("utf-8", "surrogatepass")
    return msgspec.msgpack.encode((ending.outcome, error, ending.returncode))


def _decoded(data: bytes) -> Ending:
    outcome, error, returncode = msgspec.msgpack.decode(data, type=tuple[Outcome, bytes, int | None])
    return Ending(outcome=outcome, error=error.decode("utf-8", "surrogatepass"), returncode=returncode)


def _before(request: RunRequest) -> Sequence[Execute]:
    """What the request's RD runs on loading, unless the request is for something of that kind itself."""
    if isinstance(request.execute.schedule, Loaded):
        return ()
    return [each for each in request.rd.executes if isinstance(each.schedule, Loaded)]


def _write_out(data: bytes) -> None:
    """Write to standard output whatever job code makes of ``sys.stdout``."""
    while data:
        data = data[os.write(1, data) :]
