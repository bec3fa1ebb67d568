"""Metrics, for Prometheus and whatever reads its formats.

Labels are few and bounded: keys of executes and ids of RDs that there are, outcomes and reasons.  Per key there is what
one needs to know whether a job does its work; how long runs take and how late they are is counted over all of them.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    Exemplar,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from gavo_exec.control_views import JobLine, RDLine, StatusView
from gavo_exec.measures import Histogram, Measures
from gavo_exec.model import Outcome
from gavo_exec.web.words import block

_PREFIX = "gavo_exec_"


class Metered(msgspec.Struct, frozen=True, kw_only=True):
    """All that metrics are made of."""

    status: StatusView
    jobs: tuple[JobLine, ...]
    rds: tuple[RDLine, ...]
    measures: Measures
    successes: Mapping[str, datetime]
    oldest_mail_at: datetime | None


def render(metered: Metered, accept: str) -> tuple[bytes, str]:
    """The metrics, in the format that is asked for, and what that is called."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(metered))
    if "application/openmetrics-text" in accept:
        content: bytes = openmetrics.generate_latest(registry)  # type: ignore[no-untyped-call] # the library is not typed here
        return content, openmetrics.CONTENT_TYPE_LATEST
    return generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4


class _Collector:
    """What the registry asks."""

    def __init__(self, metered: Metered) -> None:
        self._metered = metered

    def collect(self) -> Iterator[Metric]:
        """All metrics, one family after the other."""
        yield from _of_daemon(self._metered)
        yield from _of_jobs(self._metered)
        yield from _of_runs(self._metered.measures)


def _of_daemon(metered: Metered) -> Iterator[Metric]:
    status, measures = metered.status, metered.measures
    yield InfoMetricFamily(f"{_PREFIX}build", "The program.", value={"version": status.version})
    yield _gauge("start_time_seconds", "When the daemon started.", status.started_at.timestamp())
    yield _gauge("scheduler_lag_seconds", "How long the scheduler has been overdue; mostly 0.", status.lag_seconds)
    yield _gauge("jobs", "How many jobs there are.", status.jobs)
    yield _gauge("runs_going", "How many runs go on.", status.running)
    yield _gauge("runs_waiting", "How many runs are due and wait for a free slot, or for others.", status.waiting)
    yield _gauge("workers", "How many runs can go on at the same time.", status.workers)
    yield _gauge("incidents", "How much goes wrong at present.", status.incidents)
    yield _gauge("pauses", "How many pauses hold.", len(status.pauses))
    yield _gauge("outbox_waiting", "How many mails and other notices wait to be delivered.", status.mails_waiting)
    yield _gauge("outbox_given_up", "How many mails could not be delivered.", status.mails_given_up)
    oldest = metered.oldest_mail_at
    age = max(0.0, (status.now - oldest).total_seconds()) if oldest is not None else 0.0
    yield _gauge("outbox_age_seconds", "How long the oldest of those that wait has been waiting.", age)
    yield _counter("rejected_edits", "How many versions of RDs were refused.", measures.rejected_edits)
    yield _counter("stalls", "How often job code kept the whole daemon from running.", measures.stalls)
    good = GaugeMetricFamily(f"{_PREFIX}descriptor_ok", "Whether the present version of an RD is good.", labels=["rd"])
    for rd in metered.rds:
        good.add_metric([_label(rd.rd_id)], float(rd.is_good))
    yield good


def _of_jobs(metered: Metered) -> Iterator[Metric]:
    now = metered.status.now
    due = GaugeMetricFamily(f"{_PREFIX}next_due_timestamp_seconds", "When a job is due next.", labels=["key"])
    going = GaugeMetricFamily(f"{_PREFIX}running", "1 for the jobs that are running.", labels=["key"])
    late = GaugeMetricFamily(f"{_PREFIX}overdue_seconds", "How late the jobs are that should run.", labels=["key"])
    success = GaugeMetricFamily(f"{_PREFIX}last_success_timestamp_seconds", "When a job last did well.", labels=["key"])
    for job in metered.jobs:
        labels = [_label(job.key)]
        if job.due is not None:
            due.add_metric(labels, job.due.timestamp())
            if job.due < now and job.pause is None and job.running_since is None:
                late.add_metric(labels, (now - job.due).total_seconds())
        if job.running_since is not None:
            going.add_metric(labels, 1.0)
        if (at := metered.successes.get(job.key)) is not None:
            success.add_metric(labels, at.timestamp())
    yield from (due, going, late, success)


def _of_runs(measures: Measures) -> Iterator[Metric]:
    runs = CounterMetricFamily(
        f"{_PREFIX}runs",
        "Runs by how they ended; of those that were missed, due instants.",
        labels=["key", "outcome"],
    )
    for count in measures.runs:
        runs.add_metric([_label(count.key), count.outcome.value], float(count.runs))
    yield runs
    totals = dict.fromkeys(Outcome, 0)
    for count in measures.runs:
        totals[count.outcome] += count.runs
    for outcome, what in ((Outcome.MISSED, "missed"), (Outcome.SKIPPED, "skipped")):
        yield _counter(f"{what}_instants", f"How many due instants were {what}.", totals[outcome])
    yield _histograms(
        "run_duration_seconds",
        "How long runs took.",
        label="outcome",
        found=((outcome.value, each) for outcome, each in measures.durations.items()),
    )
    yield _histograms(
        "run_lateness_seconds",
        "How much later than due runs began.",
        label="reason",
        found=((reason.value, each) for reason, each in measures.lateness.items()),
    )


def _histograms(
    name: str, description: str, *, label: str, found: Iterable[tuple[str, Histogram]]
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(f"{_PREFIX}{name}", description, labels=[label])
    for value, histogram in found:
        buckets: list[tuple[str, float, Exemplar | None]] = []
        together = 0
        bounds = [*map(str, histogram.bounds), "+Inf"]
        for bound, count, sample in zip(bounds, histogram.counts, histogram.exemplars, strict=True):
            together += count
            exemplar = (
                Exemplar({"run_id": sample.run_id[:100]}, sample.value, sample.at.timestamp()) if sample else None
            )
            buckets.append((bound, float(together), exemplar))
        family.add_metric([value], buckets=buckets, sum_value=histogram.total)  # type: ignore[arg-type] # as it documents
    return family


def _gauge(name: str, description: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{_PREFIX}{name}", description, value=value)


def _counter(name: str, description: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(f"{_PREFIX}{name}", description, value=value)


def _label(text: str) -> str:
    """A label's value: the library spells out quotes and ends of lines, but halves of characters it cannot write."""
    return text if text.isascii() else block(text)
