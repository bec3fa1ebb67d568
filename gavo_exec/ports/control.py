"""What operators may ask of a daemon that runs."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from gavo_exec.control import DaemonStatus, Happening, JobStatus, Pause, Reloaded
from gavo_exec.control_views import Broken, JobDetail, RDLine
from gavo_exec.json_views import DueView, ListedJob
from gavo_exec.measures import Measures


class Control(Protocol):
    """A daemon, for operators; ``who`` is the one who asks.

    All raise RefusedError for what is not done, UnknownNameError where there is nothing of that name.
    """

    def status(self) -> DaemonStatus:
        """The daemon in one look."""
        ...

    def jobs(self) -> Sequence[JobStatus]:
        """All jobs as they stand, by key."""
        ...

    def listed(self) -> Sequence[ListedJob]:
        """The same with all that their RDs say of them but for the code."""
        ...

    def job(self, key: str) -> JobDetail:
        """A job with all there is to know of it but its past."""
        ...

    def coming(self, *, until: datetime, each: int) -> list[DueView]:
        """What is due until then, so many instants of each job at most, in order of time; paused jobs left out."""
        ...

    def broken(self) -> list[Broken]:
        """The RDs that are refused at present."""
        ...

    def rds(self) -> list[RDLine]:
        """The RDs that have jobs, or are refused."""
        ...

    def measures(self) -> Measures:
        """What was counted of runs since the daemon started."""
        ...

    def trigger(self, key: str, *, parameters: tuple[tuple[str, str], ...] = (), who: str) -> str:
        """Let an execute run now, with these in the place of properties; answers the run's id."""
        ...

    def cancel(self, run_id: str, *, who: str) -> str:
        """End a run, or all runs of a key, as far as that can be done; answers which."""
        ...

    def pause(self, key: str, *, until: datetime | None = None, note: str = "", who: str) -> Pause:
        """Let an execute, or all where the key is '', not start by itself."""
        ...

    def resume(self, key: str, *, who: str) -> Pause:
        """Let a pause be over; answers what it was."""
        ...

    def reload(self, *, who: str) -> Reloaded:
        """Read everything anew, and wait until that is done."""
        ...

    def deliver(self, *, who: str) -> None:
        """Try now to deliver all that waits in the outbox, without waiting for it."""
        ...

    def stop(self, *, at_once: bool = False, who: str) -> None:
        """Let the daemon end, without waiting for it; ``at_once`` lets it wait for no run."""
        ...

    def follow(self, *, key: str = "", run_id: str = "") -> Iterator[Happening | None]:
        """What a run does until it has ended, or what all runs of a key do, without end; None while nothing happens.

        Of a run that has ended, its record.
        """
        ...
