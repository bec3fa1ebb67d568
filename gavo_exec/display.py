"""The process that shows the daemon over the network: started beside it, looked after, and started again."""

import logging
import os
import pickle
import sys
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from gavo_exec.errors import GavoExecError, SpawnFailed, plain
from gavo_exec.ports import JobRunner, Terms
from gavo_exec.settings import Settings

_MODULE: Final = "gavo_exec.dashboard"
_NEEDS: Final = ("starlette", "uvicorn", "jinja2", "prometheus_client")
_NICENESS: Final = 5
"""Jobs come first where there is little to compute with."""

_PAUSES_SECONDS: Final = (1.0, 5.0, 30.0, 300.0)
_log = logging.getLogger("gavo_exec")


def missing_libraries() -> list[str]:
    """What that needs and is not installed."""
    return [name for name in _NEEDS if find_spec(name) is None]


def check_that_it_can_be_shown() -> None:
    """Raise GavoExecError where what that needs is not installed."""
    if missing := missing_libraries():
        raise GavoExecError(f"web needs what is not installed ({', '.join(missing)}): pip install 'gavo-exec[web]'")


class Display:
    """Keeps the process going until stopped; ``tell`` is told, once, that it cannot be kept going."""

    def __init__(self, settings: Settings, runner: JobRunner, *, tell: Callable[[str], object]) -> None:
        self._settings = settings
        self._runner = runner
        self._tell = tell
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep_going, name="display", daemon=True)

    def start(self) -> None:
        """Begin to show."""
        self._thread.start()

    def stop(self) -> None:
        """Show nothing any more."""
        self._stopped.set()
        self._runner.stop()
        if self._thread.ident is not None:
            self._thread.join(5)

    def _keep_going(self) -> None:
        ends = 0
        while not self._stopped.is_set():
            said = self._serve()
            if self._stopped.is_set():
                return
            ends += 1
            last = plain(said.strip().rpartition("\n")[2]) or "it says nothing"
            _log.error("the dashboard's process has ended and is started again: %s", last)
            if ends == len(_PAUSES_SECONDS):
                self._tell(f"the dashboard cannot be kept going: {last}")
            self._stopped.wait(_PAUSES_SECONDS[min(ends, len(_PAUSES_SECONDS)) - 1])

    def _serve(self) -> str:
        """Let the process run to its end; answers the end of what it said."""
        path = os.environ.get("PYTHONPATH")
        root = str(Path(__file__).parent.parent)
        try:
            completed = self._runner.run(
                [sys.executable, "-P", "-m", _MODULE],
                cwd="/",
                env={"PYTHONPATH": f"{root}:{path}" if path else root},
                input=pickle.dumps((self._settings, os.getpid())),
                terms=Terms(niceness=_NICENESS),
                tee=_pass_on,
            )
        except SpawnFailed as fault:
            return str(fault)
        return completed.output.decode("utf-8", "replace")


def _pass_on(output: bytes) -> None:
    """What it says goes into the daemon's log."""
    for line in output.decode("utf-8", "replace").splitlines():
        if line.strip():
            _log.info("dashboard: %s", plain(line))
