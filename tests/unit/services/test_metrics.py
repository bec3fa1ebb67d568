"""What is counted."""

from datetime import timedelta

from msgspec.structs import replace

from gavo_exec.events import DescriptorRejected, JobsReconciled, RunFinished, Stalled
from gavo_exec.measures import LATENESS_SECONDS, RunCount
from gavo_exec.model import Outcome, Reason, Rejection, Run
from gavo_exec.services.metrics import MetricsListener
from gavo_exec.testing import EPOCH


def a_run(
    outcome: Outcome, *, seconds: float = 2.0, late: float = 0.002, key: str = "a/q#x", run_id: str = "r1"
) -> Run:
    begun = EPOCH + timedelta(seconds=late)
    ended = begun + timedelta(seconds=seconds)
    return Run(run_id=run_id, key=key, title="X", due=EPOCH, started_at=begun, finished_at=ended, outcome=outcome)


def test_runs_are_counted_by_job_and_outcome() -> None:
    metrics = MetricsListener()
    for outcome in (Outcome.SUCCEEDED, Outcome.SUCCEEDED, Outcome.FAILED):
        metrics(RunFinished(run=a_run(outcome)))
    missed = Run(run_id="m", key="a/q#x", title="X", due=EPOCH, finished_at=EPOCH, outcome=Outcome.MISSED, instants=7)
    metrics(RunFinished(run=missed))
    assert set(metrics.measures().runs) == {
        RunCount(key="a/q#x", outcome=Outcome.SUCCEEDED, runs=2, seconds=4.0),
        RunCount(key="a/q#x", outcome=Outcome.FAILED, runs=1, seconds=2.0),
        RunCount(key="a/q#x", outcome=Outcome.MISSED, runs=7, seconds=0.0),
    }


def test_only_what_did_well_is_a_success() -> None:
    metrics = MetricsListener()
    good, bad = a_run(Outcome.SUCCEEDED), a_run(Outcome.FAILED, seconds=9)
    metrics(RunFinished(run=good))
    metrics(RunFinished(run=bad))
    [success] = metrics.measures().successes
    assert (success.key, success.at) == ("a/q#x", good.finished_at)


def test_histograms_have_each_in_its_bucket_and_an_example() -> None:
    metrics = MetricsListener()
    for number, late in enumerate((0.0005, 0.001, 0.0011, 100_000.0)):
        metrics(RunFinished(run=a_run(Outcome.SUCCEEDED, late=late, run_id=f"r{number}")))
    found = metrics.measures().lateness[Reason.SCHEDULED]
    assert found.counts == (2, 1, *[0] * (len(LATENESS_SECONDS) - 2), 1)
    assert found.exemplars[0] is not None
    assert found.exemplars[0].run_id == "r1"
    assert found.total == sum((0.0005, 0.001, 0.0011, 100_000.0))


def test_a_run_that_began_before_it_was_due_was_not_late() -> None:
    """Where the clock was set meanwhile."""
    metrics = MetricsListener()
    metrics(RunFinished(run=replace(a_run(Outcome.SUCCEEDED), due=EPOCH + timedelta(hours=1))))
    assert metrics.measures().lateness[Reason.SCHEDULED].total == 0.0


def test_jobs_that_are_gone_are_forgotten() -> None:
    metrics = MetricsListener()
    metrics(RunFinished(run=a_run(Outcome.SUCCEEDED)))
    metrics(JobsReconciled(removed=("a/q#x", "never/was#x")))
    assert metrics.measures().runs == ()
    assert metrics.measures().successes == ()


def test_what_befalls_the_daemon_is_counted() -> None:
    metrics = MetricsListener()
    rejection = Rejection(rd_id="a/q", path="/a/q.rd", digest="d", rejected_at=EPOCH, diagnostics=())
    metrics(DescriptorRejected(rejection=rejection))
    metrics(Stalled(seconds=3, key="", where="", trace="", at=EPOCH))
    assert (metrics.measures().rejected_edits, metrics.measures().stalls) == (1, 1)
