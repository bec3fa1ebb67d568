"""What whoever shows the daemon over the network asks: of the daemon, of what is remembered, and of the tokens."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Protocol

from gavo_exec.access import Token
from gavo_exec.control_views import (
    Broken,
    JobDetail,
    JobLine,
    LiveLine,
    PauseView,
    RDLine,
    ReloadedView,
    StatusView,
)
from gavo_exec.json_views import DueView
from gavo_exec.measures import Measures


class Asked(Protocol):
    """A daemon in another process, asked on behalf of somebody.

    All raise NoDaemonError where none runs, RefusedError for what is not done, UnknownNameError where there is nothing
    of that name.
    """

    def status(self) -> StatusView:
        """The daemon in one look."""
        ...

    def jobs(self) -> list[JobLine]:
        """All jobs, a line for each."""
        ...

    def job(self, key: str) -> JobDetail:
        """One job, with all that its RD says of it."""
        ...

    def coming(self, *, hours: int, each: int) -> list[DueView]:
        """What is due in the coming hours."""
        ...

    def rds(self) -> list[RDLine]:
        """The RDs that have jobs, or are refused."""
        ...

    def broken(self) -> list[Broken]:
        """The RDs that are refused."""
        ...

    def measures(self) -> Measures:
        """What was counted of runs."""
        ...

    def trigger(self, key: str, *, parameters: Mapping[str, str]) -> str:
        """Let an execute run now; answers the run's id."""
        ...

    def cancel(self, run: str) -> str:
        """End a run, or all runs of a key; answers which."""
        ...

    def pause(self, key: str, *, until: datetime | None, note: str) -> PauseView:
        """Let an execute, or all where the key is '', not start by itself."""
        ...

    def resume(self, key: str) -> PauseView:
        """Let a pause be over."""
        ...

    def reload(self) -> ReloadedView:
        """Read everything anew, and wait until that is done."""
        ...

    def deliver(self) -> None:
        """Try now to deliver all that waits."""
        ...

    def follow(self, *, key: str = "", run_id: str = "") -> Iterator[LiveLine]:
        """What a run does until it has ended; an empty line while nothing happens."""
        ...

    def forward(self, method: str, target: str, body: bytes) -> tuple[int, str, Iterator[bytes]]:
        """Ask as somebody else has; answers the status, the type of what comes, and that, line by line."""
        ...


class Tokens(Protocol):
    """Who may ask; all may raise StoreError."""

    def find(self, secret: str, *, now: datetime) -> Token | None:
        """The token of a secret, unless it has expired."""
        ...

    def named(self, name: str, *, now: datetime) -> Token | None:
        """The token of a name, unless it has expired."""
        ...
