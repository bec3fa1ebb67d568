"""The listener that lets checks elsewhere know of runs, in the way of Healthchecks: begun, succeeded, failed."""

import uuid
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit, urlunsplit

from gavo_exec.events import Event, RunFinished, RunStarted
from gavo_exec.model import Channel, Execute, Outcome, Run
from gavo_exec.ports import Clock, Store

_MOST_CHARACTERS = 10_000
"""How much of what a run has printed is sent along: what checks keep, commonly."""


class PingListener:
    """Puts calls of checks' addresses into the outbox; ``find`` tells of a key the execute that has it now.

    A check's address is that of the execute's ``mail.ping``, with ``/start`` or ``/fail`` at the end of its path.  Runs
    are told apart by ``rid``; what a run has printed goes through ``mask``.
    """

    hears = frozenset({RunStarted, RunFinished})

    def __init__(
        self, store: Store, *, clock: Clock, find: Callable[[str], Execute | None], mask: Callable[[str], str]
    ) -> None:
        self._store = store
        self._clock = clock
        self._find = find
        self._mask = mask

    def __call__(self, event: Event) -> None:
        """Note what a check is to know."""
        match event:
            case RunStarted(request=request):
                if request.execute.policy.ping:
                    self._put(request.execute, request.run_id, "/start", b"")
            # What is tried again has not failed yet, and what was left out or cancelled neither failed nor succeeded.
            case RunFinished(run=run, request=request) if run.outcome is not None and event.retry is None:
                execute = self._find(run.key) if request is None else request.execute
                if execute is None or not execute.policy.ping:
                    return
                if run.outcome is Outcome.SUCCEEDED:
                    self._put(execute, run.run_id, "", self._tail(run))
                elif run.outcome.is_bad:
                    self._put(execute, run.run_id, "/fail", self._tail(run))
            case _:
                pass

    def _put(self, execute: Execute, run_id: str, suffix: str, content: bytes) -> None:
        target = _address(execute.policy.ping, suffix, run_id)
        subject = f"{suffix.removeprefix('/') or 'success'} {execute.key}"
        now = self._clock.now()
        self._store.put_call(Channel.PING, subject, content, now=now, about=execute.key, target=target)

    def _tail(self, run: Run) -> bytes:
        """The cause, and the end of what the run has printed."""
        text = "\n".join(part for part in (self._mask(run.output).rstrip(), self._mask(run.error)) if part)
        return text[-_MOST_CHARACTERS:].encode("utf-8", "backslashreplace")


def _address(url: str, suffix: str, run_id: str) -> str:
    """The address to call for a run."""
    parts = urlsplit(url)
    rid = uuid.uuid5(uuid.NAMESPACE_URL, f"{url} {run_id}")
    query = "&".join(part for part in (parts.query, urlencode({"rid": str(rid)})) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + suffix, query, ""))
