"""The listener that counts, for metrics: plain numbers, which whoever shows them asks for."""

import threading
from datetime import datetime

from gavo_exec.events import DescriptorRejected, Event, JobsReconciled, RunFinished, Stalled
from gavo_exec.measures import DURATION_SECONDS, LATENESS_SECONDS, Buckets, Measures, RunCount, Success
from gavo_exec.model import Outcome, Reason, Run


class MetricsListener:
    """Counts runs by job and outcome, how long they took and how late they were; jobs that are gone are forgotten."""

    hears = frozenset({RunFinished, DescriptorRejected, JobsReconciled, Stalled})

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[str, dict[Outcome, tuple[int, float]]] = {}
        self._successes: dict[str, datetime] = {}
        self._durations: dict[Outcome, Buckets] = {}
        self._lateness: dict[Reason, Buckets] = {}
        self._rejected_edits = 0
        self._stalls = 0

    def __call__(self, event: Event) -> None:
        """Count an event."""
        with self._lock:
            match event:
                case RunFinished(run=run):
                    self._count(run)
                case DescriptorRejected():
                    self._rejected_edits += 1
                case JobsReconciled(removed=removed):
                    for key in removed:
                        self._runs.pop(key, None)
                        self._successes.pop(key, None)
                case Stalled():
                    self._stalls += 1
                case _:
                    pass

    def _count(self, run: Run) -> None:
        if run.outcome is None or run.finished_at is None:
            return
        seconds = run.duration_seconds
        by_outcome = self._runs.setdefault(run.key, {})
        runs, together = by_outcome.get(run.outcome, (0, 0.0))
        by_outcome[run.outcome] = runs + run.instants, together + (seconds or 0.0)
        if run.outcome is Outcome.SUCCEEDED:
            self._successes[run.key] = run.finished_at
        if run.started_at is None or seconds is None:
            return
        durations = self._durations.get(run.outcome) or self._durations.setdefault(
            run.outcome, Buckets(DURATION_SECONDS)
        )
        durations.count(seconds, run_id=run.run_id, at=run.finished_at)
        lateness = self._lateness.get(run.reason) or self._lateness.setdefault(run.reason, Buckets(LATENESS_SECONDS))
        late = (run.started_at - run.due).total_seconds()
        lateness.count(max(0.0, late), run_id=run.run_id, at=run.finished_at)

    def measures(self) -> Measures:
        """What was counted until now; from any thread."""
        with self._lock:
            runs = [(key, dict(by_outcome)) for key, by_outcome in self._runs.items()]
            successes = list(self._successes.items())
            durations = {outcome: each.taken() for outcome, each in self._durations.items()}
            lateness = {reason: each.taken() for reason, each in self._lateness.items()}
            rejected_edits, stalls = self._rejected_edits, self._stalls
        return Measures(
            runs=tuple(
                RunCount(key=key, outcome=outcome, runs=count, seconds=seconds)
                for key, by_outcome in runs
                for outcome, (count, seconds) in by_outcome.items()
            ),
            successes=tuple(Success(key=key, at=at) for key, at in successes),
            durations=durations,
            lateness=lateness,
            rejected_edits=rejected_edits,
            stalls=stalls,
        )
