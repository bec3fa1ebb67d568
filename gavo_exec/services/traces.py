"""The listener that sends a trace of each run, by OTLP over HTTP; needs the extra ``otel``."""

import hashlib
import logging
from datetime import datetime
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import SpanKind, Status, StatusCode

from gavo_exec.events import DaemonStopping, Event, RunFinished
from gavo_exec.model import Outcome, Run

_MOST_CHARACTERS: Final = 1000
_FLUSH_MILLISECONDS: Final = 2000


class _Ids(RandomIdGenerator):
    """Gives each trace the id that its run's id comes to, so that whoever knows the one finds the other."""

    run_id = ""

    def generate_trace_id(self) -> int:
        """The id for the run at hand."""
        return trace_id_of(self.run_id)


def trace_id_of(run_id: str) -> int:
    """The id of a run's trace: the first 128 bits of the SHA-256 of the run's id."""
    return int.from_bytes(hashlib.sha256(run_id.encode("utf-8", "replace")).digest()[:16], "big")


class TraceListener:
    """Sends a span for each run that has ended; what cannot be sent is lost, with a line in the log."""

    hears = frozenset({RunFinished, DaemonStopping})

    def __init__(self, endpoint: str, *, host: str, version: str) -> None:
        logging.getLogger("opentelemetry").setLevel(logging.ERROR)
        self._ids = _Ids()
        resource = Resource.create({"service.name": "gavo-exec", "service.version": version, "host.name": host})
        self._provider = TracerProvider(resource=resource, id_generator=self._ids, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, timeout=10)))
        self._tracer = self._provider.get_tracer("gavo_exec", version)

    def __call__(self, event: Event) -> None:
        """Send the trace of a run, with the next batch."""
        if isinstance(event, RunFinished):
            self._send(event.run)
        elif isinstance(event, DaemonStopping):
            self._provider.force_flush(_FLUSH_MILLISECONDS)

    def _send(self, run: Run) -> None:
        if run.finished_at is None or run.outcome is None:
            return
        self._ids.run_id = run.run_id
        began_at = run.started_at or run.finished_at
        span = self._tracer.start_span(
            run.key,
            kind=SpanKind.INTERNAL,
            start_time=_nanoseconds(began_at),
            attributes={
                "gavo_exec.run_id": run.run_id,
                "gavo_exec.key": run.key,
                "gavo_exec.title": run.title,
                "gavo_exec.reason": run.reason.value,
                "gavo_exec.outcome": run.outcome.value,
                "gavo_exec.attempt": run.attempt,
                "gavo_exec.due": run.due.isoformat(),
                "gavo_exec.lateness_seconds": max(0.0, (began_at - run.due).total_seconds()),
                "gavo_exec.digest": run.digest,
            },
        )
        cause = run.error.partition("\n")[0][:_MOST_CHARACTERS]
        if run.outcome.is_bad:
            span.set_status(Status(StatusCode.ERROR, cause))
        elif run.outcome is Outcome.SUCCEEDED:
            span.set_status(Status(StatusCode.OK))
        span.end(_nanoseconds(run.finished_at))

    def close(self) -> None:
        """Send what is left, and let go of the thread that sends."""
        self._provider.shutdown()


def _nanoseconds(instant: datetime) -> int:
    """Since 1970."""
    return int(instant.timestamp() * 1_000_000) * 1000
